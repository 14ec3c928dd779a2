import type { EpochEnd } from "../log/epoch-cache.ts";
import type { PartitionLog } from "../log/partition-log.ts";
import type { ErrorName } from "../protocol/error-codes.ts";

/** A leader's answer about one partition, to a fetch made in the epoch that still is this follower's. */
export interface FetchedPartition {
  readonly error: ErrorName;
  /** Where the leader's log parts from ours. */
  readonly divergingEpoch: EpochEnd | null;
  /** The leader's. -1 with most errors, as is `logStartOffset`. */
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly records: Uint8Array | null;
}

/**
 * `records` continue the log, or are empty. The follower's high watermark is to be set at once, as far as its log goes,
 * and again once they are durable (R5).
 */
export interface FollowerAppend {
  readonly kind: "append";
  readonly records: Uint8Array;
  /** The leader's; the log takes what it can of it. */
  readonly highWatermark: number;
}

/**
 * What a follower does next:
 *
 * - `truncate`: cut the log at `offset`, and ask again (R4);
 * - `reset`: empty the log and start at `offset`, where the leader's starts, with the producers that it tells of;
 * - `fenced`: this broker is behind the cluster's metadata, or registered anew since; it copies nothing until it has
 *   heard of what happened;
 * - `refresh-metadata`: the other broker is not, or not yet, the leader;
 * - `retry`: ask again a little later.
 */
export type FollowerDecision =
  | FollowerAppend
  | { readonly kind: "truncate"; readonly offset: number }
  | { readonly kind: "reset"; readonly offset: number }
  | { readonly kind: "fenced" }
  | { readonly kind: "refresh-metadata" }
  | { readonly kind: "retry" };

type FollowerLog = Pick<PartitionLog, "epochs" | "logStartOffset" | "nextOffset">;

const noRecords = new Uint8Array(0);

/** For a log with nothing in flight, which the fetch asked about as it is (R7). */
export function onFetchResponse(fetched: FetchedPartition, log: FollowerLog): FollowerDecision {
  switch (fetched.error) {
    case "NONE": {
      const { divergingEpoch, logStartOffset } = fetched;
      if (divergingEpoch !== null) return resolveDivergence(divergingEpoch, logStartOffset, log);
      return { kind: "append", records: fetched.records ?? noRecords, highWatermark: fetched.highWatermark };
    }
    case "OFFSET_OUT_OF_RANGE":
      return startWithLeader(fetched.logStartOffset, log);
    case "FENCED_LEADER_EPOCH":
    case "STALE_BROKER_EPOCH":
      return { kind: "fenced" };
    case "NOT_LEADER_OR_FOLLOWER":
    case "UNKNOWN_LEADER_EPOCH":
    case "UNKNOWN_TOPIC_ID":
    case "UNKNOWN_TOPIC_OR_PARTITION":
    case "INCONSISTENT_TOPIC_ID":
      return { kind: "refresh-metadata" };
    default:
      return { kind: "retry" };
  }
}

/**
 * The follower's side of R4. If both logs know the epoch, they are the same up to where the shorter one ends it. If
 * this log does not, everything after its newest older epoch goes, and the next fetch asks about that epoch. Either
 * way the log loses records or an epoch, so the questions come to an end (KIP-279).
 *
 * What would be left below the leader's start cannot be compared with anything any more. It may be what no leader ever
 * committed, and with it the log would remember producers' batches that are nowhere (R16).
 */
function resolveDivergence(
  { epoch, endOffset }: EpochEnd,
  leaderLogStart: number,
  log: FollowerLog,
): FollowerDecision {
  const own = log.epochs.endOffsetFor(epoch, log.nextOffset);
  const isShared = log.epochs.entries.some((entry) => entry.epoch === epoch);
  const offset = isShared ? Math.min(own.endOffset, endOffset) : own.endOffset;
  // -1 from a leader that knows no epoch at all cannot be: it has records, or nothing to diverge from.
  if (epoch < 0 || offset < 0) return { kind: "retry" };
  if (offset <= leaderLogStart && log.logStartOffset < leaderLogStart) return { kind: "reset", offset: leaderLogStart };
  // What the leader has from before this log's start is missing here, though it may have been committed since.
  return offset < log.logStartOffset ? { kind: "reset", offset: leaderLogStart } : { kind: "truncate", offset };
}

/** The leader has deleted what this log needs next, or has never had what it was made to start from. */
function startWithLeader(leaderLogStart: number, log: FollowerLog): FollowerDecision {
  const isEmpty = log.nextOffset === log.logStartOffset;
  const mustReset = leaderLogStart > log.nextOffset || (isEmpty && leaderLogStart !== log.logStartOffset);
  return leaderLogStart >= 0 && mustReset ? { kind: "reset", offset: leaderLogStart } : { kind: "retry" };
}
