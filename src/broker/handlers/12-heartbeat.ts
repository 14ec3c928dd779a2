import { heartbeat } from "../../protocol/apis/12-heartbeat.ts";
import type { HeartbeatResponseInit } from "../../protocol/apis/12-heartbeat.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import type { Handler } from "../handle-request.ts";

/** Serves v0 to v4. */
export const heartbeatHandler: Handler<typeof heartbeat> = {
  api: heartbeat,
  handle(broker, request, { nowMs }, respond) {
    const reply = (outcome: HeartbeatResponseInit | ErrorName) =>
      respond(typeof outcome === "string" ? { errorCode: errorCode(outcome) } : outcome);
    broker.groups.read(request.groupId, nowMs, reply, (shard) => shard.heartbeat(request, nowMs, reply));
  },
};
