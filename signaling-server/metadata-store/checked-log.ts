import { CorruptMessageError } from "../../src/protocol/errors.ts";
import { readBatchHeader, verifyCrc } from "../../src/protocol/record-batch.ts";
import type { StoredBatch } from "./metadata-store.ts";

/** The log from `startOffset` to `endOffset`. Throws CorruptMessageError unless it is whole and as it was written. */
export function checkedLog(rows: readonly StoredBatch[], startOffset: number, endOffset: number): StoredBatch[] {
  let expected = startOffset;
  let epoch = -1;
  for (const { baseOffset, batch } of rows) {
    if (baseOffset !== expected) {
      throw new CorruptMessageError(`offset ${baseOffset} follows, where offset ${expected} is due`);
    }
    const header = readBatchHeader(batch);
    if (header.baseOffset !== baseOffset || header.sizeInBytes !== batch.length || !verifyCrc(batch)) {
      throw new CorruptMessageError(`the batch at offset ${baseOffset} fails its checksum`);
    }
    if (header.partitionLeaderEpoch < epoch) {
      throw new CorruptMessageError(`the batch at offset ${baseOffset} is of epoch ${header.partitionLeaderEpoch}`);
    }
    epoch = header.partitionLeaderEpoch;
    expected = header.lastOffset + 1;
  }
  if (expected !== endOffset) throw new CorruptMessageError(`the log ends at offset ${expected}, not at ${endOffset}`);
  return [...rows];
}
