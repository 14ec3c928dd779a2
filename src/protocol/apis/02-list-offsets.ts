import { api, array, int16, int32, int64, int8, optional, since, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/** Timestamps that ask for an offset by its meaning instead. */
export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;
/** The record with the largest timestamp (KIP-734); v7 and later. */
export const MAX_TIMESTAMP = -3;
/** The earliest offset on the leader's own disk (KIP-405); v8. Without tiered storage it is the log start offset. */
export const EARLIEST_LOCAL_TIMESTAMP = -4;

/**
 * Finds the first offset at or after a timestamp, or an end of the log.
 *
 * v2 has isolation levels (KIP-98); v4 leader epochs (KIP-320); v5 may answer OFFSET_NOT_AVAILABLE (KIP-207); v6 is
 * flexible; v7 knows MAX_TIMESTAMP; v8 knows EARLIEST_LOCAL_TIMESTAMP.
 *
 * Not implemented: v0 (a list of segment offsets), v9 to v11 (tiered storage and its timeout).
 */
export const listOffsets = api({
  key: 2,
  name: "ListOffsets",
  versions: [1, 8],
  flexibleFrom: 6,
  request: {
    replicaId: optional(int32, -1),
    isolationLevel: since(2, int8, 0),
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, currentLeaderEpoch: since(4, int32, -1), timestamp: int64 }),
    }),
  },
  response: {
    throttleTimeMs: since(2, int32, 0),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        timestamp: optional(int64, -1),
        /** -1 when no record is that young. */
        offset: optional(int64, -1),
        leaderEpoch: since(4, int32, -1),
      }),
    }),
  },
});

export type ListOffsetsRequest = Request<typeof listOffsets>;
export type ListOffsetsRequestInit = RequestInit<typeof listOffsets>;
export type ListOffsetsResponse = Response<typeof listOffsets>;
export type ListOffsetsResponseInit = ResponseInit<typeof listOffsets>;
