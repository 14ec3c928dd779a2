import { api, array, boolean, int16, int32, int8, nullableString, optional, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/** Changes single keys of a configuration and leaves the others (KIP-339). v1 is flexible. */
export const incrementalAlterConfigs = api({
  key: 44,
  name: "IncrementalAlterConfigs",
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        /** 0 sets, 1 deletes, 2 appends to a list, 3 subtracts from a list. */
        configOperation: int8,
        value: nullableString,
      }),
    }),
    validateOnly: boolean,
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    responses: array({ errorCode: int16, errorMessage: nullableString, resourceType: int8, resourceName: string }),
  },
});

export type IncrementalAlterConfigsRequest = Request<typeof incrementalAlterConfigs>;
export type IncrementalAlterConfigsRequestInit = RequestInit<typeof incrementalAlterConfigs>;
export type IncrementalAlterConfigsResponse = Response<typeof incrementalAlterConfigs>;
export type IncrementalAlterConfigsResponseInit = ResponseInit<typeof incrementalAlterConfigs>;
