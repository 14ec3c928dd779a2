import type {
  CreatePartitionsOptions,
  CreateTopicsOptions,
  DeleteTopicsOptions,
  ITopicConfig,
  ITopicMetadata,
} from "../admin-types.ts";
import { askController, throwRefused, topicNamed } from "./admin-environment.ts";
import type { AdminEnvironment } from "./admin-environment.ts";
import { KafkaJSAggregateError, KafkaJSCreateTopicError, KafkaJSNonRetriableError } from "../errors.ts";
import { partitionMetadata } from "../partition-metadata.ts";
import { waitForBroker } from "../topic-creation.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import { createTopics } from "../../protocol/apis/19-create-topics.ts";
import { deleteTopics } from "../../protocol/apis/20-delete-topics.ts";
import { createPartitions } from "../../protocol/apis/37-create-partitions.ts";
import { errorName } from "../../protocol/error-codes.ts";

/** The admin client's calls about topics, which the controller answers. Each waits until the change is known here. */
export class TopicAdmin {
  readonly #environment: AdminEnvironment;

  constructor(environment: AdminEnvironment) {
    this.#environment = environment;
  }

  async create(options: CreateTopicsOptions): Promise<boolean> {
    const { topics, validateOnly = false, waitForLeaders = true, timeout } = options;
    const { cluster } = this.#environment;
    const { timeoutMs, deadline } = this.#time(timeout);
    await waitForBroker(cluster, deadline);
    const body = { topics: topics.map(creatableTopic), timeoutMs, validateOnly };
    const known = new Set(cluster.image.topicsByName.keys());
    const { topics: answers } = await askController(this.#environment, createTopics, body, timeoutMs);
    const failures = answers.flatMap(({ name, errorCode, errorMessage }) => {
      const error = errorName(errorCode);
      if (error === "NONE" || error === "TOPIC_ALREADY_EXISTS") return [];
      return [new KafkaJSCreateTopicError(error, name, errorMessage ?? `Topic ${name} could not be created`)];
    });
    if (failures.length > 0) throw new KafkaJSAggregateError("Topic creation errors", failures);
    if (validateOnly) return true;
    for (const { topic } of topics) {
      // A topic that was there already may be without a leader for as long as a broker is away.
      const needsLeaders = waitForLeaders && !known.has(topic);
      const what = needsLeaders ? `the leaders of topic ${topic}` : `topic ${topic}`;
      await cluster.waitFor(what, deadline, (image) => isReady(image, topic, needsLeaders));
    }
    return answers.some(({ errorCode }) => errorName(errorCode) === "NONE");
  }

  async delete({ topics, timeout }: DeleteTopicsOptions): Promise<void> {
    const { cluster } = this.#environment;
    const { timeoutMs, deadline } = this.#time(timeout);
    const ids = new Map(topics.map((name) => [name, cluster.image.topicsByName.get(name)]));
    const body = { topics: topics.map((name) => ({ name })), timeoutMs };
    const { responses } = await askController(this.#environment, deleteTopics, body, timeoutMs);
    throwRefused(
      responses.map(({ name, errorCode, errorMessage }) => ({ what: `Topic ${name}`, errorCode, errorMessage })),
    );
    for (const [name, id] of ids) {
      await cluster.waitFor(`the removal of topic ${name}`, deadline, (image) =>
        id === undefined || !image.topics.has(id) ? true : undefined,
      );
    }
  }

  async createPartitions({
    topicPartitions,
    validateOnly = false,
    timeout,
  }: CreatePartitionsOptions): Promise<boolean> {
    const { cluster } = this.#environment;
    const { timeoutMs, deadline } = this.#time(timeout);
    const topics = topicPartitions.map(({ topic, count, assignments }) => ({
      name: topic,
      count,
      assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
    }));
    await waitForBroker(cluster, deadline);
    const body = { topics, timeoutMs, validateOnly };
    const { results } = await askController(this.#environment, createPartitions, body, timeoutMs);
    throwRefused(
      results.map(({ name, errorCode, errorMessage }) => ({ what: `Topic ${name}`, errorCode, errorMessage })),
    );
    if (validateOnly) return true;
    for (const { name, count } of topics) {
      await cluster.waitFor(
        `partition ${count - 1} of topic ${name}`,
        deadline,
        (image) => image.topicNamed(name)?.partitions[count - 1],
      );
    }
    return true;
  }

  describe(names: readonly string[] | undefined): { topics: ITopicMetadata[] } {
    const { image } = this.#environment.cluster;
    const topics = (names ?? [...image.topicsByName.keys()]).map((name) => {
      const { partitions } = topicNamed(this.#environment, name);
      return { name, partitions: partitions.map((partition) => partitionMetadata(image, partition)) };
    });
    return { topics };
  }

  #time(timeout: number | undefined): { timeoutMs: number; deadline: number } {
    const { clock, requestTimeoutMs } = this.#environment.cluster;
    const timeoutMs = timeout ?? requestTimeoutMs;
    return { timeoutMs, deadline: clock.now() + timeoutMs };
  }
}

function creatableTopic({
  topic,
  numPartitions,
  replicationFactor,
  replicaAssignment,
  configEntries = [],
}: ITopicConfig) {
  if (typeof topic !== "string" || topic === "") throw new KafkaJSNonRetriableError(`Invalid topic ${String(topic)}`);
  return {
    name: topic,
    numPartitions: replicaAssignment === undefined ? (numPartitions ?? -1) : -1,
    replicationFactor: replicaAssignment === undefined ? (replicationFactor ?? -1) : -1,
    assignments: (replicaAssignment ?? []).map(({ partition, replicas }) => ({
      partitionIndex: partition,
      brokerIds: replicas,
    })),
    configs: configEntries.map(({ name, value }) => ({ name, value })),
  };
}

function isReady(image: ClusterImage, topic: string, needsLeaders: boolean): true | undefined {
  const partitions = image.topicNamed(topic)?.partitions ?? [];
  if (partitions.length === 0) return undefined;
  return !needsLeaders || partitions.every(({ leader }) => leader >= 0) ? true : undefined;
}
