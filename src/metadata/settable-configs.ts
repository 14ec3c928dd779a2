import { MAX_LONG, anyOf, atLeast, between, boolean, byName, define } from "./config-definition.ts";
import type { ConfigDefinition, ConfigRule } from "./config-definition.ts";
import { brokerConfigs, effectiveConfigs } from "./topic-config.ts";

/** One number that stands for the codec's own choice, or a level. */
const gzipLevel: ConfigRule = { ...anyOf("-1", "1", "2", "3", "4", "5", "6", "7", "8", "9"), type: "int" };

/** What means nothing here, though tools set it wherever they make a topic. Apart, for every client loads the others. */
const ineffectiveConfigs: readonly ConfigDefinition[] = [
  define("compression.gzip.level", "compression.gzip.level", gzipLevel, "-1"),
  define("compression.lz4.level", "compression.lz4.level", between("int", 1, 17), "9"),
  define("compression.zstd.level", "compression.zstd.level", between("int", -131_072, 22), "3"),
  define("file.delete.delay.ms", "log.segment.delete.delay.ms", atLeast("long", 0), "60000"),
  define("flush.messages", "log.flush.interval.messages", atLeast("long", 1), String(MAX_LONG)),
  define("flush.ms", "log.flush.interval.ms", atLeast("long", 0), String(MAX_LONG)),
  define("index.interval.bytes", "log.index.interval.bytes", atLeast("int", 0), "4096"),
  define("preallocate", "log.preallocate", boolean, "false"),
  define("segment.bytes", "log.segment.bytes", atLeast("int", 14), "1073741824"),
  define("segment.index.bytes", "log.index.size.max.bytes", atLeast("int", 4), "10485760"),
  define("segment.jitter.ms", "log.roll.jitter.ms", atLeast("long", 0), "0"),
  define("segment.ms", "log.roll.ms", atLeast("long", 1), "604800000"),
];

/** What can be configured for a topic. */
export const topicConfigs: ReadonlyMap<string, ConfigDefinition> = byName(
  [...effectiveConfigs.values(), ...ineffectiveConfigs].toSorted((left, right) => (left.name < right.name ? -1 : 1)),
);

/** Every key that can be set as a default of all brokers. */
export const brokerKeys: ReadonlyMap<string, ConfigDefinition> = new Map([
  ...[...topicConfigs.values()].map((definition) => [definition.brokerName, definition] as const),
  ...brokerConfigs,
]);
