import { CorruptMessageError } from "../protocol/errors.ts";
import { batchAt, verifyCrc } from "../protocol/record-batch.ts";
import type { BatchView } from "../protocol/record-batch.ts";
import type { PartitionKey } from "./stored-log.ts";

/** Where a log ends, for what is to continue it. */
export interface LogEnd {
  readonly key: PartitionKey;
  readonly logStartOffset: number;
  readonly nextOffset: number;
  readonly latestEpoch: number;
}

/**
 * The batches of `records`, if they are one or more that continue the log: intact, without a gap, and of leader epochs
 * that never go back. Throws CorruptMessageError otherwise.
 */
export function readContinuation(records: Uint8Array, logEnd: LogEnd): readonly BatchView[] {
  const found: BatchView[] = [];
  let { nextOffset, latestEpoch } = logEnd;
  for (let batch = batchAt(records, 0); batch !== undefined; batch = batchAt(records, endOf(batch))) {
    const { baseOffset, lastOffset, partitionLeaderEpoch } = batch.header;
    if (baseOffset !== nextOffset && !(found.length === 0 && straddlesStart(batch, logEnd))) {
      throw corrupt(logEnd, `a batch at offset ${baseOffset}, where ${nextOffset} follows`);
    }
    if (partitionLeaderEpoch < latestEpoch) {
      throw corrupt(logEnd, `a batch of leader epoch ${partitionLeaderEpoch} after epoch ${latestEpoch}`);
    }
    if (!verifyCrc(batch.bytes)) throw corrupt(logEnd, `a batch at offset ${baseOffset} that fails its checksum`);
    found.push(batch);
    nextOffset = lastOffset + 1;
    latestEpoch = partitionLeaderEpoch;
  }
  if (found.length === 0) throw corrupt(logEnd, "no batch");
  return found;
}

function endOf({ position, header }: BatchView): number {
  return position + header.sizeInBytes;
}

/**
 * Records can be deleted up to the middle of a batch. A replica that starts from there gets that batch whole, as the
 * first thing in its empty log.
 */
function straddlesStart({ header }: BatchView, { logStartOffset, nextOffset }: LogEnd): boolean {
  return nextOffset === logStartOffset && header.baseOffset < nextOffset && header.lastOffset >= nextOffset;
}

function corrupt({ key }: LogEnd, finding: string): CorruptMessageError {
  return new CorruptMessageError(`log ${key} was sent ${finding}`);
}
