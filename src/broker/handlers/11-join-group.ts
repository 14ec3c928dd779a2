import { joinGroup } from "../../protocol/apis/11-join-group.ts";
import type { JoinGroupResponseInit } from "../../protocol/apis/11-join-group.ts";
import { refusedJoin } from "../../coordinator/classic-join.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import { clientOf } from "../handle-request.ts";
import type { Handler } from "../handle-request.ts";

/** Serves v0 to v9. Answered when the group is complete, or its time to be is up. */
export const joinGroupHandler: Handler<typeof joinGroup> = {
  api: joinGroup,
  handle(broker, request, context, respond) {
    const reply = (outcome: JoinGroupResponseInit | ErrorName) => {
      respond(typeof outcome === "string" ? refusedJoin(outcome, request.memberId, context.version) : outcome);
    };
    broker.groups.write(request.groupId, context.nowMs, reply, (shard) =>
      shard.joinGroup(request, clientOf(context), context.nowMs, reply),
    );
  },
};
