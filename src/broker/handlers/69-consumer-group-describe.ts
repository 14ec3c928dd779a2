import type { DescribedConsumerGroup } from "../../coordinator/describe-groups.ts";
import { consumerGroupDescribe } from "../../protocol/apis/69-consumer-group-describe.ts";
import { withGroupOperations } from "../../protocol/authorized-operations.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import { gather } from "../gather.ts";
import type { Handler } from "../handle-request.ts";

/** Serves v0 and v1. A group is described once, however often it is named. */
export const consumerGroupDescribeHandler: Handler<typeof consumerGroupDescribe> = {
  api: consumerGroupDescribe,
  handle(broker, { groupIds, includeAuthorizedOperations }, { nowMs }, respond) {
    gather<string, DescribedConsumerGroup>(
      [...new Set(groupIds)],
      (groupId, answered) => {
        const reply = (outcome: DescribedConsumerGroup | ErrorName) =>
          answered(typeof outcome === "string" ? refusal(groupId, outcome) : outcome);
        broker.groups.read(groupId, nowMs, reply, (shard) => shard.describeConsumerGroup(groupId, nowMs, reply));
      },
      (groups) => respond({ groups: includeAuthorizedOperations ? groups.map(withGroupOperations) : groups }),
    );
  },
};

function refusal(groupId: string, error: ErrorName): DescribedConsumerGroup {
  return {
    errorCode: errorCode(error),
    groupId,
    groupState: "",
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: "",
    members: [],
  };
}
