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
  /** Whether nothing older is left anywhere of the keys that tombstones in the batch are about. */
  readonly mayForget: boolean;
}

/** What became of a batch. `bytes` are undefined if no record is left. */
export interface RewrittenBatch {
  readonly bytes: Uint8Array | undefined;
  readonly hasForgotten: boolean;
  /** When its tombstones may go, if it has some. */
  readonly deleteHorizonMs: number | undefined;
}

/** A batch that compaction can look into. */
export interface OpenBatch {
  readonly header: BatchHeader;
  readonly batch: Uint8Array;
  /** Not compressed. */
  readonly section: Uint8Array;
  readonly spans: readonly RecordSpan[];
}

/** Timestamps up to here can be told as the distance from any other. */
const LATEST_MS = 2 ** 51;

/**
 * The batch with its records, of which `opened` is the section if the batch is compressed. Undefined if it is but was
 * not opened, or holds what nothing can be made of, or records that do not count like others.
 */
export function openBatch(header: BatchHeader, batch: Uint8Array, opened?: Uint8Array): OpenBatch | undefined {
  const { codec, control, transactional } = header.attributes;
  // Control records are no records of the topic, and those of a transaction count only if it was committed.
  if (control || transactional) return undefined;
  const section = codecNames[codec] === "none" ? recordsSection(batch) : opened;
  if (section === undefined) return undefined;
  try {
    const spans = recordSpans(section, header);
    const isTold = ({ timestampDelta }: RecordSpan) => Math.abs(header.baseTimestamp + timestampDelta) <= LATEST_MS;
    const isUsable = Math.abs(header.baseTimestamp) <= LATEST_MS && spans.every(isTold);
    return isUsable ? { header, batch, section, spans } : undefined;
  } catch (error) {
    // Its checksum is right: this is what the producer sent, and no damage.
    if (error instanceof CorruptMessageError) return undefined;
    throw error;
  }
}

/**
 * Leaves out the records that are dead or have no key, and tombstones whose time is over. The others keep their bytes,
 * and the header its offsets and sequence. The first time it meets tombstones it gives the batch a delete horizon
 * (KIP-534): attribute bit 6 is set, and `baseTimestamp` is the time from which they may go.
 *
 * A compressed batch that loses records comes out uncompressed, because compressing is nothing the core can do.
 */
export function rewriteBatch(open: OpenBatch, rules: RewriteRules): RewrittenBatch {
  const { header, batch, spans } = open;
  const isAlive = ({ key, offset }: RecordSpan) => key !== null && !rules.isDead({ key: keyText(key), offset });
  const alive = spans.filter(isAlive);
  const hasTombstones = alive.some(({ hasValue }) => !hasValue);
  const horizonMs = header.attributes.hasDeleteHorizon ? header.baseTimestamp : undefined;
  const isOver = horizonMs !== undefined && rules.nowMs >= horizonMs;
  // All tombstones of a batch go together, for the batch has one delete horizon to tell of them.
  const forgets = isOver && hasTombstones && rules.mayForget;
  const kept = forgets ? alive.filter(({ hasValue }) => hasValue) : alive;
  const waits = hasTombstones && !forgets;
  const newHorizonMs = forgets ? FORGOTTEN : waits ? (horizonMs ?? firstHorizon(rules)) : horizonMs;
  const deleteHorizonMs = waits ? newHorizonMs : undefined;
  const asItWas = { bytes: batch, hasForgotten: hasForgotten(header), deleteHorizonMs };
  if (kept.length === 0) return { ...asItWas, bytes: undefined, hasForgotten: newHorizonMs === FORGOTTEN };
  if (kept.length === spans.length && newHorizonMs === horizonMs) return asItWas;
  const baseTimestamp = newHorizonMs ?? header.baseTimestamp;
  const section = copyRecords(open, kept, header.baseTimestamp - baseTimestamp);
  const hasDeleteHorizon = newHorizonMs !== undefined;
  const bytes = assembleBatch({ ...headerOf(open, kept), baseTimestamp, hasDeleteHorizon }, section);
  return { bytes, hasForgotten: newHorizonMs === FORGOTTEN, deleteHorizonMs };
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

/** The section of the kept records, whose timestamps count from `shiftMs` earlier. */
function copyRecords({ section }: OpenBatch, kept: readonly RecordSpan[], shiftMs: number): Uint8Array {
  return encode((writer) => {
    for (const { timestampDelta, start, offsetAt, end } of kept) {
      if (shiftMs === 0) {
        writer.bytes(section.subarray(start, end));
        continue;
      }
      const shifted = timestampDelta + shiftMs;
      writer.varint(1 + sizeOfVarlong(shifted) + end - offsetAt);
      writer.int8(0);
      writer.varlong(shifted);
      writer.bytes(section.subarray(offsetAt, end));
    }
  });
}

function firstHorizon({ nowMs, deleteRetentionMs }: RewriteRules): number {
  return Math.min(nowMs + deleteRetentionMs, LATEST_MS);
}
