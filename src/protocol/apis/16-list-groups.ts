import { api, array, int16, int32, since, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Lists the groups that the asked broker coordinates.
 *
 * v3 is flexible; v4 answers and selects by state (KIP-518), v5 by type (KIP-848). An empty filter lets all pass.
 */
export const listGroups = api({
  key: 16,
  name: "ListGroups",
  versions: [0, 5],
  flexibleFrom: 3,
  request: { statesFilter: since(4, array(string), []), typesFilter: since(5, array(string), []) },
  response: {
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    groups: array({
      groupId: string,
      protocolType: string,
      groupState: since(4, string, ""),
      /** "classic" or "consumer". */
      groupType: since(5, string, ""),
    }),
  },
});

export type ListGroupsRequest = Request<typeof listGroups>;
export type ListGroupsRequestInit = RequestInit<typeof listGroups>;
export type ListGroupsResponse = Response<typeof listGroups>;
export type ListGroupsResponseInit = ResponseInit<typeof listGroups>;
