import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import { activeBrokers } from "./heartbeats.ts";
import type { ClusterImage } from "./image.ts";
import { effectiveMinIsr, isReassigning, NO_LEADER } from "./partition.ts";
import type { Partition } from "./partition.ts";
import type { PartitionWish } from "./partition-change.ts";
import { changePartitions } from "./partition-changes.ts";
import { Placement } from "./placement.ts";
import { reassignmentUndone } from "./reassignments.ts";
import { topicConfig } from "./topic-config.ts";
import type { TopicConfig } from "./topic-config.ts";

/** What is known of brokers beside the image. */
export interface Healing {
  /** Whether the broker has been away for so long; never while it is there. */
  isGoneFor(brokerId: number, ms: number): boolean;
  /** Replicas that one broker may be adding at one time. */
  readonly maxAddingPerBroker: number;
}

/**
 * Leads every partition to its target replication factor:
 *
 * - it gains replicas while there are brokers to hold them;
 * - a replica whose broker has been away for longer than `replica.replacement.delay.ms` is replaced by one elsewhere;
 * - if nobody can replace it, the assignment shrinks, but not below a `min.insync.replicas` that somebody chose;
 * - if there are more than the target, the least needed one goes.
 *
 * A replica that is in the ISR or ELR is never given up because its broker is away; for a lowered target it is, as
 * long as the ISR stays above its minimum. Without a leader nothing changes, since nobody could catch up.
 *
 * Somebody's reassignment is left alone, and the number of replicas it leads to is the partition's target from then on.
 * Only one that cannot come to an end, because a replica it leads to is lost, is undone; or, if too few of the replicas
 * from before are in sync, it ends with all that there are, for the rules above to go on from.
 */
export function healReplicas(image: ClusterImage, healing: Healing): MetadataRecordInit[] {
  const placement = new Placement(activeBrokers(image));
  const adding = new Map<number, number>();
  for (const partition of image.partitions()) {
    placement.count(partition);
    for (const node of partition.addingReplicas) adding.set(node, (adding.get(node) ?? 0) + 1);
  }
  const accepts = (node: number) => (adding.get(node) ?? 0) < healing.maxAddingPerBroker;
  const configs = new Map<string, TopicConfig>();
  return changePartitions(image, (partition) => {
    if (partition.leader === NO_LEADER) return undefined;
    const { topicId } = partition;
    const config = configs.get(topicId) ?? topicConfig(image, image.topics.get(topicId)!.name);
    configs.set(topicId, config);
    const { replicaReplacementDelayMs } = config;
    const isLost = (node: number) =>
      !image.isActive(node) && healing.isGoneFor(node, replicaReplacementDelayMs);
    const wish = healReplicasOf(partition, config, isLost, placement, accepts);
    for (const node of wish?.addingReplicas ?? []) {
      if (!partition.addingReplicas.includes(node)) adding.set(node, (adding.get(node) ?? 0) + 1);
    }
    return wish;
  });
}

/** When a replica that is away counts as lost next, for the healing to be repeated; `Infinity` if none is away. */
export function nextLossMs(
  image: ClusterImage,
  goneSinceMs: (brokerId: number) => number | undefined,
  nowMs: number,
): number {
  let next = Number.POSITIVE_INFINITY;
  for (const topic of image.topics.values()) {
    const { replicaReplacementDelayMs } = topicConfig(image, topic.name);
    for (const { replicas } of topic.partitions) {
      for (const node of replicas) {
        const lostAtMs = (goneSinceMs(node) ?? Number.POSITIVE_INFINITY) + replicaReplacementDelayMs;
        if (lostAtMs > nowMs) next = Math.min(next, lostAtMs);
      }
    }
  }
  return next;
}

function healReplicasOf(
  partition: Partition,
  config: TopicConfig,
  isLost: (node: number) => boolean,
  placement: Placement,
  accepts: (node: number) => boolean,
): PartitionWish | undefined {
  const { replicas, addingReplicas, removingReplicas } = partition;
  if (isReassigning(partition)) {
    const isStuck = replicas.some((node) => !removingReplicas.includes(node) && isLost(node));
    if (!isStuck) return undefined;
    const ended = { removingReplicas: [], reassignedFrom: [] };
    return reassignmentUndone(partition, config.minInsyncReplicas) ?? ended;
  }
  const target = partition.replicationFactor === 0 ? config.replicationFactor : partition.replicationFactor;
  const holds = (node: number) => partition.isr.includes(node) || partition.eligibleLeaderReplicas.includes(node);
  const lost = replicas.filter(isLost);
  const missing = target - (replicas.length - lost.length);
  const added = missing > 0 ? placement.addReplicas(replicas, missing, accepts) : [];

  const floor = config.minInsyncReplicasIsExplicit ? config.minInsyncReplicas : 1;
  const spare = Math.max(0, replicas.length - addingReplicas.length - floor);
  // A replica that was still being added did not count, so its loss takes nothing away.
  const neverCounted = lost.filter((node) => addingReplicas.includes(node));
  const givenUp = lost.filter((node) => !holds(node) && !addingReplicas.includes(node)).slice(0, spare);
  const surplus = missing < 0 ? surplusReplica(partition, config, placement, floor) : undefined;

  const gone = [...neverCounted, ...givenUp, ...(surplus === undefined ? [] : [surplus])];
  if (added.length === 0 && gone.length === 0) return undefined;
  return {
    replicas: [...replicas.filter((node) => !gone.includes(node)), ...added],
    addingReplicas: [...addingReplicas.filter((node) => !gone.includes(node)), ...added],
  };
}

/** One replica that can go because there are more than wanted. */
function surplusReplica(
  partition: Partition,
  config: TopicConfig,
  placement: Placement,
  floor: number,
): number | undefined {
  const { replicas, addingReplicas, isr, eligibleLeaderReplicas, leader } = partition;
  if (addingReplicas.length > 0) return placement.leastNeeded(replicas, addingReplicas);
  if (replicas.length <= floor || eligibleLeaderReplicas.length > 0) return undefined;
  const outOfSync = replicas.filter((node) => !isr.includes(node));
  if (outOfSync.length > 0) return placement.leastNeeded(replicas, outOfSync);
  const needed = effectiveMinIsr({ replicas: replicas.slice(1), addingReplicas }, config.minInsyncReplicas);
  if (isr.length - 1 < needed) return undefined;
  return placement.leastNeeded(replicas, replicas.filter((node) => node !== leader));
}
