/**
 * What the cluster has decided about one partition. An immutable value: a change makes a new one, so that a change can
 * be seen by identity. Nodes are numbers of brokers, epochs count up from 0.
 */
export interface Partition {
  readonly topicId: string;
  readonly partitionIndex: number;
  /** The first one is the preferred leader. */
  readonly replicas: readonly number[];
  /** Replicas that still have to catch up once before they count. */
  readonly addingReplicas: readonly number[];
  /** Replicas that go once a reassignment is complete. */
  readonly removingReplicas: readonly number[];
  /** The replicas before the reassignment that is in progress, to go back to if it is cancelled; empty without one. */
  readonly reassignedFrom: readonly number[];
  /** How many replicas a reassignment wants of this very partition; 0 to follow its topic's configuration. */
  readonly replicationFactor: number;
  /** In sync: holds every committed record. Never empty; its last member stays even while its broker is away. */
  readonly isr: readonly number[];
  /** Left the ISR while it was too small to commit anything, hence complete too (KIP-966). */
  readonly eligibleLeaderReplicas: readonly number[];
  /** Was in the ISR or ELR, and may since have lost what it held. */
  readonly lastKnownElr: readonly number[];
  /** `NO_LEADER` if nobody can lead at present. */
  readonly leader: number;
  /** Counts elections. */
  readonly leaderEpoch: number;
  /** Counts changes of any kind. */
  readonly partitionEpoch: number;
}

export const NO_LEADER = -1;

/**
 * How many in-sync replicas the leader needs before it commits anything. Never more than the replicas that count, so
 * that a topic made in a lone tab works; replicas being added do not count yet.
 */
export function effectiveMinIsr(
  partition: Pick<Partition, "replicas" | "addingReplicas">,
  minInsyncReplicas: number,
): number {
  return Math.max(1, Math.min(minInsyncReplicas, partition.replicas.length - partition.addingReplicas.length));
}

/** Whether somebody has the partition moved to other replicas, and not all of them are in sync yet. */
export function isReassigning({ reassignedFrom }: Pick<Partition, "reassignedFrom">): boolean {
  return reassignedFrom.length > 0;
}

export function samePartition(left: Partition, right: Partition): boolean {
  return (
    left.leader === right.leader &&
    left.leaderEpoch === right.leaderEpoch &&
    left.partitionEpoch === right.partitionEpoch &&
    sameMembers(left, right)
  );
}

/** Whether the two differ in nothing but, perhaps, leader and epochs. */
export function sameMembers(left: Partition, right: Partition): boolean {
  return (
    sameNodes(left.replicas, right.replicas) &&
    sameNodes(left.addingReplicas, right.addingReplicas) &&
    sameNodes(left.removingReplicas, right.removingReplicas) &&
    sameNodes(left.isr, right.isr) &&
    sameNodes(left.eligibleLeaderReplicas, right.eligibleLeaderReplicas) &&
    sameNodes(left.lastKnownElr, right.lastKnownElr) &&
    sameNodes(left.reassignedFrom, right.reassignedFrom) &&
    left.replicationFactor === right.replicationFactor
  );
}

export function sameNodes(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((node, index) => node === right[index]);
}
