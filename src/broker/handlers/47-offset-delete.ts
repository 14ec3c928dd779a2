import { offsetDelete } from "../../protocol/apis/47-offset-delete.ts";
import type { OffsetDeleteResponseInit } from "../../protocol/apis/47-offset-delete.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import type { Handler } from "../handle-request.ts";

/** Serves v0. */
export const offsetDeleteHandler: Handler<typeof offsetDelete> = {
  api: offsetDelete,
  handle(broker, request, { nowMs }, respond) {
    const reply = (outcome: OffsetDeleteResponseInit | ErrorName) =>
      respond(typeof outcome === "string" ? { errorCode: errorCode(outcome), topics: [] } : outcome);
    broker.groups.write(request.groupId, nowMs, reply, (shard) => shard.deleteOffsets(request, nowMs, reply));
  },
};
