import { CorruptMessageError } from "../protocol/errors.ts";
import { decodeMetadataRecord, encodeMetadataRecord } from "../protocol/metadata-records/registry.ts";
import type { MetadataRecord, MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import { batches, encodeBatch, recordsSection, verifyCrc } from "../protocol/record-batch.ts";
import { decodeRecords } from "../protocol/records.ts";
import { ClusterImage } from "./image.ts";
import type { ImageChange } from "./image.ts";

/**
 * The metadata log is a Kafka partition: one decision is one uncompressed record batch, whose leader epoch is the
 * controller's and whose records are metadata records. A decision is applied whole or not at all.
 */
export interface MetadataBatch {
  readonly baseOffset: number;
  /** The offset after its last record. */
  readonly endOffset: number;
  /** The epoch of the controller that wrote it. */
  readonly epoch: number;
  readonly records: readonly MetadataRecord[];
}

/** The state of the cluster at one offset, as batches of records whose own offsets mean nothing. */
export interface MetadataSnapshot {
  /** The offset after the last record it stands for, and that record's epoch. */
  readonly endOffset: number;
  readonly epoch: number;
  readonly records: Uint8Array;
}

/** The name and id of the metadata log in Fetch and FetchSnapshot, as in KRaft. */
export const METADATA_TOPIC = "__cluster_metadata";
export const METADATA_TOPIC_ID = "00000000-0000-0000-0000-000000000001";

/** Decoders allot a bounded number of objects to a message, so a snapshot comes in batches of this many records. */
const SNAPSHOT_BATCH_RECORDS = 500;

/** A batch of encoded metadata records. The controller has no wall clock, so the records have no timestamps. */
export function encodeMetadataBatch(
  baseOffset: number,
  epoch: number,
  records: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const values = records.map((value, index) => ({ offset: baseOffset + index, timestamp: -1, key: null, value }));
  return encodeBatch(values, { partitionLeaderEpoch: epoch });
}

/** The batches in `bytes`. Throws CorruptMessageError for anything else than whole batches of known records. */
export function* decodeMetadataBatches(bytes: Uint8Array): Generator<MetadataBatch> {
  for (const { header, bytes: batch } of batches(bytes)) {
    const { baseOffset, lastOffset, partitionLeaderEpoch: epoch } = header;
    if (!verifyCrc(batch)) {
      throw new CorruptMessageError(`the metadata batch at offset ${baseOffset} fails its checksum`);
    }
    const records = decodeRecords(recordsSection(batch), header).map(({ offset, value }) => {
      if (value === null) throw new CorruptMessageError(`the metadata record at offset ${offset} is empty`);
      return decodeMetadataRecord(value);
    });
    if (records.length !== lastOffset - baseOffset + 1) {
      throw new CorruptMessageError(`the metadata batch at offset ${baseOffset} has gaps`);
    }
    yield { baseOffset, endOffset: lastOffset + 1, epoch, records };
  }
}

/** Applies the next batch of the log to an image, and tells what that changed. */
export function applyBatch(image: ClusterImage, batch: MetadataBatch): ImageChange[] {
  if (batch.baseOffset !== image.endOffset) {
    throw new CorruptMessageError(`metadata batch at offset ${batch.baseOffset} follows offset ${image.endOffset}`);
  }
  if (batch.epoch < image.epoch) {
    throw new CorruptMessageError(`metadata of epoch ${batch.epoch} follows epoch ${image.epoch}`);
  }
  const changes: ImageChange[] = [];
  for (const record of batch.records) {
    const change = image.apply(record);
    if (change !== undefined) changes.push(change);
  }
  image.endOffset = batch.endOffset;
  image.epoch = batch.epoch;
  return changes;
}

export function takeSnapshot(image: ClusterImage): MetadataSnapshot {
  const records = image.toRecords();
  const parts: Uint8Array[] = [];
  for (let start = 0; start < records.length; start += SNAPSHOT_BATCH_RECORDS) {
    const encoded = records.slice(start, start + SNAPSHOT_BATCH_RECORDS).map(encodeRecord);
    parts.push(encodeMetadataBatch(start, image.epoch, encoded));
  }
  return { endOffset: image.endOffset, epoch: image.epoch, records: concatenated(parts) };
}

export function imageOf(snapshot: MetadataSnapshot): ClusterImage {
  const image = new ClusterImage();
  for (const { records } of decodeMetadataBatches(snapshot.records)) {
    for (const record of records) image.apply(record);
  }
  image.endOffset = snapshot.endOffset;
  image.epoch = snapshot.epoch;
  return image;
}

/** The image that a stored snapshot, if there is one, and the log after it make. Batches before its end are skipped. */
export function replay(
  snapshot: MetadataSnapshot | undefined,
  log: Iterable<{ readonly batch: Uint8Array }>,
): ClusterImage {
  const image = snapshot === undefined ? new ClusterImage() : imageOf(snapshot);
  for (const { batch: bytes } of log) {
    for (const batch of decodeMetadataBatches(bytes)) {
      if (batch.endOffset > image.endOffset) applyBatch(image, batch);
    }
  }
  return image;
}

export function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

function encodeRecord(record: MetadataRecordInit): Uint8Array {
  return encodeMetadataRecord(record);
}
