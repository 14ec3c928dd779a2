import { cutChunk } from "../../log/cut-chunk.ts";
import type { Chunk, LogMetadata, PartitionKey, StoredLog, StoreOperation } from "../../log/stored-log.ts";
import { assert } from "../../protocol/assert.ts";
import { sharedCopies } from "../../protocol/shared-copies.ts";

/** Small chunks lie in sectors that they share: a buffer for each is the dearest part of storing it. */
const copied = sharedCopies(64 * 1024, 4 * 1024);

interface LogImage {
  readonly metadata: LogMetadata;
  /** Shared with older images of the log, which have fewer of them: appending copies nothing. */
  readonly chunks: Chunk[];
  readonly length: number;
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
    return [...this.#logs.values()].map((log) => {
      const { metadata } = log;
      // A trim that was cut short may have left chunks that lie wholly below the log's start.
      const kept = chunksOf(log).filter(({ lastOffset }) => lastOffset >= metadata.logStartOffset);
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
    const log = this.#logs.get(key);
    for (let index = log === undefined ? 0 : indexHolding(log, fromOffset); index < (log?.length ?? 0); index++) {
      const chunk = log!.chunks[index]!;
      if (found.length > 0 && bytes + chunk.sizeInBytes > maxBytes) break;
      found.push(chunk);
      bytes += chunk.sizeInBytes;
    }
    return found;
  }

  /** At most `count` chunks, those at the end of a log. */
  lastChunks(key: PartitionKey, count: number): Chunk[] {
    const log = this.#logs.get(key);
    return log === undefined ? [] : log.chunks.slice(Math.max(0, log.length - count), log.length);
  }

  get keys(): readonly PartitionKey[] {
    return [...this.#logs.keys()];
  }

  /** The offset after the last record of a log, 0 for one that is not there. */
  endOffset(key: PartitionKey): number {
    const log = this.#logs.get(key);
    if (log === undefined) return 0;
    return log.length === 0 ? log.metadata.logStartOffset : log.chunks[log.length - 1]!.lastOffset + 1;
  }

  /** The same with one log's chunks replaced, as a damaged disk would have them. */
  withChunks(key: PartitionKey, change: (chunks: readonly Chunk[]) => Chunk[]): StoredLogs {
    const log = this.#logs.get(key);
    if (log === undefined) return this;
    return new StoredLogs(new Map(this.#logs).set(key, imageOf(log.metadata, change(chunksOf(log)))));
  }
}

function imageOf(metadata: LogMetadata, chunks: Chunk[]): LogImage {
  return { metadata, chunks, length: chunks.length };
}

/** Of the first chunk that does not end below `offset`. */
function indexHolding({ chunks, length }: LogImage, offset: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (chunks[middle]!.lastOffset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function chunksOf({ chunks, length }: LogImage): readonly Chunk[] {
  return chunks.length === length ? chunks : chunks.slice(0, length);
}

function applyTo(logs: Map<PartitionKey, LogImage>, operation: StoreOperation): void {
  const { key } = operation;
  const log = logs.get(key);
  if (operation.type === "put-metadata") {
    logs.set(key, { metadata: operation.metadata, chunks: log?.chunks ?? [], length: log?.length ?? 0 });
    return;
  }
  if (operation.type === "delete-log") {
    logs.delete(key);
    return;
  }
  assert(log !== undefined, "a log has metadata before it has chunks");
  logs.set(key, changed(log, operation));
}

function changed(
  log: LogImage,
  operation: Extract<StoreOperation, { readonly type: "append" | "truncate" | "delete-chunks" | "replace-chunks" }>,
): LogImage {
  const { metadata } = log;
  switch (operation.type) {
    case "append":
      return appended(log, operation.chunk);
    case "replace-chunks":
      return replaced(log, operation);
    case "truncate":
      return imageOf(
        metadata,
        chunksOf(log).flatMap((chunk) => {
          if (chunk.lastOffset < operation.offset) return [chunk];
          return cutChunk(chunk, operation.offset) ?? [];
        }),
      );
    case "delete-chunks":
      return imageOf(metadata, chunksOf(log).filter(({ lastOffset }) => lastOffset >= operation.offset));
  }
}

function replaced(
  log: LogImage,
  { baseOffset, lastOffset, chunks }: Extract<StoreOperation, { readonly type: "replace-chunks" }>,
): LogImage {
  const before = chunksOf(log).filter((chunk) => chunk.lastOffset < baseOffset);
  const behind = chunksOf(log).filter((chunk) => chunk.baseOffset > lastOffset);
  const old = chunksOf(log).slice(before.length, log.length - behind.length);
  for (const list of [old, chunks]) {
    const fits = list[0]?.baseOffset === baseOffset && list.at(-1)?.lastOffset === lastOffset;
    assert(fits, "chunks are replaced by others of the same offsets");
  }
  return imageOf(log.metadata, [...before, ...chunks.map(ownCopy), ...behind]);
}

function appended({ metadata, chunks, length }: LogImage, chunk: Chunk): LogImage {
  const last = chunks[length - 1];
  assert(last === undefined || last.lastOffset < chunk.baseOffset, "a chunk is added behind the last one");
  // A later image of the log may have gone on from here already, in another direction.
  const own = chunks.length === length ? chunks : chunks.slice(0, length);
  own.push(ownCopy(chunk));
  return { metadata, chunks: own, length: length + 1 };
}

/** So that the disk holds neither what the view lies in nor what becomes of it later. */
function ownCopy(chunk: Chunk): Chunk {
  return { ...chunk, bytes: copied(chunk.bytes) };
}
