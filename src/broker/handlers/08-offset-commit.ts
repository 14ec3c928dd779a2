import { offsetCommit } from "../../protocol/apis/08-offset-commit.ts";
import type { OffsetCommitRequest, OffsetCommitResponseInit } from "../../protocol/apis/08-offset-commit.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import { clientOf } from "../handle-request.ts";
import type { Handler } from "../handle-request.ts";

/**
 * Serves v2 to v9. Answered once the offsets are committed themselves; an error of the group is that of each
 * partition.
 */
export const offsetCommitHandler: Handler<typeof offsetCommit> = {
  api: offsetCommit,
  handle(broker, request, context, respond) {
    const reply = (outcome: OffsetCommitResponseInit | ErrorName) =>
      respond(typeof outcome === "string" ? refusal(request, outcome) : outcome);
    broker.groups.write(request.groupId, context.nowMs, reply, (shard) =>
      shard.commitOffsets(request, clientOf(context), context.nowMs, reply),
    );
  },
};

function refusal({ topics }: OffsetCommitRequest, error: ErrorName): OffsetCommitResponseInit {
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: errorCode(error) })),
    })),
  };
}
