import type { OffsetDeleteRequest, OffsetDeleteResponseInit } from "../protocol/apis/47-offset-delete.ts";
import { CONSUMER_PROTOCOL_TYPE } from "../protocol/consumer-protocol.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import { ZERO_UUID } from "../protocol/uuid.ts";
import type { ClassicGroup } from "./classic-group.ts";
import { groupTombstone } from "./classic-generation.ts";
import type { CommittedOffset } from "./committed-offsets.ts";
import { consumerGroupTombstones } from "./consumer-records.ts";
import { offsetRecord } from "./offset-commit.ts";
import type { Reply } from "./reply.ts";
import type { Group, ShardState } from "./shard-state.ts";

/** OffsetDelete: forgets offsets of topics that nobody in the group subscribes to (KIP-496). */
export function deleteOffsets(
  state: ShardState,
  { groupId, topics }: OffsetDeleteRequest,
  reply: Reply<OffsetDeleteResponseInit>,
): void {
  if (groupId === "") return state.answer(reply, "INVALID_GROUP_ID");
  const group = state.groups.get(groupId);
  if (group === undefined) return state.answer(reply, "GROUP_ID_NOT_FOUND");
  const isForeign =
    group.type === "classic" && !group.isEmpty && group.protocolType !== CONSUMER_PROTOCOL_TYPE;
  if (isForeign) return state.answer(reply, "NON_EMPTY_GROUP");
  const subscribes = subscription(group);
  const deleteOne = (name: string, partitionIndex: number): ErrorName => {
    const partitionCount = state.topics.named(name)?.partitionCount ?? 0;
    if (partitionIndex < 0 || partitionIndex >= partitionCount) return "UNKNOWN_TOPIC_OR_PARTITION";
    if (subscribes(name)) return "GROUP_SUBSCRIBED_TO_TOPIC";
    removeOffset(state, groupId, name, partitionIndex);
    return "NONE";
  };
  const results = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: errorCode(deleteOne(name, partitionIndex)),
    })),
  }));
  state.answer(reply, { errorCode: 0, topics: results });
}

/** Whether somebody in the group subscribes to a topic. Where that cannot be told, somebody may. */
function subscription(group: Group): (topic: string) => boolean {
  if (group.isEmpty) return () => false;
  const topics = group.subscribedTopics();
  return (topic) => topics?.has(topic) ?? true;
}

/** DeleteGroups, for one group: only without members, and with all its offsets. */
export function deleteGroup(state: ShardState, groupId: string, reply: Reply<never>): void {
  const group = state.groups.get(groupId);
  if (group === undefined) return state.answer(reply, "GROUP_ID_NOT_FOUND");
  if (!group.isEmpty) return state.answer(reply, "NON_EMPTY_GROUP");
  removeGroup(state, group);
  state.answer(reply, "NONE");
}

/** The offsets go first, so that what is left over, if the log ends in between, still has its group. */
function removeGroup(state: ShardState, group: Group): void {
  for (const [topic, partitions] of [...state.offsets.of(group.groupId)]) {
    for (const partitionIndex of [...partitions.keys()]) removeOffset(state, group.groupId, topic, partitionIndex);
  }
  removeEmptyGroup(state, group);
}

function removeEmptyGroup(state: ShardState, group: Group): void {
  if (group.type === "consumer") for (const record of consumerGroupTombstones(group)) state.commit(record);
  else if (group.stored !== undefined) state.commit(groupTombstone(group.groupId));
  if (group.type === "classic") for (const timer of group.pendingJoins.values()) timer.clear();
  state.groups.delete(group.groupId);
}

function removeOffset(state: ShardState, groupId: string, topic: string, partitionIndex: number): void {
  if (state.offsets.get(groupId, topic, partitionIndex) === undefined) return;
  state.commit(offsetRecord(groupId, topic, partitionIndex, null));
}

/** Offsets of topics that are no more say nothing about a topic that takes the name later. */
export function forgetTopics(state: ShardState, isGone: (topic: string, topicId: string) => boolean): void {
  for (const groupId of [...state.offsets.groupIds()]) {
    for (const [topic, partitions] of [...state.offsets.of(groupId)]) {
      for (const [partitionIndex, { topicId }] of [...partitions]) {
        if (isGone(topic, topicId)) removeOffset(state, groupId, topic, partitionIndex);
      }
    }
  }
}

/**
 * Forgets offsets of topics that were deleted while nobody coordinated the group. Whoever took a commit knew the topic,
 * and whoever coordinates after it knows all that it knew.
 */
export function forgetDeletedTopics(state: ShardState): void {
  forgetTopics(state, (topic, topicId) => {
    const named = state.topics.named(topic);
    return named === undefined || (topicId !== ZERO_UUID && topicId !== named.topicId);
  });
}

/**
 * Forgets offsets that nobody needs any more (KIP-211): those of a group that has been empty for the retention time,
 * those of topics that no member of a stable group subscribes to, and those of consumers without a group after that
 * time without a commit. A group without members and offsets goes too.
 */
export function expireOffsets(state: ShardState): void {
  for (const group of [...state.groups.values()]) {
    const since = expiresSince(group);
    for (const [topic, partitions] of [...state.offsets.of(group.groupId)]) {
      for (const [partitionIndex, committed] of [...partitions]) {
        const sinceMs = since?.(topic, committed);
        if (sinceMs !== undefined && isExpired(state, committed, sinceMs)) {
          removeOffset(state, group.groupId, topic, partitionIndex);
        }
      }
    }
    const isExpected = group.type === "classic" && group.pendingJoins.size > 0;
    if (!state.offsets.has(group.groupId) && group.isEmpty && !isExpected) removeEmptyGroup(state, group);
  }
}

function isExpired({ wallMs, config }: ShardState, committed: CommittedOffset, sinceMs: number): boolean {
  if (committed.expireTimestamp >= 0) return wallMs >= committed.expireTimestamp;
  return wallMs - sinceMs >= config.offsetsRetentionMs;
}

/** Since when an offset has not been needed; undefined for one that is. */
function expiresSince(group: Group): ((topic: string, committed: CommittedOffset) => number | undefined) | undefined {
  if (group.isEmpty) {
    const emptySince = group.type === "classic" ? emptySinceMs(group) : -1;
    // An offset that an administrator has set since counts from then on.
    return (_, { commitTimestamp }) => Math.max(emptySince, commitTimestamp);
  }
  if (group.type === "classic" && group.state !== "Stable") return undefined;
  const subscribed = group.subscribedTopics();
  if (subscribed === undefined) return undefined;
  return (topic, { commitTimestamp }) => (subscribed.has(topic) ? undefined : commitTimestamp);
}

function emptySinceMs(group: ClassicGroup): number {
  return group.stored?.currentStateTimestamp ?? -1;
}
