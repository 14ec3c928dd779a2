import { heartbeat } from "../../protocol/apis/12-heartbeat.ts";
import type { HeartbeatResponseInit } from "../../protocol/apis/12-heartbeat.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import type { Handler } from "../handle-request.ts";

/**
 * Serves v0 to v4. A coordinator that is still loading its groups hears every heartbeat with no error, as Kafka's does:
 * all sessions begin anew once it has loaded them, and some clients end theirs when they are told that it loads.
 */
export const heartbeatHandler: Handler<typeof heartbeat> = {
  api: heartbeat,
  handle(broker, request, { nowMs }, respond) {
    const reply = (outcome: HeartbeatResponseInit | ErrorName) =>
      respond(typeof outcome === "string" ? { errorCode: errorCode(toldOf(outcome)) } : outcome);
    broker.groups.read(request.groupId, nowMs, reply, (shard) => shard.heartbeat(request, nowMs, reply));
  },
};

function toldOf(error: ErrorName): ErrorName {
  return error === "COORDINATOR_LOAD_IN_PROGRESS" ? "NONE" : error;
}
