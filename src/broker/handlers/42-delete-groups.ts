import { deleteGroups } from "../../protocol/apis/42-delete-groups.ts";
import type { DeleteGroupsResponseInit } from "../../protocol/apis/42-delete-groups.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import { gather } from "../gather.ts";
import type { Handler } from "../handle-request.ts";

type Result = DeleteGroupsResponseInit["results"][number];

/** Serves v0 to v2. */
export const deleteGroupsHandler: Handler<typeof deleteGroups> = {
  api: deleteGroups,
  handle(broker, { groupsNames }, { nowMs }, respond) {
    gather<string, Result>(
      [...new Set(groupsNames)],
      (groupId, answered) => {
        const reply = (error: ErrorName) => answered({ groupId, errorCode: errorCode(error) });
        broker.groups.write(groupId, nowMs, reply, (shard) => shard.deleteGroup(groupId, nowMs, reply));
      },
      (results) => respond({ results }),
    );
  },
};
