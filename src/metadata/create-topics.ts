import type { CreateTopicsRequest, CreateTopicsResponseInit } from "../protocol/apis/19-create-topics.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import { configProblem } from "./config-definition.ts";
import type { ControllerConfig } from "./controller-config.ts";
import { configSources } from "./describe-configs.ts";
import { TOPIC_RESOURCE } from "./image.ts";
import type { ClusterImage } from "./image.ts";
import { METADATA_TOPIC } from "./metadata-batch.ts";
import { partitionRecord } from "./partition-records.ts";
import type { Placement } from "./placement.ts";
import type { Random } from "./random.ts";
import { assignmentProblem, currentPlacement, newPartition } from "./replica-assignment.ts";
import { distinct, duplicates, errorFields, isRefused, refuse } from "./request-error.ts";
import type { RequestError } from "./request-error.ts";
import { topicConfigs } from "./settable-configs.ts";
import { configValue, defaultPartitions, REPLICATION_FACTOR } from "./topic-config.ts";
import { collisionKey, isInternalTopic, topicNameProblem } from "./topic-name.ts";

type TopicRequest = CreateTopicsRequest["topics"][number];
type TopicAnswer = CreateTopicsResponseInit["topics"][number];
type Limits = Pick<ControllerConfig, "maxPartitions" | "maxPartitionsPerTopic">;

/** A topic as it shall be; its partitions are given as replicas, or by number. */
interface TopicPlan {
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly assignments: readonly (readonly number[])[] | undefined;
  readonly configs: ReadonlyMap<string, string>;
}

/**
 * Creates topics, each on its own. A replication factor larger than the number of brokers is a target: the topic starts
 * with the brokers there are, at least one, and gains replicas as others join.
 */
export function createTopics(
  image: ClusterImage,
  request: CreateTopicsRequest,
  random: Random,
  limits: Limits,
): { readonly records: readonly MetadataRecordInit[]; readonly response: CreateTopicsResponseInit } {
  const records: MetadataRecordInit[] = [];
  const twice = duplicates(request.topics, ({ name }) => name);
  const names = new Map([...image.topicsByName.keys()].map((name) => [collisionKey(name), name]));
  const placement = currentPlacement(image);
  let partitions = [...image.topics.values()].reduce((count, topic) => count + topic.partitions.length, 0);

  const topics = distinct(request.topics, ({ name }) => name).map((topic): TopicAnswer => {
    const problem = twice.has(topic.name)
      ? refuse("INVALID_REQUEST", "the topic is named twice in the request")
      : nameProblem(image, names, topic.name);
    const plan = problem ?? planTopic(image, topic, limits, partitions);
    // Null for configs would say that they must not be seen.
    if (isRefused(plan)) return { name: topic.name, ...errorFields(plan), configs: [] };
    const replicas = plan.assignments ?? place(placement, plan);
    partitions += plan.numPartitions;
    names.set(collisionKey(topic.name), topic.name);
    const topicId = request.validateOnly ? undefined : random.uuid();
    if (topicId !== undefined) records.push(...topicRecords(image, topicId, topic.name, plan, replicas));
    return createdTopic(image, topicId, topic.name, plan);
  });
  return { records, response: { topics } };
}

function nameProblem(
  image: ClusterImage,
  names: ReadonlyMap<string, string>,
  name: string,
): RequestError | undefined {
  const problem = topicNameProblem(name);
  if (problem !== undefined) return refuse("INVALID_TOPIC_EXCEPTION", problem);
  if (name === METADATA_TOPIC) return refuse("INVALID_TOPIC_EXCEPTION", `${name} is the controller's own log`);
  if (image.topicsByName.has(name)) return refuse("TOPIC_ALREADY_EXISTS", `topic ${name} exists`);
  const rival = names.get(collisionKey(name));
  if (rival === undefined) return undefined;
  return refuse("INVALID_TOPIC_EXCEPTION", `${name} differs from the topic ${rival} in nothing but '.' and '_'`);
}

function planTopic(
  image: ClusterImage,
  topic: TopicRequest,
  limits: Limits,
  partitionsBefore: number,
): TopicPlan | RequestError {
  const configs = plannedConfigs(topic.configs);
  if (isRefused(configs)) return configs;
  if (isInternalTopic(topic.name)) configs.set("cleanup.policy", "compact");
  const shape = topic.assignments.length > 0 ? assignedShape(image, topic) : countedShape(image, topic, configs);
  if (isRefused(shape)) return shape;
  if (shape.numPartitions > limits.maxPartitionsPerTopic) {
    return refuse(
      "INVALID_PARTITIONS",
      `${shape.numPartitions} partitions exceed the ${limits.maxPartitionsPerTopic} that a topic may have`,
    );
  }
  if (partitionsBefore + shape.numPartitions > limits.maxPartitions) {
    return refuse(
      "POLICY_VIOLATION",
      `${shape.numPartitions} more partitions exceed the ${limits.maxPartitions} that the cluster may have; ` +
        "delete topics first",
    );
  }
  const { replicationFactor, isChosen } = shape;
  const configured = configs.get(REPLICATION_FACTOR);
  if (isChosen && configured !== undefined && Number(configured) !== replicationFactor) {
    return refuse("INVALID_CONFIG", `${REPLICATION_FACTOR} ${configured} contradicts ${replicationFactor} replicas`);
  }
  if (isChosen) configs.set(REPLICATION_FACTOR, String(replicationFactor));
  return { ...shape, configs };
}

interface Shape extends Pick<TopicPlan, "numPartitions" | "replicationFactor" | "assignments"> {
  /** Whether the request says how many replicas there shall be, so that the default does not apply later either. */
  readonly isChosen: boolean;
}

function assignedShape(image: ClusterImage, topic: TopicRequest): Shape | RequestError {
  if (topic.numPartitions !== -1 || topic.replicationFactor !== -1) {
    return refuse("INVALID_REQUEST", "with assignments, the numbers of partitions and of replicas must be -1");
  }
  const sorted = [...topic.assignments].sort((left, right) => left.partitionIndex - right.partitionIndex);
  if (sorted.some(({ partitionIndex }, index) => partitionIndex !== index)) {
    return refuse("INVALID_REPLICA_ASSIGNMENT", "the assigned partitions must be numbered from 0 without a gap");
  }
  const assignments = sorted.map(({ brokerIds }) => brokerIds);
  const problem = assignmentProblem(image, assignments);
  if (problem !== undefined) return refuse("INVALID_REPLICA_ASSIGNMENT", problem);
  return {
    numPartitions: assignments.length,
    replicationFactor: assignments[0]!.length,
    assignments,
    isChosen: true,
  };
}

function countedShape(
  image: ClusterImage,
  topic: TopicRequest,
  configs: ReadonlyMap<string, string>,
): Shape | RequestError {
  const numPartitions = topic.numPartitions === -1 ? defaultPartitions(image) : topic.numPartitions;
  if (numPartitions < 1) return refuse("INVALID_PARTITIONS", `a topic cannot have ${numPartitions} partitions`);
  const isChosen = topic.replicationFactor !== -1;
  const fallback = configValue(image, topicConfigs.get(REPLICATION_FACTOR)!, undefined).value;
  const replicationFactor = isChosen
    ? topic.replicationFactor
    : Number(configs.get(REPLICATION_FACTOR) ?? fallback);
  if (replicationFactor < 1) {
    return refuse("INVALID_REPLICATION_FACTOR", `a replication factor of ${replicationFactor} is not positive`);
  }
  if (![...image.brokers.keys()].some((brokerId) => image.isActive(brokerId))) {
    return refuse("INVALID_REPLICATION_FACTOR", "no broker is available; open a tab that is one");
  }
  return { numPartitions, replicationFactor, assignments: undefined, isChosen };
}

function plannedConfigs(configs: TopicRequest["configs"]): Map<string, string> | RequestError {
  const planned = new Map<string, string>();
  for (const { name, value } of configs) {
    const definition = topicConfigs.get(name);
    if (definition === undefined) {
      return refuse("INVALID_CONFIG", `topics have no configuration "${name.slice(0, 100)}"`);
    }
    if (planned.has(name)) return refuse("INVALID_CONFIG", `${name} is given twice`);
    const problem = value === null ? `${name} has no value` : configProblem(definition, value);
    if (value === null || problem !== undefined) return refuse("INVALID_CONFIG", problem ?? "");
    planned.set(name, value);
  }
  return planned;
}

function place(placement: Placement, { numPartitions, replicationFactor }: TopicPlan): number[][] {
  return Array.from({ length: numPartitions }, () => placement.placePartition(replicationFactor));
}

function topicRecords(
  image: ClusterImage,
  topicId: string,
  name: string,
  plan: TopicPlan,
  assignments: readonly (readonly number[])[],
): MetadataRecordInit[] {
  return [
    { type: "TopicRecord", name, topicId },
    ...[...plan.configs].map(
      ([key, value]): MetadataRecordInit => ({
        type: "ConfigRecord",
        resourceType: TOPIC_RESOURCE,
        resourceName: name,
        name: key,
        value,
      }),
    ),
    ...assignments.map((replicas, index) => partitionRecord(newPartition(image, topicId, index, replicas))),
  ];
}

function createdTopic(
  image: ClusterImage,
  topicId: string | undefined,
  name: string,
  { numPartitions, replicationFactor, configs }: TopicPlan,
): TopicAnswer {
  return {
    name,
    ...(topicId === undefined ? {} : { topicId }),
    errorCode: 0,
    numPartitions,
    replicationFactor,
    configs: [...topicConfigs.values()].map((definition) => {
      const own = configs.get(definition.name);
      const { value, source } = own === undefined
        ? configValue(image, definition, undefined)
        : { value: own, source: "topic" as const };
      return {
        name: definition.name,
        value,
        readOnly: false,
        configSource: configSources[source],
        isSensitive: false,
      };
    }),
  };
}
