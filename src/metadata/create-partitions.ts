import type { CreatePartitionsRequest, CreatePartitionsResponseInit } from "../protocol/apis/37-create-partitions.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { ControllerConfig } from "./controller-config.ts";
import type { ClusterImage, Topic } from "./image.ts";
import { partitionRecord } from "./partition-records.ts";
import { assignmentProblem, currentPlacement, newPartition } from "./replica-assignment.ts";
import { distinct, duplicates, errorFields, isRefused, refuse } from "./request-error.ts";
import type { RequestError } from "./request-error.ts";
import { topicConfig } from "./topic-config.ts";
import { isInternalTopic } from "./topic-name.ts";

type TopicRequest = CreatePartitionsRequest["topics"][number];
type Limits = Pick<ControllerConfig, "maxPartitions" | "maxPartitionsPerTopic">;

/** Adds partitions to topics, each topic on its own. Records that are there stay where they are. */
export function createPartitions(
  image: ClusterImage,
  request: CreatePartitionsRequest,
  limits: Limits,
): { readonly records: readonly MetadataRecordInit[]; readonly response: CreatePartitionsResponseInit } {
  const records: MetadataRecordInit[] = [];
  const twice = duplicates(request.topics, ({ name }) => name);
  const placement = currentPlacement(image);
  let partitions = [...image.topics.values()].reduce((count, topic) => count + topic.partitions.length, 0);

  const results = distinct(request.topics, ({ name }) => name).map((asked) => {
    const topic = twice.has(asked.name)
      ? refuse("INVALID_REQUEST", "the topic is named twice in the request")
      : grownTopic(image, asked, limits, partitions);
    if (isRefused(topic)) return { name: asked.name, ...errorFields(topic) };
    const first = topic.partitions.length;
    const { replicationFactor } = topicConfig(image, topic.name);
    partitions += asked.count - first;
    for (let index = first; index < asked.count; index++) {
      const replicas = asked.assignments?.[index - first]?.brokerIds ?? placement.placePartition(replicationFactor);
      if (!request.validateOnly) records.push(partitionRecord(newPartition(image, topic.topicId, index, replicas)));
    }
    return { name: asked.name, errorCode: 0 };
  });
  return { records, response: { results } };
}

/** The topic, if it may grow as asked. */
function grownTopic(
  image: ClusterImage,
  { name, count, assignments }: TopicRequest,
  limits: Limits,
  partitionsBefore: number,
): Topic | RequestError {
  const topic = image.topicNamed(name);
  if (topic === undefined) return refuse("UNKNOWN_TOPIC_OR_PARTITION", "no topic has that name");
  if (isInternalTopic(name)) {
    return refuse("INVALID_TOPIC_EXCEPTION", `${name} keeps the number of partitions that it was made with`);
  }
  const added = count - topic.partitions.length;
  if (added === 0) return refuse("INVALID_PARTITIONS", `topic ${name} has ${count} partitions already`);
  if (added < 0) {
    return refuse("INVALID_PARTITIONS", `topic ${name} has ${topic.partitions.length} partitions, more than ${count}`);
  }
  if (count > limits.maxPartitionsPerTopic) {
    return refuse("INVALID_PARTITIONS", `${count} partitions exceed the ${limits.maxPartitionsPerTopic} of a topic`);
  }
  if (partitionsBefore + added > limits.maxPartitions) {
    return refuse("POLICY_VIOLATION", `${added} more partitions exceed the ${limits.maxPartitions} of the cluster`);
  }
  if (assignments === null) {
    const isAnyActive = [...image.brokers.keys()].some((brokerId) => image.isActive(brokerId));
    return isAnyActive ? topic : refuse("INVALID_REPLICATION_FACTOR", "no broker is available; open a tab that is one");
  }
  if (assignments.length !== added) {
    return refuse("INVALID_REPLICA_ASSIGNMENT", `${assignments.length} assignments for ${added} partitions`);
  }
  const problem = assignmentProblem(image, assignments.map(({ brokerIds }) => brokerIds));
  return problem === undefined ? topic : refuse("INVALID_REPLICA_ASSIGNMENT", problem);
}
