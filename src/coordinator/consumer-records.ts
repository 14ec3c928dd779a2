import { topicPartitionsOf } from "./assignment.ts";
import type { Assignment } from "./assignment.ts";
import type { ConsumerGroup, ConsumerGroupRecord, SubscribedTopic } from "./consumer-group.ts";
import type { CurrentAssignment, MemberMetadata } from "./consumer-member.ts";

/** The records of consumer groups, from what they say. */

export function groupEpochRecord(groupId: string, epoch: number): ConsumerGroupRecord {
  return { type: "ConsumerGroupMetadata", key: { groupId }, value: { epoch, metadataHash: 0 } };
}

export function topicsRecord(groupId: string, topics: ReadonlyMap<string, SubscribedTopic>): ConsumerGroupRecord {
  return {
    type: "ConsumerGroupPartitionMetadata",
    key: { groupId },
    value: {
      topics: [...topics].map(([topicName, { topicId, partitionCount }]) => ({
        topicId,
        topicName,
        numPartitions: partitionCount,
        partitionMetadata: [],
      })),
    },
  };
}

export function memberRecord(groupId: string, memberId: string, metadata: MemberMetadata): ConsumerGroupRecord {
  return {
    type: "ConsumerGroupMemberMetadata",
    key: { groupId, memberId },
    value: {
      instanceId: metadata.instanceId,
      rackId: metadata.rackId,
      clientId: metadata.clientId,
      clientHost: metadata.clientHost,
      subscribedTopicNames: metadata.subscribedTopicNames,
      subscribedTopicRegex: null,
      rebalanceTimeoutMs: metadata.rebalanceTimeoutMs,
      serverAssignor: metadata.serverAssignor,
      classicMemberMetadata: null,
    },
  };
}

export function targetRecord(groupId: string, memberId: string, target: Assignment): ConsumerGroupRecord {
  return {
    type: "ConsumerGroupTargetAssignmentMember",
    key: { groupId, memberId },
    value: { topicPartitions: topicPartitionsOf(target) },
  };
}

export function targetEpochRecord(groupId: string, assignmentEpoch: number): ConsumerGroupRecord {
  return { type: "ConsumerGroupTargetAssignmentMetadata", key: { groupId }, value: { assignmentEpoch } };
}

export function currentAssignmentRecord(
  groupId: string,
  memberId: string,
  { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation }: CurrentAssignment,
): ConsumerGroupRecord {
  return {
    type: "ConsumerGroupCurrentMemberAssignment",
    key: { groupId, memberId },
    value: {
      memberEpoch,
      previousMemberEpoch,
      state,
      assignedPartitions: topicPartitionsOf(assigned),
      partitionsPendingRevocation: topicPartitionsOf(pendingRevocation),
    },
  };
}

/** The member is gone: what it held first, and itself last. */
export function memberTombstones(groupId: string, memberId: string): ConsumerGroupRecord[] {
  const key = { groupId, memberId };
  return [
    { type: "ConsumerGroupCurrentMemberAssignment", key, value: null },
    { type: "ConsumerGroupTargetAssignmentMember", key, value: null },
    { type: "ConsumerGroupMemberMetadata", key, value: null },
  ];
}

/** Of a group without members. */
export function consumerGroupTombstones({ groupId }: ConsumerGroup): ConsumerGroupRecord[] {
  const key = { groupId };
  return [
    { type: "ConsumerGroupTargetAssignmentMetadata", key, value: null },
    { type: "ConsumerGroupPartitionMetadata", key, value: null },
    { type: "ConsumerGroupMetadata", key, value: null },
  ];
}
