import { leaveGroup } from "../../protocol/apis/13-leave-group.ts";
import type { LeaveGroupResponseInit } from "../../protocol/apis/13-leave-group.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import { clientOf } from "../handle-request.ts";
import type { Handler } from "../handle-request.ts";

/** Serves v0 to v5. */
export const leaveGroupHandler: Handler<typeof leaveGroup> = {
  api: leaveGroup,
  handle(broker, request, context, respond) {
    const reply = (outcome: LeaveGroupResponseInit | ErrorName) =>
      respond(typeof outcome === "string" ? { errorCode: errorCode(outcome) } : outcome);
    broker.groups.write(request.groupId, context.nowMs, reply, (shard) =>
      shard.leaveGroup(request, clientOf(context), context.nowMs, reply),
    );
  },
};
