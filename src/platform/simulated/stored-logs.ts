import { cutChunk } from "../../log/cut-chunk.ts";
import type { Chunk, LogMetadata, PartitionKey, StoredLog, StoreOperation } from "../../log/stored-log.ts";
import { assert } from "../../protocol/assert.ts";

interface LogImage {
  readonly metadata: LogMetadata;
  readonly chunks: readonly Chunk[];
}

/**
 * What a disk holds of a storage directory's logs, as an immutable value: applying operations makes another one. A
 * simulated disk keeps several, to decide later which of them a crash leaves behind.
 */
export class StoredLogs {
  static readonly empty = new StoredLogs(new Map());
  readonly #logs: ReadonlyMap<PartitionKey, LogImage>;

  private constructor(logs: ReadonlyMap<PartitionKey, LogImage>) {
    this.#logs = logs;
  }

  /** All operations in order, or an error and no change. */
  apply(operations: readonly StoreOperation[]): StoredLogs {
    const logs = new Map(this.#logs);
    for (const operation of operations) applyTo(logs, operation);
    return new StoredLogs(logs);
  }

  load(): StoredLog[] {
    return [...this.#logs.values()].map(({ metadata, chunks }) => {
      // A trim that was cut short may have left chunks that lie wholly below the log's start.
      const kept = chunks.filter(({ lastOffset }) => lastOffset >= metadata.logStartOffset);
      return {
        metadata,
        chunks: kept.map(({ bytes: _bytes, ...descriptor }) => descriptor),
        tail: kept.filter(({ lastOffset }) => lastOffset >= metadata.producerSnapshot.offset),
      };
    });
  }

  /** See `LogStore.read`. */
  read(key: PartitionKey, fromOffset: number, maxBytes: number): Chunk[] {
    const found: Chunk[] = [];
    let bytes = 0;
    for (const chunk of this.#logs.get(key)?.chunks ?? []) {
      if (chunk.lastOffset < fromOffset) continue;
      if (found.length > 0 && bytes + chunk.sizeInBytes > maxBytes) break;
      found.push(chunk);
      bytes += chunk.sizeInBytes;
    }
    return found;
  }
}

function applyTo(logs: Map<PartitionKey, LogImage>, operation: StoreOperation): void {
  const { key } = operation;
  const log = logs.get(key);
  if (operation.type === "put-metadata") {
    logs.set(key, { metadata: operation.metadata, chunks: log?.chunks ?? [] });
    return;
  }
  if (operation.type === "delete-log") {
    logs.delete(key);
    return;
  }
  assert(log !== undefined, "a log has metadata before it has chunks");
  logs.set(key, { ...log, chunks: changedChunks(log.chunks, operation) });
}

function changedChunks(
  chunks: readonly Chunk[],
  operation: Extract<StoreOperation, { readonly type: "append" | "truncate" | "delete-chunks" }>,
): readonly Chunk[] {
  switch (operation.type) {
    case "append": {
      const last = chunks.at(-1);
      assert(last === undefined || last.lastOffset < operation.chunk.baseOffset, "a chunk is added behind the last one");
      // A copy, so that the disk holds neither what the view lies in nor what becomes of it later.
      return [...chunks, { ...operation.chunk, bytes: operation.chunk.bytes.slice() }];
    }
    case "truncate":
      return chunks.flatMap((chunk) => {
        if (chunk.lastOffset < operation.offset) return [chunk];
        return cutChunk(chunk, operation.offset) ?? [];
      });
    case "delete-chunks":
      return chunks.filter(({ lastOffset }) => lastOffset >= operation.offset);
  }
}
