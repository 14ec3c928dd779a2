import type { RetryPolicy } from "../backoff.ts";
import type { Cluster } from "../cluster.ts";
import type { Emitter } from "../events.ts";
import type { TopicPartition } from "../fetch-position.ts";
import type { Logger } from "../logger.ts";
import type { CoordinatorLink } from "./coordinator-link.ts";

/** What both kinds of membership need: that of a classic group, and that of one whose coordinator assigns (KIP-848). */
export interface MembershipOptions {
  readonly cluster: Cluster;
  readonly link: CoordinatorLink;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly retry: RetryPolicy;
  readonly groupInstanceId: string | null;
  readonly rackId: string;
  readonly rebalanceTimeoutMs: number;
  /** The topics that are wanted now, in order. */
  readonly topics: () => readonly string[];
  readonly partitions: OwnedPartitions;
  /** Told when {@link GroupMembership.isSettled} or {@link GroupMembership.isHeard} has become true. */
  readonly changed: () => void;
  /** Told when the membership has ended for good, because of something that joining again does not mend. */
  readonly failed: (error: Error) => void;
}

/** What a member does with the partitions that it is given. */
export interface OwnedPartitions {
  owned(): readonly TopicPartition[];
  /** Finishes and commits what is being processed, and gives the partitions up; resolves when that is done. */
  revoke(partitions: readonly TopicPartition[]): Promise<void>;
  /** Gives everything up at once: it may belong to somebody else already. */
  lose(): void;
  /** Reads partitions besides those that are owned; `isCurrent` says whether they are still its own. */
  assign(partitions: readonly TopicPartition[], isCurrent: () => boolean): Promise<void>;
}

/** Who a member is at one time. */
export interface Identity {
  /** Empty while it is no member. */
  readonly memberId: string;
  /** The generation of a classic group, the member epoch of another one; -1 while it is in none. */
  readonly generationId: number;
  readonly groupInstanceId: string | null;
  /** Counts the times that the member has lost everything: what it had before may be somebody else's. */
  readonly life?: number;
}

/** One membership, from `start` to `leave`. */
export interface GroupMembership {
  readonly identity: Identity;
  /** Whether it has what it was assigned, and nothing else is known to be due. */
  readonly isSettled: boolean;
  /**
   * Whether the coordinator still takes this for a member, as far as that can be known. After a sleep longer than the
   * session it does not, and somebody else may read what was read here: a heartbeat has to tell.
   */
  readonly isHeard: boolean;
  start(): void;
  /** Sends a heartbeat if one is due. To be called when the network has woken the page. */
  tick(): void;
  /** Ends the membership. A static member's place is kept until its session ends, for its return (KIP-345). */
  leave(): Promise<void>;
  /** Ends the membership without waiting for anything: the page is going away. */
  abandon(): void;
}

/** How long to wait for the answer to leaving: whoever leaves is in a hurry. */
export const LEAVING_PATIENCE_MS = 1000;
