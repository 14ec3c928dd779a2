import { LeaderState } from "../../src/replication/leader.ts";
import type { FetchOutcome, Leadership } from "../../src/replication/leader.ts";

/** Broker 1 leads epoch 5 of a partition on 1, 2 and 3, all in sync; it has 100 records and knows 80 as committed. */
export function leader(changes: Partial<Leadership> = {}): LeaderState {
  return new LeaderState({
    brokerId: 1,
    brokerEpoch: 11,
    leaderEpoch: 5,
    partitionEpoch: 9,
    replicas: [1, 2, 3],
    addingReplicas: [],
    isr: [1, 2, 3],
    minInsyncReplicas: 2,
    logEndOffset: 100,
    highWatermark: 80,
    ...changes,
  });
}

/** Follower `replicaId` fetches at `fetchOffset`; its broker epoch is its id and a 2. */
export function fetchBy(
  state: LeaderState,
  replicaId: number,
  fetchOffset: number,
  {
    logEndOffset = 100,
    logStartOffset = 0,
    leaderLogStartOffset = 0,
    nowMs = 0,
    brokerEpoch = replicaId * 10 + 2,
  } = {},
): FetchOutcome {
  const offsets = { fetchOffset, logEndOffset, nextOffset: logEndOffset, logStartOffset, leaderLogStartOffset };
  return state.onFollowerFetch({ replicaId, brokerEpoch, nowMs, ...offsets });
}
