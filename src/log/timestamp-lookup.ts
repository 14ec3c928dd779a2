import { codecNames, recordsSection } from "../protocol/record-batch.ts";
import { recordSpans } from "../protocol/record-spans.ts";
import { checkedBatches } from "./batch-span.ts";
import type { CheckedBatch } from "./batch-span.ts";
import type { Chunk, PartitionKey } from "./stored-log.ts";

/** The latest that an answer can tell. */
const LATEST_TIMESTAMP = Number.MAX_SAFE_INTEGER;

export interface TimestampedOffset {
  readonly offset: number;
  readonly timestamp: number;
}

/**
 * The first record from `startOffset` on that is not older than `timestamp`. Exact for uncompressed batches. Compressed
 * ones are not opened: the answer is then the start of the batch whose newest timestamp qualifies, so a consumer may
 * get some older records first, but misses none. Throws CorruptMessageError naming the log and the offset.
 */
export function findTimestamp(
  chunks: Iterable<Chunk>,
  timestamp: number,
  startOffset: number,
  key: PartitionKey,
): TimestampedOffset | undefined {
  for (const chunk of chunks) {
    for (const batch of checkedBatches(chunk, key)) {
      if (batch.header.maxTimestamp < timestamp || batch.lastOffset < startOffset) continue;
      const found = findInBatch(chunk, batch, timestamp, startOffset);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function findInBatch(
  { bytes }: Chunk,
  { header, position, sizeInBytes }: CheckedBatch,
  timestamp: number,
  startOffset: number,
): TimestampedOffset | undefined {
  const { codec, timestampType } = header.attributes;
  if (codecNames[codec] !== "none" || timestampType === "LogAppendTime") {
    return { offset: Math.max(header.baseOffset, startOffset), timestamp: header.maxTimestamp };
  }
  // The newest timestamp of a header is the producer's word; only the records prove it.
  const section = recordsSection(bytes.subarray(position, position + sizeInBytes));
  for (const { offset, timestampDelta } of recordSpans(section, header)) {
    const told = header.baseTimestamp + timestampDelta;
    // A batch that came from elsewhere may count beyond what can be told.
    if (told >= timestamp && offset >= startOffset) return { offset, timestamp: Math.min(told, LATEST_TIMESTAMP) };
  }
  return undefined;
}
