import type { ErrorName } from "./error-codes.ts";
import { CorruptMessageError } from "./errors.ts";
import { batchAt, codecNames, MAGIC, MAGIC_AT, recordsSection, verifyCrc } from "./record-batch.ts";
import type { BatchHeader } from "./record-batch.ts";
import { recordSpans } from "./record-spans.ts";
import type { RecordSpan } from "./record-spans.ts";
import { areDenselyNumbered } from "./records.ts";

/** What the topic and the request allow. */
export interface ProducedBatchLimits {
  /** The topic's `max.message.bytes`, for the batch as it was sent. */
  readonly maxMessageBytes: number;
  /** The version of the Produce request; zstd needs 7 or later. */
  readonly produceVersion: number;
}

/** What is wrong with a batch: the error for the client, and a sentence that names the limit. */
export interface BatchFault {
  readonly error: ErrorName;
  readonly message: string;
}

const ZSTD = codecNames.indexOf("zstd");
const FIRST_ZSTD_VERSION = 7;

/**
 * Checks what a producer sent for one partition, by Kafka's rules: exactly one batch, intact, of records only, numbered
 * from 0. Compressed records stay unread, as far as this check goes; whoever decompresses them checks them then.
 * Rules of a topic's configuration, such as the need for keys, are not checked here.
 */
export function findProducedBatchFault(records: Uint8Array, limits: ProducedBatchLimits): BatchFault | undefined {
  const magic = records[MAGIC_AT];
  if (magic !== undefined && magic < MAGIC) return fault("INVALID_RECORD", `a batch of version ${magic}, not 2`);
  try {
    const batch = batchAt(records, 0, "ignored");
    // What is cut short is no batch.
    if (batch === undefined) return notOne;
    const { header, bytes } = batch;
    if (batchAt(records, header.sizeInBytes, "ignored") !== undefined) return notOne;
    if (header.sizeInBytes > limits.maxMessageBytes) {
      const message = `batch of ${header.sizeInBytes} bytes exceeds max.message.bytes ${limits.maxMessageBytes}`;
      return fault("MESSAGE_TOO_LARGE", message);
    }
    if (!verifyCrc(bytes)) return fault("CORRUPT_MESSAGE", "the checksum of the batch does not match its bytes");
    if (bytes.length < records.length) return notOne;
    return findHeaderFault(header, limits) ?? findRecordsFault(header, bytes);
  } catch (error) {
    if (error instanceof CorruptMessageError) return fault("CORRUPT_MESSAGE", error.message);
    throw error;
  }
}

/** Which records of a section without other faults, of a batch with this header, have no key: their places in it. */
export function keylessRecords(section: Uint8Array, header: BatchHeader): readonly number[] {
  return placesOf(section, header, ({ key }) => key === null);
}

/** The same of those with a timestamp before `earliest` or after `latest`. One without a timestamp, -1, is in time. */
export function mistimedRecords(
  section: Uint8Array,
  header: BatchHeader,
  earliest: number,
  latest: number,
): readonly number[] {
  const isMistimed = (timestamp: number) => timestamp !== -1 && (timestamp < earliest || timestamp > latest);
  return placesOf(section, header, ({ timestampDelta }) => isMistimed(header.baseTimestamp + timestampDelta));
}

function placesOf(section: Uint8Array, header: BatchHeader, isMeant: (span: RecordSpan) => boolean): readonly number[] {
  const places: number[] = [];
  recordSpans(section, header).forEach((span, place) => {
    if (isMeant(span)) places.push(place);
  });
  return places;
}

function findHeaderFault(header: BatchHeader, limits: ProducedBatchLimits): BatchFault | undefined {
  const { attributes, baseOffset, recordCount } = header;
  if (attributes.codec >= codecNames.length) {
    return fault("UNSUPPORTED_COMPRESSION_TYPE", `no compression codec has the number ${attributes.codec}`);
  }
  if (attributes.codec === ZSTD && limits.produceVersion < FIRST_ZSTD_VERSION) {
    return fault("UNSUPPORTED_COMPRESSION_TYPE", `zstd needs Produce version ${FIRST_ZSTD_VERSION} or later`);
  }
  if (baseOffset !== 0) return fault("INVALID_RECORD", `a produced batch starts at offset 0, not ${baseOffset}`);
  if (attributes.control) return fault("INVALID_RECORD", "a client may not produce control batches");
  if (attributes.hasDeleteHorizon) return fault("INVALID_RECORD", "a client may not set a delete horizon");
  if (attributes.timestampType === "LogAppendTime") {
    return fault("INVALID_TIMESTAMP", "a client may not set the timestamp type LogAppendTime");
  }
  if (recordCount <= 0 || header.lastOffsetDelta !== recordCount - 1) {
    const message = `a batch of ${recordCount} records has last offset delta ${header.lastOffsetDelta}`;
    return fault("INVALID_RECORD", message);
  }
  return findProducerFault(header);
}

function findProducerFault(header: BatchHeader): BatchFault | undefined {
  const { producerId, producerEpoch, baseSequence } = header;
  if (producerId >= 0 && (producerEpoch < 0 || baseSequence < 0)) {
    return fault("INVALID_RECORD", "a batch with a producer id has an epoch and a base sequence");
  }
  if (header.attributes.transactional && producerId < 0) {
    return fault("INVALID_RECORD", "a transactional batch has a producer id");
  }
  return undefined;
}

function findRecordsFault(header: BatchHeader, bytes: Uint8Array): BatchFault | undefined {
  const isCompressed = codecNames[header.attributes.codec] !== "none";
  return isCompressed ? undefined : findSectionFault(recordsSection(bytes), header);
}

/** The same for the section of records that a batch with this header has, once it is not compressed. */
export function findSectionFault(section: Uint8Array, header: BatchHeader): BatchFault | undefined {
  if (areDenselyNumbered(section, header)) return undefined;
  return fault("INVALID_RECORD", `the batch does not hold ${header.recordCount} well-formed records in order`);
}

const notOne = fault("INVALID_RECORD", "a produce request has exactly one whole batch for a partition");

function fault(error: ErrorName, message: string): BatchFault {
  return { error, message };
}
