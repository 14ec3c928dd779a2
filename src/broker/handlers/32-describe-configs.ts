import { describeConfigs } from "../../protocol/apis/32-describe-configs.ts";
import { describeConfigsResponse } from "../../metadata/describe-configs.ts";
import type { Handler } from "../handle-request.ts";

/** Serves v1 to v4 from the metadata that this broker has followed. */
export const describeConfigsHandler: Handler<typeof describeConfigs> = {
  api: describeConfigs,
  handle({ image }, request, _context, respond) {
    respond(describeConfigsResponse(image, request));
  },
};
