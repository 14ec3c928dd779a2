import { describe, expect, test } from "vitest";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { createPartitions } from "../../src/protocol/apis/37-create-partitions.ts";
import { deleteTopics } from "../../src/protocol/apis/20-delete-topics.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { ZERO_UUID } from "../../src/protocol/uuid.ts";
import { TOPIC_RESOURCE } from "../../src/metadata/image.ts";
import { ControllerDriver, newDirectory, TestBroker, uuidOf } from "./controller-driver.ts";

function start(brokers = 3) {
  const driver = new ControllerDriver({ maxPartitionsPerTopic: 10, maxPartitions: 15 });
  for (let number = 1; number <= brokers; number++) TestBroker.start(driver, newDirectory(number));
  return driver;
}

function create(driver: ControllerDriver, name: string, more: Parameters<ControllerDriver["createTopic"]>[2] = {}) {
  const { errorCode, errorMessage, ...topic } = driver.createTopic(name, 1, more);
  return { ...topic, error: errorName(errorCode), message: errorMessage };
}

describe("CreateTopics", () => {
  test("answers id, shape and configuration", () => {
    const driver = start();
    const created = create(driver, "quakes", { numPartitions: 2, configs: [{ name: "retention.ms", value: "1000" }] });
    expect(created).toMatchObject({ error: "NONE", message: null, numPartitions: 2, replicationFactor: 3 });
    expect(created.topicId).toBe(driver.image.topicsByName.get("quakes"));
    expect(created.topicId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const configOf = (key: string) => created.configs!.find(({ name }) => name === key);
    expect(configOf("retention.ms")).toMatchObject({ value: "1000", configSource: 1 });
    expect(configOf("min.insync.replicas")).toMatchObject({ value: "2", configSource: 5 });
  });

  test("starts every replica in sync, led by the first, with leaders spread", () => {
    const driver = start();
    driver.createTopic("quakes", 3);
    const partitions = [...driver.image.partitions()];
    for (const { replicas, isr, leader, leaderEpoch, partitionEpoch } of partitions) {
      expect(isr).toEqual(replicas);
      expect(leader).toBe(replicas[0]);
      expect([leaderEpoch, partitionEpoch]).toEqual([0, 0]);
    }
    expect(partitions.map(({ leader }) => leader).sort()).toEqual([1, 2, 3]);
  });

  test("takes a replication factor beyond the brokers as a target, and keeps it", () => {
    const driver = start(2);
    expect(create(driver, "quakes", { replicationFactor: 5 })).toMatchObject({ error: "NONE", replicationFactor: 5 });
    expect(driver.partition("quakes").replicas).toHaveLength(2);
    expect(driver.image.configOf(TOPIC_RESOURCE, "quakes").get("replication.factor")).toBe("5");
  });

  test("needs a broker", () => {
    expect(create(start(0), "quakes").error).toBe("INVALID_REPLICATION_FACTOR");
  });

  test.each([
    ["", "INVALID_TOPIC_EXCEPTION"],
    [".", "INVALID_TOPIC_EXCEPTION"],
    ["..", "INVALID_TOPIC_EXCEPTION"],
    ["a/b", "INVALID_TOPIC_EXCEPTION"],
    ["../x", "INVALID_TOPIC_EXCEPTION"],
    ["%2e", "INVALID_TOPIC_EXCEPTION"],
    ["é", "INVALID_TOPIC_EXCEPTION"],
    ["x".repeat(250), "INVALID_TOPIC_EXCEPTION"],
    ["__cluster_metadata", "INVALID_TOPIC_EXCEPTION"],
    ["x".repeat(249), "NONE"],
    ["__proto__", "NONE"],
    ["constructor", "NONE"],
    ["toString", "NONE"],
    ["__consumer_offsets", "NONE"],
  ])("judges the name %j: %s", (name, error) => {
    const driver = start();
    expect(create(driver, name).error).toBe(error);
    expect(driver.image.topicsByName.has(name)).toBe(error === "NONE");
  });

  test("refuses a name that exists, or differs from one by '.' and '_' alone", () => {
    const driver = start();
    create(driver, "a.b");
    expect(create(driver, "a.b").error).toBe("TOPIC_ALREADY_EXISTS");
    expect(create(driver, "a_b")).toMatchObject({ error: "INVALID_TOPIC_EXCEPTION" });
    expect(create(driver, "a-b").error).toBe("NONE");
  });

  test("compares the names within one request too", () => {
    const driver = start();
    const topics = ["x.y", "x_y", "twice", "twice"].map((name) => ({ name, numPartitions: 1, replicationFactor: 1 }));
    const answer = driver.ask(driver.open(), createTopics, 7, { topics });
    expect(answer.topics.map(({ name, errorCode }) => [name, errorName(errorCode)])).toEqual([
      ["x.y", "NONE"],
      ["x_y", "INVALID_TOPIC_EXCEPTION"],
      ["twice", "INVALID_REQUEST"],
    ]);
  });

  test.each([
    [{ numPartitions: 0 }, "INVALID_PARTITIONS"],
    [{ numPartitions: -2 }, "INVALID_PARTITIONS"],
    [{ numPartitions: 11 }, "INVALID_PARTITIONS"],
    [{ replicationFactor: 0 }, "INVALID_REPLICATION_FACTOR"],
    [{ replicationFactor: -2 }, "INVALID_REPLICATION_FACTOR"],
    [{ configs: [{ name: "no.such.key", value: "1" }] }, "INVALID_CONFIG"],
    [{ configs: [{ name: "__proto__", value: "1" }] }, "INVALID_CONFIG"],
    [{ configs: [{ name: "retention.ms", value: "soon" }] }, "INVALID_CONFIG"],
    [{ configs: [{ name: "retention.ms", value: "-2" }] }, "INVALID_CONFIG"],
    [{ configs: [{ name: "retention.ms", value: null }] }, "INVALID_CONFIG"],
    [{ configs: [{ name: "cleanup.policy", value: "compact,delete" }] }, "NONE"],
    [{ configs: [{ name: "cleanup.policy", value: "burn" }] }, "INVALID_CONFIG"],
    [{ configs: [{ name: "cleanup.policy", value: "delete,delete" }] }, "INVALID_CONFIG"],
    [{ configs: [{ name: "cleanup.policy", value: `delete${" ".repeat(32_000)}` }] }, "INVALID_CONFIG"],
    [{ configs: [{ name: "replication.factor", value: "2" }] }, "NONE"],
    [{ replicationFactor: 3, configs: [{ name: "replication.factor", value: "2" }] }, "INVALID_CONFIG"],
  ])("judges %j: %s", (more, error) => {
    const driver = start();
    expect(create(driver, "quakes", more).error).toBe(error);
    expect(driver.image.topics.size).toBe(error === "NONE" ? 1 : 0);
  });

  test("counts the partitions of the whole cluster", () => {
    const driver = start();
    expect(create(driver, "one", { numPartitions: 10 }).error).toBe("NONE");
    expect(create(driver, "two", { numPartitions: 6 })).toMatchObject({
      error: "POLICY_VIOLATION",
      message: expect.stringContaining("15"),
    });
  });

  test("places partitions as told", () => {
    const driver = start();
    const assignments = [
      { partitionIndex: 1, brokerIds: [3, 2] },
      { partitionIndex: 0, brokerIds: [2, 1] },
    ];
    const more = { numPartitions: -1, replicationFactor: -1, assignments };
    expect(create(driver, "quakes", more)).toMatchObject({ error: "NONE", numPartitions: 2, replicationFactor: 2 });
    expect(driver.partition("quakes", 0)).toMatchObject({ replicas: [2, 1], leader: 2 });
    expect(driver.partition("quakes", 1)).toMatchObject({ replicas: [3, 2], leader: 3 });
  });

  test.each([
    [{ numPartitions: 1 }, [[1]], "INVALID_REQUEST"],
    [{ replicationFactor: 1 }, [[1]], "INVALID_REQUEST"],
    [{}, [[1, 1]], "INVALID_REPLICA_ASSIGNMENT"],
    [{}, [[]], "INVALID_REPLICA_ASSIGNMENT"],
    [{}, [[9]], "INVALID_REPLICA_ASSIGNMENT"],
    [{}, [[1], [1, 2]], "INVALID_REPLICA_ASSIGNMENT"],
  ])("judges %j with the assignments %j: %s", (more, replicas, error) => {
    const assignments = replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }));
    const asked = { numPartitions: -1, replicationFactor: -1, assignments, ...more };
    expect(create(start(), "quakes", asked).error).toBe(error);
  });

  test("only validates when asked to", () => {
    const driver = start();
    const topics = [{ name: "quakes", numPartitions: 1, replicationFactor: 1 }];
    const answer = driver.ask(driver.open(), createTopics, 7, { topics, validateOnly: true });
    expect(answer.topics[0]).toMatchObject({ errorCode: 0, topicId: ZERO_UUID, numPartitions: 1 });
    expect(driver.image.topics.size).toBe(0);
  });

  test.each([2, 3, 4, 5, 6, 7])("is served in version %d", (version) => {
    const driver = start();
    const topics = [{ name: "quakes", numPartitions: 1, replicationFactor: 1 }];
    expect(driver.ask(driver.open(), createTopics, version, { topics }).topics[0]!.errorCode).toBe(0);
  });
});

describe("DeleteTopics", () => {
  function remove(driver: ControllerDriver, topics: { name?: string | null; topicId?: string }[]) {
    const answer = driver.ask(driver.open(), deleteTopics, 6, { topics, timeoutMs: 0 });
    return answer.responses.map(({ name, errorCode }) => [name, errorName(errorCode)]);
  }

  test("deletes by name and by id, with everything that belongs to the topic", () => {
    const driver = start();
    create(driver, "one", { configs: [{ name: "retention.ms", value: "1" }] });
    const { topicId } = create(driver, "two");
    expect(remove(driver, [{ name: "one" }, { topicId }])).toEqual([["one", "NONE"], ["two", "NONE"]]);
    expect(driver.image.topics.size).toBe(0);
    expect(driver.image.configOf(TOPIC_RESOURCE, "one").size).toBe(0);
    expect(create(driver, "two").topicId).not.toBe(topicId);
  });

  test("says what it does not know, and what is contradictory", () => {
    const driver = start();
    const { topicId } = create(driver, "one");
    expect(remove(driver, [{ name: "none" }])).toEqual([["none", "UNKNOWN_TOPIC_OR_PARTITION"]]);
    expect(remove(driver, [{ topicId: uuidOf(5) }])).toEqual([[null, "UNKNOWN_TOPIC_ID"]]);
    expect(remove(driver, [{ name: "one", topicId }])).toEqual([["one", "INVALID_REQUEST"]]);
    expect(remove(driver, [{}])).toEqual([[null, "INVALID_REQUEST"]]);
    const refused = ["one", "INVALID_REQUEST"];
    expect(remove(driver, [{ name: "one" }, { topicId }])).toEqual([refused]);
    expect(remove(driver, [{ name: "one" }, { name: "one" }])).toEqual([refused]);
    expect(remove(driver, [{ topicId }, { topicId }])).toEqual([[null, "INVALID_REQUEST"]]);
    expect(driver.image.topics.size).toBe(1);
  });

  test.each([1, 2, 3, 4, 5])("takes names in version %d", (version) => {
    const driver = start();
    create(driver, "one");
    const answer = driver.ask(driver.open(), deleteTopics, version, { topicNames: ["one"], timeoutMs: 0 });
    expect(answer.responses).toMatchObject([{ name: "one", errorCode: 0 }]);
  });
});

describe("CreatePartitions", () => {
  function grow(driver: ControllerDriver, count: number, brokerIds?: number[][], validateOnly = false) {
    const assignments = brokerIds?.map((ids) => ({ brokerIds: ids })) ?? null;
    const topics = [{ name: "quakes", count, assignments }];
    const answer = driver.ask(driver.open(), createPartitions, 3, { topics, timeoutMs: 0, validateOnly });
    return errorName(answer.results[0]!.errorCode);
  }

  test("adds partitions behind the ones there are, which stay", () => {
    const driver = start();
    create(driver, "quakes");
    const before = driver.partition("quakes");
    expect(grow(driver, 3)).toBe("NONE");
    expect(driver.partition("quakes")).toBe(before);
    expect([...driver.image.partitions()]).toHaveLength(3);
    expect(grow(driver, 4, [[2, 3]])).toBe("NONE");
    expect(driver.partition("quakes", 3).replicas).toEqual([2, 3]);
  });

  test("judges what it is asked for", () => {
    const driver = start();
    expect(grow(driver, 2)).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    create(driver, "quakes", { numPartitions: 2 });
    expect(grow(driver, 2)).toBe("INVALID_PARTITIONS");
    expect(grow(driver, 1)).toBe("INVALID_PARTITIONS");
    expect(grow(driver, 11)).toBe("INVALID_PARTITIONS");
    expect(grow(driver, 4, [[1]])).toBe("INVALID_REPLICA_ASSIGNMENT");
    expect(grow(driver, 3, [[7]])).toBe("INVALID_REPLICA_ASSIGNMENT");
    expect(grow(driver, 3, undefined, true)).toBe("NONE");
    expect([...driver.image.partitions()]).toHaveLength(2);
    create(driver, "other", { numPartitions: 8 });
    expect(grow(driver, 9)).toBe("POLICY_VIOLATION");
  });
});
