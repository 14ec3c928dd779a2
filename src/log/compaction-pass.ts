import { batches } from "../protocol/record-batch.ts";
import { concatenate } from "./batch-slice.ts";
import { checkedChunks } from "./batch-span.ts";
import type { CheckedBatch, CheckedChunk } from "./batch-span.ts";
import { toChunks } from "./chunk-building.ts";
import type { CleanableRange, CompactionLimits } from "./compaction.ts";
import { gapBatch, isGap, joinedGap } from "./gap-batch.ts";
import type { Gap } from "./gap-batch.ts";
import { keyText, OffsetMap } from "./offset-map.ts";
import type { PartitionLog } from "./partition-log.ts";
import { openBatch, rewriteBatch, withoutRecords } from "./rewrite-batch.ts";
import type { KeyedRecord, OpenBatch } from "./rewrite-batch.ts";
import type { Chunk, StoreOperation } from "./stored-log.ts";

/** How much of a log is read, worked through and written at a time. */
export const STEP_BYTES = 512 * 1024;

/** When tombstones whose time is over, but that have to stay, are looked at again. */
const RETRY_MS = 10 * 60 * 1000;

/** Sections of compressed batches, uncompressed, by the batch's base offset. What is not here stays as it is. */
export type OpenedSections = ReadonlyMap<number, Uint8Array>;

export interface CompactionStep {
  readonly nowMs: number;
  readonly opened?: OpenedSections;
  /** A replica that copies the log anew is at this offset: until it is further, it has to meet what lies there. */
  readonly forgetBelow?: number;
}

/**
 * One compaction of one log: reads what is new since the last one and notes the last offset of each key, then reads all
 * from the start up to there and rewrites it without the records that have a newer one. Each step is a bounded piece of
 * work, and durable before the next begins; a pass that ends early has done no harm, and the next begins anew.
 *
 * Pieces are rewritten in the order of offsets. So whatever happens, a key loses its older records first, and its
 * tombstone last.
 */
export class CompactionPass {
  readonly #log: PartitionLog;
  readonly #limits: CompactionLimits;
  readonly #cuts: number;
  readonly #newest: OffsetMap;
  readonly #range: CleanableRange;
  #phase: "noting" | "rewriting" | "complete" = "noting";
  #nextOffset = 0;
  #endOffset: number;
  /**
   * The first batch that could not be looked into, to note its keys or to rewrite it. It may hold any key, so no
   * tombstone in it or behind it can go.
   */
  #closedFrom = -1;
  #deleteHorizonMs = -1;

  constructor(log: PartitionLog, range: CleanableRange, limits: CompactionLimits, newest = new OffsetMap()) {
    this.#log = log;
    this.#limits = limits;
    this.#cuts = log.cuts;
    this.#newest = newest;
    this.#range = range;
    this.#endOffset = range.endOffset;
    this.#noteFrom(range.unsettledOffset);
  }

  /** Where to read on; undefined when the pass is complete, or void. */
  get nextOffset(): number | undefined {
    return this.#phase === "complete" || this.#isVoid ? undefined : this.#nextOffset;
  }

  /**
   * Takes what the store has from `nextOffset` on, about {@link STEP_BYTES} of it. The operations are to be durable
   * before the next step is read. Throws CorruptMessageError if it is not what the log should hold (R20).
   */
  step(chunks: readonly Chunk[], step: CompactionStep): readonly StoreOperation[] {
    if (this.nextOffset === undefined) return [];
    const piece = checkedChunks(chunks, this.#nextOffset, this.#endOffset, this.#log.key);
    if (this.#phase === "noting") {
      this.#note(piece, step);
      return [];
    }
    const operations = this.#rewritePiece(piece, step);
    if (this.#nextOffset < this.#endOffset) return operations;
    this.#phase = "complete";
    return [...operations, ...this.#log.compacted(this.#endOffset, this.#deleteHorizonMs, this.#closedFrom)];
  }

  /** The log was cut meanwhile; or this is a follower, whose high watermark may go back (R5). */
  get #isVoid(): boolean {
    return this.#log.cuts !== this.#cuts || this.#log.highWatermark < this.#endOffset;
  }

  #note(piece: readonly CheckedChunk[], step: CompactionStep): void {
    const { unsettledOffset, dirtyOffset } = this.#range;
    for (const { chunk, batches: found } of piece) {
      for (const batch of found) {
        const open = this.#open(chunk, batch, step);
        const isStillClosed = open === undefined && batch.baseOffset <= unsettledOffset;
        // What lies between was noted by earlier passes, and might fill the memory of this one as it did theirs.
        if (isStillClosed && chunk.lastOffset < dirtyOffset) return this.#noteFrom(dirtyOffset);
        for (const { key, offset } of open?.spans ?? []) if (key !== null) this.#newest.note(keyText(key), offset);
      }
      if (this.#newest.isFull) this.#endOffset = chunk.lastOffset + 1;
      this.#noteFrom(chunk.lastOffset + 1);
      if (this.#phase !== "noting") return;
    }
  }

  #noteFrom(offset: number): void {
    this.#nextOffset = offset;
    if (offset < this.#endOffset) return;
    this.#phase = "rewriting";
    this.#nextOffset = this.#range.startOffset;
  }

  #rewritePiece(piece: readonly CheckedChunk[], step: CompactionStep): readonly StoreOperation[] {
    const rewritten = new RewrittenPiece();
    for (const { chunk, batches: found } of piece) {
      for (const batch of found) this.#rewriteBatch(chunk, batch, step, rewritten);
    }
    this.#nextOffset = piece.at(-1)!.chunk.lastOffset + 1;
    const chunks = rewritten.finish();
    if (!rewritten.isChanged && chunks.length >= piece.length) return [];
    return this.#log.replaceChunks(chunks, rewritten.forgottenBefore);
  }

  #rewriteBatch(chunk: Chunk, batch: CheckedBatch, step: CompactionStep, rewritten: RewrittenPiece): void {
    const { header } = batch;
    const open = this.#open(chunk, batch, step);
    if (open === undefined) return rewritten.keep(bytesOf(chunk, batch));
    const bytes = open.batch;
    const { nowMs, forgetBelow = Number.POSITIVE_INFINITY } = step;
    const result = rewriteBatch(open, {
      nowMs,
      deleteRetentionMs: this.#limits.deleteRetentionMs,
      isDead: (record) => this.#isDead(record),
      mayForget: (this.#closedFrom < 0 || header.lastOffset < this.#closedFrom) && header.lastOffset < forgetBelow,
    });
    if (result.deleteHorizonMs !== undefined) {
      const isLate = result.bytes === bytes && result.deleteHorizonMs <= nowMs;
      this.#deleteHorizonMs = Math.max(this.#deleteHorizonMs, isLate ? nowMs + RETRY_MS : result.deleteHorizonMs);
    }
    if (result.bytes === bytes) return rewritten.keep(bytes);
    if (result.bytes !== undefined) return rewritten.replace(result.bytes, header.lastOffset, result.hasForgotten);
    if (!this.#log.isRemembered(header)) return rewritten.leaveGap(header, result.hasForgotten);
    if (header.recordCount === 0) return rewritten.keep(bytes);
    rewritten.replace(withoutRecords(header, result.hasForgotten), header.lastOffset, result.hasForgotten);
  }

  #isDead({ key, offset }: KeyedRecord): boolean {
    return offset < this.#log.logStartOffset || this.#newest.isSuperseded(key, offset);
  }

  #open(chunk: Chunk, batch: CheckedBatch, { opened }: CompactionStep): OpenBatch | undefined {
    const open = openBatch(batch.header, bytesOf(chunk, batch), opened?.get(batch.baseOffset));
    const isFirstClosed = this.#closedFrom < 0 || batch.baseOffset < this.#closedFrom;
    if (open === undefined && isFirstClosed) this.#closedFrom = batch.baseOffset;
    return open;
  }
}

function bytesOf({ bytes }: Chunk, { position, sizeInBytes }: CheckedBatch): Uint8Array {
  return bytes.subarray(position, position + sizeInBytes);
}

/** The batches that take the place of a piece of the log, gaps that follow each other as one. */
class RewrittenPiece {
  isChanged = false;
  forgottenBefore = 0;
  readonly #parts: Uint8Array[] = [];
  #gap: Gap | undefined;

  keep(bytes: Uint8Array): void {
    this.#endGap();
    this.#parts.push(bytes);
  }

  replace(bytes: Uint8Array, lastOffset: number, forgotten: boolean): void {
    this.keep(bytes);
    this.isChanged = true;
    if (forgotten) this.forgottenBefore = lastOffset + 1;
  }

  /** `header` is of a batch of which nothing has to stay, which may have been a gap before. */
  leaveGap(header: CheckedBatch["header"], forgotten: boolean): void {
    const { baseOffset, lastOffset, partitionLeaderEpoch } = header;
    const added: Gap = { baseOffset, lastOffset, partitionLeaderEpoch, hasForgotten: forgotten };
    const joined = this.#gap === undefined ? undefined : joinedGap(this.#gap, added);
    if (joined === undefined) this.#endGap();
    this.#gap = joined ?? added;
    if (joined !== undefined || !isGap(header)) this.isChanged = true;
    if (forgotten) this.forgottenBefore = lastOffset + 1;
  }

  finish(): readonly Chunk[] {
    this.#endGap();
    const bytes = concatenate(
      this.#parts,
      this.#parts.reduce((total, { length }) => total + length, 0),
    );
    return toChunks(bytes, [...batches(bytes)]);
  }

  #endGap(): void {
    if (this.#gap !== undefined) this.#parts.push(gapBatch(this.#gap));
    this.#gap = undefined;
  }
}
