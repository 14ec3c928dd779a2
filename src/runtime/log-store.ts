import type { Durability } from "../broker/storage-identity.ts";
import type { Chunk, PartitionKey, StoredLog, StoreOperation } from "../log/stored-log.ts";

/**
 * Where one broker keeps its logs. One store belongs to one storage directory, and one broker at a time holds it.
 *
 * A rejected promise means that the store can no longer be trusted: the broker fences itself (R20).
 */
export interface LogStore {
  /** Reads every log once, before the broker starts: one after another, for the tails of all together may be huge. */
  load(): AsyncIterable<StoredLog>;
  /**
   * Applies the operations in order, as one transaction. Resolves only once they are durable (R7), in the class asked
   * for; `strict` by default. A directory that is relaxed as a whole makes every write relaxed.
   */
  write(operations: readonly StoreOperation[], durability?: Durability): Promise<void>;
  /**
   * Chunks from the one holding `fromOffset` on: at least that one, then whole chunks while they fit `maxBytes`.
   * Empty when no chunk holds `fromOffset` or anything above it. Bytes come as they are on disk, unchecked.
   */
  read(key: PartitionKey, fromOffset: number, maxBytes: number): Promise<readonly Chunk[]>;
  close(): void;
}
