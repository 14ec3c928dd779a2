import { assert } from "../protocol/assert.ts";
import type { JoinGroupResponseInit } from "../protocol/apis/11-join-group.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { ClassicGroup } from "./classic-group.ts";
import { generationRecord } from "./classic-generation.ts";
import type { ClassicMember } from "./classic-member.ts";
import type { ShardState } from "./shard-state.ts";

const NOTHING = new Uint8Array(0);

/** Somebody came, or came back, or went: everybody has to join anew, unless they are at it already. */
export function rebalance(state: ShardState, group: ClassicGroup): void {
  if (group.state === "PreparingRebalance") completeJoinIfReady(state, group);
  else prepareRebalance(state, group);
}

export function prepareRebalance(state: ShardState, group: ClassicGroup): void {
  for (const member of group.members.values()) refuseSync(state, member, "REBALANCE_IN_PROGRESS");
  group.pendingSyncs.clear();
  group.syncTimer.clear();
  const wasEmpty = group.state === "Empty";
  group.state = "PreparingRebalance";
  if (!wasEmpty) {
    group.joinTimer.set(state.nowMs + group.rebalanceTimeoutMs);
    return completeJoinIfReady(state, group);
  }
  const delayMs = state.config.groupInitialRebalanceDelayMs;
  group.initialDelay = { remainingMs: Math.max(group.rebalanceTimeoutMs - delayMs, 0), hasGrown: false };
  group.joinTimer.set(state.nowMs + delayMs);
}

export function completeJoinIfReady(state: ShardState, group: ClassicGroup): void {
  if (group.state !== "PreparingRebalance" || group.initialDelay !== undefined || !group.hasAllJoined) return;
  completeJoin(state, group);
}

/** The initial delay, or the rebalance timeout, has passed. */
export function onJoinTime(state: ShardState, group: ClassicGroup): void {
  const delay = group.initialDelay;
  if (delay === undefined || !delay.hasGrown || delay.remainingMs === 0) return completeJoin(state, group);
  const delayMs = Math.min(state.config.groupInitialRebalanceDelayMs, delay.remainingMs);
  group.initialDelay = { remainingMs: delay.remainingMs - delayMs, hasGrown: false };
  group.joinTimer.set(state.nowMs + delayMs);
}

/** Who has joined is the next generation. Static members that are away keep their place until their session ends. */
function completeJoin(state: ShardState, group: ClassicGroup): void {
  group.joinTimer.clear();
  group.initialDelay = undefined;
  for (const member of group.members.values()) {
    if (member.joining === undefined && member.groupInstanceId === null) dropMember(state, group, member);
  }
  if (group.members.size === 0) return becomeEmpty(state, group);
  if (!electLeader(group)) return group.joinTimer.set(state.nowMs + group.rebalanceTimeoutMs);
  const protocolName = group.votedProtocol();
  assert(protocolName !== undefined, "members are let in only with a protocol that all support");
  group.generationId++;
  group.protocolName = protocolName;
  group.state = "CompletingRebalance";
  for (const member of group.members.values()) {
    group.pendingSyncs.add(member.memberId);
    refreshSession(state, member);
    const { joining } = member;
    member.isNew = false;
    member.joining = undefined;
    if (joining !== undefined) state.answer(joining, joined(group, member));
  }
  group.syncTimer.set(state.nowMs + group.rebalanceTimeoutMs);
}

function becomeEmpty(state: ShardState, group: ClassicGroup): void {
  group.generationId++;
  group.protocolName = null;
  group.leaderId = null;
  group.state = "Empty";
  state.commit(generationRecord(group, state.wallMs, () => NOTHING));
}

/** The leader stays while it joins with the others; else the first that does leads. Nobody does if all are away. */
function electLeader(group: ClassicGroup): boolean {
  if (group.leaderId !== null && group.members.get(group.leaderId)?.joining !== undefined) return true;
  for (const { memberId, joining } of group.members.values()) {
    if (joining === undefined) continue;
    group.leaderId = memberId;
    return true;
  }
  return false;
}

/** The answer to a member's join in the generation at hand. */
export function joined(group: ClassicGroup, { memberId }: ClassicMember): JoinGroupResponseInit {
  return {
    errorCode: 0,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName ?? "",
    leader: group.leaderId ?? "",
    memberId,
    members: group.isLeader(memberId) ? group.memberList() : [],
  };
}

/** Members that joined and never asked for their assignment leave the others waiting, and so have to go. */
export function onSyncTime(state: ShardState, group: ClassicGroup): void {
  if (group.pendingSyncs.size === 0) return;
  for (const memberId of group.pendingSyncs) {
    const member = group.members.get(memberId);
    if (member !== undefined) dropMember(state, group, member);
  }
  rebalance(state, group);
}

export function refreshSession(state: ShardState, member: ClassicMember): void {
  member.session.set(state.nowMs + member.terms.sessionTimeoutMs);
}

/** Whatever the coordinator waits for from its members may take as long again. */
export function restartWaiting(state: ShardState, group: ClassicGroup): void {
  for (const member of group.members.values()) {
    if (member.isNew) member.session.set(state.nowMs + state.config.newMemberJoinTimeoutMs);
    else refreshSession(state, member);
  }
  const timeMs = state.nowMs + group.rebalanceTimeoutMs;
  if (group.state === "PreparingRebalance" && group.initialDelay === undefined) group.joinTimer.set(timeMs);
  if (group.pendingSyncs.size > 0) group.syncTimer.set(timeMs);
}

/** A member that waits for an answer cannot be expected to send heartbeats meanwhile. */
export function onSessionTime(state: ShardState, group: ClassicGroup, member: ClassicMember): void {
  const waits = member.joining !== undefined || member.syncing !== undefined;
  if (waits && !member.isNew) return refreshSession(state, member);
  removeMember(state, group, member);
}

/** The member is gone, and the others share what it had. */
export function removeMember(
  state: ShardState,
  group: ClassicGroup,
  member: ClassicMember,
  error?: ErrorName,
): void {
  dropMember(state, group, member, error);
  rebalance(state, group);
}

/** Forgets a member; whatever it waits for is answered with the error. */
export function dropMember(
  state: ShardState,
  group: ClassicGroup,
  member: ClassicMember,
  error: ErrorName = "UNKNOWN_MEMBER_ID",
): void {
  member.session.clear();
  refuseJoin(state, member, error);
  refuseSync(state, member, error);
  group.members.delete(member.memberId);
  group.pendingSyncs.delete(member.memberId);
  const { groupInstanceId } = member;
  if (groupInstanceId !== null && group.staticMembers.get(groupInstanceId) === member.memberId) {
    group.staticMembers.delete(groupInstanceId);
  }
  if (group.isLeader(member.memberId)) group.leaderId = group.members.keys().next().value ?? null;
}

export function refuseJoin(state: ShardState, member: ClassicMember, error: ErrorName): void {
  const { joining } = member;
  member.joining = undefined;
  if (joining !== undefined) state.answer(joining, error);
}

export function refuseSync(state: ShardState, member: ClassicMember, error: ErrorName): void {
  const { syncing } = member;
  member.syncing = undefined;
  if (syncing !== undefined) state.answer(syncing, error);
}
