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

/** Serves v1 to v9: of one group, and since v8 of several, each of them named once. */
export const offsetFetchHandler: Handler<typeof offsetFetch> = {
  api: offsetFetch,
  handle(broker, request, { version, nowMs }, respond) {
    if (version >= GROUPS_SINCE) {
      const named = new Set<string>();
      return gather<FetchedGroup, GroupOffsets>(
        request.groups,
        (group, answered) => {
          if (named.has(group.groupId)) return answered(refusal(group, "INVALID_REQUEST"));
          named.add(group.groupId);
          fetchGroup(broker, group, nowMs, answered);
        },
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
  const reply = (outcome: GroupOffsets | ErrorName) =>
    answered(typeof outcome === "string" ? refusal(group, outcome) : outcome);
  broker.groups.read(group.groupId, nowMs, reply, (shard) => shard.fetchOffsets(group, nowMs, reply));
}

function refusal({ groupId }: FetchedGroup, error: ErrorName): GroupOffsets {
  return { groupId, topics: [], errorCode: errorCode(error) };
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
