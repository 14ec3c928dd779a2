import type { DescribedGroup } from "../../coordinator/describe-groups.ts";
import { describeGroups } from "../../protocol/apis/15-describe-groups.ts";
import { withGroupOperations } from "../../protocol/authorized-operations.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import { gather } from "../gather.ts";
import type { Handler } from "../handle-request.ts";

/** Serves v0 to v5. A group is described once, however often it is named. */
export const describeGroupsHandler: Handler<typeof describeGroups> = {
  api: describeGroups,
  handle(broker, request, { nowMs }, respond) {
    gather<string, DescribedGroup>(
      [...new Set(request.groups)],
      (groupId, answered) => {
        const reply = (outcome: DescribedGroup | ErrorName) =>
          answered(typeof outcome === "string" ? refusal(groupId, outcome) : outcome);
        broker.groups.read(groupId, nowMs, reply, (shard) => shard.describeGroup(groupId, nowMs, reply));
      },
      (groups) => respond({ groups: request.includeAuthorizedOperations ? groups.map(withGroupOperations) : groups }),
    );
  },
};

function refusal(groupId: string, error: ErrorName): DescribedGroup {
  return { errorCode: errorCode(error), groupId, groupState: "", protocolType: "", protocolData: "", members: [] };
}
