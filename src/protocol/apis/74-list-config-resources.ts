import { api, array, int16, int32, int8, optional, since, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/** The type of a resource that v0, which listed the subscriptions to client metrics alone, asks for. */
export const CLIENT_METRICS_RESOURCE = 16;

/**
 * Tells what can be configured, without the configurations.
 *
 * v1 has other types of resources than client metrics (KIP-1142). Flexible from the start.
 */
export const listConfigResources = api({
  key: 74,
  name: "ListConfigResources",
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    /** Empty for all types. */
    resourceTypes: since(1, array(int8), []),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: int16,
    configResources: array({
      resourceName: string,
      resourceType: since(1, int8, CLIENT_METRICS_RESOURCE),
    }),
  },
});

export type ListConfigResourcesRequest = Request<typeof listConfigResources>;
export type ListConfigResourcesRequestInit = RequestInit<typeof listConfigResources>;
export type ListConfigResourcesResponse = Response<typeof listConfigResources>;
export type ListConfigResourcesResponseInit = ResponseInit<typeof listConfigResources>;
