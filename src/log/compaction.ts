import type { ChunkDescriptor, LogCompaction } from "./stored-log.ts";

/** A compacted topic's settings. Times in milliseconds. */
export interface CompactionLimits {
  /** The part of the log that has to be new since the last compaction for another one to be worth its while. */
  readonly minCleanableDirtyRatio: number;
  /** Records younger than this stay. */
  readonly minCompactionLagMs: number;
  /** Records older than this are compacted whatever the ratio. */
  readonly maxCompactionLagMs: number;
  /** How long tombstones stay after the first compaction that meets them. */
  readonly deleteRetentionMs: number;
}

/** What a compaction looks at. */
export interface CleanableRange {
  readonly startOffset: number;
  /** Of older records than from here on, each key has lost all that have a newer one. */
  readonly unsettledOffset: number;
  /** The same, but for batches that could not be looked into, the first of them at `unsettledOffset`. */
  readonly dirtyOffset: number;
  /** Exclusive; a border between chunks. */
  readonly endOffset: number;
}

/** A log, as far as the decision is concerned. */
export interface CompactableLog {
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly compaction: LogCompaction;
}

/**
 * What of a log is to be compacted at present, if anything. Never anything at or above the high watermark, for what is
 * not committed must not make something committed go. Nor the newest chunk, so that whoever reads near the end of the
 * log sees every record; only when it is older than the maximal lag it goes like the others.
 */
export function findCleanable(
  chunks: readonly ChunkDescriptor[],
  log: CompactableLog,
  limits: CompactionLimits,
  nowMs: number,
): CleanableRange | undefined {
  const { minCompactionLagMs, maxCompactionLagMs, minCleanableDirtyRatio } = limits;
  const isOld = ({ maxTimestamp }: ChunkDescriptor) => maxTimestamp >= 0 && nowMs - maxTimestamp > maxCompactionLagMs;
  const isYoung = ({ maxTimestamp }: ChunkDescriptor) =>
    minCompactionLagMs > 0 && nowMs - maxTimestamp < minCompactionLagMs;
  const { logStartOffset, highWatermark, compaction } = log;
  const dirtyOffset = Math.max(compaction.compactedTo, logStartOffset);
  let endOffset = logStartOffset;
  let cleanBytes = 0;
  let dirtyBytes = 0;
  let isOverdue = false;
  for (const [index, chunk] of chunks.entries()) {
    const isActive = index === chunks.length - 1 && !isOld(chunk);
    if (chunk.lastOffset >= highWatermark || isActive || isYoung(chunk)) break;
    endOffset = chunk.lastOffset + 1;
    if (endOffset <= dirtyOffset) {
      cleanBytes += chunk.sizeInBytes;
      continue;
    }
    dirtyBytes += chunk.sizeInBytes;
    isOverdue ||= isOld(chunk);
  }
  const { deleteHorizonMs } = compaction;
  const isWorthwhile = dirtyBytes > 0 && dirtyBytes >= minCleanableDirtyRatio * (cleanBytes + dirtyBytes);
  const hasOldTombstones = deleteHorizonMs >= 0 && nowMs >= deleteHorizonMs;
  if (endOffset <= logStartOffset || !(isWorthwhile || isOverdue || hasOldTombstones)) return undefined;
  const { closedFrom } = compaction;
  const unsettledOffset = closedFrom < 0 ? dirtyOffset : Math.max(logStartOffset, Math.min(closedFrom, dirtyOffset));
  return {
    startOffset: logStartOffset,
    unsettledOffset: Math.min(unsettledOffset, endOffset),
    dirtyOffset: Math.min(dirtyOffset, endOffset),
    endOffset,
  };
}
