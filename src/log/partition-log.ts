import { assert } from "../protocol/assert.ts";
import { readBatchHeader, setBaseOffset, setPartitionLeaderEpoch } from "../protocol/record-batch.ts";
import type { BatchHeader, TimestampType } from "../protocol/record-batch.ts";
import { emptySlice, sliceCheckedChunks, sliceChunks } from "./batch-slice.ts";
import type { BatchSlice } from "./batch-slice.ts";
import { batchSpans } from "./batch-span.ts";
import { inOwnBuffer, toChunk, toChunks } from "./chunk-building.ts";
import { ChunkIndex } from "./chunk-index.ts";
import { findJoinable } from "./chunk-joining.ts";
import type { ChunkRun, JoiningLimits } from "./chunk-joining.ts";
import { findCleanable } from "./compaction.ts";
import type { CleanableRange, CompactionLimits } from "./compaction.ts";
import { readContinuation } from "./continuation.ts";
import { cutChunk } from "./cut-chunk.ts";
import { EpochCache } from "./epoch-cache.ts";
import { hasForgotten, withoutStartOfGap } from "./gap-batch.ts";
import { InFlightAppends } from "./in-flight-appends.ts";
import { setLogAppendTime } from "./log-append-time.ts";
import { MAX_PRODUCERS, ProducerState } from "./producer-state.ts";
import type { ActiveProducer, ProducerCheck, SequencedBatch } from "./producer-state.ts";
import { examineStoredLog } from "./restored-log.ts";
import type { RestoredLog } from "./restored-log.ts";
import { neverCompacted, partitionKey } from "./stored-log.ts";
import type { Chunk, ChunkDescriptor, LogCompaction, LogMetadata } from "./stored-log.ts";
import type { PartitionKey, ProducerEntry, ProducerSnapshot, StoredLog, StoreOperation } from "./stored-log.ts";
import { TailBudget } from "./tail-budget.ts";
import { TailCache } from "./tail-cache.ts";
import { findTimestamp } from "./timestamp-lookup.ts";
import type { TimestampedOffset } from "./timestamp-lookup.ts";

/** A restart reads at most about this much of a log, beside what was above the high watermark. */
export const CHECKPOINT_BYTES = 8 * 1024 * 1024;

/** What the metadata holds of one producer, about. */
const PRODUCER_BYTES = 300;

/** An append that was made in memory; it counts once its operations are durable and {@link PartitionLog.written}. */
export interface Appended {
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  readonly operations: readonly StoreOperation[];
}

/** To be read from the store and finished with {@link PartitionLog.sliceChunks} or `findTimestamp`. */
export interface DiskRead {
  readonly kind: "disk";
  readonly fromOffset: number;
  readonly maxBytes: number;
}

export type ReadResult =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly nextOffset: number }
  | DiskRead
  | { readonly kind: "out-of-range" };

export type TimestampResult =
  | { readonly kind: "found"; readonly offset: number; readonly timestamp: number }
  | DiskRead
  | { readonly kind: "none" };

/** Both -1 for "without limit", as Kafka has it. */
export interface RetentionLimits {
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

interface LogParts extends RestoredLog {
  readonly topicId: string;
  readonly partitionIndex: number;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly producerSnapshot: ProducerSnapshot;
  readonly chunks: readonly ChunkDescriptor[];
  readonly tail: readonly Chunk[];
  readonly tailBudget: TailBudget;
}

/**
 * One replica of a partition: a sequence of record batches with the offsets, epochs and producers that go with it.
 *
 * It decides and remembers, and does no IO. A change takes effect here at once and returns the store operations that
 * make it durable; the lists have to reach the store in the order they were made. Appends are in flight until
 * `written` is told of them; only followers read them before.
 *
 *     logStartOffset ≤ highWatermark ≤ logEndOffset ≤ nextOffset
 *                                      durable        in memory
 */
export class PartitionLog {
  readonly key: PartitionKey;
  readonly topicId: string;
  readonly partitionIndex: number;
  /** Of everything in the log, batches in flight included. */
  readonly epochs: EpochCache;

  #logStartOffset: number;
  #logEndOffset: number;
  #nextOffset: number;
  #highWatermark: number;
  #producers: ProducerState;
  #compaction: LogCompaction;
  #cuts = 0;
  readonly #index: ChunkIndex;
  readonly #tail: TailCache;
  readonly #inFlight = new InFlightAppends();
  /** What was appended since the producers were noted; and since anything of the metadata was stored. */
  #bytesSinceMetadata = 0;
  #bytesSinceStored = 0;
  /** These two are as they were last given out to be stored. */
  #storedHighWatermark: number;
  #storedSnapshot: ProducerSnapshot;

  private constructor(parts: LogParts) {
    this.key = partitionKey(parts.topicId, parts.partitionIndex);
    this.topicId = parts.topicId;
    this.partitionIndex = parts.partitionIndex;
    this.epochs = parts.epochs;
    this.#logStartOffset = parts.logStartOffset;
    this.#logEndOffset = parts.logEndOffset;
    this.#nextOffset = parts.logEndOffset;
    this.#highWatermark = Math.max(parts.highWatermark, parts.logStartOffset);
    this.#storedHighWatermark = parts.highWatermark;
    this.#storedSnapshot = parts.producerSnapshot;
    this.#producers = parts.producers;
    this.#compaction = parts.compaction;
    this.#index = new ChunkIndex(parts.chunks);
    this.#tail = new TailCache(parts.tailBudget);
    for (const chunk of parts.tail) this.#tail.add(chunk);
  }

  static create(topicId: string, partitionIndex: number, tailBudget = new TailBudget()): PartitionLog {
    return new PartitionLog({
      topicId,
      partitionIndex,
      logStartOffset: 0,
      logEndOffset: 0,
      highWatermark: 0,
      producerSnapshot: { offset: 0, producers: [] },
      epochs: new EpochCache(),
      producers: new ProducerState(),
      compaction: neverCompacted,
      chunks: [],
      tail: [],
      tailBudget,
    });
  }

  /** The log as the store kept it, or what is wrong with it. A corrupt log must not be served, nor lead (R20). */
  static restore(stored: StoredLog, tailBudget = new TailBudget()): PartitionLog | { readonly corrupt: string } {
    const restored = examineStoredLog(stored);
    if ("corrupt" in restored) return restored;
    const { topicId, partitionIndex, logStartOffset, highWatermark, producerSnapshot } = stored.metadata;
    const { chunks, tail } = stored;
    const position = { topicId, partitionIndex, logStartOffset, highWatermark, producerSnapshot };
    return new PartitionLog({ ...restored, ...position, chunks, tail, tailBudget });
  }

  /** The first offset that may be read. It may lie within a batch, and within a chunk. */
  get logStartOffset(): number {
    return this.#logStartOffset;
  }

  /** The end of what is durable, exclusive. */
  get logEndOffset(): number {
    return this.#logEndOffset;
  }

  /** The offset of the next record, behind all that is in flight. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** As replication last set it. Stored as a hint only (R5). */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  get sizeInBytes(): number {
    return this.#index.sizeInBytes + this.#inFlight.sizeInBytes;
  }

  /** The newest timestamp of a durable batch, or -1 without one. */
  get maxTimestamp(): number {
    return this.#index.chunks.reduce((newest, { maxTimestamp }) => Math.max(newest, maxTimestamp), -1);
  }

  /** How far this replica was compacted, and what was lost by it here or where it was copied from. */
  get compaction(): LogCompaction {
    return this.#compaction;
  }

  /** How often something was removed from either end: what was read before may be gone. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Whether a batch that a producer sent may be appended. Counts batches in flight as appended. */
  checkProducer(batch: SequencedBatch): ProducerCheck {
    return this.#producers.check(batch);
  }

  /** The producers that are remembered, for people to look at. */
  producers(): readonly ActiveProducer[] {
    return this.#producers.latest();
  }

  /**
   * Appends one validated batch, which this log from now on owns: sets its offset and leader epoch in place, and with
   * "LogAppendTime" its timestamp. The first append of an epoch stores the epoch's start in the same list (R3).
   */
  appendAsLeader(
    batch: Uint8Array,
    leaderEpoch: number,
    nowMs: number,
    timestampType: TimestampType = "CreateTime",
  ): Appended {
    const bytes = inOwnBuffer(batch);
    setBaseOffset(bytes, this.#nextOffset);
    setPartitionLeaderEpoch(bytes, leaderEpoch);
    if (timestampType === "LogAppendTime") setLogAppendTime(bytes, nowMs);
    const header = readBatchHeader(bytes);
    assert(header.sizeInBytes === bytes.length, "a leader appends one whole batch at a time");
    const headers = [header];
    return this.#append([toChunk(headers, bytes)], headers);
  }

  /**
   * Appends what a leader sent: one or more batches that continue this log. Throws CorruptMessageError, and changes
   * nothing, if a checksum fails, an offset does not follow, or an epoch goes back. Into an empty log the first batch
   * may start below: the leader's log start lies within it. So may a gap that compaction left at the leader.
   */
  appendAsFollower(records: Uint8Array): Appended {
    const continued = withoutStartOfGap(records, this.#nextOffset);
    const found = readContinuation(continued, {
      key: this.key,
      logStartOffset: this.#logStartOffset,
      nextOffset: this.#nextOffset,
      latestEpoch: this.epochs.latestEpoch,
    });
    const headers = found.map(({ header }) => header);
    return this.#append(toChunks(continued, found), headers);
  }

  /** The store made `chunk`, one append or several coalesced ones, durable. To be told in the order of the writes. */
  written(chunk: Chunk): void {
    const keptEnd = this.#inFlight.settle(chunk);
    const kept = keptEnd > chunk.lastOffset ? chunk : cutChunk(chunk, keptEnd);
    if (kept === undefined) return;
    this.#logEndOffset = kept.lastOffset + 1;
    this.#index.add(kept);
    this.#tail.add(kept);
  }

  /**
   * Whole batches from the one that holds `offset` on, all below `endOffset` (the high watermark for consumers, the next
   * offset for followers): at least one, and then while they fit `maxBytes`. Empty at and above `endOffset`.
   */
  read(offset: number, maxBytes: number, endOffset: number): ReadResult {
    if (offset < this.#logStartOffset || offset > this.#nextOffset) return { kind: "out-of-range" };
    const end = Math.min(endOffset, this.#nextOffset);
    if (offset >= end) return { kind: "bytes", bytes: NO_BYTES, nextOffset: offset };
    const chunks = this.#chunksFrom(offset, maxBytes, end);
    if (chunks === undefined) return { kind: "disk", fromOffset: offset, maxBytes };
    const { bytes, nextOffset } = sliceCheckedChunks(chunks, offset, maxBytes, end);
    return { kind: "bytes", bytes, nextOffset };
  }

  /** About how many bytes a reader finds from `offset` to `endOffset`, without reading them. */
  bytesBetween(offset: number, endOffset: number): number {
    return this.#index.bytesBetween(offset, endOffset);
  }

  /** What is in memory of the log from `offset` to `end`, for a read of `maxBytes`; undefined if it begins on the disk. */
  #chunksFrom(offset: number, maxBytes: number, end: number): readonly Chunk[] | undefined {
    if (offset >= this.#logEndOffset) return this.#inFlight.from(offset);
    const cached = this.#tail.from(offset, maxBytes);
    if (cached === undefined || end <= this.#logEndOffset || cached.at(-1) !== this.#tail.last) return cached;
    return [...cached, ...this.#inFlight.from(this.#logEndOffset)];
  }

  /**
   * Finishes a read from disk, with the `endOffset` it was asked for. Empty if the log was cut meanwhile and no longer
   * holds `offset`. Throws CorruptMessageError if the chunks are not what this log holds (R20).
   */
  sliceChunks(chunks: readonly Chunk[], offset: number, maxBytes: number, endOffset: number): BatchSlice {
    const end = Math.min(endOffset, this.#logEndOffset);
    if (offset < this.#logStartOffset || offset >= end) return emptySlice(offset);
    return sliceChunks(chunks, offset, maxBytes, end, this.key);
  }

  /**
   * The first record from `startOffset` on that is not older than `timestamp`, or where to read it. May lie above the
   * high watermark.
   */
  offsetForTimestamp(timestamp: number, startOffset = this.#logStartOffset): TimestampResult {
    const holder = this.#index.chunks.find(
      (chunk) => chunk.maxTimestamp >= timestamp && chunk.lastOffset >= startOffset,
    );
    if (holder === undefined) return { kind: "none" };
    const fromOffset = Math.max(holder.baseOffset, startOffset, this.#logStartOffset);
    const cached = this.#tail.from(fromOffset);
    if (cached === undefined) return { kind: "disk", fromOffset, maxBytes: holder.sizeInBytes };
    const found = this.findTimestamp(cached, timestamp);
    return found === undefined ? { kind: "none" } : { kind: "found", offset: found.offset, timestamp: found.timestamp };
  }

  /** Finishes {@link offsetForTimestamp} with what was read. Throws CorruptMessageError (R20). */
  findTimestamp(chunks: Iterable<Chunk>, timestamp: number): TimestampedOffset | undefined {
    return findTimestamp(chunks, timestamp, this.#logStartOffset, this.key);
  }

  /**
   * Removes everything at or above `requestedOffset`, which is the log's start or a border between batches. R4 gives no
   * other: batches of one epoch come from one leader, so two logs agree on their borders up to where they part. Only
   * after an unclean election the logs may part where compaction has removed a border; then more is removed.
   */
  truncateTo(requestedOffset: number): readonly StoreOperation[] {
    assert(requestedOffset >= this.#logStartOffset, "a log is truncated within itself, or else fully");
    const offset = Math.max(this.#logStartOffset, this.#borderUpTo(requestedOffset));
    const epochsChanged = this.epochs.truncateFromEnd(offset);
    if (offset >= this.#nextOffset && !epochsChanged) return [];
    // The first batch may start below the log's start, and goes with the rest.
    const cutOffset = offset === this.#logStartOffset ? 0 : offset;
    this.#cutFrom(cutOffset, offset);
    this.#producers.truncateTo(offset);
    return [this.metadataOperation(), { type: "truncate", key: this.key, offset: cutOffset }];
  }

  /** What producers last wrote of that which is deleted by now, for a copy that has to start here (R16). */
  earlierProducers(): ProducerEntry[] {
    return this.#producers.entriesBelow(this.#logStartOffset);
  }

  /** Empties a log whose leader no longer has what it would need next. `producers` wrote below `offset`. */
  truncateFullyAndStartAt(offset: number, producers: readonly ProducerEntry[]): readonly StoreOperation[] {
    this.#cutFrom(0, offset);
    this.epochs.clear();
    this.#producers = new ProducerState({ offset, producers: producers.slice(-MAX_PRODUCERS) });
    this.#compaction = neverCompacted;
    this.#logStartOffset = offset;
    this.#logEndOffset = offset;
    this.#nextOffset = offset;
    this.#highWatermark = offset;
    // Metadata first: to the store the log may be new.
    return [this.metadataOperation(), { type: "truncate", key: this.key, offset: 0 }];
  }

  /** A follower's may go back (R5). It stays within what this log holds. */
  setHighWatermark(offset: number): void {
    this.#highWatermark = Math.max(this.#logStartOffset, Math.min(offset, this.#logEndOffset));
  }

  /** The metadata to store now and then, so that a restart reads little; undefined while little was appended. */
  checkpoint(): StoreOperation | undefined {
    return this.#bytesSinceMetadata > CHECKPOINT_BYTES ? this.metadataOperation() : undefined;
  }

  /**
   * The metadata to store so that a restart knows how far this log is committed; undefined if it would. The snapshot of
   * the producers stays the one that was stored last, for a restart checks the log from there on (R20).
   */
  highWatermarkOperation(): StoreOperation | undefined {
    return this.#highWatermark === this.#storedHighWatermark ? undefined : this.#putMetadata();
  }

  /** Whether as much was appended since as it takes to store the metadata again, which is mostly about producers. */
  get isMetadataDue(): boolean {
    return this.#bytesSinceStored >= this.#storedSnapshot.producers.length * PRODUCER_BYTES;
  }

  /** The metadata as it is, with a fresh snapshot of the producers. */
  metadataOperation(): StoreOperation {
    this.#bytesSinceMetadata = 0;
    this.#storedSnapshot = this.#producers.snapshotAt(this.#highWatermark);
    return this.#putMetadata();
  }

  #putMetadata(): StoreOperation {
    this.#bytesSinceStored = 0;
    this.#storedHighWatermark = this.#highWatermark;
    const metadata: LogMetadata = {
      topicId: this.topicId,
      partitionIndex: this.partitionIndex,
      logStartOffset: this.#logStartOffset,
      highWatermark: this.#highWatermark,
      epochs: [...this.epochs.entries],
      producerSnapshot: this.#storedSnapshot,
      ...(this.#compaction === neverCompacted ? {} : { compaction: this.#compaction }),
    };
    return { type: "put-metadata", key: this.key, metadata };
  }

  /**
   * Deletes the oldest chunks while they are over age, or while the log without them still has `retentionBytes`; whole
   * chunks, and only below the high watermark. Chunks without timestamps have no age.
   */
  retention({ retentionMs, retentionBytes }: RetentionLimits, nowMs: number): readonly StoreOperation[] {
    let startOffset = this.#logStartOffset;
    let remainingBytes = this.#index.sizeInBytes;
    for (const { lastOffset, sizeInBytes, maxTimestamp } of this.#index.chunks) {
      remainingBytes -= sizeInBytes;
      const isTooOld = retentionMs >= 0 && maxTimestamp >= 0 && nowMs - maxTimestamp > retentionMs;
      const isTooMuch = retentionBytes >= 0 && remainingBytes >= retentionBytes;
      if (lastOffset >= this.#highWatermark || !(isTooOld || isTooMuch)) break;
      startOffset = lastOffset + 1;
    }
    return this.deleteRecordsBefore(startOffset);
  }

  /** Raises the log's start, at most to the high watermark, and deletes the chunks that end below it. */
  deleteRecordsBefore(offset: number): readonly StoreOperation[] {
    const startOffset = Math.min(offset, this.#highWatermark);
    if (startOffset <= this.#logStartOffset) return [];
    this.#cuts++;
    this.#logStartOffset = startOffset;
    this.#index.deleteBelow(startOffset);
    this.#tail.deleteBelow(startOffset);
    this.epochs.truncateFromStart(startOffset);
    return [this.metadataOperation(), { type: "delete-chunks", key: this.key, offset: startOffset }];
  }

  /** What is to be compacted now, by a {@link CompactionPass}; undefined while there is too little. */
  cleanable(limits: CompactionLimits, nowMs: number): CleanableRange | undefined {
    return findCleanable(this.#index.chunks, this, limits, nowMs);
  }

  /** Which chunks are to become one now, by a {@link JoiningPass}. */
  joinable(limits: JoiningLimits): readonly ChunkRun[] {
    return findJoinable(this.#index.chunks, this.#highWatermark, limits);
  }

  /** Whether what is known of a producer rests on this batch (R16): it must not disappear. */
  isRemembered(header: Pick<BatchHeader, "producerId" | "baseOffset">): boolean {
    return this.#producers.remembers(header);
  }

  /** Puts what compaction made of some chunks in their place. Tombstones below `forgottenBefore` are gone by it. */
  replaceChunks(chunks: readonly Chunk[], forgottenBefore: number): readonly StoreOperation[] {
    const replacement = this.#replace(chunks);
    this.#noteForgotten(forgottenBefore);
    return [this.metadataOperation(), replacement];
  }

  /** Puts one chunk in the place of those that hold the same batches. To a restart it makes no difference. */
  joinChunks(chunk: Chunk): readonly StoreOperation[] {
    return [this.#replace([chunk])];
  }

  #replace(chunks: readonly Chunk[]): StoreOperation {
    const { baseOffset } = chunks[0]!;
    const { lastOffset } = chunks.at(-1)!;
    assert(lastOffset < this.#highWatermark, "only what is committed is compacted, or joined");
    this.#index.replace(chunks);
    this.#tail.replace(chunks);
    return { type: "replace-chunks", key: this.key, baseOffset, lastOffset, chunks };
  }

  /**
   * A compaction up to `compactedTo` is complete, all its changes being on their way to the store. That may be less than
   * before, where a batch could be opened at last, and there was no memory for all the keys behind it.
   */
  compacted(compactedTo: number, deleteHorizonMs: number, closedFrom: number): readonly StoreOperation[] {
    this.#compaction = { ...this.#compaction, compactedTo, deleteHorizonMs, closedFrom };
    return [this.metadataOperation()];
  }

  /** The log is deleted: what its broker may hold in memory is for others. */
  discard(): void {
    this.#tail.truncateFrom(0);
  }

  #append(chunks: readonly Chunk[], headers: readonly BatchHeader[]): Appended {
    let startsEpoch = false;
    for (const header of headers) {
      const startOffset = Math.max(header.baseOffset, this.#logStartOffset);
      if (this.epochs.assign(header.partitionLeaderEpoch, startOffset)) startsEpoch = true;
      this.#producers.append(header, this.#highWatermark);
      if (hasForgotten(header)) this.#noteForgotten(header.lastOffset + 1);
    }
    const operations: StoreOperation[] = startsEpoch ? [this.metadataOperation()] : [];
    for (const chunk of chunks) {
      this.#inFlight.add(chunk);
      this.#bytesSinceMetadata += chunk.sizeInBytes;
      this.#bytesSinceStored += chunk.sizeInBytes;
      operations.push({ type: "append", key: this.key, chunk });
    }
    const lastOffset = chunks.at(-1)!.lastOffset;
    this.#nextOffset = lastOffset + 1;
    return { baseOffset: chunks[0]!.baseOffset, lastOffset, operations };
  }

  /** Cuts what is held in memory from `offset` on; the log then ends at `logEnd` at the most. */
  #cutFrom(offset: number, logEnd: number): void {
    this.#cuts++;
    this.#inFlight.truncateFrom(offset);
    this.#tail.truncateFrom(offset);
    this.#index.truncateFrom(offset, this.#tail.last);
    this.#nextOffset = Math.min(this.#nextOffset, logEnd);
    this.#logEndOffset = Math.min(this.#logEndOffset, logEnd);
    this.#highWatermark = Math.min(this.#highWatermark, logEnd);
    const { compactedTo, forgottenBefore } = this.#compaction;
    if (compactedTo <= logEnd && forgottenBefore <= logEnd) return;
    this.#compaction = {
      ...this.#compaction,
      compactedTo: Math.min(compactedTo, logEnd),
      forgottenBefore: Math.min(forgottenBefore, logEnd),
    };
  }

  /** The last known border between batches up to `offset`. */
  #borderUpTo(offset: number): number {
    const chunk = this.#index.holding(offset);
    if (chunk === undefined) return offset;
    const [cached] = this.#tail.from(offset) ?? [];
    for (const span of cached === undefined ? [] : batchSpans(cached)) {
      if (span.lastOffset >= offset) return span.baseOffset;
    }
    // Nothing at or above these was compacted.
    const originalFrom = Math.max(this.#highWatermark, this.#compaction.compactedTo);
    return offset >= originalFrom ? offset : chunk.baseOffset;
  }

  #noteForgotten(before: number): void {
    if (before > this.#compaction.forgottenBefore) this.#compaction = { ...this.#compaction, forgottenBefore: before };
  }
}

const NO_BYTES = new Uint8Array(0);
