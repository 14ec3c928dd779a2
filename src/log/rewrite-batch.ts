import { CorruptMessageError } from "../protocol/errors.ts";
import { assembleBatch, codecNames, recordsSection } from "../protocol/record-batch.ts";
import type { BatchHeader } from "../protocol/record-batch.ts";
import { recordSpans } from "../protocol/record-spans.ts";
import type { RecordSpan } from "../protocol/record-spans.ts";
import { sizeOfVarlong } from "../protocol/varint.ts";
import { encode } from "../protocol/writer.ts";
import { FORGOTTEN, hasForgotten, OLDEST_TIMESTAMP } from "./gap-batch.ts";
import { keyText } from "./offset-map.ts";

/** A record that compaction asks about, by its key and offset. */
export interface KeyedRecord {
  readonly key: string;
  readonly offset: number;
}

export interface RewriteRules {
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  /** Whether the record is dead: a newer one of its key is in the log, or it lies before the log's start. */
  isDead(record: KeyedRecord): boolean;
  /** Whether no older record of the tombstone's key is left anywhere. */
  mayForget(tombstone: KeyedRecord): boolean;
}

/** What became of a batch. `bytes` are undefined if no record is left. */
export interface RewrittenBatch {
  readonly bytes: Uint8Array | undefined;
  readonly hasForgotten: boolean;
  /** When its tombstones may go, if it has some. */
  readonly deleteHorizonMs: number | undefined;
  /** Keys of which dead records are still there. */
  readonly leftBehind: readonly string[];
}

/** A batch's records and where they are; undefined for a batch that compaction cannot look into. */
export function openBatch(header: BatchHeader, batch: Uint8Array, opened?: Uint8Array): OpenBatch | undefined {
  const { codec, control, transactional } = header.attributes;
  // Control records are no records of the topic, and those of a transaction count only if it was committed.
  if (control || transactional) return undefined;
  const section = codecNames[codec] === "none" ? recordsSection(batch) : opened;
  if (section === undefined) return undefined;
  try {
    return { header, batch, section, spans: recordSpans(section, header) };
  } catch (error) {
    // Its checksum is right: this is what the producer sent, and no damage.
    if (error instanceof CorruptMessageError) return undefined;
    throw error;
  }
}

export interface OpenBatch {
  readonly header: BatchHeader;
  readonly batch: Uint8Array;
  /** Not compressed. */
  readonly section: Uint8Array;
  readonly spans: readonly RecordSpan[];
}

/**
 * Leaves out the records that are dead or have no key, and tombstones whose time is over. The others keep their bytes,
 * and the header its offsets and sequence. The first time it meets tombstones it gives the batch a delete horizon
 * (KIP-534): attribute bit 6 is set, and `baseTimestamp` is the time from which they may go.
 *
 * What was compressed comes out uncompressed, because compressing is nothing the core can do. As long as that would
 * take more room than the batch as it was, and no tombstone wants it, the batch stays as it is with what is dead in it.
 */
export function rewriteBatch(open: OpenBatch, rules: RewriteRules): RewrittenBatch {
  const { header, batch, spans } = open;
  const dead: string[] = [];
  const alive: RecordSpan[] = [];
  const tombstones: KeyedRecord[] = [];
  for (const span of spans) {
    if (span.key === null) continue;
    const record = { key: keyText(span.key), offset: span.offset };
    if (rules.isDead(record)) {
      dead.push(record.key);
      continue;
    }
    alive.push(span);
    if (!span.hasValue) tombstones.push(record);
  }
  const horizonMs = header.attributes.hasDeleteHorizon ? header.baseTimestamp : undefined;
  const isOver = horizonMs !== undefined && rules.nowMs >= horizonMs;
  // All tombstones of a batch go together, for the batch has one delete horizon to tell of them.
  const forgets = isOver && tombstones.length > 0 && tombstones.every((tombstone) => rules.mayForget(tombstone));
  const kept = forgets ? alive.filter(({ hasValue }) => hasValue) : alive;
  const waits = tombstones.length > 0 && !forgets;
  const newHorizonMs = forgets ? FORGOTTEN : waits ? (horizonMs ?? rules.nowMs + rules.deleteRetentionMs) : horizonMs;
  const deleteHorizonMs = waits ? newHorizonMs : undefined;
  const asItWas = { bytes: batch, hasForgotten: hasForgotten(header), deleteHorizonMs, leftBehind: dead };
  if (kept.length === 0) return { ...asItWas, bytes: undefined, hasForgotten: newHorizonMs === FORGOTTEN };
  if (kept.length === spans.length && newHorizonMs === horizonMs) return asItWas;
  const baseTimestamp = newHorizonMs ?? header.baseTimestamp;
  const section = copyRecords(open, kept, header.baseTimestamp - baseTimestamp);
  // Timestamps that no number can hold are their producer's doing.
  if (section === undefined) return asItWas;
  const hasDeleteHorizon = newHorizonMs !== undefined;
  const bytes = assembleBatch({ ...headerOf(open, kept), baseTimestamp, hasDeleteHorizon }, section);
  if (bytes.length > batch.length && !hasDeleteHorizon) return asItWas;
  return { bytes, hasForgotten: newHorizonMs === FORGOTTEN, deleteHorizonMs, leftBehind: [] };
}

/** The batch without its records. It goes on telling its producer's sequence (KIP-98). */
export function withoutRecords(header: BatchHeader, forgets: boolean): Uint8Array {
  const { partitionLeaderEpoch, baseOffset, lastOffsetDelta, producerId, producerEpoch, baseSequence } = header;
  return assembleBatch(
    {
      baseOffset,
      partitionLeaderEpoch,
      hasDeleteHorizon: forgets,
      lastOffsetDelta,
      baseTimestamp: forgets ? FORGOTTEN : header.baseTimestamp,
      maxTimestamp: OLDEST_TIMESTAMP,
      producerId,
      producerEpoch,
      baseSequence,
      recordCount: 0,
    },
    new Uint8Array(0),
  );
}

function headerOf({ header }: OpenBatch, kept: readonly RecordSpan[]) {
  const { baseOffset, partitionLeaderEpoch, lastOffsetDelta, producerId, producerEpoch, baseSequence } = header;
  const { timestampType } = header.attributes;
  const newest = kept.reduce((latest, { timestampDelta }) => Math.max(latest, header.baseTimestamp + timestampDelta), -1);
  return {
    baseOffset,
    partitionLeaderEpoch,
    timestampType,
    lastOffsetDelta,
    maxTimestamp: timestampType === "LogAppendTime" ? header.maxTimestamp : newest,
    producerId,
    producerEpoch,
    baseSequence,
    recordCount: kept.length,
  };
}

/** The section of the kept records, whose timestamps count from `shiftMs` earlier; undefined if they cannot. */
function copyRecords(
  { header, section }: OpenBatch,
  kept: readonly RecordSpan[],
  shiftMs: number,
): Uint8Array | undefined {
  const isSafe = ({ timestampDelta }: RecordSpan) =>
    Number.isSafeInteger(timestampDelta + shiftMs) && Number.isSafeInteger(header.baseTimestamp + timestampDelta);
  if (!Number.isSafeInteger(shiftMs) || !kept.every(isSafe)) return undefined;
  return encode((writer) => {
    for (const { timestampDelta, start, offsetAt, end } of kept) {
      if (shiftMs === 0) {
        writer.bytes(section.subarray(start, end));
        continue;
      }
      const shifted = timestampDelta + shiftMs;
      const length = 1 + sizeOfVarlong(shifted) + end - offsetAt;
      writer.varint(length);
      writer.int8(0);
      writer.varlong(shifted);
      writer.bytes(section.subarray(offsetAt, end));
    }
  });
}
