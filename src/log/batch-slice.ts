import type { BatchSpan } from "./batch-span.ts";
import { batchSpans, checkedBatches, missingBatch } from "./batch-span.ts";
import type { Chunk, PartitionKey } from "./stored-log.ts";

/** Whole batches as they follow one another, and the offset that comes after them. */
export interface BatchSlice {
  /** Often a view of the chunk it was found in: to be copied, never transferred. */
  readonly bytes: Uint8Array;
  readonly nextOffset: number;
}

export function emptySlice(offset: number): BatchSlice {
  return { bytes: new Uint8Array(0), nextOffset: offset };
}

/**
 * The batches from the one that holds `offset` on, all of them below `endOffset`, while they fit `maxBytes`; the first
 * one even if it does not (KIP-74). `chunks` are consecutive and checked already.
 */
export function sliceCheckedChunks(
  chunks: Iterable<Chunk>,
  offset: number,
  maxBytes: number,
  endOffset: number,
): BatchSlice {
  return slice(chunks, offset, maxBytes, endOffset, batchSpans);
}

/**
 * The same for chunks that come from a disk. Throws CorruptMessageError, naming the log and the offset, when a batch
 * up to the last one served fails its checksum or is not the one that has to follow.
 */
export function sliceChunks(
  chunks: Iterable<Chunk>,
  offset: number,
  maxBytes: number,
  endOffset: number,
  key: PartitionKey,
): BatchSlice {
  return slice(withoutHoles(chunks, offset, key), offset, maxBytes, endOffset, (chunk) => checkedBatches(chunk, key));
}

function* withoutHoles(chunks: Iterable<Chunk>, offset: number, key: PartitionKey): Generator<Chunk> {
  let nextOffset: number | undefined;
  for (const chunk of chunks) {
    const follows = nextOffset === undefined ? chunk.baseOffset <= offset : chunk.baseOffset === nextOffset;
    if (!follows) throw missingBatch(key, nextOffset ?? offset);
    yield chunk;
    nextOffset = chunk.lastOffset + 1;
  }
  if (nextOffset === undefined || nextOffset <= offset) throw missingBatch(key, offset);
}

function slice(
  chunks: Iterable<Chunk>,
  offset: number,
  maxBytes: number,
  endOffset: number,
  spansOf: (chunk: Chunk) => Iterable<BatchSpan>,
): BatchSlice {
  const parts: Uint8Array[] = [];
  let totalBytes = 0;
  let nextOffset = offset;
  for (const chunk of chunks) {
    let start = -1;
    let end = 0;
    let isFull = false;
    for (const span of spansOf(chunk)) {
      if (span.lastOffset < offset) continue;
      isFull = span.lastOffset >= endOffset || (totalBytes > 0 && totalBytes + span.sizeInBytes > maxBytes);
      if (isFull) break;
      if (start === -1) start = span.position;
      end = span.position + span.sizeInBytes;
      totalBytes += span.sizeInBytes;
      nextOffset = span.lastOffset + 1;
    }
    if (start !== -1) parts.push(chunk.bytes.subarray(start, end));
    if (isFull || totalBytes >= maxBytes) break;
  }
  return { bytes: concatenate(parts, totalBytes), nextOffset };
}

/** One part stays the view it is. */
export function concatenate(parts: readonly Uint8Array[], totalBytes: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(totalBytes);
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}
