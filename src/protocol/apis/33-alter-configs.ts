import { api, array, boolean, int16, int32, int8, nullableString, optional, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Replaces configurations as a whole (KIP-133): a key that is not named goes back to its default.
 *
 * v1 may be throttled after its answer (KIP-219); v2 is flexible.
 */
export const alterConfigs = api({
  key: 33,
  name: "AlterConfigs",
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({ name: string, value: nullableString }),
    }),
    validateOnly: boolean,
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    responses: array({ errorCode: int16, errorMessage: nullableString, resourceType: int8, resourceName: string }),
  },
});

export type AlterConfigsRequest = Request<typeof alterConfigs>;
export type AlterConfigsRequestInit = RequestInit<typeof alterConfigs>;
export type AlterConfigsResponse = Response<typeof alterConfigs>;
export type AlterConfigsResponseInit = ResponseInit<typeof alterConfigs>;
