import { LEAVE_GROUP_STATIC_MEMBER_EPOCH } from "../protocol/apis/68-consumer-group-heartbeat.ts";
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponseInit,
} from "../protocol/apis/68-consumer-group-heartbeat.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { LeavingMember } from "./classic-leave.ts";
import type { ConsumerGroup } from "./consumer-group.ts";
import { removeMembers } from "./consumer-membership.ts";
import { currentAssignmentRecord } from "./consumer-records.ts";
import { consumerGroup } from "./groups.ts";
import type { Reply } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";

/** A heartbeat with the epoch -1 leaves; with -2 a static member keeps its place until its session ends. */
export function leaveByHeartbeat(
  state: ShardState,
  request: ConsumerGroupHeartbeatRequest,
  reply: Reply<ConsumerGroupHeartbeatResponseInit>,
): void {
  const { groupId, memberId, memberEpoch, instanceId } = request;
  const group = consumerGroup(state, groupId);
  if (group === undefined) return state.answer(reply, "GROUP_ID_NOT_FOUND");
  const error = leavingProblem(group, { memberId, groupInstanceId: instanceId });
  if (error !== undefined) return state.answer(reply, error);
  const member = group.members.get(memberId)!;
  if (memberEpoch === LEAVE_GROUP_STATIC_MEMBER_EPOCH) {
    // Nobody reads what is kept any more, and so nothing is left to be revoked.
    state.commit(
      currentAssignmentRecord(groupId, memberId, {
        ...member,
        memberEpoch,
        state: 0,
        pendingRevocation: new Map(),
      }),
    );
    group.revocations.get(memberId)?.clear();
    group.revocations.delete(memberId);
  } else {
    removeMembers(state, group, [memberId]);
  }
  state.answer(reply, { errorCode: 0, memberId, memberEpoch, heartbeatIntervalMs: 0 });
}

/** LeaveGroup works on consumer groups too, for administrators. */
export function leaveConsumerGroup(
  state: ShardState,
  group: ConsumerGroup,
  leaving: readonly LeavingMember[],
): ErrorName[] {
  const gone = new Set<string>();
  const errors = leaving.map((one): ErrorName => {
    const { memberId, groupInstanceId } = one;
    const named =
      memberId === "" && groupInstanceId !== null ? (group.staticMembers.get(groupInstanceId) ?? "") : memberId;
    const error = leavingProblem(group, { memberId: named, groupInstanceId });
    if (error !== undefined) return error;
    gone.add(named);
    return "NONE";
  });
  if (gone.size > 0) removeMembers(state, group, [...gone]);
  return errors;
}

function leavingProblem(group: ConsumerGroup, { memberId, groupInstanceId }: LeavingMember): ErrorName | undefined {
  if (groupInstanceId !== null) {
    const holder = group.staticMembers.get(groupInstanceId);
    if (holder === undefined) return "UNKNOWN_MEMBER_ID";
    if (holder !== memberId) return "FENCED_INSTANCE_ID";
  }
  return group.members.has(memberId) ? undefined : "UNKNOWN_MEMBER_ID";
}
