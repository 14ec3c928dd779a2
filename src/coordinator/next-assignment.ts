import { hasPartition, intersects, NO_PARTITIONS, selectPartitions, union } from "./assignment.ts";
import type { Assignment } from "./assignment.ts";
import { STABLE, UNRELEASED_PARTITIONS, UNREVOKED_PARTITIONS } from "./consumer-member.ts";
import type { CurrentAssignment } from "./consumer-member.ts";

/** What a member is to have, and what stands in the way. */
export interface Reconciliation {
  readonly target: Assignment;
  readonly targetEpoch: number;
  /** Whether no member holds the partition, this one included. */
  isFree(topicId: string, partition: number): boolean;
  /** What the member says it owns; undefined when its heartbeat does not say. */
  readonly owned: Assignment | undefined;
}

/**
 * The next step of a member towards its target (KIP-848). First it gives up what it may no longer have, and stays in
 * its epoch until its heartbeats no longer name that. Then it moves to the target's epoch with all of the target that
 * is free, and gets the rest as others let go of it. Hence no partition ever has two readers.
 */
export function nextAssignment(current: CurrentAssignment, reconciliation: Reconciliation): CurrentAssignment {
  const { targetEpoch, owned } = reconciliation;
  if (current.state === STABLE && current.memberEpoch === targetEpoch) return current;
  if (current.state === UNREVOKED_PARTITIONS && mayOwn(owned, current.pendingRevocation)) return current;
  return stepTowards(current, reconciliation);
}

function stepTowards(
  current: CurrentAssignment,
  { target, targetEpoch, isFree, owned }: Reconciliation,
): CurrentAssignment {
  const kept = selectPartitions(current.assigned, (...partition) => hasPartition(target, ...partition));
  const revoked = selectPartitions(current.assigned, (...partition) => !hasPartition(target, ...partition));
  if (revoked.size > 0 && mayOwn(owned, revoked)) {
    return {
      memberEpoch: current.memberEpoch,
      previousMemberEpoch: current.memberEpoch,
      state: UNREVOKED_PARTITIONS,
      assigned: kept,
      pendingRevocation: revoked,
    };
  }
  const missing = selectPartitions(target, (...partition) => !hasPartition(kept, ...partition));
  const added = selectPartitions(missing, isFree);
  const isComplete = selectPartitions(missing, (...partition) => !isFree(...partition)).size === 0;
  return {
    memberEpoch: targetEpoch,
    previousMemberEpoch:
      targetEpoch === current.memberEpoch ? current.previousMemberEpoch : current.memberEpoch,
    state: isComplete ? STABLE : UNRELEASED_PARTITIONS,
    assigned: union(kept, added),
    pendingRevocation: NO_PARTITIONS,
  };
}

/** A member that does not say what it owns may own anything that it was given. */
function mayOwn(owned: Assignment | undefined, partitions: Assignment): boolean {
  return owned === undefined ? partitions.size > 0 : intersects(owned, partitions);
}
