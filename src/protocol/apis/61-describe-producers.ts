import { api, array, int16, int32, int64, nullableString, optional, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/** Tells which idempotent producers a partition remembers (KIP-664). Sent to the leaders; flexible from the start. */
export const describeProducers = api({
  key: 61,
  name: "DescribeProducers",
  versions: [0, 0],
  flexibleFrom: 0,
  request: { topics: array({ name: string, partitionIndexes: array(int32) }) },
  response: {
    throttleTimeMs: optional(int32, 0),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: optional(nullableString, null),
        activeProducers: array({
          producerId: int64,
          producerEpoch: int32,
          lastSequence: optional(int32, -1),
          lastTimestamp: optional(int64, -1),
          coordinatorEpoch: int32,
          currentTxnStartOffset: optional(int64, -1),
        }),
      }),
    }),
  },
});

export type DescribeProducersRequest = Request<typeof describeProducers>;
export type DescribeProducersRequestInit = RequestInit<typeof describeProducers>;
export type DescribeProducersResponse = Response<typeof describeProducers>;
export type DescribeProducersResponseInit = ResponseInit<typeof describeProducers>;
