import { consumerGroupHeartbeat } from "../../protocol/apis/68-consumer-group-heartbeat.ts";
import type { ConsumerGroupHeartbeatResponseInit } from "../../protocol/apis/68-consumer-group-heartbeat.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import { clientOf } from "../handle-request.ts";
import type { Handler } from "../handle-request.ts";

/** Serves v0 and v1, without subscriptions by regular expression. */
export const consumerGroupHeartbeatHandler: Handler<typeof consumerGroupHeartbeat> = {
  api: consumerGroupHeartbeat,
  handle(broker, request, context, respond) {
    const reply = (outcome: ConsumerGroupHeartbeatResponseInit | ErrorName) =>
      respond(
        typeof outcome === "string"
          ? { errorCode: errorCode(outcome), memberEpoch: 0, heartbeatIntervalMs: 0 }
          : outcome,
      );
    broker.groups.write(request.groupId, context.nowMs, reply, (shard) =>
      shard.consumerGroupHeartbeat(request, clientOf(context), context.nowMs, reply),
    );
  },
};
