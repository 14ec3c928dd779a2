import type { OffsetCommitRequest, OffsetCommitResponseInit } from "../protocol/apis/08-offset-commit.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { GroupRecordOf } from "../protocol/group-records/registry.ts";
import type { ClassicGroup } from "./classic-group.ts";
import { refreshSession } from "./classic-rebalance.ts";
import type { CommittedOffset } from "./committed-offsets.ts";
import type { ConsumerGroup } from "./consumer-group.ts";
import { createClassicGroup, forgetIfHollow, idProblem, roomProblem } from "./groups.ts";
import type { Client, Reply } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";

type Topic = OffsetCommitRequest["topics"][number];
type Partition = Topic["partitions"][number];

/** Since this version the number beside the member id may be a member epoch. */
const MEMBER_EPOCH_SINCE = 9;

/**
 * OffsetCommit. Any offset is taken, as in Kafka: only the consumer knows where it wants to go on. Kafka takes
 * commits under the empty group id for the sake of old clients, and so does this.
 */
export function commitOffsets(
  state: ShardState,
  request: OffsetCommitRequest,
  client: Client,
  reply: Reply<OffsetCommitResponseInit>,
): void {
  const error = idProblem(state, request.groupId) ?? commitError(state, request, client);
  if (error !== undefined) return state.answer(reply, error);
  const { retentionTimeMs } = request;
  const expireTimestamp = retentionTimeMs < 0 ? -1 : Math.min(state.wallMs + retentionTimeMs, Number.MAX_SAFE_INTEGER);
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => ({
      partitionIndex: partition.partitionIndex,
      errorCode: errorCode(commitOne(state, request.groupId, name, partition, expireTimestamp)),
    })),
  }));
  const group = state.groups.get(request.groupId);
  if (group?.type === "classic") forgetIfHollow(state, group);
  state.answer(reply, { topics });
}

function commitOne(
  state: ShardState,
  groupId: string,
  topic: string,
  partition: Partition,
  expireTimestamp: number,
): ErrorName {
  const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } = partition;
  const named = state.topics.named(topic);
  if (named === undefined || partitionIndex < 0 || partitionIndex >= named.partitionCount) {
    return "UNKNOWN_TOPIC_OR_PARTITION";
  }
  const metadata = committedMetadata ?? "";
  if (metadata.length > state.config.offsetMetadataMaxSize) return "OFFSET_METADATA_TOO_LARGE";
  // Whoever only goes on in what is stored already is always heard.
  const growth = state.offsets.growth(groupId, topic, partitionIndex, { metadata });
  if (growth > 0 && state.offsets.sizeInBytes + growth > state.config.maxOffsetsBytes) return "INVALID_COMMIT_OFFSET_SIZE";
  const committed = {
    offset: committedOffset,
    leaderEpoch: committedLeaderEpoch,
    metadata,
    topicId: named.topicId,
    commitTimestamp: state.wallMs,
    expireTimestamp,
  };
  state.commit(offsetRecord(groupId, topic, partitionIndex, committed));
  return "NONE";
}

function commitError(state: ShardState, request: OffsetCommitRequest, client: Client): ErrorName | undefined {
  const { groupId, generationIdOrMemberEpoch: generation } = request;
  const group = state.groups.get(groupId);
  if (group === undefined) {
    // Whoever assigns partitions to itself, or an administrator, commits without being a member of anything.
    if (generation >= 0) return client.version >= MEMBER_EPOCH_SINCE ? "GROUP_ID_NOT_FOUND" : "ILLEGAL_GENERATION";
    const problem = roomProblem(state, groupId);
    if (problem === undefined) createClassicGroup(state, groupId);
    return problem;
  }
  return group.type === "classic"
    ? classicCommitError(state, group, request)
    : consumerCommitError(group, request, client);
}

function classicCommitError(
  state: ShardState,
  group: ClassicGroup,
  request: OffsetCommitRequest,
): ErrorName | undefined {
  const { generationIdOrMemberEpoch: generation, memberId, groupInstanceId } = request;
  if (generation < 0 && group.isEmpty) return undefined;
  if (generation < 0 && memberId === "" && groupInstanceId === null) return "UNKNOWN_MEMBER_ID";
  const error = group.memberError(memberId, groupInstanceId);
  if (error !== undefined) return error;
  if (generation !== group.generationId) return "ILLEGAL_GENERATION";
  // The member knows the generation, but not yet what it has in it.
  if (group.state === "CompletingRebalance") return "REBALANCE_IN_PROGRESS";
  refreshSession(state, group.members.get(memberId)!);
  return undefined;
}

function consumerCommitError(
  group: ConsumerGroup,
  { generationIdOrMemberEpoch: memberEpoch, memberId }: OffsetCommitRequest,
  { version }: Client,
): ErrorName | undefined {
  if (memberEpoch < 0 && group.isEmpty) return undefined;
  const member = group.members.get(memberId);
  if (member === undefined) return "UNKNOWN_MEMBER_ID";
  if (version < MEMBER_EPOCH_SINCE) return "UNSUPPORTED_VERSION";
  return memberEpoch === member.memberEpoch ? undefined : "STALE_MEMBER_EPOCH";
}

export function offsetRecord(
  group: string,
  topic: string,
  partition: number,
  value: CommittedOffset | null,
): GroupRecordOf<"OffsetCommit"> {
  return { type: "OffsetCommit", key: { group, topic, partition }, value };
}
