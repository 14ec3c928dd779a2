import { activeBrokers } from "./heartbeats.ts";
import type { ClusterImage } from "./image.ts";
import type { Partition } from "./partition.ts";
import { Placement } from "./placement.ts";

/** A placement that knows of all partitions there are. */
export function currentPlacement(image: ClusterImage): Placement {
  const placement = new Placement(activeBrokers(image));
  for (const partition of image.partitions()) placement.count(partition);
  return placement;
}

/** A partition that has no records yet, so that every active replica is in sync. */
export function newPartition(
  image: ClusterImage,
  topicId: string,
  partitionIndex: number,
  replicas: readonly number[],
): Partition {
  const isr = replicas.filter((node) => image.isActive(node));
  return {
    topicId,
    partitionIndex,
    replicas,
    addingReplicas: [],
    removingReplicas: [],
    isr,
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    reassignedFrom: [],
    replicationFactor: 0,
    leader: isr[0]!,
    leaderEpoch: 0,
    partitionEpoch: 0,
  };
}

/** Why partitions cannot be placed as somebody wishes, or undefined if they can. */
export function assignmentProblem(
  image: ClusterImage,
  assignments: readonly (readonly number[])[],
): string | undefined {
  const replicationFactor = assignments[0]?.length ?? 0;
  for (const [index, replicas] of assignments.entries()) {
    if (replicas.length !== replicationFactor) return "partitions of the assignment differ in their number of replicas";
    const problem = replicasProblem(image, replicas);
    if (problem !== undefined) return `partition ${index} of the assignment ${problem}`;
    if (!replicas.some((node) => image.isActive(node))) return `no broker assigned to partition ${index} is available`;
  }
  return undefined;
}

/** What is wrong with a list of replicas, put so that it can follow its name; undefined if nothing is. */
export function replicasProblem(image: ClusterImage, replicas: readonly number[]): string | undefined {
  if (replicas.length === 0) return "has no replicas";
  if (new Set(replicas).size !== replicas.length) return "names a broker twice";
  const unknown = replicas.find((node) => !image.brokers.has(node));
  return unknown === undefined ? undefined : `names broker ${unknown}, which is not registered`;
}
