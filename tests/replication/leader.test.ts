import { describe, expect, test } from "vitest";
import { fetchBy, leader } from "./leader-builder.ts";

const isrOf = (proposal: { readonly newIsr: readonly { readonly brokerId: number }[] } | undefined) =>
  proposal?.newIsr.map(({ brokerId }) => brokerId);

describe("high watermark", () => {
  test("[R3] the epoch starts at the log end at the election", () => {
    expect(leader({ logEndOffset: 100 }).epochStartOffset).toBe(100);
  });

  test("[R6] waits for every member of the ISR to have fetched in this epoch", () => {
    const state = leader();
    fetchBy(state, 2, 100);
    expect(state.highWatermark).toBe(80);
    fetchBy(state, 3, 95);
    expect(state.highWatermark).toBe(95);
  });

  test("[R6] is the lowest position in the ISR, the leader's durable end included", () => {
    const state = leader();
    fetchBy(state, 2, 100);
    fetchBy(state, 3, 100);
    state.onLocalDurable(120);
    fetchBy(state, 2, 115, { logEndOffset: 120 });
    expect(state.highWatermark).toBe(100);
    fetchBy(state, 3, 120, { logEndOffset: 120 });
    expect(state.highWatermark).toBe(115);
  });

  test("[R6] is frozen while the ISR is smaller than the effective minimum", () => {
    const state = leader({ isr: [1] });
    state.onLocalDurable(150);
    expect(state.highWatermark).toBe(80);
    state.onIsrCommitted({ isr: [1, 2], leaderEpoch: 5, partitionEpoch: 10 });
    expect(state.highWatermark).toBe(80);
    fetchBy(state, 2, 130, { logEndOffset: 150 });
    expect(state.highWatermark).toBe(130);
  });

  test("[R6] the effective minimum is never more than the replicas that count", () => {
    expect(leader({ minInsyncReplicas: 2 }).effectiveMinIsr).toBe(2);
    expect(leader({ minInsyncReplicas: 9 }).effectiveMinIsr).toBe(3);
    expect(leader({ minInsyncReplicas: 2, addingReplicas: [2, 3] }).effectiveMinIsr).toBe(1);
    expect(leader({ minInsyncReplicas: 0 }).effectiveMinIsr).toBe(1);
  });

  test("[R6] a lone leader commits by itself, at once what it has", () => {
    const state = leader({ replicas: [1], isr: [1] });
    expect(state.highWatermark).toBe(100);
    state.onLocalDurable(110);
    expect(state.highWatermark).toBe(110);
  });

  test("[R6] never goes back and never passes the log end", () => {
    const state = leader({ highWatermark: 500 });
    expect(state.highWatermark).toBe(100);
    fetchBy(state, 2, 60);
    fetchBy(state, 3, 60);
    expect(state.highWatermark).toBe(100);
  });

  test("[R6] a position of an earlier broker epoch does not count", () => {
    const state = leader({ replicas: [1, 2], isr: [1, 2] });
    fetchBy(state, 2, 90);
    expect(state.highWatermark).toBe(90);
    state.onBrokerEpoch(2, 23);
    state.onLocalDurable(120);
    expect(fetchBy(state, 2, 100, { brokerEpoch: 22 })).toEqual({ refused: "STALE_BROKER_EPOCH" });
    expect(state.highWatermark).toBe(90);
    fetchBy(state, 2, 100, { brokerEpoch: 23 });
    expect(state.highWatermark).toBe(100);
  });

  test("[R6] a registration alone voids the position of the one before", () => {
    const state = leader();
    fetchBy(state, 2, 100);
    state.onBrokerEpoch(2, 23);
    fetchBy(state, 3, 100);
    expect(state.highWatermark).toBe(80);
    fetchBy(state, 2, 90, { brokerEpoch: 23 });
    expect(state.highWatermark).toBe(90);
  });

  test("[R6] a fetch from a newer broker epoch voids the older position", () => {
    const state = leader();
    fetchBy(state, 2, 100);
    fetchBy(state, 2, 0, { brokerEpoch: 30 });
    fetchBy(state, 3, 100);
    expect(state.highWatermark).toBe(80);
  });

  test("[R2] a fetch by a broker that is no replica here is not counted", () => {
    expect(fetchBy(leader(), 4, 100)).toEqual({ refused: "UNKNOWN_LEADER_EPOCH" });
  });

  test("[R7] a position beyond what the leader has itself is not counted", () => {
    expect(fetchBy(leader(), 2, 101).refused).toBe("OFFSET_OUT_OF_RANGE");
  });

  test("[R6] advances when a smaller minimum or a smaller ISR allows it", () => {
    const lowered = leader({ isr: [1], highWatermark: 80 });
    lowered.onIsrCommitted({ isr: [1], leaderEpoch: 5, partitionEpoch: 9, minInsyncReplicas: 1 });
    expect(lowered.highWatermark).toBe(100);
    const shrunk = leader();
    fetchBy(shrunk, 2, 90);
    shrunk.onIsrCommitted({ isr: [1, 2], leaderEpoch: 5, partitionEpoch: 10 });
    expect(shrunk.highWatermark).toBe(90);
  });

  test("[R6] commits nothing by an old minimum when the ISR shrinks below a new one", () => {
    const state = leader({ minInsyncReplicas: 1 });
    fetchBy(state, 2, 90);
    state.onIsrCommitted({ isr: [1], leaderEpoch: 5, partitionEpoch: 10, minInsyncReplicas: 2 });
    expect(state.highWatermark).toBe(80);
  });

  test("[R14] is monotonic for readers from the start of the epoch on", () => {
    const state = leader();
    expect(state.hwMonotonicReady).toBe(false);
    fetchBy(state, 2, 100);
    fetchBy(state, 3, 99);
    expect(state.hwMonotonicReady).toBe(false);
    fetchBy(state, 3, 100);
    expect(state.hwMonotonicReady).toBe(true);
  });

  test("[R15] acks=all needs the effective minimum in sync", () => {
    expect(leader().canAcceptAcksAll()).toBeUndefined();
    expect(leader({ isr: [1] }).canAcceptAcksAll()).toBe("NOT_ENOUGH_REPLICAS");
    expect(leader({ isr: [1], replicas: [1] }).canAcceptAcksAll()).toBeUndefined();
  });
});

describe("growing the ISR", () => {
  const alone = () => leader({ isr: [1, 2] });

  test("[R8] proposes a follower that has the high watermark and the start of the epoch", () => {
    const state = alone();
    fetchBy(state, 2, 100);
    expect(state.highWatermark).toBe(100);
    expect(fetchBy(state, 3, 99).proposal).toBeUndefined();
    const { proposal } = fetchBy(state, 3, 100);
    expect(proposal).toEqual({
      newIsr: [
        { brokerId: 1, brokerEpoch: 11 },
        { brokerId: 2, brokerEpoch: 22 },
        { brokerId: 3, brokerEpoch: 32 },
      ],
      leaderEpoch: 5,
      partitionEpoch: 9,
    });
    expect(state.maximalIsr).toEqual([1, 2, 3]);
  });

  test("[R8] the start of the epoch counts while the high watermark is behind it", () => {
    const state = alone();
    expect(state.highWatermark).toBe(80);
    expect(fetchBy(state, 3, 99).proposal).toBeUndefined();
    expect(isrOf(fetchBy(state, 3, 100).proposal)).toEqual([1, 2, 3]);
  });

  test("[R8] a replica that is away is not proposed, and holds nothing back, until it is back", () => {
    const state = alone();
    state.onReplicaAway(3, true);
    expect(fetchBy(state, 3, 100).proposal).toBeUndefined();
    fetchBy(state, 2, 100);
    state.onLocalDurable(120);
    fetchBy(state, 2, 120, { logEndOffset: 120 });
    expect(state.highWatermark).toBe(120);
    state.onReplicaAway(3, false);
    expect(isrOf(fetchBy(state, 3, 120, { logEndOffset: 120 }).proposal)).toEqual([1, 2, 3]);
  });

  test("[R8] a follower whose log starts lower than the leader's is not proposed", () => {
    const state = alone();
    const leaderLogStartOffset = 50;
    expect(fetchBy(state, 3, 100, { leaderLogStartOffset, logStartOffset: 49 }).proposal).toBeUndefined();
    expect(isrOf(fetchBy(state, 3, 100, { leaderLogStartOffset, logStartOffset: 50 }).proposal)).toEqual([1, 2, 3]);
  });

  test("[R18] a registration takes back what was known to be deleted, until a fetch tells it anew", () => {
    const state = leader();
    const deletedBy = (replicaId: number, brokerEpoch: number) =>
      fetchBy(state, replicaId, 100, { logStartOffset: 50, leaderLogStartOffset: 50, brokerEpoch }).logStartRaised;
    expect(state.lowWatermark(50)).toBe(-1);
    expect([deletedBy(2, 22), deletedBy(3, 32), deletedBy(2, 22)]).toEqual([true, true, undefined]);
    expect(state.lowWatermark(50)).toBe(50);
    state.onBrokerEpoch(2, 23);
    expect(state.lowWatermark(50)).toBe(-1);
    expect(deletedBy(2, 23)).toBe(true);
    expect(state.lowWatermark(50)).toBe(50);
  });

  test("[R8] vouches for no broker epoch that it has not seen fetch", () => {
    const state = alone();
    state.onBrokerEpoch(2, 22);
    expect(fetchBy(state, 3, 100).proposal?.newIsr[1]).toEqual({ brokerId: 2, brokerEpoch: -1 });
  });

  test("[R9] has one proposal in flight", () => {
    const state = leader({ isr: [1], minInsyncReplicas: 1 });
    expect(isrOf(fetchBy(state, 2, 100).proposal)).toEqual([1, 2]);
    expect(fetchBy(state, 3, 100).proposal).toBeUndefined();
    state.onIsrCommitted({ isr: [1, 2], leaderEpoch: 5, partitionEpoch: 10 });
    expect(isrOf(fetchBy(state, 3, 100).proposal)).toEqual([1, 2, 3]);
  });

  test("[R6] a proposed member counts until the proposal is settled", () => {
    const state = leader({ isr: [1], minInsyncReplicas: 1 });
    fetchBy(state, 2, 100);
    expect(state.maximalIsr).toEqual([1, 2]);
    state.onLocalDurable(150);
    expect(state.highWatermark).toBe(100);
    state.onIsrCommitted({ isr: [1, 2], leaderEpoch: 5, partitionEpoch: 10 });
    expect(state.highWatermark).toBe(100);
    fetchBy(state, 2, 150, { logEndOffset: 150 });
    expect(state.highWatermark).toBe(150);
  });

  test("[R8] a busy leader waits for a follower that keeps up, until it keeps up no more", () => {
    const state = leader({ isr: [1], minInsyncReplicas: 1, addingReplicas: [2, 3] });
    state.onLocalDurable(200);
    expect(fetchBy(state, 2, 150, { logEndOffset: 200, nowMs: 10 }).proposal).toBeUndefined();
    state.onLocalDurable(300);
    expect(state.highWatermark).toBe(300);
    // It now holds what was the log end when it last asked; the leader is ahead again all the same.
    expect(fetchBy(state, 2, 200, { logEndOffset: 300, nowMs: 20 }).proposal).toBeUndefined();
    state.onLocalDurable(400);
    expect(state.highWatermark).toBe(300);
    expect(isrOf(fetchBy(state, 2, 300, { logEndOffset: 400, nowMs: 30 }).proposal)).toEqual([1, 2]);
    state.onProposalRefused("INELIGIBLE_REPLICA");
    expect(state.highWatermark).toBe(400);
  });

  test("[R8] a follower that fell silent while joining holds nothing back for longer than the lag allowed", () => {
    const state = leader({ isr: [1], minInsyncReplicas: 1 });
    fetchBy(state, 2, 100, { nowMs: 10 });
    state.onProposalRefused("OPERATION_NOT_ATTEMPTED");
    state.shrinkLagging(11, 1000);
    state.onLocalDurable(200);
    expect(state.highWatermark).toBe(100);
    state.shrinkLagging(1010, 1000);
    expect(state.highWatermark).toBe(100);
    state.shrinkLagging(1011, 1000);
    expect(state.highWatermark).toBe(200);
  });
});

describe("shrinking the ISR", () => {
  const LAG = 1000;

  test("proposes to leave out followers that have not caught up for too long", () => {
    const state = leader();
    fetchBy(state, 2, 100, { nowMs: 100 });
    fetchBy(state, 3, 100, { nowMs: 100 });
    state.onLocalDurable(110);
    fetchBy(state, 2, 110, { nowMs: 900, logEndOffset: 110 });
    expect(state.shrinkLagging(1100, LAG)).toBeUndefined();
    expect(isrOf(state.shrinkLagging(1101, LAG))).toEqual([1, 2]);
  });

  test("a follower at the log end is in sync however long it is silent", () => {
    const state = leader();
    fetchBy(state, 2, 100, { nowMs: 0 });
    fetchBy(state, 3, 100, { nowMs: 0 });
    expect(state.shrinkLagging(1e9, LAG)).toBeUndefined();
  });

  test("a follower that never asked has its time from the first look on", () => {
    const state = leader();
    fetchBy(state, 2, 100, { nowMs: 5000 });
    expect(state.shrinkLagging(5000, LAG)).toBeUndefined();
    expect(state.shrinkLagging(6000, LAG)).toBeUndefined();
    expect(isrOf(state.shrinkLagging(6001, LAG))).toEqual([1, 2]);
  });

  test("a follower of a busy leader is in sync as long as it reaches each former log end", () => {
    const state = leader({ replicas: [1, 2], isr: [1, 2] });
    for (let nowMs = 0; nowMs <= 5000; nowMs += 500) {
      const logEndOffset = 100 + nowMs;
      fetchBy(state, 2, Math.max(100, logEndOffset - 500), { nowMs, logEndOffset });
      expect(state.shrinkLagging(nowMs, LAG)).toBeUndefined();
    }
  });

  test("[R6] whoever is to leave counts until the controller has let it go", () => {
    const state = leader();
    fetchBy(state, 2, 100);
    expect(isrOf(state.shrinkLagging(0, LAG))).toBeUndefined();
    expect(isrOf(state.shrinkLagging(2000, LAG))).toEqual([1, 2]);
    expect(state.maximalIsr).toEqual([1, 2, 3]);
    expect(state.highWatermark).toBe(80);
    state.onIsrCommitted({ isr: [1, 2], leaderEpoch: 5, partitionEpoch: 10 });
    expect(state.highWatermark).toBe(100);
  });
});

describe("what the controller answers", () => {
  const proposing = () => {
    const state = leader({ isr: [1], minInsyncReplicas: 1 });
    const { proposal } = fetchBy(state, 2, 100);
    state.onLocalDurable(200);
    expect(state.highWatermark).toBe(100);
    return { state, proposal };
  };

  test("[R9] a refusal that proves that nothing changed rolls back to the committed ISR", () => {
    for (const error of ["INELIGIBLE_REPLICA", "OPERATION_NOT_ATTEMPTED"] as const) {
      const { state } = proposing();
      expect(state.onProposalRefused(error)).toBe("rolled-back");
      expect(state.maximalIsr).toEqual([1]);
      expect(state.highWatermark).toBe(200);
    }
  });

  test("[R9] a refusal that may hide an earlier success keeps both ISRs until the metadata tells", () => {
    for (const error of ["INVALID_UPDATE_VERSION", "FENCED_LEADER_EPOCH", "NEW_LEADER_ELECTED"] as const) {
      const { state } = proposing();
      expect(state.onProposalRefused(error)).toBe("await-metadata");
      expect(state.maximalIsr).toEqual([1, 2]);
      expect(state.highWatermark).toBe(100);
      expect(state.shrinkLagging(1, 1000)).toBeUndefined();
      state.onIsrCommitted({ isr: [1], leaderEpoch: 5, partitionEpoch: 10 });
      expect(state.maximalIsr).toEqual([1]);
    }
  });

  test("[R9] without an answer the same proposal goes out again", () => {
    const { state, proposal } = proposing();
    expect(state.onProposalRefused("NETWORK_EXCEPTION")).toBe("retry");
    expect(state.maximalIsr).toEqual([1, 2]);
    expect(state.shrinkLagging(1, 1000)).toBe(proposal);
    expect(state.shrinkLagging(2, 1000)).toBeUndefined();
  });

  test("[R9] a late refusal does not undo a later proposal", () => {
    const { state, proposal } = proposing();
    state.onIsrCommitted({ isr: [1, 2], leaderEpoch: 5, partitionEpoch: 10 });
    const later = fetchBy(state, 3, 200, { logEndOffset: 200 }).proposal;
    expect(isrOf(later)).toEqual([1, 2, 3]);
    state.onProposalRefused("INELIGIBLE_REPLICA", proposal);
    expect(state.maximalIsr).toEqual([1, 2, 3]);
  });

  test("[R9] an ineligible follower is not proposed again before the next periodic check, or news", () => {
    const { state } = proposing();
    state.onProposalRefused("INELIGIBLE_REPLICA");
    expect(fetchBy(state, 2, 200, { logEndOffset: 200 }).proposal).toBeUndefined();
    state.shrinkLagging(1, 1000);
    expect(isrOf(fetchBy(state, 2, 200, { logEndOffset: 200 }).proposal)).toEqual([1, 2]);
    state.onProposalRefused("INELIGIBLE_REPLICA");
    state.onIsrCommitted({ isr: [1], leaderEpoch: 5, partitionEpoch: 10 });
    expect(isrOf(fetchBy(state, 2, 200, { logEndOffset: 200 }).proposal)).toEqual([1, 2]);
  });

  test("[R2] news of another leader epoch, or older than what is known, changes nothing", () => {
    const { state } = proposing();
    state.onIsrCommitted({ isr: [1, 2, 3], leaderEpoch: 4, partitionEpoch: 50 });
    state.onIsrCommitted({ isr: [1, 2, 3], leaderEpoch: 5, partitionEpoch: 8 });
    expect(state.isr).toEqual([1]);
    expect(state.maximalIsr).toEqual([1, 2]);
    state.onIsrCommitted({ isr: [1], leaderEpoch: 5, partitionEpoch: 9 });
    expect(state.maximalIsr).toEqual([1, 2]);
  });

  test("[R9] an answer that changed nothing settles the proposal too", () => {
    const { state } = proposing();
    state.onIsrCommitted({ isr: [2, 1], leaderEpoch: 5, partitionEpoch: 9 });
    expect(state.isr).toEqual([2, 1]);
    expect(isrOf(fetchBy(state, 3, 200, { logEndOffset: 200 }).proposal)).toEqual([2, 1, 3]);
  });

  test("a change of the assignment adds and drops followers", () => {
    const state = leader({ replicas: [1, 2], isr: [1, 2] });
    state.onIsrCommitted({ isr: [1], leaderEpoch: 5, partitionEpoch: 10, replicas: [1, 4], addingReplicas: [4] });
    expect(fetchBy(state, 2, 100).refused).toBe("UNKNOWN_LEADER_EPOCH");
    expect(isrOf(fetchBy(state, 4, 100).proposal)).toEqual([1, 4]);
    expect(state.effectiveMinIsr).toBe(1);
  });
});
