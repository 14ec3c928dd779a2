import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { ClusterImage } from "./image.ts";
import { isReassigning, NO_LEADER } from "./partition.ts";
import type { Partition } from "./partition.ts";
import { changePartitions } from "./partition-changes.ts";

/**
 * Spreads leadership evenly, first within each topic, then over all of them. A leader moves only to a replica in sync
 * whose broker leads at least two partitions less of the topic; or two less in all, if it leads fewer of the topic.
 * Every move makes the cluster strictly more even by that measure, so the moves come to an end and never go in circles.
 * The new leader becomes the partition's preferred one. A partition whose replicas somebody chose by a reassignment
 * keeps their order: it only goes back to its preferred leader.
 */
export function balanceLeaders(
  image: ClusterImage,
  maxMoves: number,
  mayLead: (brokerId: number) => boolean,
): MetadataRecordInit[] {
  const moves = new Map<Partition, number>();
  const total = new Map<number, number>();
  for (const { leader } of image.partitions()) add(total, leader, 1);
  let moved = true;
  while (moved && moves.size < maxMoves) {
    moved = false;
    for (const { partitions } of image.topics.values()) {
      const ofTopic = new Map<number, number>();
      for (const partition of partitions) add(ofTopic, moves.get(partition) ?? partition.leader, 1);
      for (const partition of partitions) {
        // A partition moves at most once at a time, and not while replicas are being added.
        if (moves.size >= maxMoves || moves.has(partition) || !isSettled(partition)) continue;
        const target = isPlacedByHand(partition)
          ? preferredLeader(partition, mayLead)
          : betterLeader(partition, ofTopic, total, mayLead);
        if (target === undefined) continue;
        moves.set(partition, target);
        moved = true;
        for (const counts of [ofTopic, total]) {
          add(counts, partition.leader, -1);
          add(counts, target, 1);
        }
      }
    }
  }
  return changePartitions(image, (partition) => {
    const leader = moves.get(partition);
    if (leader === undefined) return undefined;
    return { leader, replicas: [leader, ...partition.replicas.filter((node) => node !== leader)] };
  });
}

function isSettled(partition: Partition): boolean {
  return partition.leader !== NO_LEADER && partition.addingReplicas.length === 0 && !isReassigning(partition);
}

function isPlacedByHand({ replicationFactor }: Partition): boolean {
  return replicationFactor > 0;
}

function preferredLeader(
  { leader, replicas, isr }: Partition,
  mayLead: (brokerId: number) => boolean,
): number | undefined {
  const preferred = replicas[0]!;
  return preferred !== leader && isr.includes(preferred) && mayLead(preferred) ? preferred : undefined;
}

function betterLeader(
  { leader, isr }: Partition,
  ofTopic: ReadonlyMap<number, number>,
  total: ReadonlyMap<number, number>,
  mayLead: (brokerId: number) => boolean,
): number | undefined {
  const load = (counts: ReadonlyMap<number, number>, node: number) => counts.get(node) ?? 0;
  let best: number | undefined;
  for (const node of isr) {
    if (node === leader || !mayLead(node)) continue;
    const topicGap = load(ofTopic, leader) - load(ofTopic, node);
    const totalGap = load(total, leader) - load(total, node);
    if (topicGap < 2 && (topicGap < 1 || totalGap < 2)) continue;
    const isBetter =
      best === undefined ||
      load(ofTopic, node) < load(ofTopic, best) ||
      (load(ofTopic, node) === load(ofTopic, best) && load(total, node) < load(total, best));
    if (isBetter) best = node;
  }
  return best;
}

function add(counts: Map<number, number>, node: number, by: number): void {
  counts.set(node, (counts.get(node) ?? 0) + by);
}
