import { api, array, bytes, int16, int32, nullableString, since, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Hands the leader's assignment to the coordinator of a classic group, and each member its part of it.
 *
 * v3 has static members (KIP-345); v4 is flexible; v5 names the protocol, which must be the group's (KIP-559).
 */
export const syncGroup = api({
  key: 14,
  name: "SyncGroup",
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
    protocolType: since(5, nullableString, null),
    protocolName: since(5, nullableString, null),
    /** From the leader for all members, from others none. */
    assignments: array({ memberId: string, assignment: bytes }),
  },
  response: {
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    protocolType: since(5, nullableString, null),
    protocolName: since(5, nullableString, null),
    assignment: bytes,
  },
});

export type SyncGroupRequest = Request<typeof syncGroup>;
export type SyncGroupRequestInit = RequestInit<typeof syncGroup>;
export type SyncGroupResponse = Response<typeof syncGroup>;
export type SyncGroupResponseInit = ResponseInit<typeof syncGroup>;
