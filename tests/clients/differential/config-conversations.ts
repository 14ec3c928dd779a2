import { alterConfigs } from "../../../src/protocol/apis/33-alter-configs.ts";
import { describeConfigs } from "../../../src/protocol/apis/32-describe-configs.ts";
import { describeProducers } from "../../../src/protocol/apis/61-describe-producers.ts";
import { describeTopicPartitions } from "../../../src/protocol/apis/75-describe-topic-partitions.ts";
import type { Response } from "../../../src/protocol/schema.ts";
import type { Conversation } from "./speaker.ts";
import { makeTopic } from "./topic-conversations.ts";

const TOPIC = 2;

type Described = Response<typeof describeConfigs>;

const alterConfigsTalk: Conversation = {
  api: alterConfigs,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name);
    type Configs = Readonly<Record<string, string | null>>;
    const ask = (label: string, wanted: Configs, resourceName = name, validateOnly = false) => {
      const configs = Object.entries(wanted).map(([setting, value]) => ({ name: setting, value }));
      const resources = [{ resourceType: TOPIC, resourceName, configs }];
      return speaker.ask(label, alterConfigs, { resources, validateOnly });
    };
    await ask("two", { "retention.ms": "60000", "cleanup.policy": "compact" });
    await ask("one, so that the other goes", { "retention.ms": "70000" });
    await ask("an unknown name", { "retention.min": "1" });
    await ask("a value that is no number", { "retention.ms": "long" });
    await ask("a null value", { "retention.ms": null });
    await ask("of an unknown topic", { "retention.ms": "1" }, `${name}-unknown`);
    await ask("to be validated", { "retention.ms": "5" }, name, true);
    const configurationKeys = ["retention.ms", "cleanup.policy"];
    const resources = [{ resourceType: TOPIC, resourceName: name, configurationKeys }];
    // A broker of Kafka learns some time after the answer what the controller has decided.
    const retention = (value: string) => (answer: Described) =>
      answer.results[0]!.configs.some((config) => config.name === "retention.ms" && config.value === value);
    const then = await speaker.arrange(describeConfigs, { resources }, retention("70000"));
    speaker.note("what is set then", then.results);
    await ask("nothing, so that all goes", {});
    const last = await speaker.arrange(describeConfigs, { resources }, retention("604800000"));
    speaker.note("what is set at last", last.results);
  },
};

const describeTopicPartitionsTalk: Conversation = {
  api: describeTopicPartitions,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name, 3);
    const topics = [{ name }];
    await speaker.ask("a topic", describeTopicPartitions, { topics });
    await speaker.ask("two of its partitions", describeTopicPartitions, { topics, responsePartitionLimit: 2 });
    const cursor = { topicName: name, partitionIndex: 2 };
    await speaker.ask("its last partition", describeTopicPartitions, { topics, cursor });
    await speaker.ask("an unknown topic", describeTopicPartitions, { topics: [{ name: `${name}-unknown` }] });
    await speaker.ask("an invalid name", describeTopicPartitions, { topics: [{ name: "no topic" }] });
  },
};

const describeProducersTalk: Conversation = {
  api: describeProducers,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name);
    const ask = (label: string, topic: string, partition: number) =>
      speaker.ask(label, describeProducers, { topics: [{ name: topic, partitionIndexes: [partition] }] });
    const known = { topics: [{ name, partitionIndexes: [0] }] };
    const isLed = ({ topics }: Response<typeof describeProducers>) => topics[0]!.partitions[0]!.errorCode === 0;
    await speaker.arrange(describeProducers, known, isLed);
    await ask("of a partition", name, 0);
    await ask("of an unknown partition", name, 9);
    await ask("of an unknown topic", `${name}-unknown`, 0);
  },
};

export const configConversations: readonly Conversation[] = [
  alterConfigsTalk,
  describeTopicPartitionsTalk,
  describeProducersTalk,
];
