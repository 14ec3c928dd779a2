import {
  api,
  array,
  boolean,
  int16,
  int32,
  nullableArray,
  nullableString,
  nullableStruct,
  optional,
  string,
  uuid,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";
import { ZERO_UUID } from "../uuid.ts";
import { OPERATIONS_NOT_REQUESTED } from "./03-metadata.ts";

const cursor = nullableStruct({ topicName: string, partitionIndex: int32 });

/** Describes topics with their eligible leader replicas, in pages (KIP-966). Flexible from the start. */
export const describeTopicPartitions = api({
  key: 75,
  name: "DescribeTopicPartitions",
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    /** Empty for all topics. */
    topics: array({ name: string }),
    responsePartitionLimit: optional(int32, 2_000),
    /** Where the page before ended. */
    cursor: optional(cursor, null),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    topics: array({
      errorCode: int16,
      name: nullableString,
      topicId: optional(uuid, ZERO_UUID),
      isInternal: optional(boolean, false),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: optional(int32, -1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        eligibleLeaderReplicas: optional(nullableArray(int32), null),
        lastKnownElr: optional(nullableArray(int32), null),
        offlineReplicas: array(int32),
      }),
      topicAuthorizedOperations: optional(int32, OPERATIONS_NOT_REQUESTED),
    }),
    /** Null once all has been told. */
    nextCursor: optional(cursor, null),
  },
});

export type DescribeTopicPartitionsRequest = Request<typeof describeTopicPartitions>;
export type DescribeTopicPartitionsRequestInit = RequestInit<typeof describeTopicPartitions>;
export type DescribeTopicPartitionsResponse = Response<typeof describeTopicPartitions>;
export type DescribeTopicPartitionsResponseInit = ResponseInit<typeof describeTopicPartitions>;
