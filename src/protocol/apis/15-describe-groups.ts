import { api, array, boolean, bytes, int16, int32, nullableString, since, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";
import { OPERATIONS_NOT_REQUESTED } from "./03-metadata.ts";

/**
 * Describes classic groups and their members. A group that does not exist is answered as one in the state "Dead".
 *
 * v3 answers authorized operations (KIP-430); v4 has static members (KIP-345); v5 is flexible.
 *
 * Not implemented: v6 (GROUP_ID_NOT_FOUND for a group that does not exist, KIP-1043).
 */
export const describeGroups = api({
  key: 15,
  name: "DescribeGroups",
  versions: [0, 5],
  flexibleFrom: 5,
  request: { groups: array(string), includeAuthorizedOperations: since(3, boolean, false) },
  response: {
    throttleTimeMs: since(1, int32, 0),
    groups: array({
      errorCode: int16,
      groupId: string,
      groupState: string,
      protocolType: string,
      /** The name of the chosen protocol; empty unless the group is stable, as are metadata and assignments. */
      protocolData: string,
      members: array({
        memberId: string,
        groupInstanceId: since(4, nullableString, null),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: since(3, int32, OPERATIONS_NOT_REQUESTED),
    }),
  },
});

export type DescribeGroupsRequest = Request<typeof describeGroups>;
export type DescribeGroupsRequestInit = RequestInit<typeof describeGroups>;
export type DescribeGroupsResponse = Response<typeof describeGroups>;
export type DescribeGroupsResponseInit = ResponseInit<typeof describeGroups>;
