import type { JoinGroupRequest, JoinGroupResponseInit } from "../protocol/apis/11-join-group.ts";
import { CONSUMER_PROTOCOL_TYPE } from "../protocol/consumer-protocol.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import { generationRecord } from "./classic-generation.ts";
import type { ClassicGroup } from "./classic-group.ts";
import { ClassicMember, isSame } from "./classic-member.ts";
import type { MemberTerms } from "./classic-member.ts";
import {
  completeJoinIfReady,
  dropMember,
  joined,
  onSessionTime,
  prepareRebalance,
  rebalance,
  refreshSession,
  refuseJoin,
  refuseSync,
  removeMember,
} from "./classic-rebalance.ts";
import { classicGroupToJoin, forgetIfHollow, idProblem } from "./groups.ts";
import { sizeOfClassicMember, sizeOfProtocols } from "./member-size.ts";
import type { Client, Reply } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";
import { isSameSubscription } from "./subscription.ts";

type JoinReply = Reply<JoinGroupResponseInit>;

/** Since these versions clients come back with the id they are given, and may be told not to assign. */
const MEMBER_ID_REQUIRED_SINCE = 4;
const SKIP_ASSIGNMENT_SINCE = 9;
/** From this version on the protocol's name can be null. */
const NULL_PROTOCOL_SINCE = 7;
/** A group that waits for static members alone looks for them this often, so it must not be nothing. */
const MIN_REBALANCE_TIMEOUT_MS = 100;
/** How much of a client's id goes into the ids of its members. */
const NAME_LENGTH = 100;

/** JoinGroup. The answer waits for the others; see {@link ClassicGroup} for what they go through together. */
export function joinGroup(state: ShardState, request: JoinGroupRequest, client: Client, reply: JoinReply): void {
  const refuse = (error: ErrorName) => state.answer(reply, error);
  const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = state.config;
  const { groupId, memberId, groupInstanceId, sessionTimeoutMs, protocolType } = request;
  const problem = groupId === "" ? "INVALID_GROUP_ID" : instanceProblem(state, groupInstanceId);
  if (problem !== undefined) return refuse(problem);
  if (sessionTimeoutMs < groupMinSessionTimeoutMs || sessionTimeoutMs > groupMaxSessionTimeoutMs) {
    return refuse("INVALID_SESSION_TIMEOUT");
  }
  const group = classicGroupToJoin(state, groupId, memberId === "");
  if (typeof group === "string") return refuse(group);
  if (!mayEnter(state, group, memberId)) {
    const member = group.members.get(memberId);
    if (member !== undefined) removeMember(state, group, member, "GROUP_MAX_SIZE_REACHED");
    return refuse("GROUP_MAX_SIZE_REACHED");
  }
  const terms = termsOf(request, client);
  if (!group.supports(protocolType, terms.protocols)) {
    forgetIfHollow(state, group);
    return refuse("INCONSISTENT_GROUP_PROTOCOL");
  }
  if (!hasRoom(state, group, memberId, groupInstanceId, terms)) {
    forgetIfHollow(state, group);
    return refuse("INVALID_REQUEST");
  }
  if (group.members.size === 0) group.protocolType = protocolType;
  if (memberId === "") joinAsNew(state, group, groupInstanceId, terms, client, reply);
  else joinAgain(state, group, memberId, groupInstanceId, terms, reply);
}

/** What a member is told in this version of JoinGroup that has not joined. */
export function refusedJoin(error: ErrorName, memberId: string, version: number): JoinGroupResponseInit {
  return {
    errorCode: errorCode(error),
    protocolName: version >= NULL_PROTOCOL_SINCE ? null : "",
    leader: "",
    memberId,
    members: [],
  };
}

function instanceProblem(state: ShardState, groupInstanceId: string | null): ErrorName | undefined {
  if (groupInstanceId === null) return undefined;
  return groupInstanceId === "" || idProblem(state, groupInstanceId) !== undefined ? "INVALID_REQUEST" : undefined;
}

/** Members of a group that is full stay in it; of those that join anew in a rebalance the last ones are turned away. */
function mayEnter({ config }: ShardState, group: ClassicGroup, memberId: string): boolean {
  const { members, pendingJoins } = group;
  const member = members.get(memberId);
  if (group.state !== "PreparingRebalance") {
    if (member !== undefined || pendingJoins.has(memberId)) return true;
    return members.size + pendingJoins.size < config.groupMaxSize;
  }
  if (member?.joining !== undefined || pendingJoins.has(memberId)) return true;
  let joining = 0;
  for (const other of members.values()) if (other.joining !== undefined) joining++;
  return joining + pendingJoins.size < config.groupMaxSize;
}

function hasRoom(
  { config }: ShardState,
  group: ClassicGroup,
  memberId: string,
  groupInstanceId: string | null,
  terms: MemberTerms,
): boolean {
  const replaced = group.members.get(memberId) ?? group.staticMember(groupInstanceId);
  const before = replaced === undefined ? 0 : sizeOfClassicMember(replaced.groupInstanceId, replaced.terms);
  const size = group.sizeInBytes - before + sizeOfClassicMember(groupInstanceId, terms);
  return sizeOfProtocols(terms.protocols) <= config.maxMemberBytes && size <= config.maxGroupBytes;
}

/** Copies what outlives the request's frame. */
function termsOf(request: JoinGroupRequest, { clientId, clientHost }: Client): MemberTerms {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request;
  return {
    clientId,
    clientHost,
    sessionTimeoutMs,
    rebalanceTimeoutMs: Math.max(rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs, MIN_REBALANCE_TIMEOUT_MS),
    protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: metadata.slice() })),
  };
}

function joinAsNew(
  state: ShardState,
  group: ClassicGroup,
  groupInstanceId: string | null,
  terms: MemberTerms,
  client: Client,
  reply: JoinReply,
): void {
  const name = [...(groupInstanceId ?? client.clientId)].slice(0, NAME_LENGTH).join("");
  const memberId = `${name}-${state.uuid()}`;
  if (groupInstanceId !== null) {
    const before = group.staticMember(groupInstanceId);
    if (before !== undefined) return replaceMember(state, group, before, memberId, terms, client, reply);
    return addMember(state, group, memberId, groupInstanceId, terms, reply);
  }
  if (client.version < MEMBER_ID_REQUIRED_SINCE) return addMember(state, group, memberId, null, terms, reply);
  expectJoin(state, group, memberId, terms.sessionTimeoutMs);
  state.answer(reply, refusedJoin("MEMBER_ID_REQUIRED", memberId, client.version));
}

/** A rebalance waits for an id that was handed out, until its time is up. */
function expectJoin(state: ShardState, group: ClassicGroup, memberId: string, timeoutMs: number): void {
  const timer = state.timers.timer(() => {
    group.pendingJoins.delete(memberId);
    completeJoinIfReady(state, group);
    forgetIfHollow(state, group);
  });
  timer.set(state.nowMs + timeoutMs);
  group.pendingJoins.set(memberId, timer);
}

function joinAgain(
  state: ShardState,
  group: ClassicGroup,
  memberId: string,
  groupInstanceId: string | null,
  terms: MemberTerms,
  reply: JoinReply,
): void {
  if (group.pendingJoins.has(memberId) && groupInstanceId === null) {
    group.pendingJoins.get(memberId)!.clear();
    group.pendingJoins.delete(memberId);
    return addMember(state, group, memberId, null, terms, reply);
  }
  const error = group.memberError(memberId, groupInstanceId);
  if (error !== undefined) return state.answer(reply, error);
  const member = group.members.get(memberId)!;
  const isUnchanged = member.hasProtocols(terms.protocols);
  const keepsGeneration =
    group.state === "CompletingRebalance" || (group.state === "Stable" && !group.isLeader(memberId));
  if (isUnchanged && keepsGeneration) {
    // It has not heard the answer to its join, and may have it again.
    refreshSession(state, member);
    return state.answer(reply, joined(group, member));
  }
  member.terms = terms;
  waitForOthers(state, group, member, reply);
}

function addMember(
  state: ShardState,
  group: ClassicGroup,
  memberId: string,
  groupInstanceId: string | null,
  terms: MemberTerms,
  reply: JoinReply,
): void {
  const member = enroll(state, group, memberId, groupInstanceId, terms);
  member.session.set(state.nowMs + state.config.newMemberJoinTimeoutMs);
  if (group.initialDelay !== undefined) group.initialDelay.hasGrown = true;
  waitForOthers(state, group, member, reply);
}

function enroll(
  state: ShardState,
  group: ClassicGroup,
  memberId: string,
  groupInstanceId: string | null,
  terms: MemberTerms,
): ClassicMember {
  const session = state.timers.timer(() => onSessionTime(state, group, member));
  const member = new ClassicMember(memberId, groupInstanceId, terms, session);
  group.members.set(memberId, member);
  group.leaderId ??= memberId;
  if (groupInstanceId !== null) group.staticMembers.set(groupInstanceId, memberId);
  return member;
}

function waitForOthers(state: ShardState, group: ClassicGroup, member: ClassicMember, reply: JoinReply): void {
  // The client asks again, so it no longer listens for the answer to what it asked before.
  refuseJoin(state, member, "REBALANCE_IN_PROGRESS");
  refuseSync(state, member, "REBALANCE_IN_PROGRESS");
  member.joining = reply;
  rebalance(state, group);
}

/**
 * A static member came back, or another process took its place: it gets a new id at once, under which it has what it
 * had before, and whoever still uses the old one is fenced (KIP-345). The others notice only if it wants something
 * else.
 */
function replaceMember(
  state: ShardState,
  group: ClassicGroup,
  before: ClassicMember,
  memberId: string,
  terms: MemberTerms,
  client: Client,
  reply: JoinReply,
): void {
  const wasLeader = group.isLeader(before.memberId);
  const assignment = group.assignmentOf(before.memberId);
  dropMember(state, group, before, "FENCED_INSTANCE_ID");
  const member = enroll(state, group, memberId, before.groupInstanceId, terms);
  if (wasLeader) group.leaderId = memberId;
  const keepsGeneration = group.state === "Stable" && wantsTheSame(group, before, member);
  if (!keepsGeneration) {
    member.session.set(state.nowMs + state.config.newMemberJoinTimeoutMs);
    member.joining = reply;
    if (group.state === "PreparingRebalance") return completeJoinIfReady(state, group);
    return prepareRebalance(state, group);
  }
  member.isNew = false;
  refreshSession(state, member);
  state.commit(
    generationRecord(group, state.wallMs, (id) => (id === memberId ? assignment : group.assignmentOf(id))),
  );
  const answer = joined(group, member);
  if (client.version >= SKIP_ASSIGNMENT_SINCE) return state.answer(reply, { ...answer, skipAssignment: wasLeader });
  // An older client that hears it leads would assign; it is told of the leader by the id that it had before.
  state.answer(reply, { ...answer, leader: wasLeader ? before.memberId : answer.leader, members: [] });
}

function wantsTheSame(group: ClassicGroup, before: ClassicMember, after: ClassicMember): boolean {
  const wanted = after.metadataFor(group.protocolName);
  const had = before.metadataFor(group.protocolName);
  if (wanted === undefined || had === undefined) return false;
  const matches = group.protocolType === CONSUMER_PROTOCOL_TYPE ? isSameSubscription : isSame;
  return matches(wanted, had) && group.votedProtocol() === group.protocolName;
}
