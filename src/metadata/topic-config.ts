import type { CodecName } from "../protocol/record-batch.ts";
import { BROKER_RESOURCE, TOPIC_RESOURCE } from "./image.ts";
import type { ClusterImage } from "./image.ts";

/** The types of configuration values, by their numbers in DescribeConfigs. */
export const configTypes = { boolean: 1, string: 2, int: 3, short: 4, long: 5, double: 6, list: 7 } as const;
export type ConfigType = keyof typeof configTypes;

export interface ConfigDefinition {
  readonly name: string;
  /** The key under which the default for all topics can be set on the brokers; Kafka names some of them differently. */
  readonly brokerName: string;
  readonly type: ConfigType;
  readonly fallback: string;
  /** What a value must be, in words, and whether it is. */
  readonly expects: string;
  accepts(value: string): boolean;
}

export const REPLICATION_FACTOR = "replication.factor";

type Rule = Pick<ConfigDefinition, "type" | "expects" | "accepts">;

const MAX_LONG = 0x7fff_ffff_ffff_ffffn;

const anyOf = (...values: string[]): Rule => ({
  type: "string",
  expects: `one of ${values.join(", ")}`,
  accepts: (value) => values.includes(value),
});

const listOf = (...values: string[]): Rule => ({
  type: "list",
  expects: `a list of ${values.join(", ")}`,
  accepts: (value) => listItems(value).length > 0 && listItems(value).every((item) => values.includes(item)),
});

const between = (type: "int" | "short" | "long", lowest: number, highest: number | bigint): Rule => ({
  type,
  expects: `a whole number from ${lowest} to ${highest}`,
  accepts: (value) => /^-?\d{1,19}$/.test(value) && BigInt(value) >= lowest && BigInt(value) <= highest,
});

const atLeast = (type: "int" | "short" | "long", lowest: number): Rule =>
  between(type, lowest, { short: 0x7fffn, int: 0x7fff_ffffn, long: MAX_LONG }[type]);

/** One number that stands for the codec's own choice, or a level. */
const gzipLevel: Rule = { ...anyOf("-1", "1", "2", "3", "4", "5", "6", "7", "8", "9"), type: "int" };

const ratio: Rule = {
  type: "double",
  expects: "a number from 0 to 1",
  accepts: (value) => /^\d{1,16}(\.\d{0,16})?$/.test(value) && Number(value) <= 1,
};

const boolean: Rule = { ...anyOf("true", "false"), type: "boolean" };

function define(
  name: string,
  brokerName: string,
  rule: Rule,
  fallback: string,
): ConfigDefinition {
  return { name, brokerName, ...rule, fallback };
}

/** What can be configured for a topic. Some of it means nothing here: tools set it wherever they make a topic. */
export const topicConfigs: ReadonlyMap<string, ConfigDefinition> = byName([
  define("cleanup.policy", "log.cleanup.policy", listOf("delete", "compact"), "delete"),
  define("compression.gzip.level", "compression.gzip.level", gzipLevel, "-1"),
  define("compression.lz4.level", "compression.lz4.level", between("int", 1, 17), "9"),
  define("compression.type", "compression.type",
    anyOf("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"), "producer"),
  define("compression.zstd.level", "compression.zstd.level", between("int", -131_072, 22), "3"),
  define("delete.retention.ms", "log.cleaner.delete.retention.ms", atLeast("long", 0), "86400000"),
  define("durability", "default.durability", anyOf("strict", "relaxed"), "strict"),
  define("file.delete.delay.ms", "log.segment.delete.delay.ms", atLeast("long", 0), "60000"),
  define("flush.messages", "log.flush.interval.messages", atLeast("long", 1), String(MAX_LONG)),
  define("flush.ms", "log.flush.interval.ms", atLeast("long", 0), String(MAX_LONG)),
  define("index.interval.bytes", "log.index.interval.bytes", atLeast("int", 0), "4096"),
  define("max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms", atLeast("long", 1), String(MAX_LONG)),
  define("max.message.bytes", "message.max.bytes", atLeast("int", 0), "1048588"),
  define("message.timestamp.after.max.ms", "log.message.timestamp.after.max.ms", atLeast("long", 0), String(MAX_LONG)),
  define("message.timestamp.before.max.ms", "log.message.timestamp.before.max.ms", atLeast("long", 0), String(MAX_LONG)),
  define("message.timestamp.type", "log.message.timestamp.type", anyOf("CreateTime", "LogAppendTime"), "CreateTime"),
  define("min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio", ratio, "0.5"),
  define("min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms", atLeast("long", 0), "0"),
  define("min.insync.replicas", "min.insync.replicas", atLeast("int", 1), "2"),
  define("preallocate", "log.preallocate", boolean, "false"),
  define("replica.replacement.delay.ms", "replica.replacement.delay.ms", atLeast("long", 0), "60000"),
  define(REPLICATION_FACTOR, "default.replication.factor", atLeast("short", 1), "3"),
  define("retention.bytes", "log.retention.bytes", atLeast("long", -1), "-1"),
  define("retention.ms", "log.retention.ms", atLeast("long", -1), "604800000"),
  define("segment.bytes", "log.segment.bytes", atLeast("int", 14), "1073741824"),
  define("segment.index.bytes", "log.index.size.max.bytes", atLeast("int", 4), "10485760"),
  define("segment.jitter.ms", "log.roll.jitter.ms", atLeast("long", 0), "0"),
  define("segment.ms", "log.roll.ms", atLeast("long", 1), "604800000"),
  define("unclean.leader.election.enable", "unclean.leader.election.enable", boolean, "false"),
]);

/** What can be configured for brokers beside the defaults of topics. */
const brokerConfigs: ReadonlyMap<string, ConfigDefinition> = byName([
  define("auto.create.topics.enable", "auto.create.topics.enable", boolean, "true"),
  define("num.partitions", "num.partitions", atLeast("int", 1), "1"),
]);

/** Every key that can be set as a default of all brokers. */
export const brokerKeys: ReadonlyMap<string, ConfigDefinition> = new Map([
  ...[...topicConfigs.values()].map((definition) => [definition.brokerName, definition] as const),
  ...brokerConfigs,
]);

/** Where a value was set: in the topic, as the default of all brokers, or nowhere. */
export type ConfigSource = "topic" | "brokers" | "fallback";

export function configValue(
  image: ClusterImage,
  definition: ConfigDefinition,
  topicName: string | undefined,
): { readonly value: string; readonly source: ConfigSource } {
  const own = topicName === undefined ? undefined : image.configOf(TOPIC_RESOURCE, topicName).get(definition.name);
  if (own !== undefined) return { value: own, source: "topic" };
  const shared = image.configOf(BROKER_RESOURCE, "").get(definition.brokerName);
  if (shared !== undefined) return { value: shared, source: "brokers" };
  return { value: definition.fallback, source: "fallback" };
}

/** A topic's configuration in effect. Sizes in bytes, times in milliseconds, -1 for no limit. */
export interface TopicConfig {
  readonly cleanupPolicy: readonly ("delete" | "compact")[];
  readonly compression: CodecName | "producer";
  readonly deleteRetentionMs: number;
  readonly durability: "strict" | "relaxed";
  readonly maxCompactionLagMs: number;
  readonly maxMessageBytes: number;
  /** How far a record's own timestamp may be from the broker's time, to either side. */
  readonly messageTimestampAfterMaxMs: number;
  readonly messageTimestampBeforeMaxMs: number;
  readonly messageTimestampType: "CreateTime" | "LogAppendTime";
  readonly minCleanableDirtyRatio: number;
  readonly minCompactionLagMs: number;
  readonly minInsyncReplicas: number;
  /** Whether somebody has chosen `minInsyncReplicas`, so that an assignment never shrinks below it. */
  readonly minInsyncReplicasIsExplicit: boolean;
  readonly replicaReplacementDelayMs: number;
  readonly replicationFactor: number;
  readonly retentionBytes: number;
  readonly retentionMs: number;
  readonly uncleanLeaderElection: boolean;
}

/** The configuration of the topic of that name; for an unknown name that of a topic without its own settings. */
export function topicConfig(image: ClusterImage, topicName: string): TopicConfig {
  const lookUp = (name: string) => {
    const definition = topicConfigs.get(name);
    return configValue(image, definition!, topicName);
  };
  const text = <T extends string>(name: string) => lookUp(name).value as T;
  const number = (name: string) => Math.min(Number(lookUp(name).value), Number.MAX_SAFE_INTEGER);
  return {
    cleanupPolicy: listItems(text("cleanup.policy")) as ("delete" | "compact")[],
    compression: compressionOf(text("compression.type")),
    deleteRetentionMs: number("delete.retention.ms"),
    durability: text("durability"),
    maxCompactionLagMs: number("max.compaction.lag.ms"),
    maxMessageBytes: number("max.message.bytes"),
    messageTimestampAfterMaxMs: number("message.timestamp.after.max.ms"),
    messageTimestampBeforeMaxMs: number("message.timestamp.before.max.ms"),
    messageTimestampType: text("message.timestamp.type"),
    minCleanableDirtyRatio: number("min.cleanable.dirty.ratio"),
    minCompactionLagMs: number("min.compaction.lag.ms"),
    minInsyncReplicas: number("min.insync.replicas"),
    minInsyncReplicasIsExplicit: lookUp("min.insync.replicas").source !== "fallback",
    replicaReplacementDelayMs: number("replica.replacement.delay.ms"),
    replicationFactor: number("replication.factor"),
    retentionBytes: number("retention.bytes"),
    retentionMs: number("retention.ms"),
    uncleanLeaderElection: text("unclean.leader.election.enable") === "true",
  };
}

/** A topic calls the codec "uncompressed" that a batch calls none. */
function compressionOf(type: CodecName | "uncompressed" | "producer"): CodecName | "producer" {
  return type === "uncompressed" ? "none" : type;
}

/** How many partitions a topic gets whose creator does not say. */
export function defaultPartitions(image: ClusterImage): number {
  return Number(configValue(image, brokerConfigs.get("num.partitions")!, undefined).value);
}

/** Whether asking for a topic's metadata creates it. */
export function autoCreatesTopics(image: ClusterImage): boolean {
  return configValue(image, brokerConfigs.get("auto.create.topics.enable")!, undefined).value === "true";
}

/** Why the value does not fit, or undefined if it does. */
export function configProblem(definition: ConfigDefinition, value: string): string | undefined {
  if (definition.accepts(value)) return undefined;
  const shown = value.length > 100 ? `${value.slice(0, 100)}…` : value;
  return `${definition.name} must be ${definition.expects}, not "${shown}"`;
}

export function listItems(value: string): string[] {
  return value.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

function byName(definitions: readonly ConfigDefinition[]): ReadonlyMap<string, ConfigDefinition> {
  return new Map(definitions.map((definition) => [definition.name, definition]));
}
