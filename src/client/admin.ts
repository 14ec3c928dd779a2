import type {
  AdminConfig,
  ConfigEntry,
  DescribeConfigResponse,
  IResourceConfig,
  ITopicConfig,
  ITopicMetadata,
  ResourceConfigQuery,
  SeekEntry,
} from "./admin-types.ts";
import { retryPolicy, retrying } from "./backoff.ts";
import type { RetryOptions, RetryPolicy } from "./backoff.ts";
import { BrokerConnections } from "./broker-connections.ts";
import { clusterView } from "./cluster-view.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Cluster } from "./cluster.ts";
import {
  KafkaJSAggregateError,
  KafkaJSCreateTopicError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSProtocolError,
  KafkaJSTopicMetadataNotLoaded,
} from "./errors.ts";
import { adminEvents, Emitter } from "./events.ts";
import type { InstrumentationEvent } from "./events.ts";
import type { GroupDescription } from "./group/describe-group.ts";
import type {
  DeleteGroupsResult,
  FetchOffsetsPartition,
  GroupAdmin,
  GroupOverview,
} from "./group/group-admin.ts";
import type { Logger } from "./logger.ts";
import { lookUpOffsets } from "./offset-lookup.ts";
import { partitionMetadata } from "./partition-metadata.ts";
import type { ClusterImage } from "../metadata/image.ts";
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from "../protocol/apis/02-list-offsets.ts";
import { createTopics } from "../protocol/apis/19-create-topics.ts";
import { deleteTopics } from "../protocol/apis/20-delete-topics.ts";
import { describeConfigs } from "../protocol/apis/32-describe-configs.ts";
import { createPartitions } from "../protocol/apis/37-create-partitions.ts";
import { incrementalAlterConfigs } from "../protocol/apis/44-incremental-alter-configs.ts";
import { errorName } from "../protocol/error-codes.ts";
import type { Api } from "../protocol/schema.ts";
import { TAB_LISTENER } from "../runtime/connection.ts";

/** DescribeConfigs' number for a value that nobody set. */
const DEFAULT_SOURCE = 5;

/** Topics, groups and the cluster. What changes something goes to the controller, and waits a while if that is away. */
export class Admin {
  readonly events = adminEvents;
  readonly #cluster: Cluster;
  readonly #logger: Logger;
  readonly #emitter: Emitter;
  readonly #retry: RetryPolicy;
  #connections: BrokerConnections | undefined;

  constructor(cluster: Cluster, config: AdminConfig, options: { logger: Logger; retry: RetryOptions | undefined }) {
    this.#cluster = cluster;
    this.#logger = options.logger.namespace("Admin");
    this.#emitter = new Emitter(() => cluster.wallNow(), this.#logger);
    this.#retry = retryPolicy(options.retry, config.retry);
  }

  async connect(): Promise<void> {
    if (this.#connections !== undefined) return;
    await this.#cluster.acquire();
    if (this.#connections !== undefined) return this.#cluster.release();
    this.#connections = new BrokerConnections(this.#cluster, this.#emitter.network("admin"));
    this.#emitter.emit(adminEvents.CONNECT, null);
  }

  async disconnect(): Promise<void> {
    if (this.#connections === undefined) return;
    this.#connections.close();
    this.#connections = undefined;
    this.#cluster.release();
    this.#emitter.emit(adminEvents.DISCONNECT, null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  /** Calls `listener` now, and after every change of the metadata. Returns how to stop that. */
  watchCluster(listener: (view: ClusterView) => void): () => void {
    this.#connected();
    const tell = () => listener(clusterView(this.#cluster));
    tell();
    return this.#cluster.watch(tell);
  }

  async listTopics(): Promise<string[]> {
    this.#connected();
    return [...this.#cluster.image.topicsByName.keys()];
  }

  /** Resolves with false if all topics exist already; rejects with an aggregate error that names each other failure. */
  async createTopics(options: {
    readonly topics: readonly ITopicConfig[];
    readonly validateOnly?: boolean;
    /** Resolves only when all partitions have leaders. True by default. */
    readonly waitForLeaders?: boolean;
    readonly timeout?: number;
  }): Promise<boolean> {
    const { topics, validateOnly = false, waitForLeaders = true } = options;
    const timeoutMs = options.timeout ?? this.#cluster.requestTimeoutMs;
    const deadline = this.#deadline(timeoutMs);
    const body = { topics: topics.map(creatableTopic), timeoutMs, validateOnly };
    const { topics: answers } = await this.#ask("CreateTopics", createTopics, body, timeoutMs);
    const failures = answers.flatMap(({ name, errorCode, errorMessage }) => {
      const error = errorName(errorCode);
      if (error === "NONE" || error === "TOPIC_ALREADY_EXISTS") return [];
      return [new KafkaJSCreateTopicError(error, name, errorMessage ?? `Topic ${name} could not be created`)];
    });
    if (failures.length > 0) throw new KafkaJSAggregateError("Topic creation errors", failures);
    if (validateOnly) return true;
    for (const { topic } of topics) {
      await this.#cluster.waitFor(`the leaders of topic ${topic}`, deadline, (image) =>
        isReady(image, topic, waitForLeaders),
      );
    }
    return answers.some(({ errorCode }) => errorName(errorCode) === "NONE");
  }

  async deleteTopics(options: { readonly topics: readonly string[]; readonly timeout?: number }): Promise<void> {
    const timeoutMs = options.timeout ?? this.#cluster.requestTimeoutMs;
    const deadline = this.#deadline(timeoutMs);
    const ids = new Map(options.topics.map((name) => [name, this.#cluster.image.topicsByName.get(name)]));
    const body = { topics: options.topics.map((name) => ({ name })), timeoutMs };
    const { responses } = await this.#ask("DeleteTopics", deleteTopics, body, timeoutMs);
    throwFirst(
      responses.map(({ name, errorCode, errorMessage }) => ({ what: `Topic ${name}`, errorCode, errorMessage })),
    );
    for (const [name, id] of ids) {
      await this.#cluster.waitFor(`the removal of topic ${name}`, deadline, (image) =>
        id === undefined || !image.topics.has(id) ? true : undefined,
      );
    }
  }

  async createPartitions(options: {
    readonly topicPartitions: readonly {
      readonly topic: string;
      /** The partitions that the topic shall have afterwards. */
      readonly count: number;
      readonly assignments?: readonly (readonly number[])[];
    }[];
    readonly validateOnly?: boolean;
    readonly timeout?: number;
  }): Promise<boolean> {
    const timeoutMs = options.timeout ?? this.#cluster.requestTimeoutMs;
    const deadline = this.#deadline(timeoutMs);
    const topics = options.topicPartitions.map(({ topic, count, assignments }) => ({
      name: topic,
      count,
      assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
    }));
    const validateOnly = options.validateOnly ?? false;
    const body = { topics, timeoutMs, validateOnly };
    const { results } = await this.#ask("CreatePartitions", createPartitions, body, timeoutMs);
    throwFirst(
      results.map(({ name, errorCode, errorMessage }) => ({ what: `Topic ${name}`, errorCode, errorMessage })),
    );
    if (validateOnly) return true;
    for (const { name, count } of topics) {
      await this.#cluster.waitFor(
        `partition ${count - 1} of topic ${name}`,
        deadline,
        (image) => image.topicNamed(name)?.partitions[count - 1],
      );
    }
    return true;
  }

  /** The partitions of `topics`, by default of all. */
  async fetchTopicMetadata(
    options: { readonly topics?: readonly string[] } = {},
  ): Promise<{ topics: ITopicMetadata[] }> {
    this.#connected();
    const { image } = this.#cluster;
    const names = options.topics ?? [...image.topicsByName.keys()];
    const topics = names.map((name) => ({
      name,
      partitions: this.#topic(name).partitions.map((partition) => partitionMetadata(image, partition)),
    }));
    return { topics };
  }

  /** The ends of every partition: `high`, also as `offset`, is behind the last committed message, `low` the first. */
  async fetchTopicOffsets(topic: string): Promise<(SeekEntry & { readonly high: string; readonly low: string })[]> {
    const [high, low] = await Promise.all([
      this.#offsets(topic, LATEST_TIMESTAMP),
      this.#offsets(topic, EARLIEST_TIMESTAMP),
    ]);
    return high.map(({ partition, offset }, index) => ({
      partition,
      offset: String(offset),
      high: String(offset),
      low: String(low[index]!.offset),
    }));
  }

  /** The first offset at or after `timestamp` in every partition; its end where there is none, and by default. */
  async fetchTopicOffsetsByTimestamp(topic: string, timestamp = LATEST_TIMESTAMP): Promise<SeekEntry[]> {
    const [found, ends] = await Promise.all([this.#offsets(topic, timestamp), this.#offsets(topic, LATEST_TIMESTAMP)]);
    return found.map(({ partition, offset }, index) => ({
      partition,
      offset: String(offset < 0 ? ends[index]!.offset : offset),
    }));
  }

  /** The brokers that can be reached. The controller is no broker here, so it is named by none of them. */
  async describeCluster(): Promise<{
    brokers: { nodeId: number; host: string; port: number }[];
    controller: number | null;
    clusterId: string;
  }> {
    this.#connected();
    const { image } = this.#cluster;
    const brokers = [...image.brokers.values()].flatMap(({ brokerId, fenced, listeners }) => {
      const endpoint = listeners.find(({ name }) => name === TAB_LISTENER);
      return fenced || endpoint === undefined ? [] : [{ nodeId: brokerId, host: endpoint.host, port: endpoint.port }];
    });
    return { brokers, controller: null, clusterId: image.clusterId };
  }

  async describeConfigs(options: {
    readonly resources: readonly ResourceConfigQuery[];
    readonly includeSynonyms?: boolean;
  }): Promise<DescribeConfigResponse> {
    const { resources, includeSynonyms = false } = options;
    const asked = resources.map(({ type, name, configNames }) => ({
      resourceType: type,
      resourceName: name,
      configurationKeys: configNames ?? null,
    }));
    const { requestTimeoutMs } = this.#cluster;
    const body = { resources: asked, includeSynonyms };
    const { results, throttleTimeMs } = await this.#ask("DescribeConfigs", describeConfigs, body, requestTimeoutMs);
    throwFirst(results.map(({ resourceName, ...rest }) => ({ what: `The configuration of ${resourceName}`, ...rest })));
    return {
      resources: results.map(({ configs, errorCode, errorMessage, resourceName, resourceType }) => ({
        configEntries: configs.map(configEntry),
        errorCode,
        errorMessage,
        resourceName,
        resourceType,
      })),
      throttleTime: throttleTimeMs,
    };
  }

  /** Changes the settings that are named and leaves the others, unlike KafkaJS, which takes those back (KIP-339). */
  async alterConfigs(options: {
    readonly resources: readonly IResourceConfig[];
    readonly validateOnly?: boolean;
  }): Promise<void> {
    const resources = options.resources.map(({ type, name, configEntries }) => ({
      resourceType: type,
      resourceName: name,
      configs: configEntries.map((entry) => ({
        name: entry.name,
        configOperation: entry.value === null ? 1 : 0,
        value: entry.value,
      })),
    }));
    const { requestTimeoutMs } = this.#cluster;
    const body = { resources, validateOnly: options.validateOnly ?? false };
    const { responses } = await this.#ask("IncrementalAlterConfigs", incrementalAlterConfigs, body, requestTimeoutMs);
    throwFirst(
      responses.map(({ resourceName, ...rest }) => ({ what: `The configuration of ${resourceName}`, ...rest })),
    );
  }

  on<T>(eventName: string, listener: (event: InstrumentationEvent<T>) => void): () => void {
    return this.#emitter.on(eventName, listener);
  }

  logger(): Logger {
    return this.#logger;
  }

  async listGroups(): Promise<{ groups: GroupOverview[] }> {
    return { groups: await (await this.#groups()).list() };
  }

  /** A group that does not exist is described as one in the state `Dead`. */
  async describeGroups(groupIds: readonly string[]): Promise<{ groups: GroupDescription[] }> {
    return { groups: await (await this.#groups()).describe(groupIds) };
  }

  /** Deletes groups without members, and what they have committed; throws KafkaJSDeleteGroupsError. */
  async deleteGroups(groupIds: readonly string[]): Promise<DeleteGroupsResult[]> {
    return (await this.#groups()).delete(groupIds);
  }

  /**
   * What a group has committed, by default in all topics; in the topics that are named, -1 where it is nothing. With
   * `resolveOffsets` such a partition, and one whose committed records are gone, has the first offset that is there.
   */
  async fetchOffsets(options: {
    readonly groupId: string;
    readonly topics?: readonly string[];
    readonly resolveOffsets?: boolean;
  }): Promise<{ topic: string; partitions: FetchOffsetsPartition[] }[]> {
    const { groupId, topics, resolveOffsets = false } = options;
    const asked = topics?.map((topic) => ({
      topic,
      partitions: this.#topic(topic).partitions.map(({ partitionIndex }) => partitionIndex),
    }));
    const committed = await (await this.#groups()).fetchOffsets(groupId, asked);
    if (!resolveOffsets) return committed;
    return Promise.all(
      committed.map(async ({ topic, partitions }) => {
        const ends = await this.#offsets(topic, EARLIEST_TIMESTAMP);
        const first = new Map(ends.map(({ partition, offset }) => [partition, offset]));
        return {
          topic,
          partitions: partitions.map(({ partition, offset, metadata }) => ({
            partition,
            offset: String(Math.max(Number(offset), first.get(partition) ?? 0)),
            metadata,
          })),
        };
      }),
    );
  }

  /** Has a group, which must have no members, go on at these offsets. */
  async setOffsets(options: {
    readonly groupId: string;
    readonly topic: string;
    readonly partitions: readonly SeekEntry[];
  }): Promise<void> {
    await (await this.#groups()).setOffsets(options.groupId, options.topic, options.partitions);
  }

  /** Has a group, which must have no members, go on at the end of the topic, or at its beginning. */
  async resetOffsets(options: {
    readonly groupId: string;
    readonly topic: string;
    readonly earliest?: boolean;
  }): Promise<void> {
    const { groupId, topic, earliest = false } = options;
    const ends = await this.#offsets(topic, earliest ? EARLIEST_TIMESTAMP : LATEST_TIMESTAMP);
    const partitions = ends.map(({ partition, offset }) => ({ partition, offset: String(offset) }));
    await (await this.#groups()).setOffsets(groupId, topic, partitions);
  }

  #connected(): BrokerConnections {
    if (this.#connections === undefined)
      throw new KafkaJSError("The admin client is disconnected; call connect() first");
    return this.#connections;
  }

  async #groups(): Promise<GroupAdmin> {
    const connections = this.#connected();
    const { GroupAdmin: Loaded } = await import("./group/group-admin.ts");
    return new Loaded({ cluster: this.#cluster, connections, emitter: this.#emitter, retry: this.#retry });
  }

  #deadline(timeoutMs: number): number {
    this.#connected();
    return this.#cluster.clock.now() + timeoutMs;
  }

  /** Asks the controller, again while the link to it breaks. */
  async #ask<Init, R>(what: string, api: Api<unknown, Init, R>, body: NoInfer<Init>, timeoutMs: number): Promise<R> {
    this.#connected();
    const { clock, platform } = this.#cluster;
    const deadline = clock.now() + timeoutMs;
    return retrying({ clock, random: () => platform.random() }, { what, policy: this.#retry, deadline }, () =>
      this.#cluster.askController(api, body, Math.max(1, deadline - clock.now())),
    );
  }

  #topic(name: string) {
    const topic = this.#cluster.image.topicNamed(name);
    if (topic === undefined) throw new KafkaJSTopicMetadataNotLoaded(`Topic ${name} does not exist`, { topic: name });
    return topic;
  }

  #offsets(topic: string, timestamp: number) {
    const connections = this.#connected();
    const questions = this.#topic(topic).partitions.map(({ partitionIndex }) => ({
      topic,
      partition: partitionIndex,
      timestamp,
    }));
    const deadline = this.#cluster.clock.now() + this.#cluster.requestTimeoutMs;
    return lookUpOffsets(this.#cluster, connections, questions, { policy: this.#retry, deadline });
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

function isReady(image: ClusterImage, topic: string, waitForLeaders: boolean): true | undefined {
  const partitions = image.topicNamed(topic)?.partitions ?? [];
  if (partitions.length === 0) return undefined;
  return !waitForLeaders || partitions.every(({ leader }) => leader >= 0) ? true : undefined;
}

function throwFirst(
  answers: readonly { readonly what: string; readonly errorCode: number; readonly errorMessage: string | null }[],
): void {
  const failures = answers.flatMap(({ what, errorCode, errorMessage }) => {
    const error = errorName(errorCode);
    if (error === "NONE") return [];
    return [new KafkaJSProtocolError(error, errorMessage === null ? what : `${what}, ${errorMessage}`)];
  });
  const [first, second] = failures;
  if (second !== undefined)
    throw new KafkaJSAggregateError(failures.map(({ message }) => message).join("; "), failures);
  if (first !== undefined) throw first;
}

function configEntry(config: {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly synonyms: readonly { readonly name: string; readonly value: string | null; readonly source: number }[];
}): ConfigEntry {
  return {
    configName: config.name,
    configValue: config.value,
    isDefault: config.configSource === DEFAULT_SOURCE,
    configSource: config.configSource,
    isSensitive: config.isSensitive,
    readOnly: config.readOnly,
    configSynonyms: config.synonyms.map(({ name, value, source }) => ({
      configName: name,
      configValue: value,
      configSource: source,
    })),
  };
}
