import { apiVersions } from "../../protocol/apis/18-api-versions.ts";
import { advertisedApiKeys } from "../../protocol/apis/registry.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { Handler } from "../handle-request.ts";

/** Letters and digits, with dots and dashes inside (KIP-511). */
const SOFTWARE = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/** Serves v0 to v4, alike on every tab: clients apply the answer of one broker to all. */
export const apiVersionsHandler: Handler<typeof apiVersions> = {
  api: apiVersions,
  handle(_broker, request, { version }, respond) {
    const named = SOFTWARE.test(request.clientSoftwareName) && SOFTWARE.test(request.clientSoftwareVersion);
    const error = version < 3 || named ? "NONE" : "INVALID_REQUEST";
    respond({ errorCode: errorCode(error), apiKeys: error === "NONE" ? advertisedApiKeys : [] });
  },
};
