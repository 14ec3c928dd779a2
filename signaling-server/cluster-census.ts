import type { ClusterImage } from "../src/metadata/image.ts";
import { effectiveMinIsr, NO_LEADER } from "../src/metadata/partition.ts";
import { topicConfig } from "../src/metadata/topic-config.ts";

/** How many things there are in a cluster, or in several, and how many of them need somebody's attention. */
export interface Census {
  readonly brokers: number;
  readonly fencedBrokers: number;
  readonly partitions: number;
  readonly offlinePartitions: number;
  readonly underReplicatedPartitions: number;
  /** Those that refuse records with acks=all. */
  readonly underMinIsrPartitions: number;
  readonly metadataLogEndOffset: number;
}

export function takeCensus(images: Iterable<ClusterImage>): Census {
  const census = {
    brokers: 0,
    fencedBrokers: 0,
    partitions: 0,
    offlinePartitions: 0,
    underReplicatedPartitions: 0,
    underMinIsrPartitions: 0,
    metadataLogEndOffset: 0,
  };
  for (const image of images) {
    for (const { brokerId, fenced } of image.brokers.values()) {
      if (fenced) census.fencedBrokers++;
      if (image.isActive(brokerId)) census.brokers++;
    }
    for (const { name, partitions } of image.topics.values()) {
      const { minInsyncReplicas } = topicConfig(image, name);
      for (const partition of partitions) {
        const { leader, isr, replicas } = partition;
        census.partitions++;
        if (leader === NO_LEADER) census.offlinePartitions++;
        if (isr.length < replicas.length) census.underReplicatedPartitions++;
        if (isr.length < effectiveMinIsr(partition, minInsyncReplicas)) census.underMinIsrPartitions++;
      }
    }
    census.metadataLogEndOffset += image.endOffset;
  }
  return census;
}
