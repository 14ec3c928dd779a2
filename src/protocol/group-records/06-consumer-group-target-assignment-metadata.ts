import { int32, string } from "../schema.ts";
import { consumerGroupRecord } from "./group-record.ts";

/** The group epoch that the target assignment was made for. It is written after the members' parts. */
export const consumerGroupTargetAssignmentMetadataRecord = consumerGroupRecord({
  type: "ConsumerGroupTargetAssignmentMetadata",
  keyVersion: 6,
  key: { groupId: string },
  value: { assignmentEpoch: int32 },
});
