import { fetch } from "../protocol/apis/01-fetch.ts";
import type { FetchRequest } from "../protocol/apis/01-fetch.ts";
import { apiVersions } from "../protocol/apis/18-api-versions.ts";
import { decodeRequest, decodeRequestHeader } from "../protocol/envelope.ts";
import type { RequestHeader } from "../protocol/envelope.ts";
import { CorruptMessageError, UnsupportedVersionError } from "../protocol/errors.ts";
import { controllerApis } from "./controller-apis.ts";
import type { AnyControllerApi } from "./controller-apis.ts";

/** A frame from a connection, as far as it makes sense. */
export type ControllerRequest =
  | {
      readonly kind: "served";
      readonly header: RequestHeader;
      readonly served: AnyControllerApi;
      readonly body: unknown;
    }
  | { readonly kind: "fetch"; readonly header: RequestHeader; readonly body: FetchRequest }
  /** ApiVersions in a version that is not known, which is answered all the same (KIP-511). */
  | { readonly kind: "newer-api-versions"; readonly header: RequestHeader }
  /** Its connection must end: after such a frame nothing on it can be trusted. */
  | { readonly kind: "malformed"; readonly reason: string };

export function decodeControllerRequest(frame: Uint8Array): ControllerRequest {
  try {
    const header = decodeRequestHeader(frame);
    const { apiKey, apiVersion } = header;
    if (apiKey === fetch.key) return { kind: "fetch", header, body: decodeRequest(fetch, header) };
    const isNewer = apiKey === apiVersions.key && apiVersion > apiVersions.versions[1];
    if (isNewer) return { kind: "newer-api-versions", header };
    const served = controllerApis.get(apiKey);
    if (served === undefined) return { kind: "malformed", reason: `the controller does not serve api ${apiKey}` };
    return { kind: "served", header, served, body: decodeRequest(served.api, header) };
  } catch (error) {
    if (!(error instanceof CorruptMessageError || error instanceof UnsupportedVersionError)) throw error;
    return { kind: "malformed", reason: error.message };
  }
}
