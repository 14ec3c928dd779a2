import type { ClusterImage } from "../src/metadata/image.ts";
import { NO_LEADER } from "../src/metadata/partition.ts";

/** How many things there are in a cluster, or in several, and how many of them need somebody's attention. */
export interface Census {
  readonly brokers: number;
  readonly fencedBrokers: number;
  readonly partitions: number;
  readonly offlinePartitions: number;
  readonly underReplicatedPartitions: number;
  readonly metadataLogEndOffset: number;
}

export function takeCensus(images: Iterable<ClusterImage>): Census {
  const census = {
    brokers: 0,
    fencedBrokers: 0,
    partitions: 0,
    offlinePartitions: 0,
    underReplicatedPartitions: 0,
    metadataLogEndOffset: 0,
  };
  for (const image of images) {
    for (const { brokerId, fenced } of image.brokers.values()) {
      if (fenced) census.fencedBrokers++;
      if (image.isActive(brokerId)) census.brokers++;
    }
    for (const { leader, isr, replicas } of image.partitions()) {
      census.partitions++;
      if (leader === NO_LEADER) census.offlinePartitions++;
      if (isr.length < replicas.length) census.underReplicatedPartitions++;
    }
    census.metadataLogEndOffset += image.endOffset;
  }
  return census;
}
