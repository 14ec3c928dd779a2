import {
  api,
  array,
  between,
  boolean,
  int16,
  int32,
  int64,
  nullableArray,
  nullableSince,
  nullableString,
  optional,
  since,
  string,
  until,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Reads what OffsetCommit stored. A partition without a committed offset is answered with -1 and no error.
 *
 * v2 asks for all partitions with null and has an error of its own; v5 answers leader epochs (KIP-320); v6 is flexible;
 * v7 may wait for open transactions to end (KIP-447); v8 asks for several groups, in `groups` in place of `groupId` and
 * `topics` (KIP-709); v9 names the member and may answer STALE_MEMBER_EPOCH and UNKNOWN_MEMBER_ID (KIP-848).
 *
 * Not implemented: v0, which read from ZooKeeper, and v10 (topic ids).
 */
export const offsetFetch = api({
  key: 9,
  name: "OffsetFetch",
  versions: [1, 9],
  flexibleFrom: 6,
  request: {
    groupId: until(7, string, ""),
    topics: until(7, nullableSince(2, array({ name: string, partitionIndexes: array(int32) })), []),
    groups: since(
      8,
      array({
        groupId: string,
        memberId: since(9, nullableString, null),
        memberEpoch: since(9, int32, -1),
        /** Null for all. */
        topics: nullableArray({ name: string, partitionIndexes: array(int32) }),
      }),
      [],
    ),
    /** Whether an offset that a transaction may still change is answered UNSTABLE_OFFSET_COMMIT. */
    requireStable: since(7, boolean, false),
  },
  response: {
    throttleTimeMs: since(3, int32, 0),
    topics: until(
      7,
      array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          /** -1 for none. */
          committedOffset: int64,
          committedLeaderEpoch: since(5, int32, -1),
          metadata: nullableString,
          errorCode: int16,
        }),
      }),
      [],
    ),
    /** The group's. Version 1 has no place for it but with each partition. */
    errorCode: between(2, 7, int16, 0),
    groups: since(
      8,
      array({
        groupId: string,
        topics: array({
          name: string,
          partitions: array({
            partitionIndex: int32,
            committedOffset: int64,
            committedLeaderEpoch: optional(int32, -1),
            metadata: nullableString,
            errorCode: int16,
          }),
        }),
        errorCode: optional(int16, 0),
      }),
      [],
    ),
  },
});

export type OffsetFetchRequest = Request<typeof offsetFetch>;
export type OffsetFetchRequestInit = RequestInit<typeof offsetFetch>;
export type OffsetFetchResponse = Response<typeof offsetFetch>;
export type OffsetFetchResponseInit = ResponseInit<typeof offsetFetch>;
