import { batches } from "../protocol/record-batch.ts";
import type { Chunk } from "./stored-log.ts";

/**
 * The batches of `chunk` that end below `offset`, as a chunk with a buffer of its own; undefined if there are none.
 * Throws CorruptMessageError if the chunk, which may come from a disk, is not made of batches.
 */
export function cutChunk(chunk: Chunk, offset: number): Chunk | undefined {
  let sizeInBytes = 0;
  let lastOffset = -1;
  let maxTimestamp = Number.NEGATIVE_INFINITY;
  for (const { header } of batches(chunk.bytes)) {
    if (header.lastOffset >= offset) break;
    sizeInBytes += header.sizeInBytes;
    lastOffset = header.lastOffset;
    maxTimestamp = Math.max(maxTimestamp, header.maxTimestamp);
  }
  if (sizeInBytes === 0) return undefined;
  const bytes = chunk.bytes.slice(0, sizeInBytes);
  return { baseOffset: chunk.baseOffset, lastOffset, sizeInBytes, maxTimestamp, bytes };
}
