import type { Assignment } from "./assignment.ts";

/** Where a member stands on its way to its target, by the numbers of the states in its record. */
export const STABLE = 0;
export const UNREVOKED_PARTITIONS = 1;
export const UNRELEASED_PARTITIONS = 2;

/** What a member of a consumer group says of itself. */
export interface MemberMetadata {
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly subscribedTopicNames: readonly string[];
  readonly rebalanceTimeoutMs: number;
  readonly serverAssignor: string | null;
}

/** What a member may use, and under which epoch. */
export interface CurrentAssignment {
  readonly memberEpoch: number;
  /** A member may still name this one, when the response that raised its epoch was lost. */
  readonly previousMemberEpoch: number;
  readonly state: number;
  readonly assigned: Assignment;
  /** Taken from the member, which has not said yet that it gave them up. */
  readonly pendingRevocation: Assignment;
}

/** A member of a consumer group (KIP-848). Immutable: its records replace it. */
export interface ConsumerMember extends MemberMetadata, CurrentAssignment {
  readonly memberId: string;
}
