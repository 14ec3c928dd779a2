import { assert } from "../protocol/assert.ts";
import type { EpochStart } from "./stored-log.ts";

/** Where an epoch ended, as OffsetsForLeaderEpoch and a diverging fetch say it. `-1` and `-1` mean unknown. */
export interface EpochEnd {
  readonly epoch: number;
  /** Exclusive. */
  readonly endOffset: number;
}

/**
 * Which leader epoch wrote which part of a log (KIP-101). An epoch that wrote nothing has no entry.
 *
 * Invariant: epochs and start offsets both strictly increase.
 */
export class EpochCache {
  #entries: EpochStart[];

  constructor(entries: readonly EpochStart[] = []) {
    this.#entries = [...entries];
    assert(isIncreasing(this.#entries), "epochs and their start offsets strictly increase");
  }

  get entries(): readonly EpochStart[] {
    return this.#entries;
  }

  /** The epoch of the last batch, or -1 in a log that never had one. */
  get latestEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? -1;
  }

  /** Notes that a batch of `epoch` begins at `startOffset`, the log end. Says whether that starts a new epoch. */
  assign(epoch: number, startOffset: number): boolean {
    assert(epoch >= this.latestEpoch, "the leader epochs of a log never go back");
    if (epoch === this.latestEpoch) return false;
    // An epoch whose records were all deleted may still have an entry, right at the log end.
    this.truncateFromEnd(startOffset);
    this.#entries.push({ epoch, startOffset });
    return true;
  }

  /**
   * The largest epoch up to `requestedEpoch`, and where it ended: at the start of the next epoch, or at the log end.
   * An epoch older than everything kept here ended where the first kept one begins.
   */
  endOffsetFor(requestedEpoch: number, logEndOffset: number): EpochEnd {
    if (requestedEpoch < 0) return { epoch: -1, endOffset: -1 };
    const next = this.#entries.findIndex((entry) => entry.epoch > requestedEpoch);
    const floor = next === -1 ? this.#entries.at(-1) : this.#entries[next - 1];
    const endOffset = next === -1 ? logEndOffset : Math.min(this.#entries[next]!.startOffset, logEndOffset);
    return { epoch: floor?.epoch ?? requestedEpoch, endOffset };
  }

  /** The epoch that wrote `offset`, or undefined before the first entry. */
  epochAt(offset: number): number | undefined {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch;
  }

  /** Forgets every epoch that starts at or above `offset`. Says whether there was one. */
  truncateFromEnd(offset: number): boolean {
    const kept = this.#entries.filter((entry) => entry.startOffset < offset);
    const changed = kept.length < this.#entries.length;
    this.#entries = kept;
    return changed;
  }

  /** Forgets the epochs that ended below `offset`; the one that holds `offset` now starts there. */
  truncateFromStart(offset: number): void {
    const holder = this.#entries.findLastIndex((entry) => entry.startOffset <= offset);
    if (holder === -1) return;
    this.#entries = [{ epoch: this.#entries[holder]!.epoch, startOffset: offset }, ...this.#entries.slice(holder + 1)];
  }

  clear(): void {
    this.#entries = [];
  }
}

export function isIncreasing(entries: readonly EpochStart[]): boolean {
  return entries.every((entry, index) => {
    const previous = entries[index - 1];
    return previous === undefined || (previous.epoch < entry.epoch && previous.startOffset < entry.startOffset);
  });
}
