import type { RetryOptions } from "./backoff.ts";
import type { ConfigResourceTypes } from "./config-resources.ts";
import type { PartitionMetadata } from "./partitioner.ts";

/** What goes into the admin client's methods, and what comes out, in KafkaJS's shapes. */

export interface AdminConfig {
  readonly retry?: RetryOptions;
}

export interface ITopicConfig {
  readonly topic: string;
  /** -1, the default, for the cluster's default. */
  readonly numPartitions?: number;
  /**
   * A target: with fewer brokers the topic starts with fewer replicas and gains more. -1, the default, stands for the
   * cluster's.
   */
  readonly replicationFactor?: number;
  readonly replicaAssignment?: readonly { readonly partition: number; readonly replicas: readonly number[] }[];
  readonly configEntries?: readonly { readonly name: string; readonly value: string }[];
}

export interface ITopicMetadata {
  readonly name: string;
  readonly partitions: PartitionMetadata[];
}

export interface SeekEntry {
  readonly partition: number;
  readonly offset: string;
}

export interface ResourceConfigQuery {
  readonly type: ConfigResourceTypes;
  readonly name: string;
  /** All by default. */
  readonly configNames?: readonly string[];
}

export interface ConfigEntry {
  readonly configName: string;
  readonly configValue: string | null;
  readonly isDefault: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly readOnly: boolean;
  readonly configSynonyms: readonly { configName: string; configValue: string | null; configSource: number }[];
}

export interface DescribeConfigResponse {
  readonly resources: readonly {
    readonly configEntries: readonly ConfigEntry[];
    readonly errorCode: number;
    readonly errorMessage: string | null;
    readonly resourceName: string;
    readonly resourceType: number;
  }[];
  readonly throttleTime: number;
}

export interface IResourceConfig {
  readonly type: ConfigResourceTypes;
  readonly name: string;
  /** A null value takes the setting back, so that the default counts again. */
  readonly configEntries: readonly { readonly name: string; readonly value: string | null }[];
}

export interface CreateTopicsOptions {
  readonly topics: readonly ITopicConfig[];
  readonly validateOnly?: boolean;
  /** Resolves only when all partitions have leaders. True by default. */
  readonly waitForLeaders?: boolean;
  readonly timeout?: number;
}

export interface DeleteTopicsOptions {
  readonly topics: readonly string[];
  readonly timeout?: number;
}

export interface CreatePartitionsOptions {
  readonly topicPartitions: readonly {
    readonly topic: string;
    /** The partitions that the topic shall have afterwards. */
    readonly count: number;
    readonly assignments?: readonly (readonly number[])[];
  }[];
  readonly validateOnly?: boolean;
  readonly timeout?: number;
}

export interface DescribeConfigsOptions {
  readonly resources: readonly ResourceConfigQuery[];
  readonly includeSynonyms?: boolean;
}

export interface AlterConfigsOptions {
  readonly resources: readonly IResourceConfig[];
  readonly validateOnly?: boolean;
}

export interface PartitionReassignment {
  readonly topic: string;
  readonly partitionAssignment: readonly {
    readonly partition: number;
    /** The brokers that shall hold the partition, the preferred leader first; null takes a move back. */
    readonly replicas: readonly number[] | null;
  }[];
}

export interface AlterPartitionReassignmentsOptions {
  readonly topics: readonly PartitionReassignment[];
  readonly timeout?: number;
}

export interface ListPartitionReassignmentsOptions {
  /** All by default. */
  readonly topics?: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
  readonly timeout?: number;
}

export interface OngoingTopicReassignment {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    /** All that hold the partition now, those that come and those that go included. */
    readonly replicas: readonly number[];
    readonly addingReplicas: readonly number[];
    readonly removingReplicas: readonly number[];
  }[];
}
