import type { AssignerCluster } from "../assigners/assigner.ts";
import type { Cluster } from "../cluster.ts";
import { groupBy } from "../group-by.ts";
import { partitionMetadata } from "../partition-metadata.ts";

/** The cluster as assigners see it. */
export function assignerCluster(cluster: Cluster): AssignerCluster {
  const nothingToDo = async () => {};
  return {
    findTopicPartitionMetadata: (topic) =>
      (cluster.image.topicNamed(topic)?.partitions ?? []).map((partition) =>
        partitionMetadata(cluster.image, partition),
      ),
    findLeaderForPartitions: (topic, partitions) =>
      Object.fromEntries(groupBy(partitions, (partition) => cluster.leaderOf(topic, partition)?.nodeId ?? -1)),
    getNodeIds: () => cluster.activeNodes(),
    isConnected: () => cluster.controllerConnected,
    refreshMetadata: nothingToDo,
    refreshMetadataIfNecessary: nothingToDo,
    addTargetTopic: nothingToDo,
    addMultipleTargetTopics: nothingToDo,
  };
}
