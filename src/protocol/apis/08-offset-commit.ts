import { api, array, between, int16, int32, int64, nullableString, optional, since, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Stores how far a group has read. A member names its generation; a consumer that assigns itself names none.
 *
 * v5 leaves the retention to the broker (KIP-211); v6 has leader epochs (KIP-320); v7 static members (KIP-345); v8 is
 * flexible; v9 takes member epochs and may answer STALE_MEMBER_EPOCH and GROUP_ID_NOT_FOUND (KIP-848).
 *
 * Not implemented: v0 and v1, which Kafka 4.0 dropped, and v10 (topic ids).
 */
export const offsetCommit = api({
  key: 8,
  name: "OffsetCommit",
  versions: [2, 9],
  flexibleFrom: 8,
  request: {
    groupId: string,
    /** The generation of a classic group, the member epoch of a consumer group; -1 from outside of the group. */
    generationIdOrMemberEpoch: optional(int32, -1),
    memberId: optional(string, ""),
    groupInstanceId: since(7, nullableString, null),
    /** -1 for the broker's own. */
    retentionTimeMs: between(2, 4, int64, -1),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: since(6, int32, -1),
        committedMetadata: nullableString,
      }),
    }),
  },
  response: {
    throttleTimeMs: since(3, int32, 0),
    topics: array({ name: string, partitions: array({ partitionIndex: int32, errorCode: int16 }) }),
  },
});

export type OffsetCommitRequest = Request<typeof offsetCommit>;
export type OffsetCommitRequestInit = RequestInit<typeof offsetCommit>;
export type OffsetCommitResponse = Response<typeof offsetCommit>;
export type OffsetCommitResponseInit = ResponseInit<typeof offsetCommit>;
