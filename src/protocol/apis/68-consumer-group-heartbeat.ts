import {
  api,
  array,
  int16,
  int32,
  nullableArray,
  nullableString,
  nullableStruct,
  optional,
  since,
  string,
  uuid,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/** Member epochs with a meaning of their own, in requests and, echoed, in responses. */
export const JOIN_GROUP_MEMBER_EPOCH = 0;
export const LEAVE_GROUP_MEMBER_EPOCH = -1;
/** Leaves, but keeps the place of the static member for the one that comes back. */
export const LEAVE_GROUP_STATIC_MEMBER_EPOCH = -2;

/**
 * Joins a consumer group, stays in it, and leaves it: the one request of the protocol in which the coordinator assigns
 * (KIP-848). Of what did not change since the last heartbeat a member sends null, and rebalance timeout -1.
 *
 * v1 subscribes by a regular expression, and the member makes its id itself (KIP-1082).
 */
export const consumerGroupHeartbeat = api({
  key: 68,
  name: "ConsumerGroupHeartbeat",
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    instanceId: optional(nullableString, null),
    rackId: optional(nullableString, null),
    rebalanceTimeoutMs: optional(int32, -1),
    subscribedTopicNames: optional(nullableArray(string), null),
    subscribedTopicRegex: since(1, nullableString, null),
    serverAssignor: optional(nullableString, null),
    /** What the member owns. */
    topicPartitions: optional(nullableArray({ topicId: uuid, partitions: array(int32) }), null),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: int16,
    errorMessage: optional(nullableString, null),
    /** For a joining member only, else null. */
    memberId: optional(nullableString, null),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    /** What the member may use now; null while it is what it was. */
    assignment: optional(
      nullableStruct({ topicPartitions: array({ topicId: uuid, partitions: array(int32) }) }),
      null,
    ),
  },
});

export type ConsumerGroupHeartbeatRequest = Request<typeof consumerGroupHeartbeat>;
export type ConsumerGroupHeartbeatRequestInit = RequestInit<typeof consumerGroupHeartbeat>;
export type ConsumerGroupHeartbeatResponse = Response<typeof consumerGroupHeartbeat>;
export type ConsumerGroupHeartbeatResponseInit = ResponseInit<typeof consumerGroupHeartbeat>;
