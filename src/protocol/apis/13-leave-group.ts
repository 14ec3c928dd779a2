import { api, array, int16, int32, nullableString, optional, since, string, until } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Leaves a classic group, or removes members from it.
 *
 * v3 names several members, static ones by their instance id, in `members` in place of `memberId` (KIP-345); v4 is
 * flexible; v5 carries a reason (KIP-800).
 */
export const leaveGroup = api({
  key: 13,
  name: "LeaveGroup",
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: string,
    memberId: until(2, string, ""),
    members: since(
      3,
      array({
        /** May be empty beside an instance id. */
        memberId: string,
        groupInstanceId: optional(nullableString, null),
        reason: since(5, nullableString, null),
      }),
      [],
    ),
  },
  response: {
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    members: since(3, array({ memberId: string, groupInstanceId: nullableString, errorCode: int16 }), []),
  },
});

export type LeaveGroupRequest = Request<typeof leaveGroup>;
export type LeaveGroupRequestInit = RequestInit<typeof leaveGroup>;
export type LeaveGroupResponse = Response<typeof leaveGroup>;
export type LeaveGroupResponseInit = ResponseInit<typeof leaveGroup>;
