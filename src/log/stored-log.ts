/**
 * What a broker keeps on disk for one partition, and the changes it may make to it.
 *
 * The log decides, a `LogStore` (src/runtime/log-store.ts) obeys: every operation below is data, so that the
 * IndexedDB store and the simulated one do exactly the same.
 */

/** Names one partition's log by the topic's id, never by its name: a re-created topic is another log. */
export type PartitionKey = string;

/**
 * The keys of the topics met last, by topic id and index: every message names a few of the same partitions, and a text
 * that is one object with the key of a map is found much sooner.
 */
const known = new Map<string, PartitionKey[]>();
const MOST_TOPICS = 256;
const MOST_PARTITIONS = 256;

export function partitionKey(topicId: string, partitionIndex: number): PartitionKey {
  let keys = known.get(topicId);
  if (keys === undefined) {
    if (known.size === MOST_TOPICS) known.clear();
    keys = [];
    known.set(topicId, keys);
  }
  const key = keys[partitionIndex] ?? `${topicId}/${partitionIndex}`;
  if (partitionIndex === keys.length && partitionIndex < MOST_PARTITIONS) keys.push(key);
  return key;
}

/** The first offset written in a leader epoch (KIP-101). */
export interface EpochStart {
  readonly epoch: number;
  readonly startOffset: number;
}

/** One row of the store: consecutive record batches, stored as the bytes the producer sent. */
export interface ChunkDescriptor {
  readonly baseOffset: number;
  /** Inclusive. The store is keyed by it, so the first key at or after an offset is the chunk holding it. */
  readonly lastOffset: number;
  readonly sizeInBytes: number;
  readonly maxTimestamp: number;
}

export interface Chunk extends ChunkDescriptor {
  readonly bytes: Uint8Array;
}

/** `offset` is the batch's base offset. Sequences wrap from 2^31 - 1 to 0; both are inclusive. */
export interface ProducerBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly offset: number;
}

/** What one producer last wrote to a partition: enough to recognise a duplicate (KIP-98). */
export interface ProducerEntry {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Oldest first. */
  readonly batches: readonly ProducerBatch[];
  /** The newest in its last batch, in milliseconds since 1970, for people to look at (KIP-664). */
  readonly lastTimestamp: number;
}

/** A restart reads the tail of the log from `offset` on and starts from these producers. */
export interface ProducerSnapshot {
  readonly offset: number;
  readonly producers: readonly ProducerEntry[];
}

/** How far a log was compacted. */
export interface LogCompaction {
  /** Everything below was looked at: a key whose last record there has a newer one, also there, has lost the older. */
  readonly compactedTo: number;
  /** Tombstones below may be gone, so that a log which ends further down cannot simply be continued from here. */
  readonly forgottenBefore: number;
  /** When the last tombstone that was met may go, or -1 if there is none. */
  readonly deleteHorizonMs: number;
  /** The first batch that could not be looked into, or -1 without one: from there on, older records may be left. */
  readonly closedFrom: number;
}

export const neverCompacted: LogCompaction = {
  compactedTo: 0,
  forgottenBefore: 0,
  deleteHorizonMs: -1,
  closedFrom: -1,
};

/** The part of a log that is small and rewritten in place. */
export interface LogMetadata {
  readonly topicId: string;
  readonly partitionIndex: number;
  readonly logStartOffset: number;
  /** A hint for the next start: safety never rests on it (R5). */
  readonly highWatermark: number;
  readonly epochs: readonly EpochStart[];
  readonly producerSnapshot: ProducerSnapshot;
  /** Missing in a log that was never compacted, nor copied from one that was. */
  readonly compaction?: LogCompaction;
}

/** One log as a store hands it over at start. */
export interface StoredLog {
  readonly metadata: LogMetadata;
  /** Ascending, contiguous from the chunk holding `logStartOffset` to the log end. */
  readonly chunks: readonly ChunkDescriptor[];
  /** The bytes of the last chunks, from the one holding `producerSnapshot.offset` to the end. */
  readonly tail: readonly Chunk[];
}

/** A change to the store. A list of them is applied in order and whole, or not at all. */
export type StoreOperation =
  /** Adds a chunk behind the last one. Adding an offset twice must fail the whole list. */
  | { readonly type: "append"; readonly key: PartitionKey; readonly chunk: Chunk }
  /** Creates or rewrites the log's metadata. */
  | { readonly type: "put-metadata"; readonly key: PartitionKey; readonly metadata: LogMetadata }
  /** Removes every batch at or above `offset`; the chunk holding it is cut at that batch border. */
  | { readonly type: "truncate"; readonly key: PartitionKey; readonly offset: number }
  /** Removes every whole chunk whose `lastOffset` is below `offset`. */
  | { readonly type: "delete-chunks"; readonly key: PartitionKey; readonly offset: number }
  /**
   * Puts `chunks` in the place of those that hold the offsets from `baseOffset` to `lastOffset`. Both lists begin and end
   * at these offsets exactly; a log whose chunks do not fails the whole list.
   */
  | {
      readonly type: "replace-chunks";
      readonly key: PartitionKey;
      readonly baseOffset: number;
      /** Inclusive. */
      readonly lastOffset: number;
      readonly chunks: readonly Chunk[];
    }
  | { readonly type: "delete-log"; readonly key: PartitionKey };
