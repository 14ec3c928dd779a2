import { api, array, int16, int32, int8, nullableArray, nullableString, optional, since, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Has leaders elected (KIP-183).
 *
 * v1 has types of elections and an error of its own (KIP-460); v2 is flexible.
 */
export const electLeaders = api({
  key: 43,
  name: "ElectLeaders",
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    /** 0 for the preferred leader, 1 for any live replica where no complete one is left. */
    electionType: since(1, int8, 0),
    /** Null for all partitions. */
    topicPartitions: nullableArray({ topic: string, partitions: array(int32) }),
    timeoutMs: optional(int32, 60_000),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: since(1, int16, 0),
    replicaElectionResults: array({
      topic: string,
      partitionResult: array({ partitionId: int32, errorCode: int16, errorMessage: nullableString }),
    }),
  },
});

export type ElectLeadersRequest = Request<typeof electLeaders>;
export type ElectLeadersRequestInit = RequestInit<typeof electLeaders>;
export type ElectLeadersResponse = Response<typeof electLeaders>;
export type ElectLeadersResponseInit = ResponseInit<typeof electLeaders>;
