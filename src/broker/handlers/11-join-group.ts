import { joinGroup } from "../../protocol/apis/11-join-group.ts";
import type { JoinGroupResponseInit } from "../../protocol/apis/11-join-group.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import { clientOf } from "../handle-request.ts";
import type { Handler } from "../handle-request.ts";

/** From this version on the protocol's name can be null. */
const NULL_PROTOCOL_SINCE = 7;

/** Serves v0 to v9. Answered when the group is complete, or its time to be is up. */
export const joinGroupHandler: Handler<typeof joinGroup> = {
  api: joinGroup,
  handle(broker, request, context, respond) {
    const reply = (outcome: JoinGroupResponseInit | ErrorName) => {
      if (typeof outcome !== "string") return respond(outcome);
      respond({
        errorCode: errorCode(outcome),
        protocolName: context.version >= NULL_PROTOCOL_SINCE ? null : "",
        leader: "",
        memberId: request.memberId,
        members: [],
      });
    };
    broker.groups.write(request.groupId, context.nowMs, reply, (shard) =>
      shard.joinGroup(request, clientOf(context), context.nowMs, reply),
    );
  },
};
