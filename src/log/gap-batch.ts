import { assembleBatch, batchAt, batches, verifyCrc } from "../protocol/record-batch.ts";
import type { BatchHeader } from "../protocol/record-batch.ts";

/**
 * What compaction leaves where every record is gone: a batch without records, which covers their offsets. A log thus
 * never lacks an offset. One that is missing is damage, and every epoch still has a batch in the log.
 */
export interface Gap {
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  readonly partitionLeaderEpoch: number;
  /** See {@link hasForgotten}. */
  readonly hasForgotten: boolean;
}

/**
 * The delete horizon of a batch that has lost tombstones. They are gone for good: whoever holds older records of their
 * keys, and did not copy the tombstones, never hears that the keys were deleted.
 */
export const FORGOTTEN = 0;

/** Of a batch without records: so old that retention takes it when its turn comes. -1 would be of no age. */
export const OLDEST_TIMESTAMP = 0;

/** What a `lastOffsetDelta` can say. */
const MAX_GAP_OFFSETS = 0x7fffffff;

export function gapBatch({ baseOffset, lastOffset, partitionLeaderEpoch, hasForgotten }: Gap): Uint8Array<ArrayBuffer> {
  return assembleBatch(
    {
      baseOffset,
      partitionLeaderEpoch,
      hasDeleteHorizon: hasForgotten,
      lastOffsetDelta: lastOffset - baseOffset,
      baseTimestamp: hasForgotten ? FORGOTTEN : OLDEST_TIMESTAMP,
      maxTimestamp: OLDEST_TIMESTAMP,
      recordCount: 0,
    },
    new Uint8Array(0),
  );
}

/** Whether a batch is nothing but a gap. Without records a batch can still tell what its producer wrote last. */
export function isGap({ recordCount, producerId }: BatchHeader): boolean {
  return recordCount === 0 && producerId < 0;
}

/** Whether tombstones were removed from the batch, or from what the gap covers. */
export function hasForgotten({ attributes, baseTimestamp }: BatchHeader): boolean {
  return attributes.hasDeleteHorizon && baseTimestamp === FORGOTTEN;
}

/** Whether some of the batches have a record. */
export function holdsRecords(records: Uint8Array): boolean {
  for (const { header } of batches(records)) if (header.recordCount > 0) return true;
  return false;
}

/** Both gaps as one, if they follow each other in one epoch. */
export function joinedGap(first: Gap, second: Gap): Gap | undefined {
  const follows = second.baseOffset === first.lastOffset + 1;
  if (!follows || second.partitionLeaderEpoch !== first.partitionLeaderEpoch) return undefined;
  if (second.lastOffset - first.baseOffset > MAX_GAP_OFFSETS) return undefined;
  return { ...second, baseOffset: first.baseOffset, hasForgotten: first.hasForgotten || second.hasForgotten };
}

/**
 * `records` from `offset` on, for a log that ends there while the leader's has a gap around it: the borders of batches
 * within a gap are gone at the leader only.
 */
export function withoutStartOfGap(records: Uint8Array, offset: number): Uint8Array {
  const first = batchAt(records, 0);
  if (first === undefined) return records;
  const { header, bytes } = first;
  const { baseOffset, lastOffset, partitionLeaderEpoch } = header;
  const isCut = isGap(header) && baseOffset < offset && lastOffset >= offset;
  if (!isCut || !verifyCrc(bytes)) return records;
  const rest = gapBatch({ baseOffset: offset, lastOffset, partitionLeaderEpoch, hasForgotten: hasForgotten(header) });
  const whole = new Uint8Array(rest.length + records.length - bytes.length);
  whole.set(rest);
  whole.set(records.subarray(bytes.length), rest.length);
  return whole;
}
