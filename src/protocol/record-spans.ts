import { CorruptMessageError } from "./errors.ts";
import type { BatchHeader } from "./record-batch.ts";
import { readerOfRecords, recordEnd } from "./records.ts";

/** One record within its section: where it lies, and what compaction has to know of it. */
export interface RecordSpan {
  readonly offset: number;
  readonly timestampDelta: number;
  /** A view of the section; null in a record without a key. */
  readonly key: Uint8Array | null;
  /** False in a tombstone. */
  readonly hasValue: boolean;
  /** Of the whole record, its length included. */
  readonly start: number;
  /** Where the record goes on behind its timestamp. */
  readonly offsetAt: number;
  readonly end: number;
}

/**
 * The records of an uncompressed section, without values and headers, so that records can be copied as the bytes they
 * are. Throws CorruptMessageError like `decodeRecords`, except that headers stay unread and timestamps are as they are.
 */
export function recordSpans(section: Uint8Array, header: BatchHeader): RecordSpan[] {
  const reader = readerOfRecords(section, header.recordCount);
  const spans: RecordSpan[] = [];
  let previousDelta = -1;
  for (let index = 0; index < header.recordCount; index++) {
    const start = reader.position;
    const end = recordEnd(reader);
    reader.skip(1);
    const timestampDelta = reader.varlong();
    const offsetAt = reader.position;
    const offsetDelta = reader.varint();
    if (offsetDelta <= previousDelta || offsetDelta > header.lastOffsetDelta) {
      throw new CorruptMessageError(`offset delta ${offsetDelta} follows ${previousDelta} of ${header.lastOffsetDelta}`);
    }
    previousDelta = offsetDelta;
    const keyLength = reader.varint();
    const key = keyLength === -1 ? null : reader.bytes(keyLength);
    const valueLength = reader.varint();
    if (valueLength !== -1) reader.skip(valueLength);
    if (valueLength < -1 || reader.position > end) {
      throw new CorruptMessageError(`record ${index} does not fit its announced length`);
    }
    reader.skip(end - reader.position);
    const offset = header.baseOffset + offsetDelta;
    spans.push({ offset, timestampDelta, key, hasValue: valueLength !== -1, start, offsetAt, end });
  }
  reader.expectEnd();
  return spans;
}
