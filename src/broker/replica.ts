import type { PartitionLog } from "../log/partition-log.ts";
import type { PartitionKey } from "../log/stored-log.ts";
import type { Partition } from "../metadata/partition.ts";
import type { TopicConfig } from "../metadata/topic-config.ts";
import type { FreshCopies } from "../replication/fresh-copies.ts";
import type { LeaderState } from "../replication/leader.ts";

/**
 * What this broker is for one partition. `offline` is every copy that neither leads nor follows at present: nobody leads
 * the partition, this broker is not registered, or the copy is no longer (or not yet) part of the assignment.
 */
export type Role =
  | { readonly kind: "leader"; readonly state: LeaderState; readonly copies: FreshCopies }
  | { readonly kind: "follower"; readonly leaderId: number; readonly leaderEpoch: number }
  | { readonly kind: "offline" };

/** This broker's copy of one partition. */
export interface Replica {
  readonly key: PartitionKey;
  readonly log: PartitionLog;
  topicName: string;
  config: TopicConfig;
  /** What the cluster decided last; undefined while it does not assign the partition to this broker. */
  assignment: Partition | undefined;
  role: Role;
  /** The leader's high watermark, as it told this follower last. */
  leaderHighWatermark: number;
  /** Changes to the log that are not durable yet. */
  writesInFlight: number;
}
