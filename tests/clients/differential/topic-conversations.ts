import { metadata } from "../../../src/protocol/apis/03-metadata.ts";
import { createTopics } from "../../../src/protocol/apis/19-create-topics.ts";
import type { CreateTopicsRequestInit } from "../../../src/protocol/apis/19-create-topics.ts";
import { deleteTopics } from "../../../src/protocol/apis/20-delete-topics.ts";
import { describeConfigs } from "../../../src/protocol/apis/32-describe-configs.ts";
import { createPartitions } from "../../../src/protocol/apis/37-create-partitions.ts";
import { incrementalAlterConfigs } from "../../../src/protocol/apis/44-incremental-alter-configs.ts";
import type { Response } from "../../../src/protocol/schema.ts";
import type { Conversation, Speaker } from "./speaker.ts";

const UNKNOWN_ID = "12345678-1234-4234-8234-123456789012";
const TOPIC = 2;
const SET = 0;
const DELETE = 1;
const APPEND = 2;

/** Makes a topic of which every partition has a leader. */
export async function makeTopic(
  speaker: Speaker,
  name: string,
  partitions = 1,
  settings: Readonly<Record<string, string>> = {},
): Promise<string> {
  const configs = Object.entries(settings).map(([setting, value]) => ({ name: setting, value }));
  const topic = { name, numPartitions: partitions, replicationFactor: 1, configs };
  await speaker.arrange(createTopics, { topics: [topic] });
  const { topics } = await speaker.arrange(
    metadata,
    { topics: [{ name }], allowAutoTopicCreation: false },
    (answer) => answer.topics[0]!.partitions.length === partitions
      && answer.topics[0]!.partitions.every(({ leaderId }) => leaderId >= 0),
  );
  return topics[0]!.topicId;
}

const metadataTalk: Conversation = {
  api: metadata,
  async talk(speaker) {
    const { name, version } = speaker;
    const topicId = await makeTopic(speaker, name, 3);
    const ask = (label: string, topic: string) =>
      speaker.ask(label, metadata, { topics: [{ name: topic }], allowAutoTopicCreation: false });
    await ask("of a topic", name);
    // Below version 4 a question creates the topic.
    if (version >= 4) await ask("of an unknown topic", `${name}-unknown`);
    await ask("of an invalid name", "no/topic");
    await ask("of an empty name", "");
    await ask("of too long a name", "x".repeat(250));
    await speaker.ask("of no topic", metadata, { topics: version === 0 ? [{ name }] : [] });
    await speaker.ask("of a topic twice", metadata, { topics: [{ name }, { name }] });
    if (version < 8) return;
    const operations = { includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true };
    await speaker.ask("with operations", metadata, { topics: [{ name }], ...operations });
    const unknown = { topics: [{ name: `${name}-unknown` }], allowAutoTopicCreation: false };
    await speaker.ask("of an unknown topic with operations", metadata, { ...unknown, ...operations });
    if (version < 12) return;
    await speaker.ask("by id", metadata, { topics: [{ name: null, topicId }] });
    await speaker.ask("by an unknown id", metadata, { topics: [{ name: null, topicId: UNKNOWN_ID }] });
    const byUnknownId = { topics: [{ name: null, topicId: UNKNOWN_ID }], includeTopicAuthorizedOperations: true };
    await speaker.ask("by an unknown id with operations", metadata, byUnknownId);
  },
};

const createTopicsTalk: Conversation = {
  api: createTopics,
  async talk(speaker) {
    const { name } = speaker;
    const ask = (label: string, topics: CreateTopicsRequestInit["topics"], validateOnly = false) =>
      speaker.ask(label, createTopics, { topics, validateOnly });
    const plain = { numPartitions: 2, replicationFactor: 1 };
    await ask("a topic", [{ name, ...plain }]);
    await ask("a topic that exists", [{ name, ...plain }]);
    await ask("to be validated", [{ name: `${name}-validated`, ...plain }], true);
    await ask("no topic", []);
    await ask("an empty name", [{ name: "", ...plain }]);
    await ask("an invalid name", [{ name: "no topic", ...plain }]);
    await ask("a dot for a name", [{ name: ".", ...plain }]);
    await ask("too long a name", [{ name: "x".repeat(250), ...plain }]);
    await ask("a name that collides", [{ name: name.replace("-", "."), ...plain }]);
    await ask("a name that collides later", [{ name: name.replace("-", "_"), ...plain }]);
    await ask("no partitions", [{ name: `${name}-a`, ...plain, numPartitions: 0 }]);
    await ask("minus two partitions", [{ name: `${name}-b`, ...plain, numPartitions: -2 }]);
    await ask("no replicas", [{ name: `${name}-c`, ...plain, replicationFactor: 0 }]);
    await ask("more replicas than brokers", [{ name: `${name}-d`, ...plain, replicationFactor: 3 }]);
    await ask("twice in one request", [{ name: `${name}-e`, ...plain }, { name: `${name}-e`, ...plain }]);
    await ask("one good and one bad", [{ name: `${name}-f`, ...plain }, { name: "no topic", ...plain }]);
    if (speaker.version >= 4) {
      await ask("with defaults", [{ name: `${name}-g`, numPartitions: -1, replicationFactor: 1 }]);
    }
    const configured = (setting: string, value: string | null) =>
      [{ name: `${name}-${setting}`, ...plain, configs: [{ name: setting, value }] }];
    await ask("with a config", configured("retention.ms", "60000"));
    await ask("with an unknown config", configured("retention.min", "1"));
    await ask("with a value that is no number", configured("retention.bytes", "many"));
    await ask("with a value out of range", configured("max.message.bytes", "-1"));
    await ask("with a value that is no choice", configured("cleanup.policy", "burn"));
    await ask("with a null value", configured("segment.bytes", null));
    await ask("with the largest number", configured("max.compaction.lag.ms", "9223372036854775807"));
    await ask("with a number beyond the largest", configured("retention.ms", "9223372036854775808"));
    const assigned = { numPartitions: -1, replicationFactor: -1 };
    const assign = (partitionIndex: number, ...brokerIds: number[]) => ({ partitionIndex, brokerIds });
    await ask("assigned", [{ name: `${name}-h`, ...assigned, assignments: [assign(0, 1), assign(1, 1)] }]);
    await ask("assigned with a gap", [{ name: `${name}-i`, ...assigned, assignments: [assign(1, 1)] }]);
    await ask("assigned to nobody", [{ name: `${name}-j`, ...assigned, assignments: [assign(0)] }]);
    await ask("assigned to an unknown broker", [{ name: `${name}-k`, ...assigned, assignments: [assign(0, 77)] }]);
    await ask("assigned twice", [{ name: `${name}-l`, ...assigned, assignments: [assign(0, 1, 1)] }]);
    await ask("assigned and counted", [{ name: `${name}-m`, ...plain, assignments: [assign(0, 1)] }]);
  },
};

const deleteTopicsTalk: Conversation = {
  api: deleteTopics,
  async talk(speaker) {
    const { name, version } = speaker;
    const ask = (label: string, ...names: string[]) => {
      const topics = names.map((one) => ({ name: one }));
      return speaker.ask(label, deleteTopics, { topics, topicNames: names, timeoutMs: 5_000 });
    };
    await makeTopic(speaker, name);
    await ask("a topic", name);
    await ask("a deleted topic", name);
    await ask("an invalid name", "no topic");
    await ask("no topic");
    await makeTopic(speaker, `${name}-twice`);
    await ask("twice in one request", `${name}-twice`, `${name}-twice`);
    await ask("an unknown topic twice", `${name}-unknown`, `${name}-unknown`);
    if (version < 6) return;
    const topicId = await makeTopic(speaker, `${name}-id`);
    const byId = (label: string, id: string, named: string | null = null) =>
      speaker.ask(label, deleteTopics, { topics: [{ name: named, topicId: id }], timeoutMs: 5_000 });
    await byId("by name and id", topicId, `${name}-id`);
    const once = async (label: string, ...topics: { name: string | null; topicId?: string }[]) =>
      await speaker.ask(label, deleteTopics, { topics, timeoutMs: 5_000 });
    await once("by its name and its id", { name: `${name}-id` }, { name: null, topicId });
    await once("by its id twice", { name: null, topicId }, { name: null, topicId });
    await byId("by id", topicId);
    await byId("by a deleted id", topicId);
    await byId("by an unknown id", UNKNOWN_ID);
    await speaker.ask("by nothing", deleteTopics, { topics: [{ name: null }], timeoutMs: 5_000 });
  },
};

const createPartitionsTalk: Conversation = {
  api: createPartitions,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name, 2);
    type Assignments = readonly { readonly brokerIds: readonly number[] }[] | null;
    const ask = (label: string, topic: string, count: number, assignments: Assignments = null, validateOnly = false) =>
      speaker.ask(label, createPartitions, {
        topics: [{ name: topic, count, assignments }],
        timeoutMs: 5_000,
        validateOnly,
      });
    await ask("to be validated", name, 4, null, true);
    await ask("more", name, 3);
    await ask("as many", name, 3);
    await ask("fewer", name, 1);
    await ask("none", name, 0);
    await ask("of an unknown topic", `${name}-unknown`, 2);
    await ask("assigned", name, 4, [{ brokerIds: [1] }]);
    await ask("assigned too few", name, 6, [{ brokerIds: [1] }]);
    await ask("assigned to an unknown broker", name, 5, [{ brokerIds: [77] }]);
    await ask("assigned to nobody", name, 5, [{ brokerIds: [] }]);
    const topics = [{ name, count: 8 }, { name, count: 9 }];
    await speaker.ask("twice in one request", createPartitions, { topics, timeoutMs: 5_000, validateOnly: true });
  },
};

const describeConfigsTalk: Conversation = {
  api: describeConfigs,
  async talk(speaker) {
    const { name } = speaker;
    const configs = [{ name: "retention.ms", value: "60000" }];
    await speaker.arrange(createTopics, { topics: [{ name, numPartitions: 1, replicationFactor: 1, configs }] });
    await makeTopic(speaker, name);
    type Options = { readonly includeSynonyms?: boolean };
    const ask = (label: string, resourceType: number, resourceName: string, keys: string[] | null, options?: Options) =>
      speaker.ask(label, describeConfigs, {
        resources: [{ resourceType, resourceName, configurationKeys: keys }],
        ...options,
      });
    const some = ["retention.ms", "cleanup.policy", "max.message.bytes", "compression.type", "retention.bytes"];
    await ask("some of a topic", TOPIC, name, some);
    await ask("some of a topic with synonyms", TOPIC, name, some, { includeSynonyms: true });
    await ask("an unknown one of a topic", TOPIC, name, ["retention.min"]);
    await ask("none of a topic", TOPIC, name, []);
    await ask("of an unknown topic", TOPIC, `${name}-unknown`, null);
    await ask("of an invalid topic", TOPIC, "no topic", null);
    await ask("of an unknown broker", 4, "77", null);
    await ask("of a broker that is no number", 4, "one", null);
    await ask("of an unknown type", 99, "1", null);
  },
};

const incrementalAlterConfigsTalk: Conversation = {
  api: incrementalAlterConfigs,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name);
    type Change = readonly [setting: string, operation: number, value: string | null];
    const ask = (label: string, changes: readonly Change[], topic = name, validateOnly = false) => {
      const configs = changes.map(([setting, configOperation, value]) => ({ name: setting, configOperation, value }));
      const resources = [{ resourceType: TOPIC, resourceName: topic, configs }];
      return speaker.ask(label, incrementalAlterConfigs, { resources, validateOnly });
    };
    await ask("set", [["retention.ms", SET, "60000"]]);
    await ask("delete", [["retention.ms", DELETE, null]]);
    await ask("delete what is not set", [["segment.bytes", DELETE, null]]);
    await ask("append", [["cleanup.policy", APPEND, "compact"]]);
    await ask("append to what is no list", [["retention.ms", APPEND, "1"]]);
    await ask("an unknown operation", [["retention.ms", 9, "1"]]);
    await ask("an unknown name", [["retention.min", SET, "1"]]);
    await ask("a value that is no number", [["retention.ms", SET, "long"]]);
    await ask("a null value", [["retention.ms", SET, null]]);
    await ask("a name twice", [["retention.ms", SET, "1"], ["retention.ms", SET, "2"]]);
    await ask("of an unknown topic", [["retention.ms", SET, "1"]], `${name}-unknown`);
    await ask("to be validated", [["retention.ms", SET, "7"]], name, true);
    await ask("nothing", []);
    await speaker.ask("of an unknown type", incrementalAlterConfigs, {
      resources: [{ resourceType: 99, resourceName: "x", configs: [] }],
      validateOnly: false,
    });
    const configurationKeys = ["retention.ms", "cleanup.policy"];
    const resources = [{ resourceType: TOPIC, resourceName: name, configurationKeys }];
    // A broker of Kafka learns some time after the answer what the controller has decided.
    const isKnown = ({ results }: Response<typeof describeConfigs>) =>
      results[0]!.configs.some((config) => config.value?.endsWith("compact"));
    const then = await speaker.arrange(describeConfigs, { resources }, isKnown);
    speaker.note("what is set then", then.results);
  },
};

export const topicConversations: readonly Conversation[] = [
  metadataTalk,
  createTopicsTalk,
  deleteTopicsTalk,
  createPartitionsTalk,
  describeConfigsTalk,
  incrementalAlterConfigsTalk,
];
