const NO_SEGMENTS = "Accepted for the sake of tools; a log in a browser has no segments.";
const NO_INDEXES = "Accepted for the sake of tools; a log in a browser has no index files.";
const NO_LEVELS = "Accepted for the sake of tools; a browser compresses at one level.";
const OWN_FLUSHES = "Accepted for the sake of tools; when a record is flushed is a matter of durability.";

/** What each setting does, for people. Apart from the definitions, which every client loads. */
export const configDocumentation: ReadonlyMap<string, string> = new Map([
  ["cleanup.policy", "Whether old records are deleted by age and size, or all but the last of each key are."],
  ["compression.gzip.level", NO_LEVELS],
  ["compression.lz4.level", NO_LEVELS],
  ["compression.type",
    "How the topic's records are compressed. As the producer chose is cheapest: for all else the tab that leads opens " +
      "each batch and compresses it anew."],
  ["compression.zstd.level", NO_LEVELS],
  ["delete.retention.ms", "How long a compacted topic keeps the marker of a deleted key."],
  ["durability",
    "Whether a record is flushed to the disk before it counts as stored; relaxed is faster, and may lose the last " +
      "moments when the machine loses power."],
  ["file.delete.delay.ms", NO_SEGMENTS],
  ["flush.messages", OWN_FLUSHES],
  ["flush.ms", OWN_FLUSHES],
  ["index.interval.bytes", NO_INDEXES],
  ["max.compaction.lag.ms", "The age at which records of a compacted topic are compacted, however few they are."],
  ["max.message.bytes", "The largest record batch that is accepted, in bytes and after compression."],
  ["message.timestamp.after.max.ms", "How far a record's timestamp may be after the time of the broker that leads."],
  ["message.timestamp.before.max.ms", "How far a record's timestamp may be before the time of the broker that leads."],
  ["message.timestamp.type", "Whether a record keeps its producer's timestamp or gets the broker's."],
  ["min.cleanable.dirty.ratio", "The part of a compacted partition that must be new before it is compacted again."],
  ["min.compaction.lag.ms", "How long each record of a compacted topic stays at least."],
  ["min.insync.replicas",
    "How many replicas must hold a record before it is acknowledged with acks=all, though never more than the " +
      "partition has."],
  ["preallocate", NO_SEGMENTS],
  ["replica.replacement.delay.ms", "How long a broker may be away before its replicas are made anew on others."],
  ["replication.factor",
    "How many replicas each partition shall have. Fewer exist while there are fewer brokers; they are added as " +
      "brokers join. A reassignment sets it for its partition alone, until this is set anew."],
  ["retention.bytes", "The size to which a partition is cut by deleting its oldest records; -1 for no limit."],
  ["retention.ms", "The age at which records are deleted; -1 for never."],
  ["segment.bytes", NO_SEGMENTS],
  ["segment.index.bytes", NO_INDEXES],
  ["segment.jitter.ms", NO_SEGMENTS],
  ["segment.ms", NO_SEGMENTS],
  ["unclean.leader.election.enable",
    "Whether a replica that may lack acknowledged records can lead when no other can. It loses them."],
  ["auto.create.topics.enable", "Whether a topic is created when a client asks for its metadata."],
  ["num.partitions", "How many partitions a topic gets when its creator does not say."],
]);
