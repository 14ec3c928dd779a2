import { assert } from "../protocol/assert.ts";
import type { GroupRecordOf } from "../protocol/group-records/registry.ts";
import type { ClassicGroup, StoredMember } from "./classic-group.ts";
import { ClassicMember } from "./classic-member.ts";
import { onJoinTime, onSessionTime, onSyncTime, prepareRebalance } from "./classic-rebalance.ts";
import type { ShardState } from "./shard-state.ts";

/** The group as it is, with what the leader assigned, as its record has it. */
export function generationRecord(
  group: ClassicGroup,
  wallMs: number,
  assignmentOf: (memberId: string) => Uint8Array,
): GroupRecordOf<"GroupMetadata"> {
  const members = group.memberList().map(({ memberId, groupInstanceId, metadata }): StoredMember => {
    const { terms } = group.members.get(memberId)!;
    return {
      memberId,
      groupInstanceId,
      clientId: terms.clientId,
      clientHost: terms.clientHost,
      rebalanceTimeout: terms.rebalanceTimeoutMs,
      sessionTimeout: terms.sessionTimeoutMs,
      subscription: metadata,
      assignment: assignmentOf(memberId),
    };
  });
  return {
    type: "GroupMetadata",
    key: { group: group.groupId },
    value: {
      protocolType: group.protocolType,
      generation: group.generationId,
      protocol: group.protocolName,
      leader: group.leaderId,
      currentStateTimestamp: wallMs,
      members,
    },
  };
}

export function groupTombstone(groupId: string): GroupRecordOf<"GroupMetadata"> {
  return { type: "GroupMetadata", key: { group: groupId }, value: null };
}

/**
 * Goes on where another coordinator left the group: with the stored generation, as if it had just been completed, and
 * all sessions starting anew. Of each member's protocols only the one in use is known, which shows if it joins again.
 */
export function resumeGeneration(state: ShardState, group: ClassicGroup): void {
  const { stored } = group;
  if (stored === undefined) return;
  assert(group.members.size === 0, "a group is resumed once");
  group.generationId = stored.generation;
  group.protocolType = stored.protocolType;
  group.protocolName = stored.protocol;
  group.leaderId = stored.leader;
  for (const { memberId, groupInstanceId, subscription, ...saved } of stored.members) {
    const { clientId, clientHost, sessionTimeout: sessionTimeoutMs } = saved;
    const member = new ClassicMember(
      memberId,
      groupInstanceId,
      {
        clientId,
        clientHost,
        sessionTimeoutMs,
        rebalanceTimeoutMs: saved.rebalanceTimeout < 0 ? sessionTimeoutMs : saved.rebalanceTimeout,
        protocols: stored.protocol === null ? [] : [{ name: stored.protocol, metadata: subscription }],
      },
      state.timers.timer(() => onSessionTime(state, group, member)),
    );
    member.isNew = false;
    member.session.set(state.nowMs + sessionTimeoutMs);
    group.members.set(memberId, member);
    if (groupInstanceId !== null) group.staticMembers.set(groupInstanceId, memberId);
  }
  group.state = stored.members.length === 0 ? "Empty" : "Stable";
  if (group.members.size > state.config.groupMaxSize) prepareRebalance(state, group);
}

/** The timers of a group's rebalances, for its construction. */
export function rebalanceTimers(state: ShardState, group: () => ClassicGroup) {
  return {
    join: state.timers.timer(() => onJoinTime(state, group())),
    sync: state.timers.timer(() => onSyncTime(state, group())),
  };
}
