import { describe, expect, test } from "vitest";
import { describeCluster } from "../../src/protocol/apis/60-describe-cluster.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import type { MetadataRequestInit } from "../../src/protocol/apis/03-metadata.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { ZERO_UUID } from "../../src/protocol/uuid.ts";
import { describeClusterResponse, metadataResponse } from "../../src/metadata/metadata-response.ts";
import { CLUSTER_ID, ControllerDriver, newDirectory, TestBroker, uuidOf } from "./controller-driver.ts";

function start() {
  const driver = new ControllerDriver({ kafkaListener: { host: "localhost", basePort: 9000 } });
  const brokers = [1, 2].map((number) => TestBroker.start(driver, newDirectory(number), `profile ${number}`));
  driver.createTopic("quakes", 1);
  driver.createTopic("other", 1);
  return { driver, brokers };
}

function ask(driver: ControllerDriver, version: number, topics: MetadataRequestInit["topics"]) {
  const answer = driver.ask(driver.open(), metadata, version, { topics });
  return { ...answer, named: answer.topics.map(({ name, errorCode }) => [name, errorName(errorCode)]) };
}

describe("Metadata", () => {
  test.each(Array.from({ length: 13 }, (_, version) => version))("is answered in version %d", (version) => {
    const { driver } = start();
    const answer = ask(driver, version, [{ name: "quakes" }]);
    expect(answer.brokers.map(({ nodeId, host }) => [nodeId, host])).toEqual([
      [1, `peer-of-${uuidOf(1)}`],
      [2, `peer-of-${uuidOf(2)}`],
    ]);
    const { leader, replicas } = driver.partition("quakes");
    expect(answer.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, leaderId: leader, replicaNodes: replicas });
    if (version >= 1) {
      expect(answer.controllerId).toBe(1);
      expect(answer.brokers.map(({ rack }) => rack)).toEqual(["profile 1", "profile 2"]);
    }
    if (version >= 2) expect(answer.clusterId).toBe(CLUSTER_ID);
    if (version >= 7) expect(answer.topics[0]!.partitions[0]!.leaderEpoch).toBe(0);
    if (version >= 10) expect(answer.topics[0]!.topicId).toBe(driver.image.topicsByName.get("quakes"));
  });

  test("lists every topic for null, and in version 0 for an empty list", () => {
    const { driver } = start();
    const all = [["quakes", "NONE"], ["other", "NONE"]];
    expect(ask(driver, 0, []).named).toEqual(all);
    expect(ask(driver, 1, []).named).toEqual([]);
    expect(ask(driver, 1, null).named).toEqual(all);
    expect(ask(driver, 12, null).named).toEqual(all);
  });

  test("says of each topic why it is not there, and answers nobody twice", () => {
    const { driver } = start();
    const topics = ["none", "a/b", "quakes", "quakes", "__proto__"].map((name) => ({ name }));
    expect(ask(driver, 9, topics).named).toEqual([
      ["none", "UNKNOWN_TOPIC_OR_PARTITION"],
      ["a/b", "INVALID_TOPIC_EXCEPTION"],
      ["quakes", "NONE"],
      ["__proto__", "UNKNOWN_TOPIC_OR_PARTITION"],
    ]);
  });

  test("finds topics by id", () => {
    const { driver } = start();
    const topicId = driver.image.topicsByName.get("quakes")!;
    const asked = [topicId, uuidOf(9)].map((id) => ({ topicId: id, name: null }));
    expect(ask(driver, 12, asked).named).toEqual([["quakes", "NONE"], [null, "UNKNOWN_TOPIC_ID"]]);
  });

  test.each([10, 11])("refuses ids in version %d, in which topics are only told of by name", (version) => {
    const { driver } = start();
    const topicId = driver.image.topicsByName.get("quakes")!;
    const refused = (...topics: { topicId?: string; name: string | null }[]) => ask(driver, version, topics).named;
    expect(refused({ topicId, name: null })).toEqual([["", "INVALID_REQUEST"]]);
    expect(refused({ name: null })).toEqual([["", "INVALID_REQUEST"]]);
    expect(refused({ topicId, name: "quakes" })).toEqual([["quakes", "INVALID_REQUEST"]]);
    expect(refused({ name: "quakes" }, { topicId: uuidOf(9), name: null })).toEqual([
      ["quakes", "INVALID_REQUEST"],
      ["", "INVALID_REQUEST"],
    ]);
  });

  test("tells the endpoints of the asker's own listener", () => {
    const { driver } = start();
    const { brokers } = metadataResponse(driver.image, anyTopic(), 12, "KAFKA");
    expect(brokers.map(({ nodeId, host, port }) => [nodeId, host, port])).toEqual([
      [1, "localhost", 9002],
      [2, "localhost", 9003],
    ]);
  });

  test("leaves out fenced brokers, and shows their replicas as offline", () => {
    const { driver, brokers } = start();
    brokers[0]!.die();
    const { brokers: listed, topics } = ask(driver, 12, [{ name: "quakes" }]);
    expect(listed.map(({ nodeId }) => nodeId)).toEqual([2]);
    expect(topics[0]!.partitions[0]).toMatchObject({ leaderId: 2, isrNodes: [2], offlineReplicas: [1] });
  });

  test("says that a leader is missing, or cannot be reached by the asker's listener", () => {
    const { driver, brokers } = start();
    const errorOf = (version: number, listener: string) =>
      errorName(metadataResponse(driver.image, anyTopic(), version, listener).topics[0]!.partitions[0]!.errorCode);
    expect(errorOf(6, "NOWHERE")).toBe("LISTENER_NOT_FOUND");
    expect(errorOf(5, "NOWHERE")).toBe("LEADER_NOT_AVAILABLE");
    for (const broker of brokers) broker.die();
    expect(errorOf(12, "TAB")).toBe("LEADER_NOT_AVAILABLE");
  });

  test("names the controller that is wished for, if it is there", () => {
    const { driver, brokers } = start();
    const controllerId = (wished: number) => metadataResponse(driver.image, anyTopic(), 12, "TAB", wished).controllerId;
    expect(controllerId(2)).toBe(2);
    expect(controllerId(7)).toBe(1);
    for (const broker of brokers) broker.die();
    expect(controllerId(2)).toBe(-1);
  });

  function anyTopic() {
    return {
      topics: [{ topicId: ZERO_UUID, name: "quakes" }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    };
  }
});

describe("DescribeCluster", () => {
  test.each([0, 1])("tells the brokers in version %d", (version) => {
    const { driver } = start();
    const answer = driver.ask(driver.open(), describeCluster, version, {});
    expect(answer).toMatchObject({ errorCode: 0, clusterId: CLUSTER_ID, controllerId: 1 });
    expect(answer.brokers.map(({ brokerId, rack }) => [brokerId, rack])).toEqual([[1, "profile 1"], [2, "profile 2"]]);
  });

  test("does not tell of controllers", () => {
    const { driver } = start();
    const answer = (endpointType: number) => {
      const request = { includeClusterAuthorizedOperations: false, endpointType };
      return errorName(describeClusterResponse(driver.image, request, "TAB").errorCode);
    };
    expect(answer(2)).toBe("MISMATCHED_ENDPOINT_TYPE");
    expect(answer(9)).toBe("UNSUPPORTED_ENDPOINT_TYPE");
  });
});
