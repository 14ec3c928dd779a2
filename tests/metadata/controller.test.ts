import { describe, expect, test } from "vitest";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { describeCluster } from "../../src/protocol/apis/60-describe-cluster.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import { allocateProducerIds } from "../../src/protocol/apis/67-allocate-producer-ids.ts";
import { encodeRequest } from "../../src/protocol/envelope.ts";
import { errorCode } from "../../src/protocol/error-codes.ts";
import { decodeMetadataBatches } from "../../src/metadata/metadata-batch.ts";
import { Controller } from "../../src/metadata/controller.ts";
import { CLUSTER_ID, ControllerDriver, newDirectory, TestBroker } from "./controller-driver.ts";

const topics = [{ name: "quakes", numPartitions: 1, replicationFactor: 1 }];

function start() {
  const driver = new ControllerDriver();
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
