import type { OffsetFetchRequest, OffsetFetchResponseInit } from "../protocol/apis/09-offset-fetch.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { CommittedOffset } from "./committed-offsets.ts";
import type { Reply } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";
import { groupSubject, offsetSubject } from "./subjects.ts";
import type { Subject } from "./subjects.ts";

export type FetchedGroup = OffsetFetchRequest["groups"][number];
export type GroupOffsets = NonNullable<OffsetFetchResponseInit["groups"]>[number];
type PartitionOffset = GroupOffsets["topics"][number]["partitions"][number];

/**
 * What one group of an OffsetFetch asks for, each partition named once. Offsets that were committed a moment ago count,
 * since the answer waits for them. No transaction is ever open here, so that every offset is stable.
 */
export function fetchOffsets(state: ShardState, request: FetchedGroup, reply: Reply<GroupOffsets>): void {
  const { groupId } = request;
  const error = fetchError(state, request);
  if (error !== undefined) return state.answer(reply, error);
  const told = new Set<CommittedOffset>();
  const tell = (partitionIndex: number, committed: CommittedOffset | undefined): PartitionOffset => {
    if (committed === undefined) return answerOf(partitionIndex, undefined);
    // Its metadata may be much longer than what names it in the request.
    if (told.has(committed)) return { ...answerOf(partitionIndex, undefined), errorCode: errorCode("INVALID_REQUEST") };
    told.add(committed);
    return answerOf(partitionIndex, committed);
  };
  const topics =
    request.topics === null
      ? [...state.offsets.of(groupId)].map(([name, partitions]) => ({
          name,
          partitions: [...partitions].map(([partitionIndex, committed]) => answerOf(partitionIndex, committed)),
        }))
      : request.topics.map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((index) => tell(index, state.offsets.get(groupId, name, index))),
        }));
  state.answer(reply, { groupId, topics });
}

/** What the answer tells of; undefined for all that the group has committed. */
export function subjectsOfFetch({ groupId, topics }: FetchedGroup): readonly Subject[] | undefined {
  if (topics === null) return undefined;
  const offsets = topics.flatMap(({ name, partitionIndexes }) =>
    partitionIndexes.map((index) => offsetSubject(groupId, name, index)),
  );
  return [groupSubject(groupId), ...offsets];
}

/** Members of a consumer group name their epoch; others ask without. */
function fetchError(
  { groups }: ShardState,
  { groupId, memberId, memberEpoch }: FetchedGroup,
): ErrorName | undefined {
  const group = groups.get(groupId);
  if (group?.type !== "consumer" || ((memberId === null || memberId === "") && memberEpoch < 0)) return undefined;
  const member = group.members.get(memberId ?? "");
  if (member === undefined) return "UNKNOWN_MEMBER_ID";
  return memberEpoch === member.memberEpoch ? undefined : "STALE_MEMBER_EPOCH";
}

function answerOf(partitionIndex: number, committed: CommittedOffset | undefined): PartitionOffset {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? -1,
    committedLeaderEpoch: committed?.leaderEpoch ?? -1,
    metadata: committed?.metadata ?? "",
    errorCode: 0,
  };
}
