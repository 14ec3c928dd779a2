import type { GroupRecord, GroupRecordOf } from "../protocol/group-records/registry.ts";
import type { ConsumerGroupRecord } from "./consumer-group.ts";
import { classicGroup, consumerGroup, createClassicGroup, createConsumerGroup } from "./groups.ts";
import type { ShardState } from "./shard-state.ts";

/**
 * Brings the state up to one more record. It is the only way in which groups and offsets change, on the coordinator
 * that decides and on one that loads. Compaction takes away records that later ones have replaced, so each has to
 * make sense on its own.
 */
export function replay(state: ShardState, record: GroupRecord): void {
  switch (record.type) {
    case "OffsetCommit":
      return replayOffset(state, record);
    case "GroupMetadata":
      return replayGeneration(state, record);
    case "ConsumerGroupRegularExpression":
      // Nothing here subscribes by one.
      return;
    default:
      return replayConsumerGroup(state, record);
  }
}

function replayOffset(state: ShardState, { key, value }: GroupRecordOf<"OffsetCommit">): void {
  const { group: groupId, topic, partition } = key;
  if (value === null) {
    state.offsets.delete(groupId, topic, partition);
    const group = classicGroup(state, groupId);
    if (group?.isHollow === true && !state.offsets.has(groupId)) state.groups.delete(groupId);
    return;
  }
  state.offsets.set(groupId, topic, partition, value);
  if (!state.groups.has(groupId)) createClassicGroup(state, groupId);
}

function replayGeneration(state: ShardState, { key, value }: GroupRecordOf<"GroupMetadata">): void {
  const { group: groupId } = key;
  const group = classicGroup(state, groupId);
  if (value !== null) {
    (group ?? createClassicGroup(state, groupId)).stored = value;
  } else if (group !== undefined) {
    forget(state, groupId);
  }
}

function replayConsumerGroup(state: ShardState, record: ConsumerGroupRecord): void {
  const { groupId } = record.key;
  const known = consumerGroup(state, groupId);
  if (record.value === null && known === undefined) return;
  const group = known ?? createConsumerGroup(state, groupId);
  group.replay(record);
  if (record.type === "ConsumerGroupMetadata" && record.value === null) forget(state, groupId);
}

/** A group that is deleted but has offsets left is one without members. */
function forget(state: ShardState, groupId: string): void {
  state.groups.delete(groupId);
  if (state.offsets.has(groupId)) createClassicGroup(state, groupId);
}
