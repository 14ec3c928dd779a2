import type { ClusterView } from "../../src/index.ts";

type Partition = ClusterView["topics"][number]["partitions"][number];

/** A cluster of four tabs in three profiles: A has brokers 1 and 2, B has 3, C has 4. */
export function clusterView(
  partitions: readonly Partial<Partition>[],
  fenced: readonly number[] = [],
  topicId = "00000000-0000-4000-8000-000000000001",
): ClusterView {
  const racks = ["rack-a", "rack-a", "rack-b", "rack-c"];
  return {
    clusterId: "test",
    controllerConnected: true,
    brokers: racks.map((rack, index) => {
      const nodeId = index + 1;
      return { nodeId, host: `peer-${nodeId}`, port: 0, rack, fenced: fenced.includes(nodeId) };
    }),
    topics: [
      {
        topicId,
        name: "orders",
        replicationFactor: 3,
        partitions: partitions.map((partition, partitionIndex) => ({
          partitionIndex,
          leader: 1,
          leaderEpoch: 0,
          replicas: [1, 3, 4],
          isr: [1, 3, 4],
          addingReplicas: [],
          offlineReplicas: [],
          ...partition,
        })),
      },
    ],
  };
}
