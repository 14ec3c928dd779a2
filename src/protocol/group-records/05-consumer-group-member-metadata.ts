import { array, bytes, int32, nullableString, nullableStruct, optional, string, tagged } from "../schema.ts";
import { consumerGroupRecord } from "./group-record.ts";

/** What a member of a consumer group said of itself. */
export const consumerGroupMemberMetadataRecord = consumerGroupRecord({
  type: "ConsumerGroupMemberMetadata",
  keyVersion: 5,
  key: { groupId: string, memberId: string },
  value: {
    instanceId: nullableString,
    rackId: nullableString,
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string),
    subscribedTopicRegex: nullableString,
    /** Milliseconds. */
    rebalanceTimeoutMs: optional(int32, -1),
    serverAssignor: nullableString,
    /** Of a member that speaks the classic protocol; null for others. */
    classicMemberMetadata: tagged(
      0,
      nullableStruct({ sessionTimeoutMs: int32, supportedProtocols: array({ name: string, metadata: bytes }) }),
      null,
    ),
  },
});
