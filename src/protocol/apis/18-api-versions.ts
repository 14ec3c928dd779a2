import { api, array, boolean, int16, int32, int64, since, string, tagged } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * The first question on every connection: which APIs, in which versions?
 *
 * v1 has the throttle time; v3 is flexible, names the client's software (KIP-511) and tells feature levels (KIP-584);
 * v4 may name features whose lowest level is 0 (KAFKA-17011), which v3 leaves out.
 *
 * A request in an unknown version is answered all the same: with UNSUPPORTED_VERSION in the layout of version 0, and
 * with this API's own range as the one entry. The header of a response has no tags in any version.
 */
export const apiVersions = api({
  key: 18,
  name: "ApiVersions",
  versions: [0, 4],
  flexibleFrom: 3,
  request: {
    clientSoftwareName: since(3, string, ""),
    clientSoftwareVersion: since(3, string, ""),
  },
  response: {
    errorCode: int16,
    apiKeys: array({ apiKey: int16, minVersion: int16, maxVersion: int16 }),
    throttleTimeMs: since(1, int32, 0),
    supportedFeatures: tagged(0, array({ name: string, minVersion: int16, maxVersion: int16 }), [], 3),
    finalizedFeaturesEpoch: tagged(1, int64, -1, 3),
    finalizedFeatures: tagged(2, array({ name: string, maxVersionLevel: int16, minVersionLevel: int16 }), [], 3),
    zkMigrationReady: tagged(3, boolean, false, 3),
  },
});

export type ApiVersionsRequest = Request<typeof apiVersions>;
export type ApiVersionsRequestInit = RequestInit<typeof apiVersions>;
export type ApiVersionsResponse = Response<typeof apiVersions>;
export type ApiVersionsResponseInit = ResponseInit<typeof apiVersions>;
