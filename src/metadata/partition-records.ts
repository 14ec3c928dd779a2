import type { MetadataRecordInit, MetadataRecordOf } from "../protocol/metadata-records/registry.ts";
import { sameNodes } from "./partition.ts";
import type { Partition } from "./partition.ts";

/** The `leader` of a change record that holds no election. */
const NO_ELECTION = -2;
/** The `replicationFactor` of a change record that leaves it. */
const NO_CHANGE = -1;

/** The record that states a partition in full. */
export function partitionRecord(partition: Partition): MetadataRecordInit {
  const { partitionIndex, eligibleLeaderReplicas, lastKnownElr, ...rest } = partition;
  return {
    type: "PartitionRecord",
    partitionId: partitionIndex,
    ...rest,
    eligibleLeaderReplicas: orNull(eligibleLeaderReplicas),
    lastKnownElr: orNull(lastKnownElr),
  };
}

export function registeredPartition(record: MetadataRecordOf<"PartitionRecord">): Partition {
  return {
    topicId: record.topicId,
    partitionIndex: record.partitionId,
    replicas: record.replicas,
    addingReplicas: record.addingReplicas,
    removingReplicas: record.removingReplicas,
    isr: record.isr,
    eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? [],
    lastKnownElr: record.lastKnownElr ?? [],
    reassignedFrom: record.reassignedFrom,
    replicationFactor: record.replicationFactor,
    leader: record.leader,
    leaderEpoch: record.leaderEpoch,
    partitionEpoch: record.partitionEpoch,
  };
}

/** The record that leads from one state of a partition to the next. */
export function partitionChangeRecord(before: Partition, after: Partition): MetadataRecordInit {
  const changed = (left: readonly number[], right: readonly number[]) => (sameNodes(left, right) ? null : right);
  return {
    type: "PartitionChangeRecord",
    partitionId: after.partitionIndex,
    topicId: after.topicId,
    isr: changed(before.isr, after.isr),
    leader: after.leaderEpoch === before.leaderEpoch ? NO_ELECTION : after.leader,
    replicas: changed(before.replicas, after.replicas),
    removingReplicas: changed(before.removingReplicas, after.removingReplicas),
    addingReplicas: changed(before.addingReplicas, after.addingReplicas),
    eligibleLeaderReplicas: changed(before.eligibleLeaderReplicas, after.eligibleLeaderReplicas),
    lastKnownElr: changed(before.lastKnownElr, after.lastKnownElr),
    reassignedFrom: changed(before.reassignedFrom, after.reassignedFrom),
    replicationFactor: after.replicationFactor === before.replicationFactor ? NO_CHANGE : after.replicationFactor,
  };
}

/** R1: a record that names a leader is an election, even of the same one; each record is a change. */
export function appliedPartitionChange(
  before: Partition,
  record: MetadataRecordOf<"PartitionChangeRecord">,
): Partition {
  const isElection = record.leader !== NO_ELECTION;
  return {
    ...before,
    replicas: record.replicas ?? before.replicas,
    addingReplicas: record.addingReplicas ?? before.addingReplicas,
    removingReplicas: record.removingReplicas ?? before.removingReplicas,
    isr: record.isr ?? before.isr,
    eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
    lastKnownElr: record.lastKnownElr ?? before.lastKnownElr,
    reassignedFrom: record.reassignedFrom ?? before.reassignedFrom,
    replicationFactor: record.replicationFactor === NO_CHANGE ? before.replicationFactor : record.replicationFactor,
    leader: isElection ? record.leader : before.leader,
    leaderEpoch: before.leaderEpoch + (isElection ? 1 : 0),
    partitionEpoch: before.partitionEpoch + 1,
  };
}

function orNull(nodes: readonly number[]): readonly number[] | null {
  return nodes.length === 0 ? null : nodes;
}
