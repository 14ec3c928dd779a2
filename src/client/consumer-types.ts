import type { RetryOptions } from "./backoff.ts";
import type { PartitionAssigner } from "./assigners/assigner.ts";
import type { Batch } from "./consumer-batch.ts";
import type { CommitTerms } from "./group/auto-commit.ts";
import type { OffsetsByTopicPartition } from "./group/committed-offsets.ts";
import type { OffsetReset, TopicPartition } from "./fetch-position.ts";
import type { KafkaMessage } from "./messages.ts";

/** What goes into a consumer, and what its callbacks receive, in KafkaJS's shapes. */

export interface ConsumerConfig {
  /**
   * The group that shares the topics which its members subscribe to: each partition is read by one of them. Without
   * one, the consumer reads what `assign` or `subscribe` names, all by itself.
   */
  readonly groupId?: string;
  /**
   * Makes a static member: under this name it can go and come back within the session timeout, and has what it had,
   * without a rebalance (KIP-345). No two members may use one name at a time.
   */
  readonly groupInstanceId?: string;
  /**
   * `consumer` has the coordinator assign (KIP-848): a rebalance stops no member but for the partitions that move, and
   * the coordinator says how often it wants to hear of members. All members of a group speak the same one. `classic`,
   * the default, has one of the members assign.
   */
  readonly groupProtocol?: "classic" | "consumer";
  /** With `groupProtocol` `consumer`, how the coordinator shall divide partitions; `uniform` by default. */
  readonly groupRemoteAssignor?: "uniform" | "range";
  /** How members divide partitions, the preferred way first; `[PartitionAssigners.roundRobin]` by default. */
  readonly partitionAssigners?: readonly PartitionAssigner[];
  /** A member that is not heard of for so long loses its partitions; 30,000 ms by default, 6,000 at least. */
  readonly sessionTimeout?: number;
  /** How long members may take to finish what they process before the group goes on without them; 60,000 ms. */
  readonly rebalanceTimeout?: number;
  /** Milliseconds between heartbeats, by which members also hear of changes to the group; 100 by default. */
  readonly heartbeatInterval?: number;
  readonly retry?: RetryOptions;
  /** The most bytes of one partition in one response; 1 MiB by default. */
  readonly maxBytesPerPartition?: number;
  /** Bytes that a broker waits for, up to `maxWaitTimeInMs`; 1 by default. */
  readonly minBytes?: number;
  /** The most bytes in one response; 10 MiB by default. */
  readonly maxBytes?: number;
  /** How long a broker holds a fetch while nothing arrives; 5,000 ms by default. */
  readonly maxWaitTimeInMs?: number;
  /** Whether messages of open and aborted transactions are read; false by default. */
  readonly readUncommitted?: boolean;
  readonly rackId?: string;
  /** Creates a topic that `subscribe` names and that does not exist. True by default. */
  readonly allowAutoTopicCreation?: boolean;
  /**
   * Where to go on when the position is no longer in the partition: its records were deleted, or the log was truncated.
   * `none` makes it an error. By default the end that reading started from, and `none` after an explicit offset.
   * A topic that was deleted and created again is read from its beginning, unless this is `none`.
   */
  readonly autoOffsetReset?: OffsetReset;
  /** Accepted for KafkaJS's sake. */
  readonly metadataMaxAge?: number;
  readonly maxInFlightRequests?: number;
}

/** A partition to read, and where to start: at `offset`, at the first message from `timestamp` on, else at the end. */
export interface PartitionAssignment extends TopicPartition {
  readonly offset?: string | number | "earliest" | "latest";
  /** Milliseconds since 1970. */
  readonly timestamp?: string | number;
}

export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: string;
}

export interface TopicPartitionOffsetAndMetadata extends TopicPartitionOffset {
  readonly metadata?: string | null;
}

export interface EachMessagePayload extends TopicPartition {
  readonly message: KafkaMessage;
  /** Has nothing to do: heartbeats are sent while messages are processed, too. */
  heartbeat(): Promise<void>;
  /** Pauses this partition; returns how to resume it. */
  pause(): () => void;
}

export interface EachBatchPayload {
  readonly batch: Batch;
  /** Marks a message, and those before it, as processed. */
  resolveOffset(offset: string): void;
  heartbeat(): Promise<void>;
  pause(): () => void;
  /**
   * Commits `offsets`; without them, what was processed, if `autoCommitInterval` or `autoCommitThreshold` say so, even
   * with `autoCommit: false`. What cannot be committed in the second case is logged, and goes with the next commit.
   */
  commitOffsetsIfNecessary(offsets?: OffsetsByTopicPartition): Promise<void>;
  uncommittedOffsets(): OffsetsByTopicPartition;
  isRunning(): boolean;
  /**
   * Whether the rest of the batch is not wanted any more: a seek or another assignment came between. Once this has
   * been true, only what was resolved counts as processed.
   */
  isStale(): boolean;
}

/**
 * Callbacks may take as long as they like: heartbeats go on meanwhile, as nothing like `max.poll.interval.ms` ends the
 * membership. One that never ends keeps its partition from everybody, until the group moves the partition and has
 * waited for `rebalanceTimeout` in vain.
 */
export interface ConsumerRunConfig extends CommitTerms {
  readonly eachMessage?: (payload: EachMessagePayload) => Promise<void> | void;
  readonly eachBatch?: (payload: EachBatchPayload) => Promise<void> | void;
  /** Whether a batch counts as processed when `eachBatch` returns. True by default. */
  readonly eachBatchAutoResolve?: boolean;
  /** Partitions processed side by side; 1 by default. Messages of one partition are always processed in order. */
  readonly partitionsConsumedConcurrently?: number;
}
