import {
  api,
  array,
  boolean,
  bytes,
  int16,
  int32,
  nullableSince,
  nullableString,
  optional,
  since,
  string,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Enters a classic group, and waits until the group is complete.
 *
 * v1 has the rebalance timeout (KIP-62); from v4 on a new member is sent back once, with MEMBER_ID_REQUIRED and the id
 * to join with (KIP-394); v5 has static members (KIP-345); v6 is flexible; v7 answers the protocol type (KIP-559); v8
 * carries a reason (KIP-800); v9 may tell a returning static leader not to assign (KIP-814).
 */
export const joinGroup = api({
  key: 11,
  name: "JoinGroup",
  versions: [0, 9],
  flexibleFrom: 6,
  request: {
    groupId: string,
    sessionTimeoutMs: int32,
    /** -1 for the session timeout. */
    rebalanceTimeoutMs: since(1, int32, -1),
    /** Empty for a new member. */
    memberId: string,
    groupInstanceId: since(5, nullableString, null),
    /** "consumer" for consumers. */
    protocolType: string,
    /** In order of preference. What is in the metadata is the protocol's own business. */
    protocols: array({ name: string, metadata: bytes }),
    reason: since(8, nullableString, null),
  },
  response: {
    throttleTimeMs: since(2, int32, 0),
    errorCode: int16,
    generationId: optional(int32, -1),
    protocolType: since(7, nullableString, null),
    /** Beside an error null, or empty before version 7. */
    protocolName: nullableSince(7, string),
    leader: string,
    skipAssignment: since(9, boolean, false),
    memberId: string,
    /** For the leader all members, for others none. */
    members: array({ memberId: string, groupInstanceId: since(5, nullableString, null), metadata: bytes }),
  },
});

export type JoinGroupRequest = Request<typeof joinGroup>;
export type JoinGroupRequestInit = RequestInit<typeof joinGroup>;
export type JoinGroupResponse = Response<typeof joinGroup>;
export type JoinGroupResponseInit = ResponseInit<typeof joinGroup>;
