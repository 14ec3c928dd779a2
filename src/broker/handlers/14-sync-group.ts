import { syncGroup } from "../../protocol/apis/14-sync-group.ts";
import type { SyncGroupResponseInit } from "../../protocol/apis/14-sync-group.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import type { Handler } from "../handle-request.ts";

const NO_ASSIGNMENT = new Uint8Array(0);

/** Serves v0 to v5. Answered when the generation that the leader completes is committed. */
export const syncGroupHandler: Handler<typeof syncGroup> = {
  api: syncGroup,
  handle(broker, request, { nowMs }, respond) {
    const reply = (outcome: SyncGroupResponseInit | ErrorName) =>
      respond(typeof outcome === "string" ? { errorCode: errorCode(outcome), assignment: NO_ASSIGNMENT } : outcome);
    broker.groups.write(request.groupId, nowMs, reply, (shard) => shard.syncGroup(request, nowMs, reply));
  },
};
