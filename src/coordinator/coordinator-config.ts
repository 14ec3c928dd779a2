/** Timings and limits of group coordinators, named as Kafka's broker settings are. */
export interface CoordinatorConfig {
  /** Bounds on the session timeout that a classic member may ask for. */
  readonly groupMinSessionTimeoutMs: number;
  readonly groupMaxSessionTimeoutMs: number;
  /** How long a group that was empty waits for more members before its first generation. */
  readonly groupInitialRebalanceDelayMs: number;
  /** A member that has never had an answer cannot send heartbeats; its join is given up after this long. */
  readonly newMemberJoinTimeoutMs: number;
  readonly groupMaxSize: number;
  /** For members of the consumer protocol (KIP-848), whose timings the broker sets. */
  readonly groupConsumerSessionTimeoutMs: number;
  readonly groupConsumerHeartbeatIntervalMs: number;
  /** A group that is so large that its coordinator would hear more heartbeats than this is told to send fewer. */
  readonly groupConsumerHeartbeatsPerSecond: number;
  readonly offsetMetadataMaxSize: number;
  /** How long offsets stay after their group became empty. */
  readonly offsetsRetentionMs: number;
  readonly offsetsRetentionCheckIntervalMs: number;
  /** How long an answer waits for its records to be committed. */
  readonly offsetsCommitTimeoutMs: number;
  /** Bounds that Kafka leaves to its memory: of group, member and instance ids, in characters. */
  readonly maxIdLength: number;
  /**
   * Of the protocols, or the subscription, of one member; and of all that is held of a group's members, their names and
   * what a leader assigned to them included.
   */
  readonly maxMemberBytes: number;
  readonly maxGroupBytes: number;
  /** In one partition of `__consumer_offsets`, as is the next one. */
  readonly maxGroups: number;
  /** Of all offsets, with their metadata. They outlive their coordinator, and the next one has to hold them too. */
  readonly maxOffsetsBytes: number;
}

/**
 * Kafka's defaults, but for two. Heartbeats are what carries a new assignment to a member (KIP-848), and partitions
 * shall move within a fraction of a second here. And whoever opens a page looks at it: three seconds, or six where
 * another member comes meanwhile, are long to wait for a first record, while one rebalance more costs a fraction of one.
 */
export const defaultCoordinatorConfig: CoordinatorConfig = {
  groupMinSessionTimeoutMs: 6_000,
  groupMaxSessionTimeoutMs: 1_800_000,
  groupInitialRebalanceDelayMs: 1_000,
  newMemberJoinTimeoutMs: 300_000,
  groupMaxSize: 1_000,
  groupConsumerSessionTimeoutMs: 45_000,
  groupConsumerHeartbeatIntervalMs: 100,
  groupConsumerHeartbeatsPerSecond: 500,
  offsetMetadataMaxSize: 4_096,
  offsetsRetentionMs: 7 * 24 * 60 * 60 * 1_000,
  offsetsRetentionCheckIntervalMs: 600_000,
  offsetsCommitTimeoutMs: 5_000,
  maxIdLength: 1_024,
  maxMemberBytes: 256 * 1024,
  maxGroupBytes: 4 * 1024 * 1024,
  maxGroups: 10_000,
  maxOffsetsBytes: 64 * 1024 * 1024,
};
