import { api, array, int16, int32, int64, optional, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Deletes the records of partitions below an offset (KIP-107). Sent to the leaders.
 *
 * v1 may be throttled after its answer (KIP-219); v2 is flexible.
 */
export const deleteRecords = api({
  key: 21,
  name: "DeleteRecords",
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** The first offset to keep; -1 for the high watermark. */
        offset: int64,
      }),
    }),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** The lowest log start offset of the live replicas; -1 with an error. */
        lowWatermark: int64,
        errorCode: int16,
      }),
    }),
  },
});

export type DeleteRecordsRequest = Request<typeof deleteRecords>;
export type DeleteRecordsRequestInit = RequestInit<typeof deleteRecords>;
export type DeleteRecordsResponse = Response<typeof deleteRecords>;
export type DeleteRecordsResponseInit = ResponseInit<typeof deleteRecords>;
