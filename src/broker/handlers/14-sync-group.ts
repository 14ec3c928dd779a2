import { syncGroup } from "../../protocol/apis/14-sync-group.ts";
import type { SyncGroupResponseInit } from "../../protocol/apis/14-sync-group.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import type { Handler } from "../handle-request.ts";

const NO_ASSIGNMENT = new Uint8Array(0);

/**
 * Serves v0 to v5. Answered when the generation that the leader completes is committed. While its coordinator still
 * loads the group, a member is told to join again: Java's client knows no error here that says to wait.
 */
export const syncGroupHandler: Handler<typeof syncGroup> = {
  api: syncGroup,
  handle(broker, request, { nowMs }, respond) {
    const reply = (outcome: SyncGroupResponseInit | ErrorName) =>
      respond(typeof outcome === "string" ? refused(toldOf(outcome)) : outcome);
    broker.groups.write(request.groupId, nowMs, reply, (shard) => shard.syncGroup(request, nowMs, reply));
  },
};

function refused(error: ErrorName): SyncGroupResponseInit {
  return { errorCode: errorCode(error), assignment: NO_ASSIGNMENT };
}

function toldOf(error: ErrorName): ErrorName {
  return error === "COORDINATOR_LOAD_IN_PROGRESS" ? "REBALANCE_IN_PROGRESS" : error;
}
