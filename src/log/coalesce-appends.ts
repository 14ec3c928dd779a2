import { CHUNK_BYTES, joinedChunk } from "./chunk-building.ts";
import type { Chunk, PartitionKey, StoreOperation } from "./stored-log.ts";

/**
 * One group commit's operations with the appends of each log merged into chunks of up to {@link CHUNK_BYTES}, so that
 * many small batches cost one row. Appends are merged across operations on other logs, which they commute with, but
 * never across another operation on their own log. `PartitionLog.written` is told of the merged chunks.
 */
export function coalesceAppends(operations: readonly StoreOperation[]): readonly StoreOperation[] {
  if (operations.length < 2) return operations;
  const runs: (StoreOperation | AppendRun)[] = [];
  const open = new Map<PartitionKey, AppendRun>();
  for (const operation of operations) {
    if (operation.type !== "append") {
      open.delete(operation.key);
      runs.push(operation);
    } else if (open.get(operation.key)?.take(operation.chunk) !== true) {
      const run = new AppendRun(operation.key, operation.chunk);
      open.set(operation.key, run);
      runs.push(run);
    }
  }
  return runs.map((run) => (run instanceof AppendRun ? run.toOperation() : run));
}

/** Consecutive chunks of one log that are to become one. */
class AppendRun {
  readonly #key: PartitionKey;
  readonly #chunks: Chunk[];
  #sizeInBytes: number;

  constructor(key: PartitionKey, chunk: Chunk) {
    this.#key = key;
    this.#chunks = [chunk];
    this.#sizeInBytes = chunk.sizeInBytes;
  }

  /** Adds `chunk` if it follows and fits. */
  take(chunk: Chunk): boolean {
    const follows = this.#chunks.at(-1)!.lastOffset + 1 === chunk.baseOffset;
    if (!follows || this.#sizeInBytes + chunk.sizeInBytes > CHUNK_BYTES) return false;
    this.#chunks.push(chunk);
    this.#sizeInBytes += chunk.sizeInBytes;
    return true;
  }

  toOperation(): StoreOperation {
    return { type: "append", key: this.#key, chunk: joinedChunk(this.#chunks) };
  }
}
