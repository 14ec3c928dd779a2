import { describe, expect, test } from "vitest";
import { effectiveMinIsr } from "../../src/metadata/partition.ts";
import type { Partition } from "../../src/metadata/partition.ts";
import { changePartition } from "../../src/metadata/partition-change.ts";
import type { PartitionRules, PartitionWish } from "../../src/metadata/partition-change.ts";

const partition: Partition = {
  topicId: "00000000-0000-4000-8000-000000000001",
  partitionIndex: 0,
  replicas: [1, 2, 3],
  addingReplicas: [],
  removingReplicas: [],
  isr: [1, 2, 3],
  eligibleLeaderReplicas: [],
  lastKnownElr: [],
  reassignedFrom: [],
  replicationFactor: 0,
  leader: 1,
  leaderEpoch: 5,
  partitionEpoch: 9,
};

function rules(active: readonly number[], more: Partial<PartitionRules> = {}): PartitionRules {
  return {
    minInsyncReplicas: 2,
    uncleanLeaderElection: false,
    isActive: (node) => active.includes(node),
    ...more,
  };
}

function change(before: Partial<Partition>, wish: PartitionWish, ...args: Parameters<typeof rules>) {
  return changePartition({ ...partition, ...before }, wish, rules(...args));
}

describe("elections", () => {
  test("nothing changes while everybody is there", () => {
    expect(change({}, {}, [1, 2, 3])).toBeUndefined();
  });

  test("[R1] the first in-sync replica takes over, and both epochs count up", () => {
    expect(change({}, {}, [2, 3])).toEqual({
      ...partition,
      isr: [2, 3],
      leader: 2,
      leaderEpoch: 6,
      partitionEpoch: 10,
    });
  });

  test("[R1] a change without an election counts up the partition epoch alone", () => {
    expect(change({}, { isr: [1, 3] }, [1, 2, 3])).toMatchObject({ leader: 1, leaderEpoch: 5, partitionEpoch: 10 });
  });

  test("[R13] an active eligible replica leads when the whole ISR is away", () => {
    expect(change({ isr: [1], eligibleLeaderReplicas: [3] }, {}, [2, 3])).toMatchObject({
      leader: 3,
      isr: [3],
      eligibleLeaderReplicas: [1],
    });
  });

  test("[R13] without an eligible replica there is no leader, and the last member keeps its place", () => {
    expect(change({ isr: [1] }, {}, [2, 3])).toMatchObject({ leader: -1, isr: [1], leaderEpoch: 6 });
  });

  test("[R13] the last member leads again when it returns", () => {
    expect(change({ isr: [1], leader: -1 }, {}, [1])).toMatchObject({ leader: 1, isr: [1], leaderEpoch: 6 });
  });

  test("unclean election happens only where it is allowed, and leaves nobody eligible", () => {
    const before = { isr: [1], eligibleLeaderReplicas: [3] };
    expect(change(before, {}, [2])).toMatchObject({ leader: -1 });
    expect(change(before, {}, [2], { uncleanLeaderElection: true })).toMatchObject({
      leader: 2,
      isr: [2],
      eligibleLeaderReplicas: [],
      lastKnownElr: [3, 1],
    });
  });

  test("an allowed unclean election is still the last resort", () => {
    const before = { isr: [1], eligibleLeaderReplicas: [3] };
    expect(change(before, {}, [2, 3], { uncleanLeaderElection: true })).toMatchObject({ leader: 3, isr: [3] });
  });

  test("a wished leader is elected if it is in sync, else not", () => {
    expect(change({}, { leader: 3 }, [1, 2, 3])).toMatchObject({ leader: 3, leaderEpoch: 6 });
    expect(change({ isr: [1, 2] }, { leader: 3 }, [1, 2, 3])).toBeUndefined();
  });

  test("letting a replica go starts a new leader epoch, so that it is heard no more", () => {
    expect(change({ isr: [1, 2] }, { replicas: [1, 2] }, [1, 2])).toMatchObject({ leader: 1, leaderEpoch: 6 });
  });
});

describe("ISR and ELR", () => {
  test("[R10] who leaves an ISR that stays large enough is not eligible", () => {
    expect(change({}, {}, [1, 2])).toMatchObject({ isr: [1, 2], eligibleLeaderReplicas: [] });
  });

  test("[R10] who leaves an ISR that becomes too small is eligible", () => {
    expect(change({ isr: [1, 2] }, {}, [1])).toMatchObject({ isr: [1], eligibleLeaderReplicas: [2] });
  });

  test("[R10] the ELR is emptied when the ISR is large enough again", () => {
    const before = { isr: [1], eligibleLeaderReplicas: [2], lastKnownElr: [3] };
    expect(change(before, { isr: [1, 3] }, [1, 3])).toMatchObject({
      isr: [1, 3],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
    });
  });

  test("[R10] a lower minimum empties the ELR as well", () => {
    const before = { isr: [1], eligibleLeaderReplicas: [2] };
    expect(change(before, {}, [1, 2], { minInsyncReplicas: 1 })).toMatchObject({ eligibleLeaderReplicas: [] });
  });

  test("[R11] a broker that may have lost records gives up its places, and is remembered", () => {
    const before = { isr: [1], eligibleLeaderReplicas: [2] };
    expect(change(before, { unclean: [2] }, [1])).toMatchObject({
      isr: [1],
      eligibleLeaderReplicas: [],
      lastKnownElr: [2],
    });
  });

  test("[R11] that holds even for a broker that is there", () => {
    expect(change({}, { unclean: [1] }, [1, 2, 3])).toMatchObject({ isr: [2, 3], leader: 2, leaderEpoch: 6 });
  });

  test("[R11] if the last in-sync replica may have lost records, an eligible one replaces it, even while away", () => {
    const before = { isr: [1], eligibleLeaderReplicas: [3], leader: -1 };
    expect(change(before, { unclean: [1] }, [])).toMatchObject({
      leader: -1,
      isr: [3],
      eligibleLeaderReplicas: [],
      lastKnownElr: [1],
    });
  });

  test("[R11] with no better copy known, the last in-sync replica stays", () => {
    expect(change({ isr: [1], leader: -1 }, { unclean: [1] }, [])).toBeUndefined();
  });

  test("of several members that go at once the last leader stays in the ISR, the others are eligible", () => {
    expect(change({ isr: [2, 1] }, {}, [3])).toMatchObject({ leader: -1, isr: [1], eligibleLeaderReplicas: [2] });
  });
});

test.each([
  [[1], [], 2, 1],
  [[1, 2, 3], [], 2, 2],
  [[1, 2, 3], [], 5, 3],
  [[1, 2, 3], [2, 3], 2, 1],
  [[1, 2, 3], [3], 2, 2],
  [[1], [1], 2, 1],
])("the effective minimum of the replicas %j, of which %j are being added, with %d configured is %d", (...row) => {
  const [replicas, addingReplicas, configured, effective] = row;
  expect(effectiveMinIsr({ replicas, addingReplicas }, configured)).toBe(effective);
});

describe("replicas that are being added", () => {
  const growing = { replicas: [1, 2], isr: [1], addingReplicas: [2] };

  test("do not count for the minimum before they are in sync", () => {
    expect(change({ ...growing, eligibleLeaderReplicas: [] }, {}, [1, 2])).toBeUndefined();
    expect(change({ ...growing, leader: -1, leaderEpoch: 1 }, {}, [1])).toMatchObject({ eligibleLeaderReplicas: [] });
  });

  test("count from the moment they are in sync", () => {
    expect(change(growing, { isr: [1, 2] }, [1, 2])).toMatchObject({ addingReplicas: [], isr: [1, 2] });
  });

  test("once they count, the ISR is too small without them", () => {
    const grown = { replicas: [1, 2], isr: [1, 2] };
    expect(change(grown, {}, [1])).toMatchObject({ isr: [1], eligibleLeaderReplicas: [2] });
  });
});
