import type { FetchedGroup, GroupOffsets } from "../../coordinator/offset-fetch.ts";
import { offsetFetch } from "../../protocol/apis/09-offset-fetch.ts";
import type { OffsetFetchRequest, OffsetFetchResponseInit } from "../../protocol/apis/09-offset-fetch.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import type { Broker } from "../broker.ts";
import { gather } from "../gather.ts";
import type { Handler } from "../handle-request.ts";

const GROUPS_SINCE = 8;
const GROUP_ERROR_SINCE = 2;

/** Serves v1 to v9: of one group, and since v8 of several. */
export const offsetFetchHandler: Handler<typeof offsetFetch> = {
  api: offsetFetch,
  handle(broker, request, { version, nowMs }, respond) {
    if (version >= GROUPS_SINCE) {
      return gather<FetchedGroup, GroupOffsets>(
        request.groups,
        (group, answered) => fetchGroup(broker, group, nowMs, answered),
        (groups) => respond({ groups }),
      );
    }
    const { groupId, topics } = request;
    fetchGroup(broker, { groupId, memberId: null, memberEpoch: -1, topics }, nowMs, (group) => {
      const code = group.errorCode ?? 0;
      const isTold = version >= GROUP_ERROR_SINCE || code === 0;
      respond({ topics: isTold ? group.topics : refusedTopics(request, code), errorCode: code });
    });
  },
};

function fetchGroup(
  broker: Broker,
  group: FetchedGroup,
  nowMs: number,
  answered: (answer: GroupOffsets) => void,
): void {
  const { groupId } = group;
  const reply = (outcome: GroupOffsets | ErrorName) =>
    answered(typeof outcome === "string" ? { groupId, topics: [], errorCode: errorCode(outcome) } : outcome);
  broker.groups.read(groupId, nowMs, reply, (shard) => shard.fetchOffsets(group, nowMs, reply));
}

/** The first version has no place for the error of a group, but with each partition. */
function refusedTopics({ topics }: OffsetFetchRequest, code: number): OffsetFetchResponseInit["topics"] {
  return (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      metadata: "",
      errorCode: code,
    })),
  }));
}
