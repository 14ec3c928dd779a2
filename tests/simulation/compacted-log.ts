import type { Chunk } from "../../src/log/stored-log.ts";
import { batches, recordsSection, verifyCrc } from "../../src/protocol/record-batch.ts";
import type { BatchHeader } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import type { Violation } from "./recorder.ts";

/** A record as it was committed, whatever compaction makes of its log. */
export interface CommittedRecord {
  readonly offset: number;
  readonly key: Uint8Array | null;
  /** Null for a tombstone. */
  readonly value: Uint8Array | null;
}

/** Told of each record when it is committed, with the epoch of the leader that appended it. */
export type OnCommitted = (record: CommittedRecord, leaderEpoch: number) => void;

/**
 * The committed records of a partition whose log is compacted. A replica need not have all of them: it may lack what has
 * a newer record of its key, and tombstones once nothing is left that they are about. What it has is what was committed,
 * without a gap in its offsets; so whoever reads it from its start finds for each key what was written last.
 */
export class CompactedLog {
  endOffset = 0;
  /** Up to here a leader has deleted records because they were too many or too old. */
  trimmedTo = 0;
  readonly #label: string;
  readonly #committed: OnCommitted;
  readonly #records = new Map<number, CommittedRecord>();
  /** By key, as text. */
  readonly #keys = new Map<string, CommittedRecord[]>();

  constructor(label: string, committed: OnCommitted) {
    this.#label = label;
    this.#committed = committed;
  }

  at(offset: number): CommittedRecord | undefined {
    return this.#records.get(offset);
  }

  /** By key, as text, its records. */
  get keys(): ReadonlyMap<string, readonly CommittedRecord[]> {
    return this.#keys;
  }

  /** See `Truth.compare`. `isWhole`: the chunks begin where the log does. */
  compare(chunks: readonly Chunk[], endOffset: number, commits: boolean, isWhole: boolean): Violation | undefined {
    const kept = new Map<string, number>();
    let nextOffset = -1;
    for (const { header, bytes } of batchesIn(chunks)) {
      // It is the broker's own business to find out that its disk is damaged (R20).
      if (!verifyCrc(bytes)) return undefined;
      const { baseOffset, lastOffset } = header;
      if (nextOffset >= 0 && baseOffset !== nextOffset) return this.#changed(`what was at ${nextOffset} is missing`);
      const isKnown = lastOffset < this.endOffset;
      if (lastOffset >= endOffset || (!isKnown && !commits)) break;
      nextOffset = lastOffset + 1;
      const violation = isKnown ? this.#compareBatch(header, bytes, kept) : this.#take(header, bytes);
      if (violation !== undefined) return violation;
    }
    return isWhole ? this.#compareKeys(kept, Math.min(nextOffset, this.endOffset)) : undefined;
  }

  #compareBatch(header: BatchHeader, batch: Uint8Array, kept: Map<string, number>): Violation | undefined {
    const found = new Set<number>();
    for (const { offset, key, value } of recordsOf(header, batch)) {
      const known = this.#records.get(offset);
      if (known === undefined || !isSame(known.key, key) || !isSame(known.value, value)) {
        return this.#changed(`the record at ${offset} is another one than was committed`);
      }
      found.add(offset);
      kept.set(textOf(key), offset);
    }
    for (let offset = header.baseOffset; offset <= header.lastOffset; offset++) {
      const known = this.#records.get(offset);
      if (known === undefined || known.value === null || found.has(offset)) continue;
      if (this.#keys.get(textOf(known.key))?.at(-1) === known) return this.#changed(`the newest of a key, at ${offset}, is gone`);
    }
    return undefined;
  }

  #take(header: BatchHeader, batch: Uint8Array): Violation | undefined {
    if (header.baseOffset !== this.endOffset) {
      return this.#changed(`a batch at ${header.baseOffset} is committed where ${this.endOffset} is due`);
    }
    this.endOffset = header.lastOffset + 1;
    for (const record of recordsOf(header, batch)) {
      this.#records.set(record.offset, record);
      const key = textOf(record.key);
      const records = this.#keys.get(key);
      if (records === undefined) this.#keys.set(key, [record]);
      else records.push(record);
      this.#committed(record, header.partitionLeaderEpoch);
    }
    return undefined;
  }

  /**
   * Of each key the newest record is there, of those below the end of the log. A tombstone goes last: as long as anything
   * older of its key is left, the key would be back without it. Only where a record is committed behind the end that took
   * the place of the newest, whoever copies a compacted log may still have any older one: it has not come to that yet.
   */
  #compareKeys(kept: ReadonlyMap<string, number>, endOffset: number): Violation | undefined {
    for (const [key, records] of this.#keys) {
      const newest = records.findLast(({ offset }) => offset < endOffset);
      const found = kept.get(key);
      if (newest === undefined || found === newest.offset || records.at(-1) !== newest) continue;
      if (found === undefined && newest.value === null) continue;
      return this.#changed(`of ${key} the record at ${found} is left, and the newest is at ${newest.offset}`);
    }
    return undefined;
  }

  #changed(evidence: string): Violation {
    return { rule: "compacted-prefix", evidence: `partition ${this.#label}: ${evidence}` };
  }
}

function* batchesIn(chunks: readonly Chunk[]): Generator<{ readonly header: BatchHeader; readonly bytes: Uint8Array }> {
  for (const { bytes } of chunks) yield* batches(bytes);
}

function recordsOf(header: BatchHeader, batch: Uint8Array): readonly CommittedRecord[] {
  return header.recordCount === 0 ? [] : decodeRecords(recordsSection(batch), header);
}

export function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? "" : String.fromCharCode(...bytes);
}

function isSame(left: Uint8Array | null, right: Uint8Array | null): boolean {
  if (left === null || right === null) return left === right;
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
