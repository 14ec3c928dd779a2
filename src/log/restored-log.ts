import { CorruptMessageError } from "../protocol/errors.ts";
import { checkedBatches } from "./batch-span.ts";
import { EpochCache, isIncreasing } from "./epoch-cache.ts";
import { hasForgotten } from "./gap-batch.ts";
import { ProducerState } from "./producer-state.ts";
import { neverCompacted, partitionKey } from "./stored-log.ts";
import type { Chunk, LogCompaction, StoredLog } from "./stored-log.ts";

/** What a log consists of in memory, once what the store handed over has proved to be whole. */
export interface RestoredLog {
  readonly logEndOffset: number;
  readonly epochs: EpochCache;
  readonly producers: ProducerState;
  readonly compaction: LogCompaction;
}

/**
 * Checks a stored log before anybody relies on it (R20): chunks without gaps, nothing missing below what is known to
 * have been written, the tail intact and in agreement with the epochs. Rebuilds the producer state from the snapshot
 * and the tail (R16). Chunks before the tail are checked when they are read.
 */
export function examineStoredLog(stored: StoredLog): RestoredLog | { readonly corrupt: string } {
  const key = partitionKey(stored.metadata.topicId, stored.metadata.partitionIndex);
  const fault = findMetadataFault(stored) ?? findChunkFault(stored);
  if (fault !== undefined) return { corrupt: `log ${key}: ${fault}` };
  try {
    return readTail(stored, key);
  } catch (error) {
    if (error instanceof CorruptMessageError) return { corrupt: error.message };
    throw error;
  }
}

function endOf({ metadata, chunks }: StoredLog): number {
  const last = chunks.at(-1);
  return last === undefined ? metadata.logStartOffset : last.lastOffset + 1;
}

function findMetadataFault(stored: StoredLog): string | undefined {
  const { logStartOffset, highWatermark, epochs, producerSnapshot, compaction } = stored.metadata;
  const { compactedTo, forgottenBefore } = compaction ?? neverCompacted;
  const numbers = [logStartOffset, highWatermark, producerSnapshot.offset, compactedTo, forgottenBefore];
  for (const { epoch, startOffset } of epochs) numbers.push(epoch, startOffset);
  if (!numbers.every(isOffset)) return "its metadata holds a value that is no offset or epoch";
  if (!isIncreasing(epochs)) return "its leader epochs do not increase";
  const end = endOf(stored);
  // Written together with, or after, the records below them: whoever is ahead of the log end proves records lost.
  if (highWatermark > end) return `it ends at ${end}, below the high watermark ${highWatermark} it once had`;
  if (producerSnapshot.offset > end) return `it ends at ${end}, below its producer snapshot ${producerSnapshot.offset}`;
  const lastStart = epochs.at(-1)?.startOffset ?? logStartOffset;
  if (lastStart > logStartOffset && lastStart >= end) return `it ends at ${end}, before epoch start ${lastStart}`;
  if (stored.chunks.length > 0 && (epochs[0]?.startOffset ?? end) > logStartOffset) {
    return "no leader epoch is known for its first record";
  }
  return undefined;
}

function findChunkFault({ metadata, chunks, tail }: StoredLog): string | undefined {
  let nextOffset = chunks[0]?.baseOffset ?? metadata.logStartOffset;
  const { logStartOffset } = metadata;
  if (nextOffset > logStartOffset) return `offsets ${logStartOffset} to ${nextOffset - 1} are missing`;
  for (const { baseOffset, lastOffset, sizeInBytes } of chunks) {
    if (![baseOffset, lastOffset, sizeInBytes].every(isOffset) || lastOffset < baseOffset) {
      return "the description of a chunk holds a value that is no offset or size";
    }
    if (baseOffset !== nextOffset) return `offset ${nextOffset} is missing; a chunk starts at ${baseOffset}`;
    nextOffset = lastOffset + 1;
  }
  if (nextOffset < logStartOffset) return `it ends at ${nextOffset}, below its start ${logStartOffset}`;
  const expected = chunks.filter((chunk) => chunk.lastOffset >= metadata.producerSnapshot.offset);
  for (const [index, { baseOffset, lastOffset }] of expected.entries()) {
    const chunk = tail[tail.length - expected.length + index];
    if (chunk?.baseOffset !== baseOffset || chunk.lastOffset !== lastOffset) {
      return `the chunk at offset ${baseOffset} is not among the bytes read`;
    }
  }
  return undefined;
}

function readTail(stored: StoredLog, key: string): RestoredLog {
  const { metadata, tail } = stored;
  const epochs = new EpochCache(metadata.epochs);
  const producers = new ProducerState(metadata.producerSnapshot);
  let compaction = metadata.compaction ?? neverCompacted;
  for (const chunk of tail) {
    expectSize(chunk, key);
    for (const { header, baseOffset, lastOffset } of checkedBatches(chunk, key)) {
      // A follower's chunks are not cut where its leader's are, so the first may begin with what was deleted.
      if (lastOffset < metadata.logStartOffset) continue;
      const epoch = epochs.epochAt(Math.max(baseOffset, metadata.logStartOffset));
      if (epoch !== header.partitionLeaderEpoch) {
        const found = `${header.partitionLeaderEpoch}, where its epochs say ${epoch}`;
        throw new CorruptMessageError(`the batch at offset ${baseOffset} of log ${key} has leader epoch ${found}`);
      }
      if (baseOffset >= metadata.producerSnapshot.offset) producers.append(header, metadata.highWatermark);
      if (hasForgotten(header) && header.lastOffset >= compaction.forgottenBefore) {
        compaction = { ...compaction, forgottenBefore: header.lastOffset + 1 };
      }
    }
  }
  return { logEndOffset: endOf(stored), epochs, producers, compaction };
}

function expectSize({ bytes, sizeInBytes, baseOffset }: Chunk, key: string): void {
  if (bytes.length === sizeInBytes) return;
  throw new CorruptMessageError(
    `the chunk at offset ${baseOffset} of log ${key} has ${bytes.length} bytes, not ${sizeInBytes}`,
  );
}

function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
