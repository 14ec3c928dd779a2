import { checkedChunks, missingBatch } from "./batch-span.ts";
import { joinedChunk } from "./chunk-building.ts";
import type { PartitionLog } from "./partition-log.ts";
import type { Chunk, ChunkDescriptor, StoreOperation } from "./stored-log.ts";

/** How chunks are joined. */
export interface JoiningSizes {
  /** What they become has at most this size. */
  readonly chunkBytes: number;
  /** So many, at least, become one: fewer are not worth being rewritten. */
  readonly minChunks: number;
}

export interface JoiningLimits extends JoiningSizes {
  /** Their newest timestamps lie in one stretch of this length: retention deletes a chunk once all of it is old. */
  readonly stretchMs: number;
}

/** Consecutive chunks that are to become one. */
export interface ChunkRun {
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  readonly sizeInBytes: number;
}

/**
 * Which chunks are to be joined at present. A trickle of records makes a chunk with each commit, and every chunk takes
 * memory and time at a start for as long as it is kept.
 *
 * Chunks are grouped from the oldest on, as many as fit, and a group is joined when the next chunk does not fit it any
 * more. What is joined then does not fit what follows it either, and is never joined again. So that the last group does
 * not wait with thousands of chunks, they are joined in the same way into smaller ones meanwhile. All in all a record is
 * rewritten twice at the most.
 */
export function findJoinable(
  chunks: readonly ChunkDescriptor[],
  highWatermark: number,
  { chunkBytes, minChunks, stretchMs }: JoiningLimits,
): ChunkRun[] {
  const committed = chunks.slice(0, chunks.findLastIndex(({ lastOffset }) => lastOffset < highWatermark) + 1);
  const full = groupsOf(committed, chunkBytes, stretchMs);
  const smaller = groupsOf(full.pop() ?? [], chunkBytes / minChunks, stretchMs);
  // The last one still grows. It has the newest chunk, which thus stays as it is.
  smaller.pop();
  return [...full, ...smaller].filter(({ length }) => length >= minChunks).map(runOf);
}

function groupsOf(chunks: readonly ChunkDescriptor[], maxBytes: number, stretchMs: number): ChunkDescriptor[][] {
  const groups: ChunkDescriptor[][] = [];
  let groupBytes = Number.POSITIVE_INFINITY;
  let groupStretch = Number.NaN;
  for (const chunk of chunks) {
    groupBytes += chunk.sizeInBytes;
    const stretch = Math.floor(chunk.maxTimestamp / stretchMs);
    if (groupBytes > maxBytes || stretch !== groupStretch) {
      groups.push([]);
      groupBytes = chunk.sizeInBytes;
      groupStretch = stretch;
    }
    groups.at(-1)!.push(chunk);
  }
  return groups;
}

function runOf(chunks: readonly ChunkDescriptor[]): ChunkRun {
  return {
    baseOffset: chunks[0]!.baseOffset,
    lastOffset: chunks.at(-1)!.lastOffset,
    sizeInBytes: chunks.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0),
  };
}

/** Joins what is joinable in one log now, one run at a time. The log holds the same batches before, between and after. */
export class JoiningPass {
  readonly #log: PartitionLog;
  readonly #cuts: number;
  readonly #runs: ChunkRun[];

  constructor(log: PartitionLog, limits: JoiningLimits) {
    this.#log = log;
    this.#cuts = log.cuts;
    this.#runs = [...log.joinable(limits)];
  }

  /** What to read now; undefined when the pass is complete, or void: the log was cut, or is known to be committed less far. */
  get next(): ChunkRun | undefined {
    const [run] = this.#runs;
    const isSound = run !== undefined && this.#log.cuts === this.#cuts && run.lastOffset < this.#log.highWatermark;
    return isSound ? run : undefined;
  }

  /**
   * Takes what the store has of `next`. The operations are to be durable before the next run is read. Throws
   * CorruptMessageError if it is not what the log should hold (R20).
   */
  step(chunks: readonly Chunk[]): readonly StoreOperation[] {
    const { next } = this;
    if (next === undefined) return [];
    const { key } = this.#log;
    const piece = checkedChunks(chunks, next.baseOffset, next.lastOffset + 1, key);
    const chunk = joinedChunk(piece.map((checked) => checked.chunk));
    if (chunk.lastOffset < next.lastOffset) throw missingBatch(key, chunk.lastOffset + 1);
    this.#runs.shift();
    return this.#log.joinChunks(chunk);
  }
}
