import {
  api,
  array,
  boolean,
  int16,
  int32,
  nullableArray,
  nullableString,
  optional,
  since,
  string,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Moves partitions to other replicas, or takes such a move back (KIP-455).
 *
 * All versions are flexible; v1 can forbid changing the replication factor on the way (KIP-860).
 */
export const alterPartitionReassignments = api({
  key: 45,
  name: "AlterPartitionReassignments",
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    timeoutMs: optional(int32, 60_000),
    allowReplicationFactorChange: since(1, boolean, true),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** Null to cancel a reassignment that is in progress. */
        replicas: optional(nullableArray(int32), null),
      }),
    }),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    allowReplicationFactorChange: since(1, boolean, true),
    errorCode: int16,
    errorMessage: nullableString,
    responses: array({
      name: string,
      partitions: array({ partitionIndex: int32, errorCode: int16, errorMessage: nullableString }),
    }),
  },
});

export type AlterPartitionReassignmentsRequest = Request<typeof alterPartitionReassignments>;
export type AlterPartitionReassignmentsRequestInit = RequestInit<typeof alterPartitionReassignments>;
export type AlterPartitionReassignmentsResponse = Response<typeof alterPartitionReassignments>;
export type AlterPartitionReassignmentsResponseInit = ResponseInit<typeof alterPartitionReassignments>;
