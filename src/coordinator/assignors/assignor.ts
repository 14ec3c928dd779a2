import type { Assignment } from "../assignment.ts";

/** What an assignor knows of a member. */
export interface AssignedMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  /** Topic ids, of topics that exist. */
  readonly subscribed: readonly string[];
  /** Its target so far. */
  readonly target: Assignment;
}

/** The number of partitions by topic id. */
export type PartitionCounts = ReadonlyMap<string, number>;

/** Decides which member shall read which partition. The same input gives the same result. */
export interface Assignor {
  readonly name: string;
  assign(members: readonly AssignedMember[], topics: PartitionCounts): ReadonlyMap<string, Assignment>;
}
