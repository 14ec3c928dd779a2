import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { ClusterImage } from "./image.ts";
import type { Partition } from "./partition.ts";
import { changePartition } from "./partition-change.ts";
import type { PartitionRules, PartitionWish } from "./partition-change.ts";
import { partitionChangeRecord } from "./partition-records.ts";
import { topicConfig } from "./topic-config.ts";

/**
 * Asks `wishFor` about every partition, and returns the records of those changes that the rules allow and that change
 * anything. All of them are decided on one image, so each partition is changed at most once.
 */
export function changePartitions(
  image: ClusterImage,
  wishFor: (partition: Partition) => PartitionWish | undefined,
  isActive: (brokerId: number) => boolean = (brokerId) => image.isActive(brokerId),
): MetadataRecordInit[] {
  const records: MetadataRecordInit[] = [];
  for (const topic of image.topics.values()) {
    let rules: PartitionRules | undefined;
    for (const before of topic.partitions) {
      const wish = wishFor(before);
      if (wish === undefined) continue;
      rules ??= rulesOf(image, topic.name, isActive);
      const after = changePartition(before, wish, rules);
      if (after !== undefined) records.push(partitionChangeRecord(before, after));
    }
  }
  return records;
}

export function rulesOf(
  image: ClusterImage,
  topicName: string,
  isActive: (brokerId: number) => boolean = (brokerId) => image.isActive(brokerId),
): PartitionRules {
  const { minInsyncReplicas, uncleanLeaderElection } = topicConfig(image, topicName);
  return { minInsyncReplicas, uncleanLeaderElection, isActive };
}
