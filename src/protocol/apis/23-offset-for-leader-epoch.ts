import { api, array, int16, int32, int64, optional, since, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Asks a leader where one of its earlier epochs ended, so that a follower or a consumer knows where its own log or
 * position parts from the leader's (KIP-101).
 *
 * v2 adds `currentLeaderEpoch` to fence stale askers (KIP-320). v3 adds `replicaId`, so that a leader can tell
 * followers, which may see unreplicated epochs, from consumers, which may not. v4 is flexible.
 */
export const offsetForLeaderEpoch = api({
  key: 23,
  name: "OffsetForLeaderEpoch",
  versions: [2, 4],
  flexibleFrom: 4,
  request: {
    /** -1 for a consumer; -2, the fallback, for one that did not say. */
    replicaId: since(3, int32, -2),
    topics: array({
      topic: string,
      partitions: array({ partition: int32, currentLeaderEpoch: optional(int32, -1), leaderEpoch: int32 }),
    }),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    topics: array({
      topic: string,
      partitions: array({
        errorCode: int16,
        partition: int32,
        leaderEpoch: optional(int32, -1),
        endOffset: optional(int64, -1),
      }),
    }),
  },
});

export type OffsetForLeaderEpochRequest = Request<typeof offsetForLeaderEpoch>;
export type OffsetForLeaderEpochRequestInit = RequestInit<typeof offsetForLeaderEpoch>;
export type OffsetForLeaderEpochResponse = Response<typeof offsetForLeaderEpoch>;
export type OffsetForLeaderEpochResponseInit = ResponseInit<typeof offsetForLeaderEpoch>;
