import type { AdminCalls } from "./admin/admin-calls.ts";
import type {
  AdminConfig,
  AlterConfigsOptions,
  AlterPartitionReassignmentsOptions,
  CreatePartitionsOptions,
  CreateTopicsOptions,
  DeleteTopicsOptions,
  DescribeConfigResponse,
  DescribeConfigsOptions,
  ITopicMetadata,
  ListPartitionReassignmentsOptions,
  OngoingTopicReassignment,
  SeekEntry,
} from "./admin-types.ts";
import { retryPolicy } from "./backoff.ts";
import type { RetryOptions, RetryPolicy } from "./backoff.ts";
import { BrokerConnections } from "./broker-connections.ts";
import { clusterView } from "./cluster-view.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Cluster } from "./cluster.ts";
import { KafkaJSError } from "./errors.ts";
import { adminEvents, Emitter } from "./events.ts";
import type { InstrumentationEvent } from "./events.ts";
import type { GroupDescription } from "./group/describe-group.ts";
import type { DeleteGroupsResult, FetchOffsetsPartition, GroupOverview } from "./group/group-admin.ts";
import type { Logger } from "./logger.ts";
import { loadAdmin } from "./on-demand.ts";
import { Presence } from "./presence.ts";
import { TAB_LISTENER } from "../metadata/listener-names.ts";
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from "../protocol/apis/02-list-offsets.ts";

/** Topics, groups and the cluster. What changes something goes to the controller, and waits a while if that is away. */
export class Admin {
  readonly events = adminEvents;
  readonly #cluster: Cluster;
  readonly #logger: Logger;
  readonly #emitter: Emitter;
  readonly #retry: RetryPolicy;
  readonly #presence: Presence;
  #connections: BrokerConnections | undefined;
  #calls: AdminCalls | undefined;

  constructor(cluster: Cluster, config: AdminConfig, options: { logger: Logger; retry: RetryOptions | undefined }) {
    this.#cluster = cluster;
    this.#logger = options.logger.namespace("Admin");
    this.#emitter = new Emitter(() => cluster.wallNow(), this.#logger, adminEvents);
    this.#retry = retryPolicy(options.retry, config.retry);
    this.#presence = new Presence(cluster, "admin");
  }

  /** Throws KafkaJSConnectionError when no broker answers, and KafkaJSError when {@link disconnect} comes first. */
  async connect(): Promise<void> {
    if (this.#connections !== undefined && !this.#presence.isLeaving) return;
    const { AdminCalls: Loaded } = await this.#presence.enter(loadAdmin);
    if (this.#connections !== undefined) return this.#cluster.release();
    const connections = new BrokerConnections(this.#cluster, this.#emitter.network("admin"));
    this.#connections = connections;
    this.#calls = new Loaded({ cluster: this.#cluster, connections, emitter: this.#emitter, retry: this.#retry });
    this.#emitter.emit(adminEvents.CONNECT, null);
  }

  disconnect(): Promise<void> {
    return this.#presence.leave(async () => {
      if (this.#connections === undefined) return;
      this.#connections.close();
      this.#connections = undefined;
      this.#calls = undefined;
      this.#cluster.release();
      this.#emitter.emit(adminEvents.DISCONNECT, null);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  /**
   * Calls `listener` now, and after every change of the metadata. Returns how to stop that. That it throws is logged,
   * and harms nobody else.
   */
  watchCluster(listener: (view: ClusterView) => void): () => void {
    this.#connected();
    const failed = (error: unknown) => this.#logger.error("A listener of watchCluster failed", { error });
    const tell = () => {
      try {
        const outcome: unknown = listener(clusterView(this.#cluster));
        if (outcome instanceof Promise) outcome.catch(failed);
      } catch (error) {
        failed(error);
      }
    };
    tell();
    return this.#cluster.watch(tell);
  }

  async listTopics(): Promise<string[]> {
    this.#connected();
    return [...this.#cluster.image.topicsByName.keys()];
  }

  /** Resolves with false if all topics exist already; rejects with an aggregate error that names each other failure. */
  async createTopics(options: CreateTopicsOptions): Promise<boolean> {
    return this.#connected().topics.create(options);
  }

  async deleteTopics(options: DeleteTopicsOptions): Promise<void> {
    await this.#connected().topics.delete(options);
  }

  async createPartitions(options: CreatePartitionsOptions): Promise<boolean> {
    return this.#connected().topics.createPartitions(options);
  }

  /** The partitions of `topics`, by default of all. */
  async fetchTopicMetadata(
    options: { readonly topics?: readonly string[] } = {},
  ): Promise<{ topics: ITopicMetadata[] }> {
    return this.#connected().topics.describe(options.topics);
  }

  /** The ends of every partition: `high`, also as `offset`, is behind the last committed message, `low` the first. */
  async fetchTopicOffsets(topic: string): Promise<(SeekEntry & { readonly high: string; readonly low: string })[]> {
    const { records } = this.#connected();
    const [high, low] = await Promise.all([
      records.offsets(topic, LATEST_TIMESTAMP),
      records.offsets(topic, EARLIEST_TIMESTAMP),
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
    const { records } = this.#connected();
    const [found, ends] = await Promise.all([
      records.offsets(topic, timestamp),
      records.offsets(topic, LATEST_TIMESTAMP),
    ]);
    return found.map(({ partition, offset }, index) => ({
      partition,
      offset: String(offset < 0 ? ends[index]!.offset : offset),
    }));
  }

  /**
   * Deletes the messages before `offset` in each partition; "-1" stands for all. Rejects with
   * KafkaJSDeleteTopicRecordsError, which names the partitions that were refused; the others are done.
   */
  async deleteTopicRecords(options: {
    readonly topic: string;
    readonly partitions: readonly SeekEntry[];
  }): Promise<void> {
    await this.#connected().records.delete(options.topic, options.partitions);
  }

  /**
   * Moves partitions to other brokers. Resolves when the moves have begun; {@link listPartitionReassignments} tells
   * which are not over. Rejects with an aggregate error that names each partition that was refused.
   */
  async alterPartitionReassignments(options: AlterPartitionReassignmentsOptions): Promise<void> {
    await this.#connected().reassignments.alter(options);
  }

  /** The partitions that are being moved, of `topics` or of all. */
  async listPartitionReassignments(
    options: ListPartitionReassignmentsOptions = {},
  ): Promise<{ topics: OngoingTopicReassignment[] }> {
    return this.#connected().reassignments.list(options);
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

  async describeConfigs(options: DescribeConfigsOptions): Promise<DescribeConfigResponse> {
    return this.#connected().configs.describe(options);
  }

  /** Changes the settings that are named and leaves the others, unlike KafkaJS, which takes those back (KIP-339). */
  async alterConfigs(options: AlterConfigsOptions): Promise<void> {
    await this.#connected().configs.alter(options);
  }

  on<T>(eventName: string, listener: (event: InstrumentationEvent<T>) => void): () => void {
    return this.#emitter.on(eventName, listener);
  }

  logger(): Logger {
    return this.#logger;
  }

  async listGroups(): Promise<{ groups: GroupOverview[] }> {
    return { groups: await this.#connected().groups.list() };
  }

  /** A group that does not exist is described as one in the state `Dead`. */
  async describeGroups(groupIds: readonly string[]): Promise<{ groups: GroupDescription[] }> {
    return { groups: await this.#connected().groups.describe(groupIds) };
  }

  /** Deletes groups without members, and what they have committed; throws KafkaJSDeleteGroupsError. */
  async deleteGroups(groupIds: readonly string[]): Promise<DeleteGroupsResult[]> {
    return this.#connected().groups.delete(groupIds);
  }

  /**
   * What a group has committed, by default in all topics; in the topics that are named, -1 where it is nothing. With
   * `resolveOffsets` such a partition has its end instead, as in KafkaJS, which would commit it, too.
   */
  async fetchOffsets(options: {
    readonly groupId: string;
    readonly topics?: readonly string[];
    readonly resolveOffsets?: boolean;
  }): Promise<{ topic: string; partitions: FetchOffsetsPartition[] }[]> {
    const { groups, records } = this.#connected();
    const { groupId, topics, resolveOffsets = false } = options;
    const committed = await groups.fetchOffsets(groupId, topics);
    if (!resolveOffsets) return committed;
    return Promise.all(
      committed.map(async ({ topic, partitions }) => {
        const ends = await records.offsets(topic, LATEST_TIMESTAMP);
        const end = new Map(ends.map((found) => [found.partition, String(found.offset)]));
        return {
          topic,
          partitions: partitions.map(({ partition, offset, metadata }) => ({
            partition,
            offset: offset === "-1" ? (end.get(partition) ?? offset) : offset,
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
    await this.#connected().groups.setOffsets(options.groupId, options.topic, options.partitions);
  }

  /** Has a group, which must have no members, go on at the end of the topic, or at its beginning. */
  async resetOffsets(options: {
    readonly groupId: string;
    readonly topic: string;
    readonly earliest?: boolean;
  }): Promise<void> {
    const { groupId, topic, earliest = false } = options;
    const { groups, records } = this.#connected();
    const ends = await records.offsets(topic, earliest ? EARLIEST_TIMESTAMP : LATEST_TIMESTAMP);
    const partitions = ends.map(({ partition, offset }) => ({ partition, offset: String(offset) }));
    await groups.setOffsets(groupId, topic, partitions);
  }

  #connected(): AdminCalls {
    if (this.#calls === undefined) throw new KafkaJSError("The admin client is disconnected; call connect() first");
    return this.#calls;
  }
}
