import { array, int32, int8, string, uuid } from "../schema.ts";
import { consumerGroupRecord } from "./group-record.ts";

const topicPartitions = array({ topicId: uuid, partitions: array(int32) });

/** How far a member is on its way to the target assignment. */
export const consumerGroupCurrentMemberAssignmentRecord = consumerGroupRecord({
  type: "ConsumerGroupCurrentMemberAssignment",
  keyVersion: 8,
  key: { groupId: string, memberId: string },
  value: {
    memberEpoch: int32,
    /** What the member had before; it may still name it, when the response with the new one was lost. */
    previousMemberEpoch: int32,
    /** 0 for stable, 1 while it has partitions to give up, 2 while it waits for those of others. */
    state: int8,
    assignedPartitions: topicPartitions,
    partitionsPendingRevocation: topicPartitions,
  },
});
