import type { LeaveGroupRequest, LeaveGroupResponseInit } from "../protocol/apis/13-leave-group.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { ClassicGroup } from "./classic-group.ts";
import { completeJoinIfReady, dropMember, rebalance } from "./classic-rebalance.ts";
import { consumerGroup, classicGroup, forgetIfHollow } from "./groups.ts";
import { leaveConsumerGroup } from "./consumer-leave.ts";
import type { Client, Reply } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";

const BATCH_SINCE = 3;

export interface LeavingMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/**
 * LeaveGroup, from members themselves or from an administrator, who names static ones by their instance id alone. Since
 * version 3 each has an error of its own; a request of before names one member, whose error is that of the whole.
 */
export function leaveGroup(
  state: ShardState,
  request: LeaveGroupRequest,
  { version }: Client,
  reply: Reply<LeaveGroupResponseInit>,
): void {
  const { groupId } = request;
  if (groupId === "") return state.answer(reply, "INVALID_GROUP_ID");
  const isBatch = version >= BATCH_SINCE;
  const leaving: readonly LeavingMember[] = isBatch
    ? request.members
    : [{ memberId: request.memberId, groupInstanceId: null }];
  const errors = leave(state, groupId, leaving);
  if (!isBatch) return state.answer(reply, { errorCode: errorCode(errors[0]!) });
  state.answer(reply, {
    errorCode: 0,
    members: leaving.map(({ memberId, groupInstanceId }, at) => ({
      memberId,
      groupInstanceId,
      errorCode: errorCode(errors[at]!),
    })),
  });
}

function leave(state: ShardState, groupId: string, leaving: readonly LeavingMember[]): ErrorName[] {
  const other = consumerGroup(state, groupId);
  if (other !== undefined) return leaveConsumerGroup(state, other, leaving);
  const group = classicGroup(state, groupId);
  if (group === undefined) return leaving.map(() => "UNKNOWN_MEMBER_ID");
  const sizeBefore = group.members.size;
  const errors = leaving.map((one) => leaveOne(state, group, one));
  if (group.members.size < sizeBefore) rebalance(state, group);
  else completeJoinIfReady(state, group);
  forgetIfHollow(state, group);
  return errors;
}

function leaveOne(state: ShardState, group: ClassicGroup, { memberId, groupInstanceId }: LeavingMember): ErrorName {
  const pending = group.pendingJoins.get(memberId);
  if (pending !== undefined && groupInstanceId === null) {
    pending.clear();
    group.pendingJoins.delete(memberId);
    return "NONE";
  }
  const named =
    memberId === "" && groupInstanceId !== null ? (group.staticMembers.get(groupInstanceId) ?? "") : memberId;
  const error = group.memberError(named, groupInstanceId);
  if (error !== undefined) return error;
  dropMember(state, group, group.members.get(named)!);
  return "NONE";
}
