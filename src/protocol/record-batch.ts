import { assert } from "./assert.ts";
import { crc32c } from "./crc32c.ts";
import { CorruptMessageError } from "./errors.ts";
import { int32At, setInt32At, setInt64At, uint32At } from "./int-at.ts";
import { Reader } from "./reader.ts";
import { encodeRecords } from "./records.ts";
import type { RecordInit } from "./records.ts";
import { Writer } from "./writer.ts";

/**
 * Kafka's record batch, version 2 (KIP-98): 61 bytes of header, then the records, compressed as one block or not. A
 * batch travels from the producer to the disk, to followers and to consumers as the same bytes; a broker sets only its
 * base offset and leader epoch, which lie before the part that the checksum covers.
 */
export const BATCH_HEADER_BYTES = 61;

/** Where `batchLength` ends, which counts the bytes from there on. */
const LENGTH_END = 12;
const PARTITION_LEADER_EPOCH_AT = 12;
/** Where the version of the format stands, in this one and in the two before it. */
export const MAGIC_AT = 16;
export const MAGIC = 2;
const CRC_AT = 17;
const CRC_START = 21;

const CODEC_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const DELETE_HORIZON = 0x40;

/** The compression codecs by the number that a batch names them with. */
export const codecNames = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type CodecName = (typeof codecNames)[number];

export type TimestampType = "CreateTime" | "LogAppendTime";

export interface BatchAttributes {
  /** An index into {@link codecNames}, if it is below 5. */
  readonly codec: number;
  readonly timestampType: TimestampType;
  readonly transactional: boolean;
  readonly control: boolean;
  /** Set by compaction: `baseTimestamp` is then the time from which tombstones may go (KIP-534). */
  readonly hasDeleteHorizon: boolean;
}

export interface BatchHeader {
  readonly baseOffset: number;
  /** As on the wire: the bytes that follow this field. */
  readonly batchLength: number;
  /** Of the whole batch. */
  readonly sizeInBytes: number;
  readonly partitionLeaderEpoch: number;
  readonly magic: number;
  readonly crc: number;
  readonly attributes: BatchAttributes;
  readonly lastOffsetDelta: number;
  /** `baseOffset + lastOffsetDelta`. */
  readonly lastOffset: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  /** -1 for none, as are the two that follow. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** A batch within a longer run of bytes. */
export interface BatchView {
  readonly header: BatchHeader;
  /** Where the batch starts in the bytes it was found in. */
  readonly position: number;
  /** The whole batch, as a view. */
  readonly bytes: Uint8Array;
}

/**
 * The header of the batch at `position`, of which the records need not be there. Throws CorruptMessageError when the
 * header is cut short, is not of version 2, or contradicts itself; says nothing of the checksum.
 */
export function readBatchHeader(bytes: Uint8Array, position = 0): BatchHeader {
  const reader = new Reader(bytes, position);
  const baseOffset = reader.int64();
  const batchLength = reader.int32();
  const partitionLeaderEpoch = reader.int32();
  const magic = reader.int8();
  if (magic !== MAGIC) throw new CorruptMessageError(`a record batch of version ${magic}, where 2 is expected`);
  const sizeInBytes = batchLength + LENGTH_END;
  if (sizeInBytes < BATCH_HEADER_BYTES) {
    throw new CorruptMessageError(`a record batch of ${sizeInBytes} bytes is smaller than its header`);
  }
  const crc = reader.uint32();
  const attributes = readAttributes(reader.int16());
  const lastOffsetDelta = reader.int32();
  if (lastOffsetDelta < 0) throw new CorruptMessageError(`a record batch with last offset delta ${lastOffsetDelta}`);
  return {
    baseOffset,
    batchLength,
    sizeInBytes,
    partitionLeaderEpoch,
    magic,
    crc,
    attributes,
    lastOffsetDelta,
    lastOffset: baseOffset + lastOffsetDelta,
    baseTimestamp: reader.int64(),
    maxTimestamp: reader.int64(),
    producerId: reader.int64(),
    producerEpoch: reader.int16(),
    baseSequence: reader.int32(),
    recordCount: reader.int32(),
  };
}

/** What becomes of a batch that is cut short at the end. */
export type PartialTail = "refused" | "ignored";

/**
 * The batches that follow each other in `bytes`. A batch that is cut short at the end throws CorruptMessageError,
 * unless the tail is "ignored", as a consumer must: a fetch response is cut at its size, not at a batch.
 */
export function* batches(bytes: Uint8Array, partialTail: PartialTail = "refused"): Generator<BatchView> {
  for (let batch = batchAt(bytes, 0, partialTail); batch !== undefined; ) {
    yield batch;
    batch = batchAt(bytes, batch.position + batch.header.sizeInBytes, partialTail);
  }
}

/** The one of {@link batches} that starts at `position`; undefined at the end. For loops that run with every message. */
export function batchAt(
  bytes: Uint8Array,
  position: number,
  partialTail: PartialTail = "refused",
): BatchView | undefined {
  if (position >= bytes.length) return undefined;
  const size = sizeOfBatchAt(bytes, position);
  if (size === undefined || size > bytes.length - position) {
    if (partialTail === "ignored") return undefined;
    throw new CorruptMessageError(`the record batch at byte ${position} is cut short`);
  }
  return { header: readBatchHeader(bytes, position), position, bytes: bytes.subarray(position, position + size) };
}

/** Whether the checksum of the batch at `position` is that of its bytes; false too when the batch is cut short. */
export function verifyCrc(bytes: Uint8Array, position = 0): boolean {
  const size = sizeOfBatchAt(bytes, position);
  if (size === undefined || size > bytes.length - position) return false;
  const crc = uint32At(bytes, position + CRC_AT);
  return crc === crc32c(bytes, position + CRC_START, position + size);
}

/** The records of the batch that `bytes` is, still compressed. */
export function recordsSection(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(BATCH_HEADER_BYTES);
}

/** Sets the base offset in place. The checksum does not cover it. */
export function setBaseOffset(bytes: Uint8Array, baseOffset: number, position = 0): void {
  assert(Number.isSafeInteger(baseOffset), "an offset is a safe integer");
  setInt64At(bytes, position, baseOffset);
}

/** Sets the leader epoch in place. The checksum does not cover it. */
export function setPartitionLeaderEpoch(bytes: Uint8Array, leaderEpoch: number, position = 0): void {
  setInt32At(bytes, position + PARTITION_LEADER_EPOCH_AT, leaderEpoch);
}

/** What a batch says of its records beside the records themselves. */
export interface BatchInit {
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
  readonly timestampType?: TimestampType;
  readonly transactional?: boolean;
  readonly control?: boolean;
  readonly hasDeleteHorizon?: boolean;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly recordCount: number;
}

/** The part of a header that follows from the records, which must be in offset order and at least one. */
export function describeRecords(records: readonly RecordInit[]): BatchInit & { readonly baseOffset: number } {
  const first = records[0];
  const last = records.at(-1);
  assert(first !== undefined && last !== undefined, "a batch has at least one record");
  return {
    baseOffset: first.offset,
    lastOffsetDelta: last.offset - first.offset,
    baseTimestamp: first.timestamp,
    maxTimestamp: records.reduce((latest, { timestamp }) => Math.max(latest, timestamp), first.timestamp),
    recordCount: records.length,
  };
}

/** Puts a header before a section of records that is compressed with `codec` already. */
export function assembleBatch(
  init: BatchInit,
  section: Uint8Array,
  codec: CodecName = "none",
): Uint8Array<ArrayBuffer> {
  const sizeInBytes = BATCH_HEADER_BYTES + section.length;
  const writer = new Writer(sizeInBytes);
  writer.int64(init.baseOffset ?? 0);
  writer.int32(sizeInBytes - LENGTH_END);
  writer.int32(init.partitionLeaderEpoch ?? -1);
  writer.int8(MAGIC);
  writer.uint32(0);
  writer.int16(attributeBits(init, codec));
  writer.int32(init.lastOffsetDelta);
  writer.int64(init.baseTimestamp);
  writer.int64(init.maxTimestamp);
  writer.int64(init.producerId ?? -1);
  writer.int16(init.producerEpoch ?? -1);
  writer.int32(init.baseSequence ?? -1);
  writer.int32(init.recordCount);
  writer.bytes(section);
  const batch = writer.finish();
  setInt32At(batch, CRC_AT, crc32c(batch, CRC_START));
  return batch;
}

/** An uncompressed batch of `records`; `init` adds to, or overrides, what follows from them. */
export function encodeBatch(records: readonly RecordInit[], init: Partial<BatchInit> = {}): Uint8Array<ArrayBuffer> {
  return assembleBatch({ ...describeRecords(records), ...init }, encodeRecords(records));
}

function readAttributes(bits: number): BatchAttributes {
  return {
    codec: bits & CODEC_MASK,
    timestampType: (bits & LOG_APPEND_TIME) === 0 ? "CreateTime" : "LogAppendTime",
    transactional: (bits & TRANSACTIONAL) !== 0,
    control: (bits & CONTROL) !== 0,
    hasDeleteHorizon: (bits & DELETE_HORIZON) !== 0,
  };
}

function attributeBits(init: BatchInit, codec: CodecName): number {
  return (
    codecNames.indexOf(codec) |
    (init.timestampType === "LogAppendTime" ? LOG_APPEND_TIME : 0) |
    (init.transactional === true ? TRANSACTIONAL : 0) |
    (init.control === true ? CONTROL : 0) |
    (init.hasDeleteHorizon === true ? DELETE_HORIZON : 0)
  );
}

/** The size that the batch at `position` announces; undefined when too few bytes follow to tell. */
function sizeOfBatchAt(bytes: Uint8Array, position: number): number | undefined {
  if (bytes.length - position < LENGTH_END) return undefined;
  const size = int32At(bytes, position + LENGTH_END - 4) + LENGTH_END;
  if (size < BATCH_HEADER_BYTES) {
    throw new CorruptMessageError(`a record batch of ${size} bytes is smaller than its header`);
  }
  return size;
}
