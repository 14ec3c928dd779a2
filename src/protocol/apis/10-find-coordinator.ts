import { api, array, between, int16, int32, int8, nullableString, optional, since, string, until } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/** What a coordinator coordinates: the values of `keyType`. */
export const GROUP_COORDINATOR = 0;
export const TRANSACTION_COORDINATOR = 1;

/**
 * Which broker coordinates a group or a transactional id.
 *
 * v1 tells groups from transactions (KIP-98); v3 is flexible; v4 asks for several keys, in `coordinatorKeys` in place
 * of `key` (KIP-699); v5 may answer TRANSACTION_ABORTABLE (KIP-890). librdkafka before 2.11.1 joins groups only at a
 * broker that offers version 0.
 *
 * Not implemented: v6 (share groups, KIP-932).
 */
export const findCoordinator = api({
  key: 10,
  name: "FindCoordinator",
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    key: until(3, string, ""),
    keyType: since(1, int8, GROUP_COORDINATOR),
    coordinatorKeys: since(4, array(string), []),
  },
  response: {
    throttleTimeMs: since(1, int32, 0),
    errorCode: until(3, int16, 0),
    errorMessage: between(1, 3, nullableString, null),
    /** -1, with an empty host and port -1, beside an error. */
    nodeId: until(3, int32, -1),
    host: until(3, string, ""),
    port: until(3, int32, -1),
    coordinators: since(
      4,
      array({
        key: string,
        nodeId: int32,
        host: string,
        port: int32,
        errorCode: int16,
        errorMessage: optional(nullableString, null),
      }),
      [],
    ),
  },
});

export type FindCoordinatorRequest = Request<typeof findCoordinator>;
export type FindCoordinatorRequestInit = RequestInit<typeof findCoordinator>;
export type FindCoordinatorResponse = Response<typeof findCoordinator>;
export type FindCoordinatorResponseInit = ResponseInit<typeof findCoordinator>;
