import type { PartitionLog } from "../log/partition-log.ts";

interface FreshCopy {
  readonly brokerEpoch: number;
  readonly fetchOffset: number;
}

type LeaderLog = Pick<PartitionLog, "logStartOffset" | "compaction">;

/**
 * Which followers copied the log from its start in this leader epoch (R21). A follower that was away while tombstones
 * were removed may still hold older records of their keys, and would never hear that those were deleted. So it may not
 * go on where it ended; it has to copy the log anew, and while it does, no tombstone ahead of it may go.
 */
export class FreshCopies {
  readonly #copies = new Map<number, FreshCopy>();

  /** A follower's fetch that is answered with records. An empty log has `lastFetchedEpoch` -1. */
  note(replicaId: number, copy: FreshCopy, lastFetchedEpoch: number, { logStartOffset }: LeaderLog): void {
    const isFresh = lastFetchedEpoch < 0 || copy.fetchOffset <= logStartOffset;
    if (isFresh || this.#isKnown(replicaId, copy.brokerEpoch)) this.#copies.set(replicaId, copy);
  }

  /** Whether a follower would miss tombstones if it went on where it is. Never asked about members of the ISR. */
  mustStartAnew(replicaId: number, copy: FreshCopy, lastFetchedEpoch: number, log: LeaderLog): boolean {
    const { fetchOffset, brokerEpoch } = copy;
    const isFresh = lastFetchedEpoch < 0 || fetchOffset <= log.logStartOffset;
    return !isFresh && fetchOffset < log.compaction.forgottenBefore && !this.#isKnown(replicaId, brokerEpoch);
  }

  /** How far the slowest of the copies that still go on has got; infinite without one. */
  slowest(goesOn: (replicaId: number) => boolean): number {
    let slowest = Number.POSITIVE_INFINITY;
    for (const [replicaId, { fetchOffset }] of this.#copies) {
      if (goesOn(replicaId)) slowest = Math.min(slowest, fetchOffset);
      else this.#copies.delete(replicaId);
    }
    return slowest;
  }

  #isKnown(replicaId: number, brokerEpoch: number): boolean {
    return this.#copies.get(replicaId)?.brokerEpoch === brokerEpoch;
  }
}
