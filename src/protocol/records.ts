import { CorruptMessageError } from "./errors.ts";
import { Reader } from "./reader.ts";
import type { BatchHeader } from "./record-batch.ts";
import { utf8Length } from "./utf8.ts";
import { sizeOfVarint, sizeOfVarlong } from "./varint.ts";
import { encode } from "./writer.ts";
import type { Writer } from "./writer.ts";

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** A record of a batch. Its bytes are views of the section it was decoded from. */
export interface KafkaRecord {
  readonly offset: number;
  /** Milliseconds since 1970, or -1. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** A record to encode. Offsets ascend; a producer counts them from 0. */
export interface RecordInit extends Omit<KafkaRecord, "headers"> {
  readonly headers?: readonly RecordHeader[];
}

/** A record has seven fields of one byte at the least. */
const MIN_RECORD_BYTES = 7;
/** A record header has two. */
const MIN_HEADER_BYTES = 2;

/** The uncompressed records section of a batch whose base offset and timestamp are those of the first record. */
export function encodeRecords(records: readonly RecordInit[]): Uint8Array<ArrayBuffer> {
  const first = records[0];
  return encode((writer) => {
    for (const record of records) {
      writeRecord(writer, record, record.offset - first!.offset, record.timestamp - first!.timestamp);
    }
  });
}

/** The bytes that a record adds to a section, so that a producer can fill a batch up to a limit. */
export function sizeOfRecord(record: RecordInit, offsetDelta: number, timestampDelta: number): number {
  const bodySize = sizeOfBody(record, offsetDelta, timestampDelta);
  return sizeOfVarint(bodySize) + bodySize;
}

/**
 * The records of an uncompressed section. Throws CorruptMessageError unless they are as many as the header says, fill
 * the section exactly, and have ascending offsets within the batch and timestamps that are safe integers.
 */
export function decodeRecords(section: Uint8Array, header: BatchHeader): KafkaRecord[] {
  const { recordCount } = header;
  const reader = readerOfRecords(section, recordCount);
  const logAppendTime = header.attributes.timestampType === "LogAppendTime" ? header.maxTimestamp : undefined;
  const records: KafkaRecord[] = [];
  let previousDelta = -1;
  for (let index = 0; index < recordCount; index++) {
    const end = recordEnd(reader);
    reader.skip(1);
    const timestampDelta = reader.varlong();
    const offsetDelta = reader.varint();
    if (offsetDelta <= previousDelta || offsetDelta > header.lastOffsetDelta) {
      throw new CorruptMessageError(`offset delta ${offsetDelta} follows ${previousDelta} of ${header.lastOffsetDelta}`);
    }
    previousDelta = offsetDelta;
    const timestamp = logAppendTime ?? header.baseTimestamp + timestampDelta;
    if (!Number.isSafeInteger(timestamp)) throw new CorruptMessageError(`record ${index} is of a time beyond 2^53`);
    records.push({
      offset: header.baseOffset + offsetDelta,
      timestamp,
      key: readNullableBytes(reader),
      value: readNullableBytes(reader),
      headers: readHeaders(reader),
    });
    if (reader.position !== end) throw new CorruptMessageError(`record ${index} does not fill its announced length`);
  }
  reader.expectEnd();
  return records;
}

/**
 * Whether an uncompressed section holds exactly `recordCount` records, each as long as its fields, with the offsets
 * 0, 1, 2, … of a batch that a producer has made, and none that `decodeRecords` does not accept. Makes no objects.
 */
export function areDenselyNumbered(section: Uint8Array, { recordCount, baseTimestamp }: BatchHeader): boolean {
  try {
    const reader = readerOfRecords(section, recordCount);
    for (let index = 0; index < recordCount; index++) {
      const end = recordEnd(reader);
      reader.skip(1);
      if (!Number.isSafeInteger(baseTimestamp + reader.varlong())) return false;
      if (reader.varint() !== index) return false;
      skipNullableBytes(reader);
      skipNullableBytes(reader);
      skipHeaders(reader);
      if (reader.position !== end) return false;
    }
    return reader.remaining === 0;
  } catch (error) {
    if (error instanceof CorruptMessageError) return false;
    throw error;
  }
}

/** A reader of a section that announces `recordCount` records, if they can fit. */
export function readerOfRecords(section: Uint8Array, recordCount: number): Reader {
  if (recordCount < 0 || recordCount * MIN_RECORD_BYTES > section.length) {
    throw new CorruptMessageError(`a batch announces ${recordCount} records in ${section.length} bytes`);
  }
  const reader = new Reader(section);
  reader.spend(recordCount);
  return reader;
}

/** Reads a record's length, and returns where the record ends. */
export function recordEnd(reader: Reader): number {
  const length = reader.varint();
  if (length < MIN_RECORD_BYTES - 1 || length > reader.remaining) {
    throw new CorruptMessageError(`a record of ${length} bytes, where ${reader.remaining} follow`);
  }
  return reader.position + length;
}

function skipNullableBytes(reader: Reader): void {
  const length = reader.varint();
  if (length < -1) throw new CorruptMessageError(`a key or value of ${length} bytes`);
  if (length > 0) reader.skip(length);
}

function skipHeaders(reader: Reader): void {
  const count = headerCount(reader);
  for (let index = 0; index < count; index++) {
    const length = reader.varint();
    if (length < 0) throw new CorruptMessageError(`a header's key of ${length} bytes`);
    reader.skip(length);
    skipNullableBytes(reader);
  }
}

function readHeaders(reader: Reader): RecordHeader[] {
  const count = headerCount(reader);
  const headers: RecordHeader[] = [];
  for (let index = 0; index < count; index++) {
    headers.push({ key: reader.string(reader.varint()), value: readNullableBytes(reader) });
  }
  return headers;
}

/** Reads how many headers a record has, if so many can fit and be held. */
function headerCount(reader: Reader): number {
  const count = reader.varint();
  if (count < 0 || count * MIN_HEADER_BYTES > reader.remaining) {
    throw new CorruptMessageError(`a record announces ${count} headers, where ${reader.remaining} bytes follow`);
  }
  reader.spend(count);
  return count;
}

function readNullableBytes(reader: Reader): Uint8Array | null {
  const length = reader.varint();
  return length === -1 ? null : reader.bytes(length);
}

/** Writes one record of a section whose base offset and timestamp are known, so that a producer can fill it piece by piece. */
export function writeRecord(writer: Writer, record: RecordInit, offsetDelta: number, timestampDelta: number): void {
  writer.varint(sizeOfBody(record, offsetDelta, timestampDelta));
  writer.int8(0);
  writer.varlong(timestampDelta);
  writer.varint(offsetDelta);
  writeNullableBytes(writer, record.key);
  writeNullableBytes(writer, record.value);
  const headers = record.headers ?? [];
  writer.varint(headers.length);
  for (const { key, value } of headers) {
    const length = utf8Length(key);
    writer.varint(length);
    writer.utf8(key, length);
    writeNullableBytes(writer, value);
  }
}

function writeNullableBytes(writer: Writer, bytes: Uint8Array | null): void {
  writer.varint(bytes === null ? -1 : bytes.length);
  if (bytes !== null) writer.bytes(bytes);
}

function sizeOfBody(record: RecordInit, offsetDelta: number, timestampDelta: number): number {
  const headers = record.headers ?? [];
  let size = 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta);
  size += sizeOfNullableBytes(record.key) + sizeOfNullableBytes(record.value) + sizeOfVarint(headers.length);
  for (const { key, value } of headers) {
    const length = utf8Length(key);
    size += sizeOfVarint(length) + length + sizeOfNullableBytes(value);
  }
  return size;
}

function sizeOfNullableBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length;
}
