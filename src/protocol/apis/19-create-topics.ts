import {
  api,
  array,
  boolean,
  int16,
  int32,
  int8,
  nullableArray,
  nullableString,
  optional,
  since,
  string,
  tagged,
  uuid,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";
import { ZERO_UUID } from "../uuid.ts";

/**
 * Creates topics.
 *
 * v4 lets the broker choose partitions and replication factor, asked for with -1 (KIP-464); v5 is flexible and answers
 * the configuration (KIP-525); v6 may answer THROTTLING_QUOTA_EXCEEDED (KIP-599); v7 answers the topic id (KIP-516).
 *
 * Not implemented: v0 and v1, which Kafka 4.0 dropped.
 */
export const createTopics = api({
  key: 19,
  name: "CreateTopics",
  versions: [2, 7],
  flexibleFrom: 5,
  request: {
    topics: array({
      name: string,
      /** -1 together with assignments, or for the broker's default. */
      numPartitions: int32,
      replicationFactor: int16,
      assignments: optional(array({ partitionIndex: int32, brokerIds: array(int32) }), []),
      configs: optional(array({ name: string, value: nullableString }), []),
    }),
    timeoutMs: optional(int32, 60_000),
    validateOnly: since(1, boolean, false),
  },
  response: {
    throttleTimeMs: since(2, int32, 0),
    topics: array({
      name: string,
      topicId: since(7, uuid, ZERO_UUID),
      errorCode: int16,
      errorMessage: since(1, nullableString, null),
      /** Why `configs` is null; 0 when it is not. */
      topicConfigErrorCode: tagged(0, int16, 0, 5),
      numPartitions: since(5, int32, -1),
      replicationFactor: since(5, int16, -1),
      configs: since(
        5,
        nullableArray({
          name: string,
          value: nullableString,
          readOnly: boolean,
          configSource: optional(int8, -1),
          isSensitive: boolean,
        }),
        null,
      ),
    }),
  },
});

export type CreateTopicsRequest = Request<typeof createTopics>;
export type CreateTopicsRequestInit = RequestInit<typeof createTopics>;
export type CreateTopicsResponse = Response<typeof createTopics>;
export type CreateTopicsResponseInit = ResponseInit<typeof createTopics>;
