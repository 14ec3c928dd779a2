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
 */
export function divergence(
  log: Pick<PartitionLog, "epochs" | "logEndOffset">,
  lastFetchedEpoch: number,
  fetchOffset: number,
): EpochEnd | undefined {
  if (lastFetchedEpoch < 0) return undefined;
  const end = log.epochs.endOffsetFor(lastFetchedEpoch, log.logEndOffset);
  return end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset ? end : undefined;
}
