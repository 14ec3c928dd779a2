import {
  api,
  array,
  boolean,
  int16,
  int32,
  int8,
  nullableString,
  optional,
  since,
  string,
  struct,
  uuid,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";
import { OPERATIONS_NOT_REQUESTED } from "./03-metadata.ts";

const assignment = struct({
  topicPartitions: array({ topicId: uuid, topicName: string, partitions: array(int32) }),
});

/**
 * Describes consumer groups and their members (KIP-848).
 *
 * v1 tells members of the classic protocol from others (KIP-1099).
 */
export const consumerGroupDescribe = api({
  key: 69,
  name: "ConsumerGroupDescribe",
  versions: [0, 1],
  flexibleFrom: 0,
  request: { groupIds: array(string), includeAuthorizedOperations: optional(boolean, false) },
  response: {
    throttleTimeMs: optional(int32, 0),
    groups: array({
      errorCode: int16,
      errorMessage: optional(nullableString, null),
      groupId: string,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      assignorName: string,
      members: array({
        memberId: string,
        instanceId: optional(nullableString, null),
        rackId: optional(nullableString, null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        subscribedTopicRegex: optional(nullableString, null),
        assignment,
        targetAssignment: assignment,
        /** 0 for a classic member, 1 for a consumer, -1 for not known. */
        memberType: since(1, int8, -1),
      }),
      authorizedOperations: optional(int32, OPERATIONS_NOT_REQUESTED),
    }),
  },
});

export type ConsumerGroupDescribeRequest = Request<typeof consumerGroupDescribe>;
export type ConsumerGroupDescribeRequestInit = RequestInit<typeof consumerGroupDescribe>;
export type ConsumerGroupDescribeResponse = Response<typeof consumerGroupDescribe>;
export type ConsumerGroupDescribeResponseInit = ResponseInit<typeof consumerGroupDescribe>;
