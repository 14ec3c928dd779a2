import type { PartitionMetadata } from "./partitioner.ts";
import type { ClusterImage } from "../metadata/image.ts";
import type { Partition } from "../metadata/partition.ts";
import { errorCode } from "../protocol/error-codes.ts";

/** A partition in KafkaJS's words. */
export function partitionMetadata(image: ClusterImage, partition: Partition): PartitionMetadata {
  const { partitionIndex, leader, replicas, isr } = partition;
  return {
    partitionErrorCode: errorCode(leader < 0 ? "LEADER_NOT_AVAILABLE" : "NONE"),
    partitionId: partitionIndex,
    leader,
    replicas: [...replicas],
    isr: [...isr],
    offlineReplicas: replicas.filter((node) => image.brokers.get(node)?.fenced ?? true),
  };
}
