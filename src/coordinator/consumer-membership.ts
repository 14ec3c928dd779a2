import { NO_PARTITIONS, isSameAssignment } from "./assignment.ts";
import type { Assignment } from "./assignment.ts";
import type { AssignedMember } from "./assignors/assignor.ts";
import { DEFAULT_ASSIGNOR, assignors } from "./assignors/table.ts";
import type { ConsumerGroup, SubscribedTopic } from "./consumer-group.ts";
import { UNREVOKED_PARTITIONS } from "./consumer-member.ts";
import type { ConsumerMember } from "./consumer-member.ts";
import {
  groupEpochRecord,
  memberTombstones,
  targetEpochRecord,
  targetRecord,
  topicsRecord,
} from "./consumer-records.ts";
import type { ShardState } from "./shard-state.ts";

/** Something changed that assignments depend on; the next heartbeat of anybody makes the new target. */
export function raiseEpoch(state: ShardState, group: ConsumerGroup): void {
  state.commit(groupEpochRecord(group.groupId, group.epoch + 1));
}

/**
 * Compares the topics that the group subscribes to with those of the cluster. Says whether they changed, and notes
 * it.
 */
export function refreshTopics(state: ShardState, group: ConsumerGroup): boolean {
  group.topicsVersion = state.topics.version;
  const topics = new Map<string, SubscribedTopic>();
  for (const name of [...group.subscribedTopics()].sort()) {
    const topic = state.topics.named(name);
    if (topic !== undefined) topics.set(name, topic);
  }
  if (isSameTopics(group.topics, topics)) return false;
  state.commit(topicsRecord(group.groupId, topics));
  return true;
}

function isSameTopics(
  left: ReadonlyMap<string, SubscribedTopic>,
  right: ReadonlyMap<string, SubscribedTopic>,
): boolean {
  if (left.size !== right.size) return false;
  for (const [name, { topicId, partitionCount }] of left) {
    const other = right.get(name);
    if (other?.topicId !== topicId || other.partitionCount !== partitionCount) return false;
  }
  return true;
}

/** Makes the target assignment for the group's epoch. */
export function assignTarget(state: ShardState, group: ConsumerGroup): void {
  const members = [...group.members.values()].map((member): AssignedMember => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    subscribed: member.subscribedTopicNames.flatMap((name) => group.topics.get(name)?.topicId ?? []),
    target: group.targetOf(member.memberId),
  }));
  const counts = new Map([...group.topics.values()].map(({ topicId, partitionCount }) => [topicId, partitionCount]));
  const target = assignors.get(assignorOf(group))!.assign(members, counts);
  for (const { memberId, target: before } of members) {
    const after: Assignment = target.get(memberId) ?? NO_PARTITIONS;
    if (!group.targets.has(memberId) || !isSameAssignment(before, after)) {
      state.commit(targetRecord(group.groupId, memberId, after));
    }
  }
  state.commit(targetEpochRecord(group.groupId, group.epoch));
}

/** The assignor that most members ask for. */
export function assignorOf(group: ConsumerGroup): string {
  const votes = new Map<string, number>();
  for (const { serverAssignor } of group.members.values()) {
    if (serverAssignor !== null) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1);
  }
  let winner = DEFAULT_ASSIGNOR;
  for (const [name, count] of votes) if (count > (votes.get(winner) ?? 0)) winner = name;
  return winner;
}

/** The member is gone with all it held, and the others share that. */
export function removeMembers(state: ShardState, group: ConsumerGroup, memberIds: readonly string[]): void {
  for (const memberId of memberIds) {
    forgetTimers(group, memberId);
    for (const record of memberTombstones(group.groupId, memberId)) state.commit(record);
  }
  refreshTopics(state, group);
  raiseEpoch(state, group);
}

export function forgetTimers(group: ConsumerGroup, memberId: string): void {
  for (const timers of [group.sessions, group.revocations]) {
    timers.get(memberId)?.clear();
    timers.delete(memberId);
  }
}

/** The member has been heard of. */
export function refreshConsumerSession(state: ShardState, group: ConsumerGroup, memberId: string): void {
  const session = group.sessions.get(memberId) ?? state.timers.timer(() => removeMembers(state, group, [memberId]));
  group.sessions.set(memberId, session);
  session.set(state.nowMs + state.config.groupConsumerSessionTimeoutMs);
}

/**
 * A member that has partitions to give up gets its rebalance timeout to do so, counted from when it was told. To be
 * called whenever its assignment changed.
 */
export function watchRevocation(state: ShardState, group: ConsumerGroup, member: ConsumerMember): void {
  const { memberId, rebalanceTimeoutMs } = member;
  group.revocations.get(memberId)?.clear();
  group.revocations.delete(memberId);
  if (member.state !== UNREVOKED_PARTITIONS) return;
  const timer = state.timers.timer(() => removeMembers(state, group, [memberId]));
  timer.set(state.nowMs + rebalanceTimeoutMs);
  group.revocations.set(memberId, timer);
}

/**
 * Goes on where another coordinator left the group, or after nobody could be heard: sessions start anew, and so does the
 * time in which members are to give partitions up, for a heartbeat alone says that they have.
 */
export function resumeConsumerGroup(state: ShardState, group: ConsumerGroup): void {
  for (const member of group.members.values()) {
    refreshConsumerSession(state, group, member.memberId);
    watchRevocation(state, group, member);
  }
}
