import {
  api,
  array,
  boolean,
  int16,
  int32,
  int8,
  nullableArray,
  nullableString,
  optional,
  since,
  string,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Tells the configuration of topics and brokers.
 *
 * v1 has synonyms and where a value comes from (KIP-226); v3 has types and documentation (KIP-569); v4 is flexible.
 */
export const describeConfigs = api({
  key: 32,
  name: "DescribeConfigs",
  versions: [1, 4],
  flexibleFrom: 4,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      /** Null for all keys. */
      configurationKeys: optional(nullableArray(string), null),
    }),
    includeSynonyms: since(1, boolean, false),
    includeDocumentation: since(3, boolean, false),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    results: array({
      errorCode: int16,
      errorMessage: nullableString,
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: nullableString,
        readOnly: boolean,
        configSource: since(1, int8, -1),
        isSensitive: boolean,
        synonyms: since(1, array({ name: string, value: nullableString, source: int8 }), []),
        configType: since(3, int8, 0),
        documentation: since(3, nullableString, null),
      }),
    }),
  },
});

export type DescribeConfigsRequest = Request<typeof describeConfigs>;
export type DescribeConfigsRequestInit = RequestInit<typeof describeConfigs>;
export type DescribeConfigsResponse = Response<typeof describeConfigs>;
export type DescribeConfigsResponseInit = ResponseInit<typeof describeConfigs>;
