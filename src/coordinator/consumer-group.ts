import type { GroupRecordOf } from "../protocol/group-records/registry.ts";
import { NO_PARTITIONS, assignmentOf } from "./assignment.ts";
import type { Assignment } from "./assignment.ts";
import { STABLE } from "./consumer-member.ts";
import type { ConsumerMember, CurrentAssignment } from "./consumer-member.ts";
import { sizeOfConsumerMember } from "./member-size.ts";
import type { Timer } from "./timers.ts";

/** A subscribed topic as the group's epoch saw it. */
export interface SubscribedTopic {
  readonly topicId: string;
  readonly partitionCount: number;
}

export type ConsumerState = "Empty" | "Assigning" | "Reconciling" | "Stable";

/** The records that make up a consumer group. */
export type ConsumerGroupRecord = GroupRecordOf<
  | "ConsumerGroupMetadata"
  | "ConsumerGroupPartitionMetadata"
  | "ConsumerGroupMemberMetadata"
  | "ConsumerGroupTargetAssignmentMetadata"
  | "ConsumerGroupTargetAssignmentMember"
  | "ConsumerGroupCurrentMemberAssignment"
>;

const UNASSIGNED: CurrentAssignment = {
  memberEpoch: 0,
  previousMemberEpoch: 0,
  state: STABLE,
  assigned: NO_PARTITIONS,
  pendingRevocation: NO_PARTITIONS,
};

const NEW_MEMBER: Omit<ConsumerMember, "memberId"> = {
  instanceId: null,
  rackId: null,
  clientId: "",
  clientHost: "",
  subscribedTopicNames: [],
  rebalanceTimeoutMs: -1,
  serverAssignor: null,
  ...UNASSIGNED,
};

/**
 * A group whose coordinator assigns (KIP-848). Every change of members or topics raises the group's epoch, the target
 * assignment is made for an epoch, and each member moves towards it by its own heartbeats. All of it changes only as
 * records are replayed; the timers alone are soft.
 */
export class ConsumerGroup {
  readonly type = "consumer";
  readonly groupId: string;
  epoch = 0;
  /** The epoch that the target was made for. */
  assignmentEpoch = 0;
  readonly members = new Map<string, ConsumerMember>();
  /** The member id by the instance id. */
  readonly staticMembers = new Map<string, string>();
  readonly targets = new Map<string, Assignment>();
  /** By name. */
  topics: ReadonlyMap<string, SubscribedTopic> = new Map();
  /** Who holds a partition, be it assigned or not revoked yet: the member id by topic id and partition. */
  readonly #holders = new Map<string, Map<number, string>>();

  readonly sessions = new Map<string, Timer>();
  readonly revocations = new Map<string, Timer>();
  /** The version of the cluster's topics that `topics` was last compared with. */
  topicsVersion = -1;

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get isEmpty(): boolean {
    return this.members.size === 0;
  }

  get state(): ConsumerState {
    if (this.members.size === 0) return "Empty";
    if (this.epoch > this.assignmentEpoch) return "Assigning";
    for (const { state, memberEpoch } of this.members.values()) {
      if (state !== STABLE || memberEpoch !== this.assignmentEpoch) return "Reconciling";
    }
    return "Stable";
  }

  /** What its members say of themselves. Their assignments are bounded by the partitions that there are. */
  get sizeInBytes(): number {
    let size = 0;
    for (const member of this.members.values()) size += sizeOfConsumerMember(member);
    return size;
  }

  targetOf(memberId: string): Assignment {
    return this.targets.get(memberId) ?? NO_PARTITIONS;
  }

  isFree(topicId: string, partition: number): boolean {
    return this.#holders.get(topicId)?.has(partition) !== true;
  }

  subscribedTopics(): ReadonlySet<string> {
    const topics = new Set<string>();
    for (const { subscribedTopicNames } of this.members.values()) {
      for (const name of subscribedTopicNames) topics.add(name);
    }
    return topics;
  }

  replay(record: ConsumerGroupRecord): void {
    switch (record.type) {
      case "ConsumerGroupMetadata":
        this.epoch = record.value?.epoch ?? 0;
        return;
      case "ConsumerGroupPartitionMetadata":
        this.topics = new Map(
          (record.value?.topics ?? []).map(({ topicName, topicId, numPartitions }) => [
            topicName,
            { topicId, partitionCount: numPartitions },
          ]),
        );
        return;
      case "ConsumerGroupMemberMetadata":
        return this.#describeMember(record.key.memberId, record.value);
      case "ConsumerGroupTargetAssignmentMetadata":
        this.assignmentEpoch = record.value?.assignmentEpoch ?? 0;
        return;
      case "ConsumerGroupTargetAssignmentMember":
        if (record.value === null) this.targets.delete(record.key.memberId);
        else this.targets.set(record.key.memberId, assignmentOf(record.value.topicPartitions));
        return;
      case "ConsumerGroupCurrentMemberAssignment":
        return this.#assign(record.key.memberId, record.value);
    }
  }

  #describeMember(memberId: string, value: GroupRecordOf<"ConsumerGroupMemberMetadata">["value"]): void {
    const before = this.members.get(memberId);
    if (before?.instanceId != null && this.staticMembers.get(before.instanceId) === memberId) {
      this.staticMembers.delete(before.instanceId);
    }
    if (value === null) {
      if (before !== undefined) this.#release(before);
      this.members.delete(memberId);
      return;
    }
    const { classicMemberMetadata: _, subscribedTopicRegex: __, ...metadata } = value;
    this.members.set(memberId, { memberId, ...(before ?? NEW_MEMBER), ...metadata });
    if (metadata.instanceId !== null) this.staticMembers.set(metadata.instanceId, memberId);
  }

  #assign(memberId: string, value: GroupRecordOf<"ConsumerGroupCurrentMemberAssignment">["value"]): void {
    const before = this.members.get(memberId);
    if (before === undefined && value === null) return;
    // In a compacted log the member's own record may come later, if it was written again.
    const member = before ?? { memberId, ...NEW_MEMBER };
    this.#release(member);
    const after = { ...member, ...(value === null ? UNASSIGNED : currentAssignmentOf(value)) };
    this.members.set(memberId, after);
    for (const [topicId, partition] of heldBy(after)) {
      const holders = this.#holders.get(topicId) ?? new Map<number, string>();
      this.#holders.set(topicId, holders.set(partition, memberId));
    }
  }

  #release(member: ConsumerMember): void {
    for (const [topicId, partition] of heldBy(member)) {
      const holders = this.#holders.get(topicId);
      // While a compacted log is replayed another member may have taken the partition already.
      if (holders?.get(partition) !== member.memberId) continue;
      holders.delete(partition);
      if (holders.size === 0) this.#holders.delete(topicId);
    }
  }
}

function* heldBy({ assigned, pendingRevocation }: ConsumerMember): Generator<[topicId: string, partition: number]> {
  for (const assignment of [assigned, pendingRevocation]) {
    for (const [topicId, partitions] of assignment) for (const partition of partitions) yield [topicId, partition];
  }
}

function currentAssignmentOf(
  value: NonNullable<GroupRecordOf<"ConsumerGroupCurrentMemberAssignment">["value"]>,
): CurrentAssignment {
  const { memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation } = value;
  return {
    memberEpoch,
    previousMemberEpoch,
    state,
    assigned: assignmentOf(assignedPartitions),
    pendingRevocation: assignmentOf(partitionsPendingRevocation),
  };
}
