import { afterEach, describe, expect, test, vi } from "vitest";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { describeCluster } from "../../src/protocol/apis/60-describe-cluster.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import { allocateProducerIds } from "../../src/protocol/apis/67-allocate-producer-ids.ts";
import { encodeRequest } from "../../src/protocol/envelope.ts";
import { errorCode } from "../../src/protocol/error-codes.ts";
import type { ControllerConfig } from "../../src/metadata/controller-config.ts";
import { decodeMetadataBatches, METADATA_TOPIC, METADATA_TOPIC_ID } from "../../src/metadata/metadata-batch.ts";
import { MetadataLog } from "../../src/metadata/metadata-log.ts";
import { Controller } from "../../src/metadata/controller.ts";
import { CLUSTER_ID, ControllerDriver, newDirectory, TestBroker } from "./controller-driver.ts";

const topics = [{ name: "quakes", numPartitions: 1, replicationFactor: 1 }];

afterEach(() => void vi.restoreAllMocks());

function start(config: Partial<ControllerConfig> = {}) {
  const driver = new ControllerDriver(config);
  const broker = TestBroker.start(driver, newDirectory(1));
  return { driver, broker };
}

describe("durability", () => {
  test("[R1] nobody is answered before the decision is durable", () => {
    const { driver } = start();
    const connectionId = driver.open();
    driver.holdAppends = true;
    const asked = driver.send(connectionId, createTopics, 7, { topics });
    expect(driver.image.topicsByName.has("quakes")).toBe(true);
    expect(driver.answer(connectionId, createTopics, 7, asked)).toBeUndefined();
    driver.completeAppend();
    expect(driver.answer(connectionId, createTopics, 7, asked)!.topics[0]!.errorCode).toBe(0);
  });

  test("[R1] even a question is answered only when all that its answer rests on is durable", () => {
    const { driver } = start();
    driver.holdAppends = true;
    driver.send(driver.open(), createTopics, 7, { topics });
    const connectionId = driver.open();
    const asked = driver.send(connectionId, metadata, 12, { topics: null });
    expect(driver.answer(connectionId, metadata, 12, asked)).toBeUndefined();
    driver.completeAppend();
    expect(driver.answer(connectionId, metadata, 12, asked)!.topics).toHaveLength(1);
  });

  test("decisions overtake the disk, and are answered in turn as it follows", () => {
    const { driver, broker } = start();
    driver.holdAppends = true;
    const first = driver.send(broker.connectionId, createTopics, 7, { topics });
    const second = driver.send(broker.connectionId, createTopics, 7, { topics });
    driver.completeAppend();
    expect(driver.answer(broker.connectionId, createTopics, 7, first)!.topics[0]!.errorCode).toBe(0);
    const answer = driver.answer(broker.connectionId, createTopics, 7, second);
    expect(answer!.topics[0]!.errorCode).toBe(errorCode("TOPIC_ALREADY_EXISTS"));
  });

  test("[R1] what was not durable when the controller died has not happened, and nobody was told", () => {
    const { driver } = start();
    driver.holdAppends = true;
    const connectionId = driver.open();
    const asked = driver.send(connectionId, createTopics, 7, { topics });
    driver.holdAppends = false;
    driver.restart();
    expect(driver.answer(connectionId, createTopics, 7, asked)).toBeUndefined();
    expect(driver.image.topics.size).toBe(0);
  });

  test("[R20] a controller that cannot write stops, says so, and answers nobody any more", () => {
    const { driver, broker } = start();
    driver.holdAppends = true;
    const asked = driver.send(broker.connectionId, createTopics, 7, { topics });
    driver.handle({ type: "append-failed", error: "no space is left" });
    expect(driver.controller.failure).toContain("no space is left");
    expect(driver.closed.get(broker.connectionId)).toContain("no space is left");
    expect(driver.logged.at(-1)).toContain("no space is left");
    expect(driver.answer(broker.connectionId, createTopics, 7, asked)).toBeUndefined();
    expect(driver.controller.wakeAtMs).toBeUndefined();
    expect(driver.handle({ type: "woken" })).toEqual([]);
  });

  test("one event makes at most one batch, of consecutive offsets, in the controller's epoch", () => {
    const { driver, broker } = start();
    driver.createTopic("quakes", 4);
    broker.die();
    driver.restart();
    let next = 0;
    for (const { baseOffset, endOffset, batch } of driver.log) {
      const [decoded, ...more] = [...decodeMetadataBatches(batch)];
      expect(more).toEqual([]);
      expect(decoded).toMatchObject({ baseOffset, endOffset });
      expect(baseOffset).toBe(next);
      next = endOffset;
    }
    expect([...decodeMetadataBatches(driver.log.at(-1)!.batch)][0]!.epoch).toBe(2);
    expect(driver.image.endOffset).toBe(next);
  });

  test("[R19] a controller refuses a log that is another cluster's, or has seen its epoch", () => {
    const { driver } = start();
    const again = (clusterId: string, controllerEpoch: number) => () =>
      new Controller({ clusterId, controllerEpoch, seed: "s", snapshot: undefined, log: driver.log, nowMs: 0 });
    expect(again("another", 2)).toThrow("the log is that of the cluster");
    expect(again(CLUSTER_ID, 1)).toThrow("controller epoch 1");
    expect(again(CLUSTER_ID, 2)).not.toThrow();
  });
});

describe("a connection", () => {
  const header = { correlationId: 1, clientId: null };

  test.each([
    ["an empty frame", new Uint8Array(0)],
    ["a frame of three bytes", new Uint8Array(3)],
    ["an api of brokers", encodeRequest(produce, 9, header, { acks: -1, timeoutMs: 0, topicData: [] })],
    ["an api that nobody knows", new Uint8Array([3, 231, 0, 0, 0, 0, 0, 1, 255, 255])],
    ["a version that nobody knows", new Uint8Array([0, 3, 0, 99, 0, 0, 0, 1, 255, 255, 0])],
    ["a truncated request", encodeRequest(createTopics, 7, header, { topics }).slice(0, -2)],
    ["bytes after a request", new Uint8Array([...encodeRequest(metadata, 12, header, { topics: null }), 0])],
  ])("that sends %s is closed with a reason, and no other", (_, frame) => {
    const { driver } = start();
    const connectionId = driver.open();
    const other = driver.open();
    driver.handle({ type: "request", connectionId, frame });
    expect(driver.closed.get(connectionId)).toMatch(/\w/);
    expect([...driver.closed.keys()]).toEqual([connectionId]);
    expect(driver.ask(other, describeCluster, 1, {}).brokers).toHaveLength(1);
  });

  test("that is closed for malformed bytes takes its broker with it", () => {
    const { driver, broker } = start();
    driver.handle({ type: "request", connectionId: broker.connectionId, frame: new Uint8Array(1) });
    expect(broker.registration!.fenced).toBe(true);
  });

  test("to which an answer cannot be written is closed, and the controller goes on", () => {
    const { driver, broker } = start();
    const connectionId = driver.open();
    driver.image.clusterId = "x".repeat(40_000);
    driver.send(connectionId, describeCluster, 1, {});
    driver.image.clusterId = CLUSTER_ID;
    expect(driver.closed.get(connectionId)).toBe("the answer cannot be written");
    expect(driver.logged.at(-1)).toContain("error: the answer to DescribeCluster v1 cannot be written: AssertionError");
    expect(broker.heartbeat().errorCode).toBe(0);
    expect(driver.controller.failure).toBeUndefined();
  });

  test("that was closed is not listened to any more", () => {
    const { driver } = start();
    const connectionId = driver.open();
    driver.close(connectionId);
    const asked = driver.send(connectionId, createTopics, 7, { topics });
    expect(driver.answer(connectionId, createTopics, 7, asked)).toBeUndefined();
    expect(driver.image.topics.size).toBe(0);
  });

  test("can ask for the versions, in any version", () => {
    const { driver } = start();
    const connectionId = driver.open();
    const answer = driver.ask(connectionId, apiVersions, 4, { clientSoftwareName: "t", clientSoftwareVersion: "1" });
    expect(answer.apiKeys.map(({ apiKey }) => apiKey)).toEqual([
      1, 3, 18, 19, 20, 32, 33, 37, 43, 44, 45, 46, 56, 59, 60, 62, 63, 67,
    ]);
    driver.handle({ type: "request", connectionId, frame: new Uint8Array([0, 18, 0, 77, 0, 0, 0, 9, 255, 255]) });
    expect(driver.answer(connectionId, apiVersions, 0, 9)).toMatchObject({
      errorCode: errorCode("UNSUPPORTED_VERSION"),
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
    });
  });
});

describe("answers that wait for the disk", () => {
  const LIMIT = 20_000;

  /** A connection that has just decided something, which is not durable yet; and the bytes of a list of all topics. */
  function startDeciding(config: Partial<ControllerConfig>, partitions: number) {
    const { driver, broker } = start(config);
    const connectionId = driver.open();
    for (let made = 0; made < partitions; made += 1_000) {
      driver.createTopic(`t${made}`, Math.min(1_000, partitions - made), { replicationFactor: 1 });
    }
    const list = encodeRequest(metadata, 12, { correlationId: 0, clientId: null }, { topics: null });
    const [effect] = driver.handle({ type: "request", connectionId, frame: list });
    if (effect?.type !== "send") throw new Error("there is an answer");
    driver.holdAppends = true;
    driver.send(connectionId, createTopics, 7, { topics });
    return { driver, broker, connectionId, listBytes: effect.frame.length };
  }

  test("are bounded: who asks for more loses the connection, with a reason, and is not heard any more", () => {
    const { driver, broker, connectionId, listBytes } = startDeciding({ maxWaitingBytes: LIMIT }, 100);
    const asked = [];
    while (asked.length < 100 && !driver.closed.has(connectionId)) {
      asked.push(driver.send(connectionId, metadata, 12, { topics: null }));
    }
    expect(asked.length).toBeLessThanOrEqual(Math.ceil(LIMIT / listBytes) + 1);
    expect(driver.closed.get(connectionId)).toBe(
      `more than ${LIMIT} bytes of answers wait for the disk; let some come before asking on`,
    );
    driver.send(connectionId, createTopics, 7, { topics: [{ ...topics[0]!, name: "late" }] });
    expect(driver.image.topicsByName.has("late")).toBe(false);
    const other = driver.send(broker.connectionId, metadata, 12, { topics: null });
    driver.completeAppend();
    expect(asked.filter((id) => driver.answer(connectionId, metadata, 12, id) !== undefined)).toEqual([]);
    expect(driver.answer(broker.connectionId, metadata, 12, other)!.topics).toHaveLength(2);
    expect([...driver.closed.keys()]).toEqual([connectionId]);
    expect(broker.registration!.fenced).toBe(false);
  });

  test("count while they wait, and for one connection only", () => {
    const { driver, connectionId, listBytes } = startDeciding({ maxWaitingBytes: LIMIT }, 100);
    const few = Math.floor(LIMIT / listBytes) - 1;
    expect(few).toBeGreaterThan(1);
    const other = driver.open();
    for (let round = 0; round < 5; round++) {
      driver.send(connectionId, createTopics, 7, { topics: [{ ...topics[0]!, name: `round-${round}` }] });
      for (const asking of [connectionId, other]) {
        const asked = Array.from({ length: few }, () => driver.send(asking, metadata, 12, { topics: null }));
        expect(driver.answer(asking, metadata, 12, asked.at(-1)!)).toBeUndefined();
      }
      while (driver.appends.length > 0) driver.completeAppend();
    }
    expect(driver.closed.size).toBe(0);
  });

  test("may be a few of the largest that are ordinary, and a single one of any size", () => {
    const { driver, connectionId, listBytes } = startDeciding({}, 9_999);
    expect(listBytes).toBeGreaterThan(200_000);
    const asked = Array.from({ length: 5 }, () => driver.send(connectionId, metadata, 12, { topics: null }));
    driver.completeAppend();
    for (const id of asked) expect(driver.answer(connectionId, metadata, 12, id)!.topics).toHaveLength(11);

    const small = startDeciding({ maxWaitingBytes: 1_000 }, 100);
    expect(small.listBytes).toBeGreaterThan(1_000);
    const alone = small.driver.send(small.connectionId, metadata, 12, { topics: null });
    small.driver.completeAppend();
    expect(small.driver.answer(small.connectionId, metadata, 12, alone)!.topics).toHaveLength(2);
  });
});

describe("metadata fetches that wait", () => {
  function waitFor(driver: ControllerDriver, connectionId: number, maxWaitMs: number): number {
    const partitions = [{ partition: 0, fetchOffset: driver.image.endOffset, partitionMaxBytes: 1_000_000 }];
    return driver.send(connectionId, fetch, 17, {
      maxWaitMs,
      minBytes: 1,
      maxBytes: 1_000_000,
      topics: [{ topic: METADATA_TOPIC, topicId: METADATA_TOPIC_ID, partitions }],
    });
  }

  test("are not looked at for every heartbeat, nor for every fetch that comes to wait", () => {
    const { driver, broker } = start();
    driver.advance(2_000);
    const read = vi.spyOn(MetadataLog.prototype, "read");
    for (let count = 0; count < 50; count++) waitFor(driver, driver.open(), 10_000);
    expect(read).toHaveBeenCalledTimes(50);
    for (let count = 0; count < 50; count++) broker.heartbeat();
    expect(read).toHaveBeenCalledTimes(50);
  });

  test("are answered each in its own time, also when one that was due before is gone", () => {
    const { driver } = start({ sessionTimeoutMs: 60_000 });
    driver.advance(2_000);
    const gone = driver.open();
    waitFor(driver, gone, 500);
    const waiting = [2_000, 1_000, 3_000].map((waitMs) => {
      const connectionId = driver.open();
      return { waitMs, connectionId, asked: waitFor(driver, connectionId, waitMs) };
    });
    driver.close(gone);
    const startMs = driver.nowMs;
    for (const passedMs of [499, 500, 999, 1_000, 1_999, 2_000, 2_999, 3_000]) {
      driver.advance(startMs + passedMs - driver.nowMs);
      for (const { waitMs, connectionId, asked } of waiting) {
        const isAnswered = driver.answer(connectionId, fetch, 17, asked) !== undefined;
        expect(isAnswered, `${waitMs} after ${passedMs}`).toBe(passedMs >= waitMs);
      }
    }
  });
});

describe("producer ids", () => {
  test("[R1] come in blocks that are never given twice, not even over a restart", () => {
    const { driver, broker } = start();
    const take = () =>
      driver.ask(broker.connectionId, allocateProducerIds, 0, { brokerId: broker.id, brokerEpoch: broker.brokerEpoch });
    expect(take()).toMatchObject({ errorCode: 0, producerIdStart: 0, producerIdLen: 1000 });
    expect(take()).toMatchObject({ producerIdStart: 1000 });
    driver.restart();
    broker.connectionId = driver.open();
    expect(take()).toMatchObject({ producerIdStart: 2000 });
  });

  test("are given to registered brokers only", () => {
    const { driver, broker } = start();
    const take = (brokerId: number, brokerEpoch: number) =>
      driver.ask(broker.connectionId, allocateProducerIds, 0, { brokerId, brokerEpoch }).errorCode;
    expect(take(99, 0)).toBe(errorCode("BROKER_ID_NOT_REGISTERED"));
    expect(take(broker.id, broker.brokerEpoch - 1)).toBe(errorCode("STALE_BROKER_EPOCH"));
  });
});

describe("snapshots", () => {
  test("are taken when the log has grown, and a restart from one makes the same image", () => {
    const driver = new ControllerDriver({ snapshotRecords: 30 });
    const brokers = [1, 2, 3].map((number) => TestBroker.start(driver, newDirectory(number)));
    driver.createTopic("quakes", 8);
    for (const broker of brokers) {
      broker.die();
      broker.restart();
    }
    expect(driver.snapshot!.endOffset).toBeGreaterThan(30);
    expect(driver.log.every(({ baseOffset }) => baseOffset >= driver.snapshot!.endOffset)).toBe(true);
    expect(driver.replayed()).toEqual(driver.image);
    const before = [...driver.image.partitions()];
    driver.restart();
    expect([...driver.image.partitions()]).toEqual(before);
  });

  test("[R1] are never ahead of the disk", () => {
    const driver = new ControllerDriver({ snapshotRecords: 5 });
    TestBroker.start(driver, newDirectory(1));
    const before = driver.snapshot?.endOffset ?? 0;
    driver.holdAppends = true;
    driver.send(driver.open(), createTopics, 7, { topics: [{ ...topics[0]!, numPartitions: 9 }] });
    driver.wake();
    expect(driver.snapshot?.endOffset ?? 0).toBe(before);
    driver.completeAppend();
    expect(driver.snapshot!.endOffset).toBe(driver.image.endOffset);
  });
});
