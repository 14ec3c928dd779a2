import { readBatchHeader } from "../protocol/record-batch.ts";
import { batchSpans } from "./batch-span.ts";
import type { Chunk } from "./stored-log.ts";

/** The batches of `chunk` that end below `offset`, as a chunk with a buffer of its own; undefined if there are none. */
export function cutChunk(chunk: Chunk, offset: number): Chunk | undefined {
  let end = 0;
  let lastOffset = -1;
  let maxTimestamp = Number.NEGATIVE_INFINITY;
  for (const span of batchSpans(chunk)) {
    if (span.lastOffset >= offset) break;
    end = span.position + span.sizeInBytes;
    lastOffset = span.lastOffset;
    maxTimestamp = Math.max(maxTimestamp, readBatchHeader(chunk.bytes, span.position).maxTimestamp);
  }
  if (end === 0) return undefined;
  const bytes = chunk.bytes.slice(0, end);
  return { baseOffset: chunk.baseOffset, lastOffset, sizeInBytes: end, maxTimestamp, bytes };
}
