import { api, array, int16, int32, optional, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Deletes groups without members, with their offsets (KIP-229).
 *
 * v2 is flexible.
 */
export const deleteGroups = api({
  key: 42,
  name: "DeleteGroups",
  versions: [0, 2],
  flexibleFrom: 2,
  request: { groupsNames: array(string) },
  response: {
    throttleTimeMs: optional(int32, 0),
    results: array({ groupId: string, errorCode: int16 }),
  },
});

export type DeleteGroupsRequest = Request<typeof deleteGroups>;
export type DeleteGroupsRequestInit = RequestInit<typeof deleteGroups>;
export type DeleteGroupsResponse = Response<typeof deleteGroups>;
export type DeleteGroupsResponseInit = ResponseInit<typeof deleteGroups>;
