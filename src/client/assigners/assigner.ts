import type { TopicPartition } from "../fetch-position.ts";
import type { Logger } from "../logger.ts";
import type { PartitionMetadata } from "../partitioner.ts";

/** A member as its group's leader knows it, in KafkaJS's shape. */
export interface GroupMember {
  readonly memberId: string;
  /** What the member's assigner made in `protocol`. */
  readonly memberMetadata: Uint8Array;
  /** Not one of KafkaJS's: the name of a static member, which outlives its member ids. */
  readonly groupInstanceId?: string | null;
}

export interface GroupMemberAssignment {
  readonly memberId: string;
  readonly memberAssignment: Uint8Array;
}

export interface GroupState {
  readonly name: string;
  readonly metadata: Uint8Array;
}

/** What an assigner may tell the leader of its member. All but `topics` is more than KafkaJS gives. */
export interface AssignerSubscription {
  readonly topics: string[];
  /** What the member had in `generationId`, in an eager group too, where it has given it up by now. */
  readonly ownedPartitions: readonly TopicPartition[];
  /** -1 for a member that had nothing. */
  readonly generationId: number;
  readonly rackId: string;
}

/** KafkaJS's interface of an assigner: it describes a member to the leader, and there divides the partitions. */
export interface Assigner {
  /** The protocol's name, by which members of a group find what they have in common. */
  readonly name: string;
  readonly version: number;
  /** Whether members keep their partitions while they join again (KIP-429). By default they give them up before. */
  readonly isCooperative?: boolean;
  assign(group: {
    readonly members: readonly GroupMember[];
    readonly topics: readonly string[];
  }): readonly GroupMemberAssignment[] | Promise<readonly GroupMemberAssignment[]>;
  protocol(subscription: AssignerSubscription): GroupState;
}

/** What assigners may ask about the cluster, by KafkaJS's names. */
export interface AssignerCluster {
  findTopicPartitionMetadata(topic: string): PartitionMetadata[];
  /** The node ids of leaders, each with those of `partitions` that it leads. */
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>;
  getNodeIds(): number[];
  isConnected(): boolean;
  /** The metadata is always followed, so these have nothing to do. */
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
}

/** Makes an assigner; called once per consumer. */
export type PartitionAssigner = (config: {
  readonly cluster: AssignerCluster;
  readonly groupId: string;
  readonly logger: Logger;
}) => Assigner;
