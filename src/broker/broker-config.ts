import { defaultCoordinatorConfig } from "../coordinator/coordinator-config.ts";
import type { CoordinatorConfig } from "../coordinator/coordinator-config.ts";

/** Timings and limits of one broker. Nothing here bears on safety; it decides how soon things happen. */
export interface BrokerConfig {
  readonly heartbeatIntervalMs: number;
  /** A broker whose own time jumps by this much stops serving and registers anew (B6). */
  readonly timeGapMs: number;
  /** A follower that has not caught up for this long leaves the ISR. */
  readonly replicaLagTimeMaxMs: number;
  readonly replicaFetchWaitMaxMs: number;
  readonly replicaFetchMaxBytes: number;
  readonly replicaFetchResponseMaxBytes: number;
  /** The most that one consumer fetch may hold in memory, whatever it asks for. */
  readonly fetchMaxBytes: number;
  readonly retentionCheckIntervalMs: number;
  /** Bounds on what one client connection may have waiting here. */
  readonly maxPipelinedRequests: number;
  readonly maxPipelinedBytes: number;
  /** With how many partitions `__consumer_offsets` is made, and how many replicas each shall have. */
  readonly offsetsTopicPartitions: number;
  readonly offsetsTopicReplicationFactor: number;
  readonly coordinator: CoordinatorConfig;
}

/** The session timeout of the controller is 4 s, so that eight heartbeats must be missed before it gives a tab up. */
export const defaultBrokerConfig: BrokerConfig = {
  heartbeatIntervalMs: 500,
  timeGapMs: 3_000,
  replicaLagTimeMaxMs: 10_000,
  replicaFetchWaitMaxMs: 500,
  replicaFetchMaxBytes: 1024 * 1024,
  replicaFetchResponseMaxBytes: 8 * 1024 * 1024,
  fetchMaxBytes: 32 * 1024 * 1024,
  retentionCheckIntervalMs: 30_000,
  maxPipelinedRequests: 1_000,
  maxPipelinedBytes: 128 * 1024 * 1024,
  offsetsTopicPartitions: 8,
  offsetsTopicReplicationFactor: 3,
  coordinator: defaultCoordinatorConfig,
};
