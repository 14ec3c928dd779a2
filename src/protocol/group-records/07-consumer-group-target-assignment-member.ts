import { array, int32, string, uuid } from "../schema.ts";
import { consumerGroupRecord } from "./group-record.ts";

/** A member's part of the target assignment. */
export const consumerGroupTargetAssignmentMemberRecord = consumerGroupRecord({
  type: "ConsumerGroupTargetAssignmentMember",
  keyVersion: 7,
  key: { groupId: string, memberId: string },
  value: { topicPartitions: array({ topicId: uuid, partitions: array(int32) }) },
});
