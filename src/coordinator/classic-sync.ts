import type { HeartbeatRequest, HeartbeatResponseInit } from "../protocol/apis/12-heartbeat.ts";
import type { SyncGroupRequest, SyncGroupResponseInit } from "../protocol/apis/14-sync-group.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import { generationRecord } from "./classic-generation.ts";
import type { ClassicGroup } from "./classic-group.ts";
import { refreshSession, refuseSync } from "./classic-rebalance.ts";
import { classicGroup } from "./groups.ts";
import type { Reply } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";

const NO_ASSIGNMENT = new Uint8Array(0);

/** What the names of a generation have to be right in, in every request of a member. */
interface MemberRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
}

/** The group that the member is in, or why it is not. */
function groupOfMember(state: ShardState, request: MemberRequest): ClassicGroup | ErrorName {
  if (request.groupId === "") return "INVALID_GROUP_ID";
  const group = classicGroup(state, request.groupId);
  const error = group?.memberError(request.memberId, request.groupInstanceId);
  if (group === undefined || error !== undefined) return error ?? "UNKNOWN_MEMBER_ID";
  return request.generationId === group.generationId ? group : "ILLEGAL_GENERATION";
}

/**
 * SyncGroup. Followers wait for the leader, whose request completes the generation: with that the group is stored, and
 * the answers leave once it is committed, so that nobody ever acts on an assignment that the next coordinator lacks.
 */
export function syncGroup(state: ShardState, request: SyncGroupRequest, reply: Reply<SyncGroupResponseInit>): void {
  const refuse = (error: ErrorName) => state.answer(reply, error);
  const group = groupOfMember(state, request);
  if (typeof group === "string") return refuse(group);
  const { memberId, protocolType, protocolName } = request;
  const isForeign =
    (protocolType !== null && protocolType !== group.protocolType) ||
    (protocolName !== null && protocolName !== group.protocolName);
  if (isForeign) return refuse("INCONSISTENT_GROUP_PROTOCOL");
  if (group.state === "PreparingRebalance") return refuse("REBALANCE_IN_PROGRESS");
  const member = group.members.get(memberId)!;
  if (group.state === "CompletingRebalance" && group.isLeader(memberId)) {
    const size = request.assignments.reduce((sum, { assignment }) => sum + assignment.length, 0);
    if (group.membersInBytes + size > state.config.maxGroupBytes) return refuse("INVALID_REQUEST");
    completeGeneration(state, group, request.assignments);
  }
  group.pendingSyncs.delete(memberId);
  if (group.state === "Stable") {
    if (group.pendingSyncs.size === 0) group.syncTimer.clear();
    refreshSession(state, member);
    return state.answer(reply, synced(group, memberId));
  }
  // The client asks again, so it no longer listens for the answer to what it asked before.
  refuseSync(state, member, "REBALANCE_IN_PROGRESS");
  member.syncing = reply;
}

function completeGeneration(
  state: ShardState,
  group: ClassicGroup,
  assignments: SyncGroupRequest["assignments"],
): void {
  const byMember = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment.slice()]));
  state.commit(generationRecord(group, state.wallMs, (memberId) => byMember.get(memberId) ?? NO_ASSIGNMENT));
  group.state = "Stable";
  for (const member of group.members.values()) {
    const { syncing } = member;
    member.syncing = undefined;
    if (syncing === undefined) continue;
    refreshSession(state, member);
    state.answer(syncing, synced(group, member.memberId));
  }
}

function synced(group: ClassicGroup, memberId: string): SyncGroupResponseInit {
  const { protocolType, protocolName } = group;
  return { errorCode: 0, protocolType, protocolName, assignment: group.assignmentOf(memberId) };
}

/** Heartbeat. During a rebalance it keeps the member in the group, and tells it to join again. */
export function heartbeat(state: ShardState, request: HeartbeatRequest, reply: Reply<HeartbeatResponseInit>): void {
  const group = groupOfMember(state, request);
  if (typeof group === "string") return state.answer(reply, group);
  refreshSession(state, group.members.get(request.memberId)!);
  state.answer(reply, group.state === "PreparingRebalance" ? "REBALANCE_IN_PROGRESS" : { errorCode: 0 });
}
