import type { ListedGroup } from "../../coordinator/describe-groups.ts";
import { listGroups } from "../../protocol/apis/16-list-groups.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import type { Handler } from "../handle-request.ts";

/** Serves v0 to v5, with the groups that this broker coordinates; while some are still loading, with that error. */
export const listGroupsHandler: Handler<typeof listGroups> = {
  api: listGroups,
  handle(broker, request, { nowMs }, respond) {
    broker.groups.readAll<readonly ListedGroup[]>(
      nowMs,
      (shard, reply) => shard.listGroups(request, nowMs, reply),
      (parts) => {
        const error = parts.find((part): part is ErrorName => typeof part === "string") ?? "NONE";
        const groups = parts.flatMap((part) => (typeof part === "string" ? [] : part));
        respond({ errorCode: errorCode(error), groups: error === "NONE" ? groups : [] });
      },
    );
  },
};
