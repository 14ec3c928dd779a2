import { beforeEach, describe, expect, it, vi } from "vitest";
import { createTopics as createTopicsApi } from "../../src/protocol/apis/19-create-topics.ts";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { initProducerId } from "../../src/protocol/apis/22-init-producer-id.ts";
import { listOffsets } from "../../src/protocol/apis/02-list-offsets.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import { assert } from "../../src/protocol/assert.ts";
import { decodeResponse, encodeRequest } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { assembleBatch } from "../../src/protocol/record-batch.ts";
import { encodeRecords } from "../../src/protocol/records.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { CoreBroker, TestClient } from "./core-cluster.ts";
import { batchOf, consumed, createTopic, leaderOf, produced, sendProduce, untilInSync } from "./core-requests.ts";

const ZERO = "00000000-0000-0000-0000-000000000000";
/** An array that is null. */
const NO_TOPICS = [0xff, 0xff, 0xff, 0xff];

describe("a broker", () => {
  let cluster: CoreCluster;
  let tab: CoreBroker;
  let bystander: TestClient;

  beforeEach(() => {
    cluster = new CoreCluster();
    tab = cluster.start("a");
    cluster.until(() => tab.core.state === "running", "a running broker");
    createTopic(cluster, "quakes", { configs: { "max.message.bytes": "500" } });
    leaderOf(cluster, "quakes");
    bystander = tab.connect();
  });

  const header = (apiKey: number, version: number, rest: readonly number[] = []) =>
    Uint8Array.of(0, apiKey, 0, version, 0, 0, 0, 1, 0xff, 0xff, ...rest);

  it.each([
    ["an empty frame", new Uint8Array(0)],
    ["half a header", Uint8Array.of(0, 3, 0, 9, 0)],
    ["an unknown api", header(99, 0)],
    ["an api for controllers only", header(62, 4)],
    ["a version that is too old", header(0, 2)],
    ["a version that is too new", header(3, 120)],
    ["a body cut short", header(3, 1, [0, 0, 0, 5, 0, 1])],
    ["an array of two billion elements", header(3, 1, [0x7f, 0xff, 0xff, 0xff])],
    ["a negative array length", header(3, 4, [0xff, 0xff, 0xff, 0xfe, 1])],
    ["bytes behind the end", header(18, 0, [1, 2, 3])],
    ["a client id past the end", Uint8Array.of(0, 3, 0, 1, 0, 0, 0, 1, 0x7f, 0xff, 1)],
    [
      "a client id that is no text",
      Uint8Array.of(0, 3, 0, 1, 0, 0, 0, 1, 0x2b, 0, ...Array(0x2b00).fill(0xff), ...NO_TOPICS),
    ],
    ["text for bytes", Uint8Array.from("GET / HTTP/1.1\r\n\r\n", (char) => char.charCodeAt(0))],
  ])("closes the connection that sends %s, and no other", (_what, frame) => {
    const client = tab.connect();
    client.sendRaw(frame);
    cluster.settle();
    expect(client.closedBecause).toMatch(/\w+/);
    expect(bystander.closedBecause).toBeUndefined();
    expect(produced(cluster, bystander, "quakes", ["fine"]).error).toBe("NONE");
  });

  it.each([10, 11])("looks for no topic by its id in version %i of Metadata, which cannot tell of it", (version) => {
    const asked = { topicId: "00000000-0000-4000-8000-000000000009", name: null };
    const { topics } = bystander.ask(metadata, version, { topics: [asked] });
    expect(topics).toMatchObject([{ ...asked, name: "", errorCode: 42 }]);
  });

  it("takes no records from beyond 2^53, and so never has to tell of them", () => {
    const latest = Number.MAX_SAFE_INTEGER;
    const header = { lastOffsetDelta: 1, baseTimestamp: latest, maxTimestamp: latest, recordCount: 2 };
    const at = (timestamp: number, offset: number) => ({ offset, timestamp, key: null, value: null });
    const records = assembleBatch(header, encodeRecords([at(0, 0), at(1, 1)]));
    const { responses } = bystander.ask(produce, 9, {
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ name: "quakes", partitionData: [{ index: 0, records }] }],
    });
    expect(errorName(responses[0]!.partitionResponses[0]!.errorCode)).toBe("INVALID_RECORD");
    const partitions = [{ partitionIndex: 0, timestamp: -3 }];
    const { topics } = bystander.ask(listOffsets, 7, { topics: [{ name: "quakes", partitions }] });
    expect(topics[0]!.partitions).toMatchObject([{ offset: -1, timestamp: -1 }]);
  });

  it("ends the connection to which its answer cannot be written, and no other", () => {
    const { image } = tab.core;
    const { clusterId } = image;
    const client = tab.connect();
    image.clusterId = "x".repeat(40_000);
    client.send(metadata, 12, { topics: [] });
    cluster.settle();
    image.clusterId = clusterId;
    expect(client.closedBecause).toContain("cannot be written");
    expect(cluster.log.at(-2)).toContain("Metadata v12 cannot be written: AssertionError: a string is at most");
    expect(produced(cluster, bystander, "quakes", ["fine"]).error).toBe("NONE");
  });

  it("does not go on once a handler has broken an invariant", () => {
    vi.spyOn(tab.core, "leaderOf").mockImplementation(() => assert(false, "the log is sound") as never);
    sendProduce(bystander, "quakes", ["?"]);
    expect(() => cluster.settle()).toThrow("the log is sound");
  });

  it("refuses a batch whose bytes were changed on the way, with CORRUPT_MESSAGE", () => {
    const records = batchOf(["spoilt"]);
    records[records.length - 1]! ^= 1;
    const { responses } = bystander.ask(produce, 9, {
      acks: 1,
      timeoutMs: 1_000,
      topicData: [{ name: "quakes", partitionData: [{ index: 0, records }] }],
    });
    expect(errorName(responses[0]!.partitionResponses[0]!.errorCode)).toBe("CORRUPT_MESSAGE");
    expect(consumed(bystander, "quakes").values).toEqual([]);
  });

  it("refuses a batch that is too large, naming its size and the limit", () => {
    const records = batchOf(["x".repeat(600)]);
    const { responses } = bystander.ask(produce, 9, {
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ name: "quakes", partitionData: [{ index: 0, records }] }],
    });
    const [partition] = responses[0]!.partitionResponses;
    expect(errorName(partition!.errorCode)).toBe("MESSAGE_TOO_LARGE");
    expect(partition!.errorMessage).toContain(`${records.length}`);
    expect(partition!.errorMessage).toContain("500");
  });

  it("takes no more by acks=0 than the disk keeps up with", () => {
    tab.kill();
    tab.config = { maxPipelinedBytes: 20_000 };
    tab.start();
    leaderOf(cluster, "quakes");
    tab.slowDisk = true;
    const client = tab.connect();
    const send = () => sendProduce(client, "quakes", ["x".repeat(300)], { acks: 0 });
    for (let sent = 0; sent < 100 && client.closedBecause === undefined; sent++) {
      send();
      cluster.settle();
    }
    expect(client.closedBecause).toContain("acks=0 to quakes-0 failed");
    expect(tab.core.unstoredBytes).toBeLessThan(21_000);
    tab.slowDisk = false;
    tab.flush();
    cluster.settle();
    expect(tab.core.unstoredBytes).toBe(0);
    expect(produced(cluster, tab.connect(), "quakes", ["fine"]).error).toBe("NONE");
  });

  it("takes no more than the disk keeps up with from a client that connects anew instead of waiting", () => {
    tab.kill();
    tab.config = { maxPipelinedBytes: 20_000 };
    tab.start();
    leaderOf(cluster, "quakes");
    tab.slowDisk = true;
    for (let connected = 0; connected < 20; connected++) {
      const client = tab.connect();
      for (let sent = 0; sent < 4; sent++) sendProduce(client, "quakes", ["x".repeat(300)], { acks: 1 });
      cluster.settle();
      client.sendRaw(Uint8Array.of(1));
      cluster.settle();
    }
    expect(tab.core.unstoredBytes).toBeLessThan(21_000);
    tab.slowDisk = false;
    tab.flush();
    cluster.settle();
    expect(produced(cluster, tab.connect(), "quakes", ["fine"]).error).toBe("NONE");
  });

  it("answers acks=0 with nothing, and an error by closing", () => {
    const client = tab.connect();
    const send = (name: string) =>
      client.send(produce, 9, {
        acks: 0,
        timeoutMs: 0,
        topicData: [{ name, partitionData: [{ index: 0, records: batchOf(["silent"]) }] }],
      });
    send("quakes");
    cluster.advance(50);
    expect([client.frames.length, client.closedBecause]).toEqual([0, undefined]);
    expect(consumed(bystander, "quakes").values).toEqual(["silent"]);
    send("nowhere");
    cluster.advance(50);
    expect(client.closedBecause).toContain("UNKNOWN_TOPIC_OR_PARTITION");
  });

  it.each([
    [2, "INVALID_REQUIRED_ACKS"],
    [-2, "INVALID_REQUIRED_ACKS"],
  ])("refuses acks=%i", (acks, error) => {
    expect(produced(cluster, bystander, "quakes", ["?"], { acks }).error).toBe(error);
  });

  it.each(["__proto__", "constructor", "hasOwnProperty", "toString"])("takes %s for a topic like any other", (name) => {
    expect(produced(cluster, bystander, name, ["?"]).error).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    createTopic(cluster, name);
    leaderOf(cluster, name);
    expect(produced(cluster, bystander, name, ["here"])).toEqual({ error: "NONE", baseOffset: 0 });
    expect(consumed(bystander, name).values).toEqual(["here"]);
  });

  it.each([
    ["below the log", -5, "OFFSET_OUT_OF_RANGE"],
    ["beyond the log", 999_999, "OFFSET_OUT_OF_RANGE"],
    ["at the end", 0, "NONE"],
  ])("answers a fetch %s with %s %s", (_where, offset, error) => {
    expect(consumed(bystander, "quakes", offset).error).toBe(error);
  });

  it("tells a client that is too new which versions of ApiVersions it may use", () => {
    bystander.sendRaw(header(18, 100));
    cluster.settle();
    const { body } = decodeResponse(apiVersions, 0, bystander.frames[0]!);
    expect(body).toMatchObject({ errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] });
  });

  it("advertises Produce from version 0, without which librdkafka leaves compression out", () => {
    const { apiKeys } = bystander.ask(apiVersions, 3, { clientSoftwareName: "kcat", clientSoftwareVersion: "1.7.1" });
    expect(apiKeys.find(({ apiKey }) => apiKey === 0)).toEqual({ apiKey: 0, minVersion: 0, maxVersion: 11 });
  });

  it("hands out each producer id once", () => {
    const take = () => bystander.ask(initProducerId, 1, { transactionalId: null, transactionTimeoutMs: 0 }).producerId;
    const ids = Array.from({ length: 2_500 }, take);
    expect(new Set(ids).size).toBe(2_500);
  });

  it("answers pipelined requests in their order, though the first one waits", () => {
    const client = tab.connect();
    const waiting = client.send(fetch, 12, {
      maxWaitMs: 60_000,
      minBytes: 1,
      topics: [{ topic: "quakes", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }] }],
    });
    const acked = sendProduce(client, "quakes", ["behind the fetch"]);
    cluster.advance(100);
    expect(waiting()?.responses[0]?.partitions[0]?.records).toHaveLength(0);
    expect(acked()?.error).toBe("NONE");
  });

  it("lets a fetch wait until there is something to read", () => {
    const waiting = bystander.send(fetch, 12, {
      maxWaitMs: 5_000,
      minBytes: 1,
      topics: [{ topic: "quakes", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }] }],
    });
    cluster.advance(1_000);
    expect(waiting()).toBeUndefined();
    produced(cluster, tab.connect(), "quakes", ["news"]);
    cluster.settle();
    expect(waiting()?.responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(0);
  });

  it("finds offsets by time and by the ends of the log", () => {
    for (const value of ["one", "two"]) produced(cluster, bystander, "quakes", [value]);
    const at = (timestamp: number) =>
      bystander.ask(listOffsets, 7, {
        topics: [{ name: "quakes", partitions: [{ partitionIndex: 0, timestamp }] }],
      }).topics[0]!.partitions[0]!.offset;
    expect([at(-1), at(-2), at(1_600_000_000_000), at(1_800_000_000_000)]).toEqual([2, 0, 0, -1]);
  });

  it("finds no offset by a time that does not exist, nor two of one partition", () => {
    const errors = (...timestamps: number[]) =>
      bystander
        .ask(listOffsets, 7, {
          topics: [{ name: "quakes", partitions: timestamps.map((timestamp) => ({ partitionIndex: 0, timestamp })) }],
        })
        .topics[0]!.partitions.map(({ errorCode }) => errorName(errorCode));
    expect(errors(-17)).toEqual(["UNSUPPORTED_VERSION"]);
    expect(errors(-1, -2)).toEqual(["INVALID_REQUEST"]);
  });

  it("gives no producer id to half an id, nor to an empty transactional id", () => {
    const refused = { transactionalId: null, transactionTimeoutMs: 0, producerId: -1, producerEpoch: -1 };
    const error = (more: object) =>
      errorName(bystander.ask(initProducerId, 4, { ...refused, ...more }).errorCode);
    expect(error({ producerId: 4 })).toBe("INVALID_REQUEST");
    expect(error({ producerEpoch: 4 })).toBe("INVALID_REQUEST");
    expect(error({ transactionalId: "" })).toBe("INVALID_REQUEST");
  });

  it("creates a topic for a client that asks for its metadata, unless it may not", () => {
    const ask = (name: string, allowAutoTopicCreation: boolean) =>
      bystander.ask(metadata, 12, {
        topics: [{ topicId: ZERO, name }],
        allowAutoTopicCreation,
      });
    ask("wanted", true);
    ask("unwanted", false);
    cluster.until(() => cluster.controller.image.topicsByName.has("wanted"), "the topic");
    expect(cluster.controller.image.topicsByName.has("unwanted")).toBe(false);
  });

  it("passes admin requests on to the controller, with the client's own correlation id", () => {
    const request = encodeRequest(
      createTopicsApi,
      7,
      { correlationId: 77, clientId: "admin" },
      { topics: [{ name: "made", numPartitions: 1, replicationFactor: 1 }], timeoutMs: 1_000, validateOnly: false },
    );
    bystander.sendRaw(request);
    cluster.until(() => bystander.frames.length > 0, "an answer");
    const { correlationId, body } = decodeResponse(createTopicsApi, 7, bystander.frames[0]!);
    expect([correlationId, body.topics[0]?.errorCode]).toEqual([77, 0]);
  });

  it("takes no client of the Kafka listener for a follower, though it knows the follower's epoch", () => {
    const follower = cluster.start("b");
    cluster.until(() => follower.core.state === "running", "a second broker");
    createTopic(cluster, "shared");
    const leader = leaderOf(cluster, "shared");
    untilInSync(cluster, "shared", 2);
    const replicaId = leader === tab ? follower.nodeId : tab.nodeId;
    const { topicId } = cluster.controller.image.topicNamed("shared")!;
    const { brokerEpoch } = cluster.controller.image.brokers.get(replicaId)!;
    const errorFor = (listener: string) => {
      const { responses } = leader.connect(listener).ask(fetch, 15, {
        replicaState: { replicaId, replicaEpoch: brokerEpoch },
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }] }],
      });
      return errorName(responses[0]!.partitions[0]!.errorCode);
    };
    expect([errorFor("KAFKA"), errorFor("TAB")]).toEqual(["UNKNOWN_LEADER_EPOCH", "NONE"]);
  });

  describe("cannot be made to flood the controller", () => {
    /** How many requests of clients the controller has seen, apart from what the broker itself says. */
    function forwarded(arrived: (count: number) => void = () => {}): () => number {
      let count = 0;
      const handle = cluster.controller.handle.bind(cluster.controller);
      cluster.controller.handle = (event, nowMs, wallMs) => {
        if (event.type === "request" && event.frame[1] === createTopicsApi.key) arrived(++count);
        return handle(event, nowMs, wallMs);
      };
      return () => count;
    }

    const creation = (name: string, correlationId: number, topicCount = 1) => {
      const topics = Array.from({ length: topicCount }, () => ({ name, numPartitions: 1, replicationFactor: 1 }));
      const body = { topics, timeoutMs: 1_000, validateOnly: true };
      return encodeRequest(createTopicsApi, 7, { correlationId, clientId: "admin" }, body);
    };

    it("by admin requests, which wait for their turn and are all answered", () => {
      const seen = forwarded();
      const client = tab.connect();
      for (let count = 0; count < 900; count++) client.sendRaw(creation(`t${count}`, count));
      cluster.settle();
      expect(seen()).toBeLessThan(550);
      cluster.advance(1_000);
      expect(seen()).toBeLessThan(800);
      cluster.until(() => client.frames.length === 900, "all answers");
      expect(client.frames.map((frame) => decodeResponse(createTopicsApi, 7, frame).correlationId)).toEqual(
        Array.from({ length: 900 }, (_, count) => count),
      );
    });

    it("by asking for many large answers at once, for the next request leaves when the last one is answered", () => {
      const clients = [tab.connect(), tab.connect()];
      const answered = () => clients.reduce((count, { frames }) => count + frames.length, 0);
      const waiting = new Set<number>();
      const seen = forwarded((count) => waiting.add(count - answered()));
      for (let count = 0; count < 20; count++) clients[count % 2]!.sendRaw(creation(`t${count}`, count, 100));
      cluster.settle();
      expect([seen(), answered(), ...waiting]).toEqual([20, 20, 1]);
    });

    it("by asking while its link breaks: who waits hears so, and who asks once it is back is answered", () => {
      const [early, late] = [tab.connect(), tab.connect()];
      forwarded((count) => {
        if (count === 1) tab.disconnectController();
      });
      for (const correlationId of [1, 2]) early.sendRaw(creation("t", correlationId));
      cluster.settle();
      expect([early.frames.length, early.closedBecause]).toEqual([0, expect.stringContaining("cannot be reached")]);
      tab.connectController();
      late.sendRaw(creation("t", 3));
      cluster.until(() => late.frames.length === 1, "an answer");
    });

    it("by admin requests of a client whose connection has ended, which are forgotten", () => {
      const seen = forwarded();
      const client = tab.connect();
      for (let count = 0; count < 900; count++) client.sendRaw(creation(`t${count}`, count));
      cluster.settle();
      client.sendRaw(new Uint8Array(0));
      cluster.advance(5_000);
      expect(seen()).toBeLessThan(550);
    });

    it("by one that cannot be read, which ends its own connection and not the broker's", () => {
      const client = tab.connect();
      client.sendRaw(header(createTopicsApi.key, 2, [0, 6]));
      cluster.settle();
      expect(client.closedBecause).toContain("unreadable");
      expect(produced(cluster, bystander, "quakes", ["fine"]).error).toBe("NONE");
    });

    it("by one that is too large, which ends its connection", () => {
      const client = tab.connect();
      client.sendRaw(creation("x".repeat(30_000), 1, 20));
      cluster.settle();
      expect(client.closedBecause).toContain("exceeds its limit");
    });

    it("by naming a partition in a fetch again and again", () => {
      const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 };
      const topics = [{ topic: "quakes", partitions: Array(50_000).fill(partition) }];
      const startMs = performance.now();
      const { responses } = tab.connect().ask(fetch, 12, { maxWaitMs: 60_000, minBytes: 1_000_000, topics });
      expect(performance.now() - startMs).toBeLessThan(2_000);
      const errors = new Set(responses[0]!.partitions.slice(1).map((answer) => errorName(answer.errorCode)));
      expect([...errors]).toEqual(["INVALID_REQUEST"]);
      expect(responses[0]!.partitions[0]!.errorCode).toBe(0);
    });

    it("by asking for the metadata of topics without number", () => {
      const seen = forwarded();
      const client = tab.connect();
      for (let count = 0; count < 2_000; count++) {
        client.send(metadata, 4, { topics: [{ name: `junk-${count}` }], allowAutoTopicCreation: true });
      }
      cluster.advance(100);
      expect(seen()).toBeLessThan(550);
      expect(client.frames).toHaveLength(2_000);
    });

    it("by asking for the metadata of many topics at once, whose creation is answered for each", () => {
      const seen = forwarded();
      const client = tab.connect();
      const topics = Array.from({ length: 100 }, (_, at) => ({ name: `junk-${at}` }));
      for (let count = 0; count < 300; count++) {
        client.send(metadata, 4, { topics, allowAutoTopicCreation: true });
      }
      cluster.settle();
      expect(seen()).toBeLessThan(80);
      expect(client.frames).toHaveLength(300);
    });
  });
});
