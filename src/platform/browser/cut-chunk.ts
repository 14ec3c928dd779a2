import type { Chunk } from "../../log/stored-log.ts";
import { batches } from "../../protocol/record-batch.ts";

/**
 * What is left of a chunk when every batch that holds `offset`, or anything above it, is removed; undefined when
 * nothing is.
 */
export function cutChunk(chunk: Chunk, offset: number): Chunk | undefined {
  let sizeInBytes = 0;
  let lastOffset = -1;
  let maxTimestamp = -1;
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
