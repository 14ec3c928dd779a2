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
