import { assert } from "../protocol/assert.ts";
import { effectiveMinIsr, isReassigning, NO_LEADER, sameMembers } from "./partition.ts";
import type { Partition } from "./partition.ts";

/** What somebody wishes to change about a partition. What is left out stays, as far as the rules let it. */
export interface PartitionWish {
  readonly replicas?: readonly number[];
  readonly addingReplicas?: readonly number[];
  readonly removingReplicas?: readonly number[];
  readonly reassignedFrom?: readonly number[];
  readonly replicationFactor?: number;
  readonly isr?: readonly number[];
  /** Brokers that may have lost what they held: they give up their places in the ISR and ELR (R11). */
  readonly unclean?: readonly number[];
  /** Elect this replica if it may lead; without it a leader that may stay does stay. */
  readonly leader?: number;
}

/** What decides about a wish, besides the partition itself. */
export interface PartitionRules {
  /** As configured; see {@link effectiveMinIsr}. */
  readonly minInsyncReplicas: number;
  readonly uncleanLeaderElection: boolean;
  /** Whether the broker is registered, unfenced and not shutting down. */
  isActive(brokerId: number): boolean;
}

/**
 * The one place where leaders, ISR, ELR and epochs are decided. Returns the partition after the wish, or undefined if
 * nothing changes, so an empty wish asks: does the present state still follow the rules?
 *
 * - A broker that is not active leaves the ISR, unless nobody else is left who holds every committed record.
 * - R10: who leaves while the ISR is below its minimum becomes eligible (ELR), for nothing is committed without it;
 *   once the ISR has reached the minimum the ELR is emptied.
 * - R13: the leader comes from the ISR, else from the active ELR, else from any active replica if the topic allows
 *   unclean election, else there is none.
 * - A replica that is added counts from the moment it is in the ISR.
 * - A reassignment is complete once all replicas that shall stay are in sync; then the others go, in one step.
 * - Each election counts up the leader epoch, each change the partition epoch.
 */
export function changePartition(
  before: Partition,
  wish: PartitionWish,
  rules: PartitionRules,
): Partition | undefined {
  const assigned = wish.replicas ?? before.replicas;
  const unclean = wish.unclean ?? [];
  const isClean = (node: number) => assigned.includes(node) && !unclean.includes(node);

  const inSync = decideInSync(before, wish, rules, assigned, isClean);
  const reassignment = continueReassignment(before, wish, rules, assigned, inSync.isr);
  const { replicas } = reassignment;
  const isOurs = (node: number) => replicas.includes(node);
  const isr = inSync.isr.filter(isOurs);
  const addingReplicas = (wish.addingReplicas ?? before.addingReplicas).filter(
    (node) => isOurs(node) && !isr.includes(node),
  );
  const isComplete = isr.length >= effectiveMinIsr({ replicas, addingReplicas }, rules.minInsyncReplicas);
  const left = union(before.eligibleLeaderReplicas, before.isr).filter((node) => isOurs(node) && !isr.includes(node));
  // After an unclean election the leader's log is the truth, and nobody else is known to hold all of it.
  const eligibleLeaderReplicas = isComplete || inSync.isUncleanElection ? [] : left.filter(isClean);
  const lastKnownElr = isComplete
    ? []
    : union(before.lastKnownElr, left).filter(
        (node) => isOurs(node) && !isr.includes(node) && !eligibleLeaderReplicas.includes(node),
      );

  const leader = electLeader(before, wish, rules, replicas, isr);
  // A replica that was let go must not be heard any more, so its leader starts anew.
  const isElection =
    leader !== before.leader || inSync.isUncleanElection || before.replicas.some((node) => !isOurs(node));
  const after: Partition = {
    topicId: before.topicId,
    partitionIndex: before.partitionIndex,
    ...reassignment,
    addingReplicas,
    isr,
    eligibleLeaderReplicas,
    lastKnownElr,
    leader,
    leaderEpoch: before.leaderEpoch + (isElection ? 1 : 0),
    partitionEpoch: before.partitionEpoch + 1,
  };
  return !isElection && sameMembers(before, after) ? undefined : after;
}

interface InSync {
  readonly isr: readonly number[];
  readonly isUncleanElection: boolean;
}

function decideInSync(
  before: Partition,
  wish: PartitionWish,
  rules: PartitionRules,
  replicas: readonly number[],
  isClean: (node: number) => boolean,
): InSync {
  const clean = (wish.isr ?? before.isr).filter(isClean);
  const active = clean.filter((node) => rules.isActive(node));
  if (active.length > 0) return { isr: active, isUncleanElection: false };

  const eligible = before.eligibleLeaderReplicas.filter(isClean);
  const activeEligible = replicas.find((node) => eligible.includes(node) && rules.isActive(node));
  if (activeEligible !== undefined) return { isr: [activeEligible], isUncleanElection: false };

  const anyActive = rules.uncleanLeaderElection ? replicas.find((node) => rules.isActive(node)) : undefined;
  if (anyActive !== undefined) return { isr: [anyActive], isUncleanElection: true };

  // Everybody who is complete is away. One of them, preferably the last leader, stays in the ISR to say so. If all of
  // them may have lost records, that one is still the best copy known of.
  const isMember = (node: number) => before.isr.includes(node) && replicas.includes(node);
  const members = union([before.leader], before.isr).filter(isMember);
  const last = members.find(isClean) ?? eligible[0] ?? members[0];
  assert(last !== undefined, "an assignment keeps an in-sync replica");
  return { isr: [last], isUncleanElection: false };
}

type Reassignment = Pick<Partition, "replicas" | "removingReplicas" | "reassignedFrom" | "replicationFactor">;

/** The replicas that shall stay become the replicas once all of them are there and in sync. */
function continueReassignment(
  before: Partition,
  wish: PartitionWish,
  rules: PartitionRules,
  replicas: readonly number[],
  isr: readonly number[],
): Reassignment {
  const { removingReplicas, reassignedFrom, replicationFactor } = { ...before, ...wish };
  const target = replicas.filter((node) => !removingReplicas.includes(node));
  const isComplete = target.every((node) => isr.includes(node) && rules.isActive(node));
  return isReassigning({ reassignedFrom }) && isComplete
    ? { replicas: target, removingReplicas: [], reassignedFrom: [], replicationFactor: target.length }
    : { replicas, removingReplicas, reassignedFrom, replicationFactor };
}

function electLeader(
  before: Partition,
  wish: PartitionWish,
  rules: PartitionRules,
  replicas: readonly number[],
  isr: readonly number[],
): number {
  const mayLead = (node: number) => isr.includes(node) && rules.isActive(node);
  if (wish.leader !== undefined && mayLead(wish.leader)) return wish.leader;
  if (mayLead(before.leader)) return before.leader;
  return replicas.find(mayLead) ?? NO_LEADER;
}

function union(left: readonly number[], right: readonly number[]): number[] {
  return [...new Set([...left, ...right])];
}
