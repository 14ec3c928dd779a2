import { describe, expect, test } from "vitest";
import { describeConfigs } from "../../src/protocol/apis/32-describe-configs.ts";
import { incrementalAlterConfigs } from "../../src/protocol/apis/44-incremental-alter-configs.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { BROKER_RESOURCE, TOPIC_RESOURCE } from "../../src/metadata/image.ts";
import { configProblem, topicConfig, topicConfigs } from "../../src/metadata/topic-config.ts";
import { ControllerDriver, newDirectory, TestBroker } from "./controller-driver.ts";

const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

function start(brokers = 2) {
  const driver = new ControllerDriver();
  const tabs = Array.from({ length: brokers }, (_, index) => TestBroker.start(driver, newDirectory(index + 1)));
  driver.createTopic("quakes", 1);
  return { driver, tabs };
}

function alter(
  driver: ControllerDriver,
  resource: { type?: number; name?: string },
  configs: [name: string, operation: number, value: string | null][],
  validateOnly = false,
) {
  const answer = driver.ask(driver.open(), incrementalAlterConfigs, 1, {
    resources: [
      {
        resourceType: resource.type ?? TOPIC_RESOURCE,
        resourceName: resource.name ?? "quakes",
        configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
      },
    ],
    validateOnly,
  });
  return errorName(answer.responses[0]!.errorCode);
}

const allBrokers = { type: BROKER_RESOURCE, name: "" };

describe("topicConfig", () => {
  test("has safe defaults", () => {
    const { driver } = start();
    expect(topicConfig(driver.image, "quakes")).toEqual({
      cleanupPolicy: ["delete"],
      compressionType: "producer",
      deleteRetentionMs: 86_400_000,
      durability: "strict",
      maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
      maxMessageBytes: 1_048_588,
      messageTimestampType: "CreateTime",
      minCleanableDirtyRatio: 0.5,
      minCompactionLagMs: 0,
      minInsyncReplicas: 2,
      minInsyncReplicasIsExplicit: false,
      replicaReplacementDelayMs: 60_000,
      replicationFactor: 3,
      retentionBytes: -1,
      retentionMs: 604_800_000,
      uncleanLeaderElection: false,
    });
  });

  test("prefers the topic's own value to that of all brokers, and that to the default", () => {
    const { driver } = start();
    alter(driver, allBrokers, [["log.retention.ms", SET, "7"], ["min.insync.replicas", SET, "1"]]);
    expect(topicConfig(driver.image, "quakes")).toMatchObject({ retentionMs: 7, minInsyncReplicasIsExplicit: true });
    alter(driver, {}, [["retention.ms", SET, "5"]]);
    expect(topicConfig(driver.image, "quakes").retentionMs).toBe(5);
    alter(driver, {}, [["retention.ms", DELETE, null]]);
    expect(topicConfig(driver.image, "quakes").retentionMs).toBe(7);
  });

  test("every default is a value that its own rule accepts", () => {
    for (const definition of topicConfigs.values()) {
      expect(configProblem(definition, definition.fallback)).toBeUndefined();
      expect(configProblem(definition, "")).toContain(definition.name);
    }
  });
});

describe("IncrementalAlterConfigs", () => {
  test("appends to lists and subtracts from them", () => {
    const { driver } = start();
    expect(alter(driver, {}, [["cleanup.policy", APPEND, "compact"]])).toBe("NONE");
    expect(topicConfig(driver.image, "quakes").cleanupPolicy).toEqual(["delete", "compact"]);
    expect(alter(driver, {}, [["cleanup.policy", SUBTRACT, "delete"]])).toBe("NONE");
    expect(topicConfig(driver.image, "quakes").cleanupPolicy).toEqual(["compact"]);
    expect(alter(driver, {}, [["cleanup.policy", SUBTRACT, "compact"]])).toBe("INVALID_CONFIG");
    expect(alter(driver, {}, [["retention.ms", APPEND, "1"]])).toBe("INVALID_CONFIG");
  });

  test("changes all keys of a resource or none", () => {
    const { driver } = start();
    expect(alter(driver, {}, [["retention.ms", SET, "5"], ["no.such.key", SET, "1"]])).toBe("INVALID_CONFIG");
    expect(topicConfig(driver.image, "quakes").retentionMs).toBe(604_800_000);
  });

  test.each([
    [{}, [["retention.ms", SET, "often"]], "INVALID_CONFIG"],
    [{}, [["retention.ms", SET, null]], "INVALID_CONFIG"],
    [{}, [["retention.ms", 9, "1"]], "INVALID_REQUEST"],
    [{}, [["retention.ms", SET, "1"], ["retention.ms", SET, "2"]], "INVALID_REQUEST"],
    [{ name: "no such topic" }, [["retention.ms", SET, "1"]], "UNKNOWN_TOPIC_OR_PARTITION"],
    [{ type: 77 }, [["retention.ms", SET, "1"]], "INVALID_REQUEST"],
    [{ type: BROKER_RESOURCE, name: "1" }, [["num.partitions", SET, "3"]], "INVALID_REQUEST"],
    [allBrokers, [["retention.ms", SET, "3"]], "INVALID_CONFIG"],
  ] satisfies [object, [string, number, string | null][], string][])("judges %j %j: %s", (resource, configs, error) => {
    const { driver } = start();
    const before = driver.image.endOffset;
    expect(alter(driver, resource, configs)).toBe(error);
    expect(driver.image.endOffset).toBe(before);
  });

  test("only validates when asked to", () => {
    const { driver } = start();
    expect(alter(driver, {}, [["retention.ms", SET, "1"]], true)).toBe("NONE");
    expect(topicConfig(driver.image, "quakes").retentionMs).toBe(604_800_000);
  });

  test("[R10] a lower minimum empties the ELR in the same decision", () => {
    const { driver, tabs } = start();
    tabs[1]!.die();
    expect(driver.partition("quakes").eligibleLeaderReplicas).toEqual([2]);
    const appended = driver.log.length;
    alter(driver, {}, [["min.insync.replicas", SET, "1"]]);
    expect(driver.partition("quakes").eligibleLeaderReplicas).toEqual([]);
    expect(driver.log.length).toBe(appended + 1);
  });

  test("[R13] allowing unclean election elects, and nothing else does", () => {
    const { driver, tabs } = start(3);
    alter(driver, {}, [["min.insync.replicas", SET, "1"]]);
    const order = [driver.partition("quakes").leader, ...driver.partition("quakes").replicas.slice(1)];
    const [leader, ...followers] = order.map((id) => tabs.find((tab) => tab.id === id)!);
    for (const follower of followers) follower.die();
    leader!.die();
    followers[0]!.restart();
    expect(driver.partition("quakes").leader).toBe(-1);
    alter(driver, {}, [["unclean.leader.election.enable", SET, "true"]]);
    expect(driver.partition("quakes")).toMatchObject({ leader: followers[0]!.id, isr: [followers[0]!.id] });
  });
});

describe("DescribeConfigs", () => {
  function describeAll(
    driver: ControllerDriver,
    resourceType: number,
    resourceName: string,
    configurationKeys: string[] | null = null,
  ) {
    const answer = driver.ask(driver.open(), describeConfigs, 4, {
      resources: [{ resourceType, resourceName, configurationKeys }],
      includeSynonyms: true,
      includeDocumentation: true,
    });
    return answer.results[0]!;
  }

  test("tells each value of a topic with its source, type and synonyms", () => {
    const { driver } = start();
    alter(driver, allBrokers, [["log.retention.ms", SET, "7"]]);
    alter(driver, {}, [["retention.ms", SET, "5"]]);
    const { configs } = describeAll(driver, TOPIC_RESOURCE, "quakes");
    expect(configs.map(({ name }) => name)).toEqual([...topicConfigs.keys()]);
    expect(configs.find(({ name }) => name === "retention.ms")).toMatchObject({
      value: "5",
      configSource: 1,
      configType: 5,
      documentation: expect.stringContaining("age"),
      synonyms: [
        { name: "retention.ms", value: "5", source: 1 },
        { name: "log.retention.ms", value: "7", source: 3 },
        { name: "log.retention.ms", value: "604800000", source: 5 },
      ],
    });
  });

  test("tells only the keys that were asked for", () => {
    const { driver } = start();
    const { configs } = describeAll(driver, TOPIC_RESOURCE, "quakes", ["durability", "__proto__"]);
    expect(configs.map(({ name }) => name)).toEqual(["durability"]);
  });

  test("tells a broker's values in effect, and of all brokers together what was set", () => {
    const { driver } = start();
    expect(describeAll(driver, BROKER_RESOURCE, "").configs).toEqual([]);
    alter(driver, allBrokers, [["num.partitions", SET, "3"]]);
    expect(describeAll(driver, BROKER_RESOURCE, "").configs).toMatchObject([{ name: "num.partitions", value: "3" }]);
    const { configs } = describeAll(driver, BROKER_RESOURCE, "1");
    const configNamed = (key: string) => configs.find(({ name }) => name === key);
    expect(configNamed("num.partitions")).toMatchObject({ value: "3", configSource: 3 });
    expect(configNamed("default.replication.factor")).toMatchObject({ value: "3", configSource: 5 });
  });

  test("says what it does not know", () => {
    const { driver } = start();
    const errorOf = (type: number, name: string) => errorName(describeAll(driver, type, name).errorCode);
    expect(errorOf(TOPIC_RESOURCE, "none")).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(errorOf(BROKER_RESOURCE, "99")).toBe("INVALID_REQUEST");
    expect(errorOf(8, "1")).toBe("INVALID_REQUEST");
  });

  test("the default number of partitions applies to topics whose creator does not say", () => {
    const { driver } = start();
    alter(driver, allBrokers, [["num.partitions", SET, "3"], ["default.replication.factor", SET, "1"]]);
    expect(driver.createTopic("other", -1)).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 });
  });
});
