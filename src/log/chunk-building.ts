import type { BatchHeader, BatchView } from "../protocol/record-batch.ts";
import { concatenate } from "./batch-slice.ts";
import type { Chunk } from "./stored-log.ts";

/** How large chunks are made: measured, rows of this size are written and read the fastest in IndexedDB. */
export const CHUNK_BYTES = 256 * 1024;

/** The chunk that `bytes`, the batches of `headers` one after another, make. */
export function toChunk(headers: readonly BatchHeader[], bytes: Uint8Array): Chunk {
  let maxTimestamp = Number.NEGATIVE_INFINITY;
  for (const header of headers) maxTimestamp = Math.max(maxTimestamp, header.maxTimestamp);
  const { baseOffset } = headers[0]!;
  const { lastOffset } = headers.at(-1)!;
  return { baseOffset, lastOffset, sizeInBytes: bytes.length, maxTimestamp, bytes };
}

/** `records` as chunks of at most {@link CHUNK_BYTES}; a larger batch is a chunk of its own. The bytes are copied. */
export function toChunks(records: Uint8Array, batches: readonly BatchView[]): Chunk[] {
  const groups: BatchView[][] = [];
  let groupBytes = Number.POSITIVE_INFINITY;
  for (const batch of batches) {
    groupBytes += batch.header.sizeInBytes;
    if (groupBytes > CHUNK_BYTES) {
      groups.push([]);
      groupBytes = batch.header.sizeInBytes;
    }
    groups.at(-1)!.push(batch);
  }
  return groups.map((group) => {
    const last = group.at(-1)!;
    const bytes = records.slice(group[0]!.position, last.position + last.header.sizeInBytes);
    return toChunk(
      group.map(({ header }) => header),
      bytes,
    );
  });
}

/** Chunks that follow one another as one. */
export function joinedChunk(chunks: readonly Chunk[]): Chunk {
  if (chunks.length === 1) return chunks[0]!;
  const sizeInBytes = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return {
    baseOffset: chunks[0]!.baseOffset,
    lastOffset: chunks.at(-1)!.lastOffset,
    sizeInBytes,
    maxTimestamp: chunks.reduce((latest, chunk) => Math.max(latest, chunk.maxTimestamp), Number.NEGATIVE_INFINITY),
    bytes: concatenate(
      chunks.map(({ bytes }) => bytes),
      sizeInBytes,
    ),
  };
}

/** The same bytes with no others behind them: storing a view would store its whole buffer. */
export function inOwnBuffer(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
}
