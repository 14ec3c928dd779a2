import type { CodecName } from "../protocol/record-batch.ts";
import { MAX_LONG, anyOf, atLeast, boolean, byName, define, listItems, listOf, ratio } from "./config-definition.ts";
import type { ConfigDefinition } from "./config-definition.ts";
import { BROKER_RESOURCE, TOPIC_RESOURCE } from "./image.ts";
import type { ClusterImage } from "./image.ts";

export const REPLICATION_FACTOR = "replication.factor";

/** What can be configured for a topic, and has an effect. */
export const effectiveConfigs: ReadonlyMap<string, ConfigDefinition> = byName([
  define("cleanup.policy", "log.cleanup.policy", listOf("delete", "compact"), "delete"),
  define("compression.type", "compression.type",
    anyOf("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"), "producer"),
  define("delete.retention.ms", "log.cleaner.delete.retention.ms", atLeast("long", 0), "86400000"),
  define("durability", "default.durability", anyOf("strict", "relaxed"), "strict"),
  define("max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms", atLeast("long", 1), String(MAX_LONG)),
  define("max.message.bytes", "message.max.bytes", atLeast("int", 0), "1048588"),
  define("message.timestamp.after.max.ms", "log.message.timestamp.after.max.ms", atLeast("long", 0), String(MAX_LONG)),
  define("message.timestamp.before.max.ms", "log.message.timestamp.before.max.ms", atLeast("long", 0), String(MAX_LONG)),
  define("message.timestamp.type", "log.message.timestamp.type", anyOf("CreateTime", "LogAppendTime"), "CreateTime"),
  define("min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio", ratio, "0.5"),
  define("min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms", atLeast("long", 0), "0"),
  define("min.insync.replicas", "min.insync.replicas", atLeast("int", 1), "2"),
  define("replica.replacement.delay.ms", "replica.replacement.delay.ms", atLeast("long", 0), "60000"),
  define(REPLICATION_FACTOR, "default.replication.factor", atLeast("short", 1), "3"),
  define("retention.bytes", "log.retention.bytes", atLeast("long", -1), "-1"),
  define("retention.ms", "log.retention.ms", atLeast("long", -1), "604800000"),
  define("unclean.leader.election.enable", "unclean.leader.election.enable", boolean, "false"),
]);

/** What can be configured for brokers beside the defaults of topics. */
export const brokerConfigs: ReadonlyMap<string, ConfigDefinition> = byName([
  define("auto.create.topics.enable", "auto.create.topics.enable", boolean, "true"),
  define("num.partitions", "num.partitions", atLeast("int", 1), "1"),
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
    const definition = effectiveConfigs.get(name);
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
