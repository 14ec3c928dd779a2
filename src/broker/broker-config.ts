import { defaultCoordinatorConfig } from "../coordinator/coordinator-config.ts";
import type { CoordinatorConfig } from "../coordinator/coordinator-config.ts";
import { CHUNK_BYTES } from "../log/chunk-building.ts";
import type { JoiningSizes } from "../log/chunk-joining.ts";

/** Timings and limits of one broker. Nothing here bears on safety; it decides how soon things happen. */
export interface BrokerConfig {
  readonly heartbeatIntervalMs: number;
  /** A broker whose own time jumps by this much stops serving and registers anew (B6). */
  readonly timeGapMs: number;
  /** A follower that has not caught up for this long leaves the ISR. */
  readonly replicaLagTimeMaxMs: number;
  /** How long a fetch waits at the leader for news, while this replica is in no ISR yet of a partition it asks for. */
  readonly replicaFetchWaitMaxMs: number;
  /** The same once it is in all of them; never longer than half of the lag that is allowed. */
  readonly inSyncFetchWaitMaxMs: number;
  /** Of one partition. While an answer is stored none is under way, so larger ones make a replica catch up faster. */
  readonly replicaFetchMaxBytes: number;
  readonly replicaFetchResponseMaxBytes: number;
  /** The most that one consumer fetch may hold in memory, whatever it asks for. */
  readonly fetchMaxBytes: number;
  readonly retentionCheckIntervalMs: number;
  readonly joining: JoiningSizes;
  /** How long a copy is kept of a partition that was moved to other brokers, in case that it is moved back. */
  readonly strayCopyRetentionMs: number;
  /** How many requests of one client connection are under way at once; more wait for them. */
  readonly maxPipelinedRequests: number;
  /** Bounds what one client connection may have waiting here, and what waits for the disk. */
  readonly maxPipelinedBytes: number;
  /** With how many partitions `__consumer_offsets` is made, and how many replicas each shall have. */
  readonly offsetsTopicPartitions: number;
  readonly offsetsTopicReplicationFactor: number;
  readonly coordinator: CoordinatorConfig;
}

/**
 * The session timeout of the controller is 4 s, so that four heartbeats must be missed before it gives a tab up. What an
 * idle tab costs is how often it wakes, and wakes others: heartbeats and fetches that wait for nothing are most of that.
 */
export const defaultBrokerConfig: BrokerConfig = {
  heartbeatIntervalMs: 1_000,
  timeGapMs: 3_000,
  replicaLagTimeMaxMs: 10_000,
  replicaFetchWaitMaxMs: 500,
  inSyncFetchWaitMaxMs: 5_000,
  replicaFetchMaxBytes: 4 * 1024 * 1024,
  replicaFetchResponseMaxBytes: 8 * 1024 * 1024,
  fetchMaxBytes: 32 * 1024 * 1024,
  retentionCheckIntervalMs: 30_000,
  joining: { chunkBytes: CHUNK_BYTES, minChunks: 16 },
  strayCopyRetentionMs: 10 * 60 * 1000,
  maxPipelinedRequests: 1_000,
  maxPipelinedBytes: 128 * 1024 * 1024,
  offsetsTopicPartitions: 8,
  offsetsTopicReplicationFactor: 3,
  coordinator: defaultCoordinatorConfig,
};
