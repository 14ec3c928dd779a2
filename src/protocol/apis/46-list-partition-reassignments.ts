import { api, array, int16, int32, nullableArray, nullableString, optional, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/** Tells which partitions are being moved to other replicas (KIP-455). Flexible from the start. */
export const listPartitionReassignments = api({
  key: 46,
  name: "ListPartitionReassignments",
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    timeoutMs: optional(int32, 60_000),
    /** Null for all that are being moved. */
    topics: optional(nullableArray({ name: string, partitionIndexes: array(int32) }), null),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: int16,
    errorMessage: nullableString,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** All that hold the partition at present, those that come and those that go included. */
        replicas: array(int32),
        addingReplicas: array(int32),
        removingReplicas: array(int32),
      }),
    }),
  },
});

export type ListPartitionReassignmentsRequest = Request<typeof listPartitionReassignments>;
export type ListPartitionReassignmentsRequestInit = RequestInit<typeof listPartitionReassignments>;
export type ListPartitionReassignmentsResponse = Response<typeof listPartitionReassignments>;
export type ListPartitionReassignmentsResponseInit = ResponseInit<typeof listPartitionReassignments>;
