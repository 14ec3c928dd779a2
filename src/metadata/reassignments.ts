import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponseInit,
} from "../protocol/apis/45-alter-partition-reassignments.ts";
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponseInit,
} from "../protocol/apis/46-list-partition-reassignments.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { ClusterImage, Topic } from "./image.ts";
import { effectiveMinIsr, isReassigning } from "./partition.ts";
import type { Partition } from "./partition.ts";
import { changePartition } from "./partition-change.ts";
import type { PartitionWish } from "./partition-change.ts";
import { rulesOf } from "./partition-changes.ts";
import { partitionChangeRecord } from "./partition-records.ts";
import { replicasProblem } from "./replica-assignment.ts";
import { duplicates, errorFields, isRefused, refuse } from "./request-error.ts";
import type { RequestError } from "./request-error.ts";
import { topicConfig } from "./topic-config.ts";

type Asked = AlterPartitionReassignmentsRequest["topics"][number]["partitions"][number];

/**
 * Moves partitions to the replicas that somebody names (KIP-455). The new ones are added first; when all that shall
 * stay are in sync, the others go. Meanwhile, and afterwards, the healing keeps to what was asked for.
 */
export function alterReassignments(
  image: ClusterImage,
  { topics, allowReplicationFactorChange }: AlterPartitionReassignmentsRequest,
): { readonly records: readonly MetadataRecordInit[]; readonly response: AlterPartitionReassignmentsResponseInit } {
  const records: MetadataRecordInit[] = [];
  const named = topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ name, ...partition })));
  const keyOf = (name: string, partitionIndex: number) => `${partitionIndex}/${name}`;
  const twice = duplicates(named, ({ name, partitionIndex }) => keyOf(name, partitionIndex));
  const responses = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((asked) => {
      const { partitionIndex } = asked;
      const outcome = twice.has(keyOf(name, partitionIndex))
        ? refuse("INVALID_REQUEST", "the partition is named twice in the request")
        : alterReassignment(image, image.topicNamed(name), asked, allowReplicationFactorChange);
      if (isRefused(outcome)) return { partitionIndex, ...errorFields(outcome) };
      records.push(...outcome);
      return { partitionIndex, errorCode: 0, errorMessage: null };
    }),
  }));
  return { records, response: { allowReplicationFactorChange, errorCode: 0, errorMessage: null, responses } };
}

/** What is being moved, of the partitions named or of all. Those not known have nothing to tell. */
export function listReassignments(
  image: ClusterImage,
  { topics }: ListPartitionReassignmentsRequest,
): ListPartitionReassignmentsResponseInit {
  const asked = new Map(topics?.map(({ name, partitionIndexes }) => [name, new Set(partitionIndexes)]));
  const isAsked = (name: string, index: number) => topics === null || asked.get(name)?.has(index) === true;
  const found = [...image.topics.values()].map(({ name, partitions }) => ({
    name,
    partitions: partitions
      .filter((partition) => isReassigning(partition) && isAsked(name, partition.partitionIndex))
      .map(({ partitionIndex, replicas, removingReplicas, reassignedFrom }) => ({
        partitionIndex,
        replicas,
        addingReplicas: replicas.filter((node) => !reassignedFrom.includes(node)),
        removingReplicas,
      })),
  }));
  return { errorCode: 0, errorMessage: null, topics: found.filter(({ partitions }) => partitions.length > 0) };
}

/** The way back to the replicas from before, or undefined if copies would go that are needed. */
export function reassignmentUndone(partition: Partition, minInsyncReplicas: number): PartitionWish | undefined {
  const { reassignedFrom, addingReplicas, isr, eligibleLeaderReplicas } = partition;
  const isKept = (node: number) => reassignedFrom.includes(node);
  const needed = effectiveMinIsr({ replicas: reassignedFrom, addingReplicas: [] }, minInsyncReplicas);
  const losesNothing = [...isr, ...eligibleLeaderReplicas].every(isKept);
  if (!losesNothing && isr.filter(isKept).length < needed) return undefined;
  return {
    replicas: reassignedFrom,
    addingReplicas: addingReplicas.filter(isKept),
    removingReplicas: [],
    reassignedFrom: [],
  };
}

function alterReassignment(
  image: ClusterImage,
  topic: Topic | undefined,
  { partitionIndex, replicas }: Asked,
  allowReplicationFactorChange: boolean,
): MetadataRecordInit[] | RequestError {
  const before = topic?.partitions[partitionIndex];
  if (topic === undefined) return refuse("UNKNOWN_TOPIC_OR_PARTITION", "no topic has that name");
  if (before === undefined) return refuse("UNKNOWN_TOPIC_OR_PARTITION", `there is no partition ${partitionIndex}`);
  const wish = replicas === null ? cancelled(image, topic, before) : reassigned(image, before, replicas);
  if (isRefused(wish)) return wish;
  const present = isReassigning(before) ? before.reassignedFrom : withoutAdding(before);
  if (replicas !== null && !allowReplicationFactorChange && replicas.length !== present.length) {
    const change = `change from ${present.length} to ${replicas.length}`;
    return refuse("INVALID_REPLICATION_FACTOR", `the request forbids that the replication factor ${change}`);
  }
  const after = changePartition(before, wish, rulesOf(image, topic.name));
  return after === undefined ? [] : [partitionChangeRecord(before, after)];
}

function cancelled(image: ClusterImage, topic: Topic, before: Partition): PartitionWish | RequestError {
  if (!isReassigning(before)) {
    return refuse("NO_REASSIGNMENT_IN_PROGRESS", "the partition is not being moved to other replicas");
  }
  const { minInsyncReplicas } = topicConfig(image, topic.name);
  const undone = reassignmentUndone(before, minInsyncReplicas);
  if (undone !== undefined) return undone;
  return refuse(
    "INVALID_REPLICA_ASSIGNMENT",
    `too few of the replicas from before (${before.reassignedFrom.join(", ")}) are in sync to go back to them alone; ` +
      "wait until their tabs have caught up",
  );
}

/**
 * A replica that never caught up and is not wanted goes at once; one that did goes last. Another reassignment on top of
 * one that is in progress can still be taken back to where the first one began.
 */
function reassigned(
  image: ClusterImage,
  before: Partition,
  target: readonly number[],
): PartitionWish | RequestError {
  const problem = replicasProblem(image, target);
  if (problem !== undefined) return refuse("INVALID_REPLICA_ASSIGNMENT", `the assignment ${problem}`);
  const { addingReplicas, reassignedFrom } = before;
  const held = withoutAdding(before);
  const removingReplicas = held.filter((node) => !target.includes(node));
  const missing = target.filter((node) => !before.replicas.includes(node));
  const isMove = isReassigning(before) || removingReplicas.length > 0 || target.some((node) => !held.includes(node));
  return {
    replicas: [...target, ...removingReplicas],
    addingReplicas: [...addingReplicas.filter((node) => target.includes(node)), ...missing],
    removingReplicas,
    reassignedFrom: !isMove || isReassigning(before) ? reassignedFrom : held,
    replicationFactor: isMove ? before.replicationFactor : target.length,
  };
}

function withoutAdding({ replicas, addingReplicas }: Partition): readonly number[] {
  return replicas.filter((node) => !addingReplicas.includes(node));
}
