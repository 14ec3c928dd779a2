import { CorruptMessageError } from "../protocol/errors.ts";
import { int32At, int64At } from "../protocol/int-at.ts";
import { BATCH_HEADER_BYTES, readBatchHeader, verifyCrc } from "../protocol/record-batch.ts";
import type { BatchHeader } from "../protocol/record-batch.ts";
import type { Chunk } from "./stored-log.ts";

/** Where a batch lies, in its chunk and in the log. */
export interface BatchSpan {
  readonly position: number;
  readonly sizeInBytes: number;
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
}

const BATCH_LENGTH_AT = 8;
const BATCH_LENGTH_END = 12;
const LAST_OFFSET_DELTA_AT = 23;

/** The batches of a chunk that this log has made or checked itself. Reads only what it needs of each header. */
export function batchSpans({ bytes }: Chunk): BatchSpan[] {
  const spans: BatchSpan[] = [];
  for (let position = 0; position < bytes.length; ) {
    const sizeInBytes = int32At(bytes, position + BATCH_LENGTH_AT) + BATCH_LENGTH_END;
    const baseOffset = int64At(bytes, position);
    const lastOffset = baseOffset + int32At(bytes, position + LAST_OFFSET_DELTA_AT);
    spans.push({ position, sizeInBytes, baseOffset, lastOffset });
    position += sizeInBytes;
  }
  return spans;
}

/** A batch and what its header says. */
export interface CheckedBatch extends BatchSpan {
  readonly header: BatchHeader;
}

/**
 * The batches of a chunk that comes from a disk: each checked against its checksum, and all of them against the
 * offsets and the size that the chunk is filed under. `source` names the log for CorruptMessageError.
 */
export function* checkedBatches(chunk: Chunk, source: string): Generator<CheckedBatch> {
  const { bytes } = chunk;
  let position = 0;
  let nextOffset = chunk.baseOffset;
  while (position < bytes.length) {
    if (bytes.length - position < BATCH_HEADER_BYTES) throw corrupt(source, nextOffset, "is cut short");
    const header = headerAt(bytes, position, source, nextOffset);
    const { sizeInBytes, baseOffset, lastOffset } = header;
    if (baseOffset !== nextOffset) throw corrupt(source, nextOffset, `has offset ${baseOffset} in its place`);
    if (sizeInBytes > bytes.length - position) throw corrupt(source, nextOffset, "is cut short");
    if (!verifyCrc(bytes, position)) throw corrupt(source, nextOffset, "fails its checksum");
    yield { position, sizeInBytes, baseOffset, lastOffset, header };
    position += sizeInBytes;
    nextOffset = lastOffset + 1;
  }
  if (nextOffset !== chunk.lastOffset + 1) throw corrupt(source, nextOffset, "is missing at the end of its chunk");
}

/** A chunk, and the batches in it. */
export interface CheckedChunk {
  readonly chunk: Chunk;
  readonly batches: readonly CheckedBatch[];
}

/**
 * Those of `chunks` that continue a log from `fromOffset` on, up to the last one that ends below `endOffset`: at least
 * the first one, which holds `fromOffset`. `source` names the log for CorruptMessageError.
 */
export function checkedChunks(
  chunks: readonly Chunk[],
  fromOffset: number,
  endOffset: number,
  source: string,
): CheckedChunk[] {
  const checked: CheckedChunk[] = [];
  let nextOffset = fromOffset;
  for (const chunk of chunks) {
    if (chunk.lastOffset >= endOffset) break;
    const follows = checked.length === 0 ? chunk.baseOffset <= nextOffset : chunk.baseOffset === nextOffset;
    if (!follows) break;
    checked.push({ chunk, batches: [...checkedBatches(chunk, source)] });
    nextOffset = chunk.lastOffset + 1;
  }
  if (nextOffset > fromOffset) return checked;
  throw missingBatch(source, fromOffset);
}

export function missingBatch(source: string, offset: number): CorruptMessageError {
  return corrupt(source, offset, "is missing");
}

function headerAt(bytes: Uint8Array, position: number, source: string, offset: number): BatchHeader {
  try {
    return readBatchHeader(bytes, position);
  } catch (error) {
    throw error instanceof CorruptMessageError ? corrupt(source, offset, `is malformed: ${error.message}`) : error;
  }
}

function corrupt(source: string, offset: number, finding: string): CorruptMessageError {
  return new CorruptMessageError(`the batch at offset ${offset} of log ${source} ${finding}`);
}
