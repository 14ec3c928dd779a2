import type { EpochEnd } from "../log/epoch-cache.ts";
import type { PartitionLog } from "../log/partition-log.ts";
import type { ErrorName } from "../protocol/error-codes.ts";

/** Refuses a request made under another leader epoch than this broker's (KIP-320, R2). -1 asks for no check. */
export function checkLeaderEpoch(requestedEpoch: number, currentEpoch: number): ErrorName | undefined {
  if (requestedEpoch === -1 || requestedEpoch === currentEpoch) return undefined;
  return requestedEpoch < currentEpoch ? "FENCED_LEADER_EPOCH" : "UNKNOWN_LEADER_EPOCH";
}

/**
 * The leader's side of R4: where the log of somebody who fetches at `fetchOffset`, after a last batch of
 * `lastFetchedEpoch`, parts from this one. Undefined if it does not; then the fetch may be answered with records and
 * counts as a position. To be asked before anything else is concluded from `fetchOffset`.
 *
 * A log that has been trimmed no longer knows where the epochs before its first one ended, and one that started anew may
 * have none. A consumer that stands at its start has read what was committed; a follower there may hold what never was,
 * and is told that it parts from here.
 */
export function divergence(
  log: Pick<PartitionLog, "epochs" | "logStartOffset" | "logEndOffset">,
  lastFetchedEpoch: number,
  fetchOffset: number,
  isFollower = false,
): EpochEnd | undefined {
  if (lastFetchedEpoch < 0) return undefined;
  const end = log.epochs.endOffsetFor(lastFetchedEpoch, log.logEndOffset);
  if (end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset) return end;
  const oldest = log.epochs.entries[0]?.epoch ?? Number.POSITIVE_INFINITY;
  return isFollower && lastFetchedEpoch < oldest && fetchOffset === log.logStartOffset ? end : undefined;
}
