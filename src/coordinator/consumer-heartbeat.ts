import {
  JOIN_GROUP_MEMBER_EPOCH,
  LEAVE_GROUP_STATIC_MEMBER_EPOCH,
} from "../protocol/apis/68-consumer-group-heartbeat.ts";
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponseInit,
} from "../protocol/apis/68-consumer-group-heartbeat.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import { assignmentOf, isSameAssignment, isSubset, topicPartitionsOf } from "./assignment.ts";
import type { Assignment } from "./assignment.ts";
import { assignors } from "./assignors/table.ts";
import type { ConsumerGroup } from "./consumer-group.ts";
import { leaveByHeartbeat } from "./consumer-leave.ts";
import type { ConsumerMember, CurrentAssignment, MemberMetadata } from "./consumer-member.ts";
import {
  assignTarget,
  forgetTimers,
  raiseEpoch,
  refreshConsumerSession,
  refreshTopics,
  watchRevocation,
} from "./consumer-membership.ts";
import {
  currentAssignmentRecord,
  memberRecord,
  memberTombstones,
  targetRecord,
} from "./consumer-records.ts";
import { consumerGroup, consumerGroupToJoin, idProblem } from "./groups.ts";
import { sizeOfConsumerMember, sizeOfSubscription } from "./member-size.ts";
import { nextAssignment } from "./next-assignment.ts";
import type { Client, Reply } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";

type Request = ConsumerGroupHeartbeatRequest;
export type ConsumerHeartbeatReply = Reply<ConsumerGroupHeartbeatResponseInit>;

/** From this version on members make their ids themselves (KIP-1082). */
const OWN_MEMBER_ID_SINCE = 1;

/** ConsumerGroupHeartbeat (KIP-848): joins, stays, reports what the member owns, hears what it may own, and leaves. */
export function consumerGroupHeartbeat(
  state: ShardState,
  request: Request,
  client: Client,
  reply: ConsumerHeartbeatReply,
): void {
  const refuse = (error: ErrorName, message: string | null = null) =>
    state.answer(reply, {
      errorCode: errorCode(error),
      errorMessage: message,
      memberEpoch: 0,
      heartbeatIntervalMs: 0,
    });
  const fault = findFault(state, request, client) ?? findGrowth(state, request, client);
  if (fault !== undefined) return refuse(...fault);
  if (request.memberEpoch < 0) return leaveByHeartbeat(state, request, reply);
  const isJoining = request.memberEpoch === JOIN_GROUP_MEMBER_EPOCH;
  const group = consumerGroupToJoin(state, request.groupId, isJoining);
  if (typeof group === "string") return refuse(group);
  const memberId = request.memberId === "" ? state.uuid() : request.memberId;
  const owned = request.topicPartitions === null ? undefined : assignmentOf(request.topicPartitions);
  const error = memberProblem(state, group, request, memberId, owned);
  if (error !== undefined) return refuse(error);
  describe(state, group, request, client, memberId);
  reconcile(state, group, request, memberId, owned, reply);
}

/** What is wrong with the request by itself, with a word on what would be right. */
function findFault(state: ShardState, request: Request, { version }: Client): [ErrorName, string] | undefined {
  const { groupId, memberId, memberEpoch, instanceId, rackId, subscribedTopicNames, subscribedTopicRegex } = request;
  const { maxMemberBytes } = state.config;
  const invalid = (message: string): [ErrorName, string] => ["INVALID_REQUEST", message];
  if (groupId === "") return invalid("the group id is empty");
  for (const id of [groupId, memberId, instanceId ?? "", rackId ?? ""]) {
    const problem = idProblem(state, id);
    if (problem !== undefined) return [problem, `an id of ${id.length} characters exceeds ${state.config.maxIdLength}`];
  }
  if (instanceId === "" || rackId === "") return invalid("an instance id or rack id is null or not empty");
  if (memberEpoch < LEAVE_GROUP_STATIC_MEMBER_EPOCH) return invalid(`there is no member epoch ${memberEpoch}`);
  if (memberId === "" && (memberEpoch !== JOIN_GROUP_MEMBER_EPOCH || version >= OWN_MEMBER_ID_SINCE)) {
    return invalid("the member id is empty");
  }
  if (memberEpoch === LEAVE_GROUP_STATIC_MEMBER_EPOCH && instanceId === null) {
    return invalid("only a member with an instance id leaves with the epoch -2");
  }
  if (subscribedTopicRegex !== null && subscribedTopicRegex !== "") {
    return ["INVALID_REGULAR_EXPRESSION", "regular expressions are not matched here; subscribe to topics by name"];
  }
  const size = sizeOfSubscription(subscribedTopicNames ?? []);
  if (size > maxMemberBytes) return invalid(`a subscription of ${size} bytes exceeds ${maxMemberBytes}`);
  if (request.serverAssignor !== null && !assignors.has(request.serverAssignor)) {
    return ["UNSUPPORTED_ASSIGNOR", `the assignors are ${[...assignors.keys()].join(", ")}`];
  }
  return memberEpoch === JOIN_GROUP_MEMBER_EPOCH ? findJoinFault(request) : undefined;
}

function findJoinFault(request: Request): [ErrorName, string] | undefined {
  if (request.rebalanceTimeoutMs < 0) return ["INVALID_REQUEST", "a joining member gives its rebalance timeout"];
  if (request.topicPartitions === null || request.topicPartitions.length > 0) {
    return ["INVALID_REQUEST", "a joining member owns no partitions"];
  }
  return request.subscribedTopicNames === null
    ? ["INVALID_REQUEST", "a joining member names the topics that it subscribes to"]
    : undefined;
}

/** Only so much is held of all members of a group together. */
function findGrowth(state: ShardState, request: Request, client: Client): [ErrorName, string] | undefined {
  const { groupId, memberId, memberEpoch, instanceId } = request;
  const { maxGroupBytes } = state.config;
  const group = consumerGroup(state, groupId);
  const before = group?.members.get(memberId) ?? group?.members.get(group.staticMembers.get(instanceId ?? "") ?? "");
  // Who leaves, or is no member, adds nothing.
  if (memberEpoch < 0 || (before === undefined && memberEpoch !== JOIN_GROUP_MEMBER_EPOCH)) return undefined;
  const after = metadataOf(request, client, before);
  if (before !== undefined && isSameMetadata(before, after)) return undefined;
  const othersSize = (group?.sizeInBytes ?? 0) - (before === undefined ? 0 : sizeOfConsumerMember(before));
  const size = othersSize + sizeOfConsumerMember({ ...after, memberId });
  if (size <= maxGroupBytes) return undefined;
  const taken = `the group's members, by their names and subscriptions, would take ${size} bytes`;
  return ["INVALID_REQUEST", `${taken}, of at most ${maxGroupBytes}; have fewer members, or fewer topics each`];
}

/**
 * Lets a static member take its old place, and says why the member may not go on, if it may not. A name is free once
 * its holder has left with the epoch -2. A holder that begins anew under its own member id is no other: the response to
 * its join was lost. Kafka 4.2 refuses that as well, which ends the consumer; see its pull request 23542.
 */
function memberProblem(
  state: ShardState,
  group: ConsumerGroup,
  { memberEpoch, instanceId }: Request,
  memberId: string,
  owned: Assignment | undefined,
): ErrorName | undefined {
  const isJoining = memberEpoch === JOIN_GROUP_MEMBER_EPOCH;
  const holder = instanceId === null ? undefined : group.members.get(group.staticMembers.get(instanceId) ?? "");
  if (holder !== undefined && holder.memberEpoch === LEAVE_GROUP_STATIC_MEMBER_EPOCH && isJoining) {
    // Whoever is a member already has a place, and cannot take another one.
    if (holder.memberId !== memberId && group.members.has(memberId)) return "FENCED_MEMBER_EPOCH";
    takePlace(state, group, holder, memberId);
    return undefined;
  }
  if (holder !== undefined && holder.memberId !== memberId) {
    return isJoining ? "UNRELEASED_INSTANCE_ID" : "FENCED_INSTANCE_ID";
  }
  const member = group.members.get(memberId);
  if (!isJoining && (member === undefined || (instanceId !== null && holder === undefined))) return "UNKNOWN_MEMBER_ID";
  if (member !== undefined) return epochProblem(member, memberEpoch, owned);
  return group.members.size >= state.config.groupMaxSize ? "GROUP_MAX_SIZE_REACHED" : undefined;
}

/**
 * A member may name its epoch, or the one before it while it owns nothing but what it has by now: then the response
 * that raised its epoch was lost. And it may always begin anew, for then it owns nothing (KAFKA-19233).
 */
function epochProblem(
  member: ConsumerMember,
  memberEpoch: number,
  owned: Assignment | undefined,
): ErrorName | undefined {
  const beginsAnew = memberEpoch === JOIN_GROUP_MEMBER_EPOCH;
  if (beginsAnew || memberEpoch === member.memberEpoch) return undefined;
  const isLostResponse =
    memberEpoch < member.memberEpoch &&
    memberEpoch === member.previousMemberEpoch &&
    owned !== undefined &&
    isSubset(owned, member.assigned);
  return isLostResponse ? undefined : "FENCED_MEMBER_EPOCH";
}

/** A static member comes back, perhaps under another id, to what its place was kept with. */
function takePlace(state: ShardState, group: ConsumerGroup, left: ConsumerMember, memberId: string): void {
  const { groupId } = group;
  const target = group.targetOf(left.memberId);
  forgetTimers(group, left.memberId);
  if (left.memberId !== memberId) {
    for (const record of memberTombstones(groupId, left.memberId)) state.commit(record);
    state.commit(memberRecord(groupId, memberId, left));
    state.commit(targetRecord(groupId, memberId, target));
  }
  const { state: step, assigned, pendingRevocation } = left;
  const kept = { memberEpoch: 0, previousMemberEpoch: 0, state: step, assigned, pendingRevocation };
  state.commit(currentAssignmentRecord(groupId, memberId, kept));
}

/**
 * Notes what the member says of itself, and raises the group's epoch if it subscribes to something else. Another
 * assignor waits for the next epoch, as in Kafka.
 */
function describe(state: ShardState, group: ConsumerGroup, request: Request, client: Client, memberId: string): void {
  const before = group.members.get(memberId);
  const after = metadataOf(request, client, before);
  if (before === undefined || !isSameMetadata(before, after)) {
    state.commit(memberRecord(group.groupId, memberId, after));
  }
  const isSubscribedAnew = before === undefined || !isSameList(before.subscribedTopicNames, after.subscribedTopicNames);
  const mayDiffer = isSubscribedAnew || group.topicsVersion !== state.topics.version;
  const isTopicsChange = mayDiffer && refreshTopics(state, group);
  if (isSubscribedAnew || isTopicsChange) raiseEpoch(state, group);
  if (group.epoch > group.assignmentEpoch) assignTarget(state, group);
}

/** What the member says of itself now; what it leaves out is as before. */
function metadataOf(
  request: Request,
  { clientId, clientHost }: Client,
  before: ConsumerMember | undefined,
): MemberMetadata {
  const { rebalanceTimeoutMs } = request;
  return {
    instanceId: request.instanceId ?? before?.instanceId ?? null,
    rackId: request.rackId ?? before?.rackId ?? null,
    clientId,
    clientHost,
    subscribedTopicNames:
      request.subscribedTopicNames === null
        ? (before?.subscribedTopicNames ?? [])
        : [...new Set(request.subscribedTopicNames)].sort(),
    rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? (before?.rebalanceTimeoutMs ?? -1) : rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? before?.serverAssignor ?? null,
  };
}

function isSameMetadata(left: MemberMetadata, right: MemberMetadata): boolean {
  return (
    left.instanceId === right.instanceId &&
    left.rackId === right.rackId &&
    left.clientId === right.clientId &&
    left.clientHost === right.clientHost &&
    left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
    left.serverAssignor === right.serverAssignor &&
    isSameList(left.subscribedTopicNames, right.subscribedTopicNames)
  );
}

function isSameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name, at) => name === right[at]);
}

/** Takes the member one step towards its target, and tells it. */
function reconcile(
  state: ShardState,
  group: ConsumerGroup,
  request: Request,
  memberId: string,
  owned: Assignment | undefined,
  reply: ConsumerHeartbeatReply,
): void {
  const before = group.members.get(memberId)!;
  const next = nextAssignment(before, {
    target: group.targetOf(memberId),
    targetEpoch: group.assignmentEpoch,
    isFree: (topicId, partition) => group.isFree(topicId, partition),
    owned,
  });
  refreshConsumerSession(state, group, memberId);
  if (!isSameStep(before, next)) {
    state.commit(currentAssignmentRecord(group.groupId, memberId, next));
    watchRevocation(state, group, group.members.get(memberId)!);
  }
  const after = group.members.get(memberId)!;
  const isFull =
    request.memberEpoch < after.memberEpoch ||
    (request.subscribedTopicNames !== null && request.rebalanceTimeoutMs >= 0 && owned !== undefined);
  const tells = isFull || !isSameAssignment(before.assigned, after.assigned);
  state.answer(reply, {
    errorCode: 0,
    memberId,
    memberEpoch: after.memberEpoch,
    heartbeatIntervalMs: heartbeatIntervalMs(state, group),
    assignment: tells ? { topicPartitions: topicPartitionsOf(after.assigned) } : null,
  });
}

function heartbeatIntervalMs({ config }: ShardState, { members }: ConsumerGroup): number {
  const fairMs = Math.ceil((1_000 * members.size) / config.groupConsumerHeartbeatsPerSecond);
  return Math.max(config.groupConsumerHeartbeatIntervalMs, fairMs);
}

function isSameStep(left: CurrentAssignment, right: CurrentAssignment): boolean {
  return (
    left === right ||
    (left.memberEpoch === right.memberEpoch &&
      left.previousMemberEpoch === right.previousMemberEpoch &&
      left.state === right.state &&
      isSameAssignment(left.assigned, right.assigned) &&
      isSameAssignment(left.pendingRevocation, right.pendingRevocation))
  );
}
