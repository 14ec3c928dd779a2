import type { ErrorName } from "../protocol/error-codes.ts";
import { ClassicGroup } from "./classic-group.ts";
import { groupTombstone, rebalanceTimers } from "./classic-generation.ts";
import { ConsumerGroup } from "./consumer-group.ts";
import { consumerGroupTombstones } from "./consumer-records.ts";
import type { ShardState } from "./shard-state.ts";

/** Kafka takes ids of any length; here they have a bound, since every one of them is kept in memory and in records. */
export function idProblem({ config }: ShardState, id: string): ErrorName | undefined {
  return id.length > config.maxIdLength ? "INVALID_GROUP_ID" : undefined;
}

/** The classic group of that name, or undefined if there is none or it is of the other type. */
export function classicGroup({ groups }: ShardState, groupId: string): ClassicGroup | undefined {
  const group = groups.get(groupId);
  return group?.type === "classic" ? group : undefined;
}

export function consumerGroup({ groups }: ShardState, groupId: string): ConsumerGroup | undefined {
  const group = groups.get(groupId);
  return group?.type === "consumer" ? group : undefined;
}

/** Members of the two protocols do not mix; an empty group becomes one of the type that its next member speaks. */
export function classicGroupToJoin(state: ShardState, groupId: string, mayCreate: boolean): ClassicGroup | ErrorName {
  const found = state.groups.get(groupId);
  if (found?.type === "classic") return found;
  if (found !== undefined && !found.isEmpty) return "INCONSISTENT_GROUP_PROTOCOL";
  if (!mayCreate) return "UNKNOWN_MEMBER_ID";
  const refusal = roomProblem(state, groupId);
  if (refusal !== undefined) return refusal;
  if (found !== undefined) for (const record of consumerGroupTombstones(found)) state.commit(record);
  return classicGroup(state, groupId) ?? createClassicGroup(state, groupId);
}

/**
 * A group in which nothing is stored yet: the group comes to exist with its first record. GROUP_ID_NOT_FOUND for one
 * of the other type with members, as for one that does not exist.
 */
export function consumerGroupToJoin(state: ShardState, groupId: string, mayCreate: boolean): ConsumerGroup | ErrorName {
  const found = state.groups.get(groupId);
  if (found?.type === "consumer") return found;
  if (!mayCreate || (found !== undefined && !(found.isEmpty && found.pendingJoins.size === 0))) {
    return "GROUP_ID_NOT_FOUND";
  }
  const refusal = roomProblem(state, groupId);
  if (refusal !== undefined) return refusal;
  if (found?.stored !== undefined) state.commit(groupTombstone(groupId));
  return createConsumerGroup(state, groupId);
}

export function createClassicGroup(state: ShardState, groupId: string): ClassicGroup {
  const group: ClassicGroup = new ClassicGroup(groupId, rebalanceTimers(state, () => group));
  state.groups.set(groupId, group);
  return group;
}

export function createConsumerGroup(state: ShardState, groupId: string): ConsumerGroup {
  const group = new ConsumerGroup(groupId);
  state.groups.set(groupId, group);
  return group;
}

/** A group that was made for somebody who did not stay goes with them, unless it has offsets. */
export function forgetIfHollow({ groups, offsets }: ShardState, group: ClassicGroup): void {
  const { groupId, isHollow } = group;
  if (isHollow && !offsets.has(groupId) && groups.get(groupId) === group) groups.delete(groupId);
}

/** Why a new group is refused, if it is. */
export function roomProblem(state: ShardState, groupId: string): ErrorName | undefined {
  if (state.groups.has(groupId)) return undefined;
  return idProblem(state, groupId) ?? (state.groups.size >= state.config.maxGroups ? "POLICY_VIOLATION" : undefined);
}
