import type { Cluster } from "./cluster.ts";
import { TAB_LISTENER } from "../metadata/listener-names.ts";
import { topicConfig } from "../metadata/topic-config.ts";

/** The cluster as the metadata has it, as plain data. It shares nothing with what the client works with. */
export interface ClusterView {
  readonly clusterId: string;
  /** False while the metadata server cannot be reached; the rest is then what it last said. */
  readonly controllerConnected: boolean;
  readonly brokers: readonly BrokerView[];
  readonly topics: readonly TopicView[];
}

export interface BrokerView {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  /** The browser profile, whose tabs share a disk. */
  readonly rack: string;
  /** A fenced broker is away, or not yet caught up: it neither leads nor counts as in sync. */
  readonly fenced: boolean;
}

export interface TopicView {
  readonly topicId: string;
  readonly name: string;
  /** How many replicas the topic is meant to have; there may be fewer while there are too few brokers. */
  readonly replicationFactor: number;
  readonly partitions: readonly PartitionView[];
}

export interface PartitionView {
  readonly partitionIndex: number;
  /** -1 while there is none. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** Replicas that still have to catch up for the first time. */
  readonly addingReplicas: readonly number[];
  /** Replicas whose broker is away. */
  readonly offlineReplicas: readonly number[];
}

export function clusterView({
  image,
  controllerConnected,
}: Pick<Cluster, "image" | "controllerConnected">): ClusterView {
  const isAway = (nodeId: number) => image.brokers.get(nodeId)?.fenced ?? true;
  return {
    clusterId: image.clusterId,
    controllerConnected,
    brokers: [...image.brokers.values()].map(({ brokerId, listeners, rack, fenced }) => {
      const endpoint = listeners.find(({ name }) => name === TAB_LISTENER) ?? listeners[0];
      return { nodeId: brokerId, host: endpoint?.host ?? "", port: endpoint?.port ?? -1, rack: rack ?? "", fenced };
    }),
    topics: [...image.topics.values()].map(({ topicId, name, partitions }) => ({
      topicId,
      name,
      replicationFactor: topicConfig(image, name).replicationFactor,
      partitions: partitions.map(({ partitionIndex, leader, leaderEpoch, replicas, isr, addingReplicas }) => ({
        partitionIndex,
        leader,
        leaderEpoch,
        replicas: [...replicas],
        isr: [...isr],
        addingReplicas: [...addingReplicas],
        offlineReplicas: replicas.filter(isAway),
      })),
    })),
  };
}
