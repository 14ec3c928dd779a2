import { describe, expect, test } from "vitest";
import { describeConfigs } from "../../src/protocol/apis/32-describe-configs.ts";
import { alterConfigs } from "../../src/protocol/apis/33-alter-configs.ts";
import { incrementalAlterConfigs } from "../../src/protocol/apis/44-incremental-alter-configs.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { configProblem } from "../../src/metadata/config-definition.ts";
import { configDocumentation } from "../../src/metadata/config-documentation.ts";
import { BROKER_RESOURCE, TOPIC_RESOURCE } from "../../src/metadata/image.ts";
import { topicConfigs } from "../../src/metadata/settable-configs.ts";
import { topicConfig } from "../../src/metadata/topic-config.ts";
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
      compression: "producer",
      deleteRetentionMs: 86_400_000,
      durability: "strict",
      maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
      maxMessageBytes: 1_048_588,
      messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
      messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
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

  test("takes back what was never set, as Kafka's tools do after a reassignment", () => {
    const { driver } = start();
    expect(alter(driver, {}, [["leader.replication.throttled.replicas", DELETE, null]])).toBe("NONE");
    const broker = { type: BROKER_RESOURCE, name: "1" };
    expect(alter(driver, broker, [["leader.replication.throttled.rate", DELETE, null]])).toBe("NONE");
    expect(alter(driver, broker, [["leader.replication.throttled.rate", SET, "1"]])).toBe("INVALID_REQUEST");
  });

  test.each([
    ["compression.gzip.level", "-1", ["-1", "1", "9"], ["-2", "0", "10"]],
    ["compression.lz4.level", "9", ["1", "17"], ["0", "18"]],
    ["compression.zstd.level", "3", ["-131072", "0", "22"], ["-131073", "23"]],
    ["file.delete.delay.ms", "60000", ["0", "9223372036854775807"], ["-1", "9223372036854775808"]],
    ["flush.messages", "9223372036854775807", ["1"], ["0", "9223372036854775808"]],
    ["flush.ms", "9223372036854775807", ["0"], ["-1"]],
    ["index.interval.bytes", "4096", ["0", "2147483647"], ["-1", "2147483648"]],
    ["preallocate", "false", ["true", "false"], ["1"]],
    ["segment.index.bytes", "10485760", ["4", "2147483647"], ["3"]],
    ["segment.jitter.ms", "0", ["0", "1"], ["-1"]],
  ])("takes %s as Kafka does, and makes nothing of it", (name, fallback, taken, refused) => {
    const { driver } = start();
    const before = topicConfig(driver.image, "quakes");
    expect(topicConfigs.get(name)?.fallback).toBe(fallback);
    expect(configDocumentation.get(name)).toContain("for the sake of tools");
    expect(taken.map((value) => alter(driver, {}, [[name, SET, value]]))).toEqual(taken.map(() => "NONE"));
    expect(driver.image.configOf(TOPIC_RESOURCE, "quakes").get(name)).toBe(taken.at(-1));
    expect(refused.map((value) => alter(driver, {}, [[name, SET, value]]))).toEqual(refused.map(() => "INVALID_CONFIG"));
    expect(topicConfig(driver.image, "quakes")).toEqual(before);
  });

  test("changes all keys of a resource or none", () => {
    const { driver } = start();
    expect(alter(driver, {}, [["retention.ms", SET, "5"], ["no.such.key", SET, "1"]])).toBe("INVALID_CONFIG");
    expect(topicConfig(driver.image, "quakes").retentionMs).toBe(604_800_000);
  });

  test.each([
    [{}, [["retention.ms", SET, "often"]], "INVALID_CONFIG"],
    [{}, [["retention.ms", SET, null]], "INVALID_REQUEST"],
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

describe("AlterConfigs", () => {
  function replace(
    driver: ControllerDriver,
    resource: { type?: number; name?: string },
    configs: Record<string, string | null>,
    validateOnly = false,
  ) {
    const { responses } = driver.ask(driver.open(), alterConfigs, 2, {
      resources: [
        {
          resourceType: resource.type ?? TOPIC_RESOURCE,
          resourceName: resource.name ?? "quakes",
          configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
      validateOnly,
    });
    return errorName(responses[0]!.errorCode);
  }

  test("sets what is named, and takes everything else back to its default", () => {
    const { driver } = start();
    alter(driver, {}, [["retention.ms", SET, "5"], ["max.message.bytes", SET, "1000"]]);
    expect(replace(driver, {}, { "retention.ms": "6", "cleanup.policy": "compact,delete" })).toBe("NONE");
    expect(Object.fromEntries(driver.image.configOf(TOPIC_RESOURCE, "quakes"))).toEqual({
      "retention.ms": "6",
      "cleanup.policy": "compact,delete",
    });
    expect(replace(driver, {}, {})).toBe("NONE");
    expect(driver.image.configOf(TOPIC_RESOURCE, "quakes").size).toBe(0);
  });

  test("keeps a replication factor that is not named, for Kafka has no such configuration", () => {
    const { driver } = start();
    driver.createTopic("waves", 1, { replicationFactor: 2 });
    expect(replace(driver, { name: "waves" }, { "retention.ms": "6" })).toBe("NONE");
    expect(topicConfig(driver.image, "waves")).toMatchObject({ replicationFactor: 2, retentionMs: 6 });
    expect(replace(driver, { name: "waves" }, { "replication.factor": "1" })).toBe("NONE");
    expect(topicConfig(driver.image, "waves")).toMatchObject({ replicationFactor: 1, retentionMs: 604_800_000 });
  });

  test("keeps internal topics compacted", () => {
    const { driver } = start();
    driver.createTopic("__consumer_offsets", 1);
    expect(replace(driver, { name: "__consumer_offsets" }, { "min.insync.replicas": "1" })).toBe("NONE");
    expect(topicConfig(driver.image, "__consumer_offsets").cleanupPolicy).toEqual(["compact"]);
    expect(replace(driver, { name: "__consumer_offsets" }, { "cleanup.policy": "delete" })).toBe("INVALID_CONFIG");
  });

  test("replaces the defaults of all brokers", () => {
    const { driver } = start();
    alter(driver, allBrokers, [["num.partitions", SET, "3"]]);
    expect(replace(driver, allBrokers, { "log.retention.ms": "8" })).toBe("NONE");
    expect(Object.fromEntries(driver.image.configOf(BROKER_RESOURCE, ""))).toEqual({ "log.retention.ms": "8" });
  });

  test.each([
    [{}, { "retention.ms": "often" }, "INVALID_CONFIG"],
    [{}, { "no.such.key": "1" }, "INVALID_CONFIG"],
    [{}, { "retention.ms": null }, "INVALID_REQUEST"],
    [{ name: "no such topic" }, {}, "UNKNOWN_TOPIC_OR_PARTITION"],
    [{ type: BROKER_RESOURCE, name: "1" }, { "num.partitions": "2" }, "INVALID_REQUEST"],
    [{ type: BROKER_RESOURCE, name: "77" }, {}, "INVALID_REQUEST"],
    [{ type: 77 }, {}, "INVALID_REQUEST"],
  ] satisfies [object, Record<string, string | null>, string][])("judges %j %j: %s", (resource, configs, error) => {
    const { driver } = start();
    alter(driver, {}, [["max.message.bytes", SET, "1000"]]);
    const before = driver.image.endOffset;
    expect(replace(driver, resource, configs)).toBe(error);
    expect(driver.image.endOffset).toBe(before);
  });

  test("only validates when asked to", () => {
    const { driver } = start();
    expect(replace(driver, {}, { "retention.ms": "1" }, true)).toBe("NONE");
    expect(replace(driver, {}, { "retention.ms": "soon" }, true)).toBe("INVALID_CONFIG");
    expect(topicConfig(driver.image, "quakes").retentionMs).toBe(604_800_000);
  });
});

describe("a refusal", () => {
  const messageOf = (name: string, value: string) => {
    const { driver } = start();
    const { responses } = driver.ask(driver.open(), incrementalAlterConfigs, 1, {
      resources: [
        { resourceType: TOPIC_RESOURCE, resourceName: "quakes", configs: [{ name, configOperation: SET, value }] },
      ],
      validateOnly: false,
    });
    return responses[0]!.errorMessage;
  };

  test("names the configuration, what it may be, and what helps", () => {
    expect(messageOf("retention.ms", "often")).toBe(
      `retention.ms must be a whole number from -1 to 9223372036854775807, not "often"`,
    );
    expect(messageOf("cleanup.policy", "burn")).toBe(
      `cleanup.policy must be a list of delete, compact, not "burn"`,
    );
    expect(messageOf("compression.type", "none")).toBe(
      `compression.type must be one of producer, uncompressed, gzip, snappy, lz4, zstd, not "none"`,
    );
    expect(messageOf("retension.ms", "1")).toBe(
      `topics have no configuration "retension.ms"; describe one to see what there is`,
    );
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
    expect(configs.filter(({ documentation }) => documentation === null)).toEqual([]);
    expect(describeAll(driver, TOPIC_RESOURCE, "quakes", []).configs).toEqual(configs);
    expect(errorName(describeAll(driver, TOPIC_RESOURCE, "no topic").errorCode)).toBe("INVALID_TOPIC_EXCEPTION");
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
