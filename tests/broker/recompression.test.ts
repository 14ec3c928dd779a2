import { beforeEach, describe, expect, test } from "vitest";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { MAX_WAITING_BYTES, Recompression } from "../../src/broker/recompression.ts";
import type { BrokerEffect } from "../../src/broker/effects.ts";
import { loadCodec } from "../../src/protocol/compression/codecs.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { assembleBatch, batches, codecNames, recordsSection, verifyCrc } from "../../src/protocol/record-batch.ts";
import type { BatchInit, CodecName } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import { encodeCompressedBatch } from "../protocol/compressed-batch.ts";
import type { CoreBroker, CoreCluster } from "./core-cluster.ts";
import { alterTopic, leaderOf, threeTabs } from "./core-requests.ts";

const TOPIC = "quakes";
/** What the time of day is, roughly: nothing is too old. */
const TIMESTAMP = 1_700_000_000_000;
const producer = { producerId: 4_000, producerEpoch: 0, baseSequence: 0 };

const batchOf = (values: readonly string[], codec: CodecName = "none", init: Partial<BatchInit> = {}) =>
  encodeCompressedBatch(
    values.map((value, offset) => ({ offset, timestamp: TIMESTAMP, key: null, value: new TextEncoder().encode(value) })),
    codec,
    init,
  );

describe("a topic whose compression.type is not its producers' choice", () => {
  let cluster: CoreCluster;
  let tabs: CoreBroker[];

  beforeEach(() => {
    ({ cluster, tabs } = threeTabs(TOPIC));
  });

  const leads = ({ running, core }: CoreBroker) => running && !("error" in core.leaderOf(TOPIC, 0));
  const leader = () => leaderOf(cluster, TOPIC);

  const alter = (name: string, value: string) => alterTopic(cluster, TOPIC, name, value);

  /** Sends now, and gives the outcome once there is one. */
  const send = (records: Uint8Array, version = 9, client = leader().connect()) => {
    const answer = client.send(produce, version, {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: TOPIC, partitionData: [{ index: 0, records }] }],
    });
    return () => {
      const partition = answer()?.responses[0]?.partitionResponses[0];
      if (partition === undefined) return undefined;
      const { errorCode, errorMessage, baseOffset, recordErrors } = partition;
      const wrong = recordErrors.map(({ batchIndex }) => batchIndex);
      return { error: errorName(errorCode), message: errorMessage, baseOffset, wrong };
    };
  };

  const sent = async (records: Uint8Array, version?: number) => {
    const tab = leader();
    const outcome = send(records, version);
    await tab.compress();
    cluster.advance(50);
    return outcome();
  };

  const stored = async () => {
    const { responses } = leader().connect().ask(fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topic: TOPIC, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }],
    });
    const found: { codec: CodecName | undefined; values: string[]; sequence: number }[] = [];
    for (const { header, bytes } of batches(responses[0]!.partitions[0]!.records!)) {
      expect(verifyCrc(bytes)).toBe(true);
      const section = await (await loadCodec(header.attributes.codec)).decompress(recordsSection(bytes), 1_000_000);
      const values = decodeRecords(section, header).map(({ value }) => new TextDecoder().decode(value!));
      found.push({ codec: codecNames[header.attributes.codec], values, sequence: header.baseSequence });
    }
    return found;
  };

  test.each(["uncompressed", "gzip", "snappy", "lz4", "zstd"])("stores what any of them sends as %s", async (type) => {
    alter("compression.type", type);
    for (const [index, codec] of codecNames.entries()) {
      const batch = await batchOf([`${codec}-0`, `${codec}-1`], codec, { ...producer, baseSequence: 2 * index });
      expect(await sent(batch)).toMatchObject({ error: "NONE", baseOffset: 2 * index });
      // Compressing anew does not make a batch another one (R16).
      expect(await sent(batch)).toMatchObject({ error: "NONE", baseOffset: 2 * index });
    }
    const expected = codecNames.map((codec, index) => {
      return { codec: type === "uncompressed" ? "none" : type, values: [`${codec}-0`, `${codec}-1`], sequence: 2 * index };
    });
    expect(await stored()).toEqual(expected);
    leader().kill();
    cluster.until(() => tabs.some(leads), "the next leader");
    expect(await stored()).toEqual(expected);
  });

  test("keeps the order in which batches came, also once its producers choose again", async () => {
    alter("compression.type", "gzip");
    const tab = leader();
    const client = tab.connect();
    const outcomes = [
      send(await batchOf(["1"]), 9, client),
      send(await batchOf(["2"], "gzip"), 9, client),
      send(await batchOf(["3"]), 9, tab.connect()),
    ];
    cluster.settle();
    alter("compression.type", "producer");
    outcomes.push(send(await batchOf(["4"], "lz4"), 9, client));
    cluster.advance(1_000);
    expect(outcomes.map((outcome) => outcome())).toEqual(outcomes.map(() => undefined));
    await tab.compress();
    cluster.advance(50);
    expect(outcomes.map((outcome) => outcome()?.baseOffset)).toEqual([0, 1, 2, 3]);
    expect(await stored()).toMatchObject([
      { codec: "gzip", values: ["1"] },
      { codec: "gzip", values: ["2"] },
      { codec: "gzip", values: ["3"] },
      { codec: "lz4", values: ["4"] },
    ]);
  });

  test("refuses what cannot be opened, or is too large afterwards, and goes on", async () => {
    alter("compression.type", "uncompressed");
    const good = await batchOf(["x"], "gzip");
    const told = { lastOffsetDelta: 0, baseTimestamp: TIMESTAMP, maxTimestamp: TIMESTAMP, recordCount: 1 };
    const noGzip = assembleBatch(told, recordsSection(good).slice().fill(0x55, 2), "gzip");
    expect(await sent(noGzip)).toMatchObject({ error: "INVALID_RECORD" });
    const oneForTwo = assembleBatch({ ...told, lastOffsetDelta: 1, recordCount: 2 }, recordsSection(good), "gzip");
    expect(await sent(oneForTwo)).toMatchObject({ error: "INVALID_RECORD", message: expect.stringContaining("2 well-formed") });
    alter("max.message.bytes", "2000");
    expect(await sent(await batchOf(["x".repeat(3_000)], "gzip"))).toMatchObject({
      error: "MESSAGE_TOO_LARGE",
      message: expect.stringContaining("max.message.bytes 2000"),
    });
    expect(await sent(await batchOf(["fits"], "gzip"))).toMatchObject({ error: "NONE", baseOffset: 0 });
  });

  test.each(["gzip", "zstd", "uncompressed"])("looks at single records before it stores them as %s", async (type) => {
    alter("cleanup.policy", "compact");
    alter("compression.type", type);
    for (const codec of codecNames) {
      const keyless = { error: "INVALID_RECORD", wrong: [0, 1] };
      expect(await sent(await batchOf(["1", "2"], codec))).toMatchObject(keyless);
    }
    alter("cleanup.policy", "delete");
    alter("message.timestamp.before.max.ms", "1000");
    for (const codec of codecNames) {
      const mistimed = { error: "INVALID_TIMESTAMP", wrong: [0] };
      expect(await sent(await batchOf(["of 1970"], codec))).toMatchObject(mistimed);
    }
    expect(await stored()).toEqual([]);
  });

  test("has a batch sent again that came before its records were to be looked at", async () => {
    alter("compression.type", "gzip");
    const tab = leader();
    const early = [await batchOf(["1"]), await batchOf(["2"], "gzip"), await batchOf(["3"], "gzip")];
    const outcomes = early.map((batch) => send(batch));
    cluster.settle();
    alter("cleanup.policy", "compact");
    await tab.compress();
    cluster.advance(50);
    const again = { error: "KAFKA_STORAGE_ERROR", message: expect.stringContaining("send it again") };
    expect(outcomes.map((outcome) => outcome())).toMatchObject(outcomes.map(() => again));
    expect(await sent(await batchOf(["2"], "gzip"))).toMatchObject({ error: "INVALID_RECORD" });
    expect(await stored()).toEqual([]);
  });

  test("answers that another leads, if that is so when the batch is ready", async () => {
    alter("compression.type", "zstd");
    const tab = leader();
    const outcome = send(await batchOf(["late"]));
    cluster.settle();
    tab.disconnectController();
    cluster.until(() => tabs.some((other) => other !== tab && leads(other)), "the next leader");
    tab.connectController();
    cluster.until(() => !leads(tab), "the news of it");
    await tab.compress();
    cluster.advance(50);
    expect(outcome()).toMatchObject({ error: "NOT_LEADER_OR_FOLLOWER" });
    expect(await stored()).toEqual([]);
  });

  test("takes batches of producers that are too old to know its codec", async () => {
    alter("compression.type", "zstd");
    expect(await sent(await batchOf(["old"]), 3)).toMatchObject({ error: "NONE" });
    expect(await sent(await batchOf(["too new for its request"], "zstd"), 3)).toMatchObject({
      error: "UNSUPPORTED_COMPRESSION_TYPE",
    });
    expect(await stored()).toMatchObject([{ codec: "zstd", values: ["old"] }]);
  });
});

describe("what waits for other batches to be compressed", () => {
  const wanted = new Map([[new Uint8Array(1), { codec: "gzip", opened: false } as const]]);

  test("is bounded, whoever sent it and whether they are still there or not", () => {
    const effects: BrokerEffect[] = [];
    const recompression = new Recompression((effect) => void effects.push(effect));
    const order: string[] = [];
    const wait = (name: string, bytes: number) => recompression.inTurn(wanted, bytes, () => void order.push(name));
    expect(wait("alone", 2 * MAX_WAITING_BYTES)).toBe(true);
    expect(wait("too much", 1)).toBe(false);
    recompression.done(new Map());
    expect(wait("half", MAX_WAITING_BYTES / 2)).toBe(true);
    expect(wait("other half", MAX_WAITING_BYTES / 2)).toBe(true);
    expect(recompression.inTurn(new Map(), 1, () => void order.push("too much"))).toBe(false);
    expect(recompression.inTurn(new Map(), 0, () => void order.push("empty"))).toBe(true);
    recompression.done(new Map());
    recompression.done(new Map());
    expect(order).toEqual(["alone", "half", "other half", "empty"]);
    expect(effects).toHaveLength(3);
  });
});
