import { AssignedPartition } from "./assigned-partition.ts";
import type { StartAt } from "./assigned-partition.ts";
import { retryPolicy } from "./backoff.ts";
import type { RetryOptions, RetryPolicy } from "./backoff.ts";
import { BrokerConnections } from "./broker-connections.ts";
import type { Cluster } from "./cluster.ts";
import { callbackRetries, ConsumerRun } from "./consumer-run.ts";
import type {
  ConsumerConfig,
  ConsumerRunConfig,
  PartitionAssignment,
  TopicPartitionOffset,
  TopicPartitionOffsetAndMetadata,
} from "./consumer-types.ts";
import { KafkaJSError, KafkaJSNonRetriableError } from "./errors.ts";
import { consumerEvents, Emitter } from "./events.ts";
import type { InstrumentationEvent } from "./events.ts";
import type { Fetcher, FetcherOptions } from "./fetcher.ts";
import { nameOf, wholeNumber } from "./fetch-position.ts";
import type { TopicPartition } from "./fetch-position.ts";
import type { CommitTerms } from "./group/auto-commit.ts";
import type { ConsumerGroup, ConsumerGroupOptions } from "./group/consumer-group.ts";
import type { GroupDescription } from "./group/describe-group.ts";
import type { Logger } from "./logger.ts";
import { messageStream } from "./message-stream.ts";
import type { ConsumedMessage } from "./messages.ts";
import { loadFetcher, loadGroup } from "./on-demand.ts";
import { Presence } from "./presence.ts";
import { Subscription } from "./subscription.ts";
import { ensureTopic } from "./topic-creation.ts";

/** A run or a stream, of which a consumer has one at a time. */
interface Running {
  readonly over: boolean;
  readonly finished: Promise<unknown>;
  end(): void;
}

/** Streams commit what was processed at least this often. */
const STREAM_COMMIT_INTERVAL_MS = 1000;

/**
 * Reads partitions: those given to {@link assign}; or, of the topics given to {@link subscribe}, those that its group
 * assigns to it, and without a group all of them. Messages of a partition come in order, and each at least once: when a
 * callback fails, its message comes again.
 */
export class Consumer {
  readonly events = consumerEvents;
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #logger: Logger;
  readonly #emitter: Emitter;
  readonly #retry: RetryPolicy;
  readonly #callbackRetries: number;
  readonly #restartOnFailure: RetryOptions["restartOnFailure"];
  readonly #presence: Presence;
  readonly #subscription = new Subscription();
  #connections: BrokerConnections | undefined;
  #fetcher: Fetcher | undefined;
  #group: ConsumerGroup | undefined;
  #stopFollowing: (() => void) | undefined;
  #running: Running | undefined;
  #stopping: Promise<void> | undefined;
  /** How often {@link stop} was called: a run that has not begun by then is not to begin. */
  #stops = 0;

  constructor(cluster: Cluster, config: ConsumerConfig, options: { logger: Logger; retry: RetryOptions | undefined }) {
    this.#cluster = cluster;
    this.#config = config;
    this.#logger = options.logger.namespace("Consumer");
    this.#emitter = new Emitter(() => cluster.wallNow(), this.#logger, consumerEvents);
    this.#retry = retryPolicy(options.retry, config.retry);
    this.#callbackRetries = callbackRetries(options.retry, config.retry);
    this.#restartOnFailure = config.retry?.restartOnFailure ?? options.retry?.restartOnFailure;
    this.#presence = new Presence(cluster, "consumer");
  }

  /** Throws KafkaJSConnectionError when no broker answers, and KafkaJSError when {@link disconnect} comes first. */
  async connect(): Promise<void> {
    if (this.#fetcher !== undefined && !this.#presence.isLeaving) return;
    // What only groups need is loaded for them alone.
    const isMember = this.#config.groupId !== undefined;
    const load = () => Promise.all([loadFetcher(), isMember ? loadGroup() : undefined]);
    const [{ Fetcher: Loaded }, loadedGroup] = await this.#presence.enter(load);
    if (this.#fetcher !== undefined) return this.#cluster.release();
    const connections = new BrokerConnections(this.#cluster, this.#emitter.network("consumer"));
    const fetcher = new Loaded(this.#cluster, connections, this.#fetcherOptions());
    try {
      this.#group = loadedGroup && new loadedGroup.ConsumerGroup(this.#groupOptions(connections, fetcher));
    } catch (error) {
      fetcher.close();
      this.#cluster.release();
      throw error;
    }
    this.#connections = connections;
    this.#fetcher = fetcher;
    if (this.#group === undefined && !this.#subscription.isEmpty) this.#followSubscription();
    this.#emitter.emit(consumerEvents.CONNECT, null);
  }

  #fetcherOptions(): FetcherOptions {
    const config = this.#config;
    return {
      maxWaitMs: config.maxWaitTimeInMs ?? 5000,
      minBytes: config.minBytes ?? 1,
      maxBytes: config.maxBytes ?? 10 * 1024 * 1024,
      maxBytesPerPartition: config.maxBytesPerPartition ?? 1024 * 1024,
      isolationLevel: config.readUncommitted === true ? 0 : 1,
      rackId: config.rackId ?? "",
      retry: this.#retry,
      logger: this.#logger,
      mayHandOut: () => this.#group?.mayHandOut ?? true,
      fetchStarted: (nodeId) => this.#emitter.emit(consumerEvents.FETCH_START, { nodeId }),
      fetchEnded: (nodeId, numberOfBatches, duration) => {
        this.#group?.tick();
        this.#emitter.emit(consumerEvents.FETCH, { nodeId, numberOfBatches, duration });
      },
      offsetReset: ({ topic, partition }, offset, reason) =>
        this.#emitter.emit(consumerEvents.OFFSET_RESET, { topic, partition, offset, reason }),
    };
  }

  disconnect(): Promise<void> {
    return this.#presence.leave(async () => {
      await this.stop();
      if (this.#fetcher === undefined) return;
      this.#stopFollowing?.();
      this.#stopFollowing = undefined;
      this.#fetcher.close();
      this.#fetcher = undefined;
      this.#group = undefined;
      this.#connections?.close();
      this.#connections = undefined;
      this.#cluster.release();
      this.#emitter.emit(consumerEvents.DISCONNECT, null);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  /**
   * Replaces the assignment. A partition that was assigned before and is named without a place to start goes on where
   * it is. A partition that does not exist yet is read as soon as it does.
   */
  assign(assignments: readonly PartitionAssignment[]): void {
    const fetcher = this.#connected();
    if (!this.#subscription.isEmpty) {
      throw new KafkaJSNonRetriableError("This consumer has subscribed; use another one to assign partitions");
    }
    const partitions = new Map<string, AssignedPartition>();
    for (const assignment of assignments) {
      const { topic, partition } = assignment;
      const known = this.#find(topic, partition);
      const keeps = known !== undefined && assignment.offset === undefined && assignment.timestamp === undefined;
      const assigned = keeps ? known : this.#newPartition(topic, partition, startOf(assignment));
      partitions.set(`${partition}/${topic}`, assigned);
    }
    fetcher.assign([...partitions.values()]);
  }

  /**
   * Reads all partitions of the topics, also those that are added later, or shares them with its group. A group goes on
   * behind what it has committed; where it has committed nothing, and without a group, `fromBeginning` says where to
   * start. To be called before {@link run}.
   */
  async subscribe(subscription: {
    readonly topics?: readonly (string | RegExp)[];
    readonly topic?: string | RegExp;
    readonly fromBeginning?: boolean;
  }): Promise<void> {
    this.#connected();
    if (this.#running !== undefined)
      throw new KafkaJSNonRetriableError("Cannot subscribe while the consumer is running");
    const { topics = [], topic, fromBeginning = false } = subscription;
    if (!Array.isArray(topics)) throw new KafkaJSNonRetriableError(`topics is ${String(topics)}; it must be an array`);
    const all = topic === undefined ? topics : [...topics, topic];
    if (all.length === 0) throw new KafkaJSNonRetriableError("subscribe() needs topics");
    for (const one of all) {
      if (typeof one === "string" ? one === "" : !(one instanceof RegExp))
        throw new KafkaJSNonRetriableError(`Invalid topic ${String(one)}`);
    }
    for (const wanted of all) {
      if (typeof wanted === "string") await this.#ensureTopic(wanted);
      this.#subscription.add(wanted, fromBeginning, this.#cluster.image);
    }
    if (this.#group === undefined) this.#followSubscription();
  }

  /**
   * Starts calling back. Resolves when it is known where to read, so that what is produced afterwards is read. It waits
   * for a {@link stop} under way, so a callback must not wait for it then.
   */
  async run(config: ConsumerRunConfig): Promise<void> {
    const fetcher = this.#staying();
    const stops = this.#stops;
    for (let end = this.#ending; end !== undefined; end = this.#ending) await end;
    if (stops !== this.#stops) return;
    if (this.#running?.over === false) {
      this.#logger.warn("run() was called while the consumer is running, and changes nothing");
      return;
    }
    if (config.eachMessage === undefined && config.eachBatch === undefined) {
      throw new KafkaJSNonRetriableError("run() needs eachMessage or eachBatch");
    }
    const running = new ConsumerRun(config, {
      cluster: this.#cluster,
      fetcher,
      emitter: this.#emitter,
      logger: this.#logger,
      retry: this.#retry,
      callbackRetries: this.#callbackRetries,
      restartOnFailure: this.#restartOnFailure,
      group: this.#subscribedGroup,
      setPaused: ({ topic, partition }, paused) => this.#setPaused([{ topic, partitions: [partition] }], paused),
    });
    this.#running = running;
    // After a crash nobody would process what the group assigns.
    void running.finished.then(() => (this.#running === running ? this.#group?.leave() : undefined));
    await this.#positioned(fetcher, running);
  }

  /**
   * Stops calling back, and leaves the group after committing what was processed. Resolves after the callbacks under
   * way, so a callback must not wait for it; a coordinator that is away is waited for up to three seconds, and misses
   * the member when its session ends. Without a group the positions stay, for another {@link run}.
   */
  stop(): Promise<void> {
    this.#stops++;
    this.#stopping ??= this.#stop().finally(() => (this.#stopping = undefined));
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const running = this.#running;
    running?.end();
    await running?.finished;
    await this.#group?.leave();
    if (running === undefined || this.#running !== running) return;
    this.#running = undefined;
    this.#emitter.emit(consumerEvents.STOP, null);
  }

  /**
   * The messages, one by one, instead of {@link run}. No more is fetched than is asked for. Aborting makes the loop
   * throw the signal's reason.
   *
   * Leaving the loop keeps the position behind the last message. In a group a message counts as processed, and is
   * committed, when the next one is asked for; the consumer stays a member until {@link stop} or {@link disconnect}.
   */
  async *stream(
    options: CommitTerms & { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<ConsumedMessage, void, undefined> {
    const { signal } = options;
    const fetcher = this.#staying();
    const stops = this.#stops;
    for (let end = this.#ending; end !== undefined; end = this.#ending) await end;
    if (stops !== this.#stops) return;
    const group = this.#subscribedGroup;
    if (this.#running?.over === false) throw new KafkaJSNonRetriableError("The consumer is running already");
    let over = false;
    const end = () => {
      over = true;
      fetcher.notify();
    };
    // Nobody waits for the loop's body, which may itself be waiting for stop() or disconnect().
    const running: Running = {
      get over() {
        return over;
      },
      finished: Promise.resolve(),
      end,
    };
    this.#running = running;
    signal?.addEventListener("abort", end);
    try {
      signal?.throwIfAborted();
      group?.join({ autoCommitInterval: STREAM_COMMIT_INTERVAL_MS, ...options });
      yield* messageStream(fetcher, group, () => over);
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener("abort", end);
      over = true;
      if (this.#running === running) this.#running = undefined;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<ConsumedMessage, void, undefined> {
    return this.stream();
  }

  /**
   * Goes on at another offset; "-2" is the first one there is, "-1" the end. For a partition that the group has not
   * assigned, this is kept until it does.
   */
  seek({ topic, partition, offset }: TopicPartitionOffset): void {
    this.#connected();
    const assigned = this.#find(topic, partition);
    if (assigned === undefined || assigned.revoking) {
      const group = this.#subscribedGroup;
      if (group !== undefined) return group.seekLater({ topic, partition }, startOf({ topic, partition, offset }));
    }
    if (assigned === undefined) {
      throw new KafkaJSNonRetriableError(`Cannot seek: ${nameOf({ topic, partition })} is not assigned`);
    }
    assigned.jumpTo(startOf({ topic, partition, offset }));
    this.#fetcher?.wake();
  }

  pause(topics: readonly { readonly topic: string; readonly partitions?: readonly number[] }[]): void {
    this.#setPaused(topics, true);
  }

  resume(topics: readonly { readonly topic: string; readonly partitions?: readonly number[] }[]): void {
    this.#setPaused(topics, false);
  }

  paused(): { topic: string; partitions: number[] }[] {
    const topics = new Map<string, number[]>();
    for (const { topic, partition, paused } of this.#fetcher?.partitions ?? []) {
      if (paused) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
    }
    return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
  }

  /** Where each partition is: behind the last message processed; undefined while that is being found out. */
  positions(): (TopicPartition & { readonly offset: string | undefined })[] {
    return (this.#fetcher?.partitions ?? []).map(({ topic, partition, consumed }) => ({
      topic,
      partition,
      offset: consumed === undefined ? undefined : String(consumed.offset),
    }));
  }

  on<T>(eventName: string, listener: (event: InstrumentationEvent<T>) => void): () => void {
    return this.#emitter.on(eventName, listener);
  }

  /** Commits offsets for the group, each behind the last message processed; by default what was processed. */
  async commitOffsets(offsets?: readonly TopicPartitionOffsetAndMetadata[]): Promise<void> {
    await this.#requireGroup().commit(
      offsets?.map(({ topic, partition, offset, metadata = null }) => ({
        topic,
        partition,
        offset: wholeNumber(offset, "offset", { topic, partition }),
        leaderEpoch: -1,
        metadata,
      })),
    );
  }

  async describeGroup(): Promise<GroupDescription> {
    return this.#requireGroup().describe();
  }

  logger(): Logger {
    return this.#logger;
  }

  #connected(): Fetcher {
    if (this.#fetcher === undefined) throw disconnected();
    return this.#fetcher;
  }

  #staying(): Fetcher {
    if (this.#presence.isLeaving) throw disconnected();
    return this.#connected();
  }

  /**
   * What is still under way of the last run: its stop, or leaving the group after its crash. Whoever waits for it looks
   * again, and begins in the same step as the last look, for either may begin in any other: so no function waits for both.
   */
  get #ending(): Promise<void> | undefined {
    return this.#stopping ?? this.#group?.left;
  }

  /** The group, for a consumer that has it assign partitions. */
  get #subscribedGroup(): ConsumerGroup | undefined {
    return this.#subscription.isEmpty ? undefined : this.#group;
  }

  #requireGroup(): ConsumerGroup {
    this.#connected();
    if (this.#group !== undefined) return this.#group;
    throw new KafkaJSNonRetriableError("This consumer has no group; give it a groupId");
  }

  #groupOptions(connections: BrokerConnections, fetcher: Fetcher): ConsumerGroupOptions {
    const cluster = this.#cluster;
    return {
      groupId: this.#config.groupId ?? "",
      config: this.#config,
      cluster,
      connections,
      fetcher,
      emitter: this.#emitter,
      logger: this.#logger,
      retry: this.#retry,
      topics: () => this.#subscription.topics(cluster.image),
      newPartition: (where, sought) => {
        const start = this.#subscription.startOf(where, cluster.image);
        const partition = this.#newPartition(where.topic, where.partition, start);
        if (sought !== undefined) partition.jumpTo(sought);
        return partition;
      },
    };
  }

  #find(topic: string, partition: number): AssignedPartition | undefined {
    return this.#fetcher?.partitions.find((other) => other.topic === topic && other.partition === partition);
  }

  #newPartition(topic: string, partition: number, start: StartAt): AssignedPartition {
    const byStart = start.kind === "earliest" || start.kind === "latest" ? start.kind : "none";
    return new AssignedPartition(topic, partition, start, this.#config.autoOffsetReset ?? byStart);
  }

  #setPaused(topics: readonly { topic: string; partitions?: readonly number[] }[], paused: boolean): void {
    const fetcher = this.#connected();
    for (const { topic, partitions } of topics) {
      const all = partitions ?? this.#cluster.image.topicNamed(topic)?.partitions.keys() ?? [];
      for (const partition of all) this.#subscribedGroup?.setPaused({ topic, partition }, paused);
      for (const assigned of fetcher.partitions) {
        if (assigned.topic !== topic || partitions?.includes(assigned.partition) === false) continue;
        assigned.paused = paused;
      }
    }
    fetcher.wake();
  }

  async #ensureTopic(topic: string): Promise<void> {
    await ensureTopic(this.#cluster, topic, {
      create: this.#config.allowAutoTopicCreation ?? true,
      timeoutMs: this.#cluster.requestTimeoutMs,
    });
  }

  #followSubscription(): void {
    const refresh = () => {
      const wanted = this.#subscription.partitions(this.#cluster.image);
      const partitions = wanted.map(
        ({ topic, partition, start }) => this.#find(topic, partition) ?? this.#newPartition(topic, partition, start),
      );
      const before = this.#fetcher?.partitions ?? [];
      if (partitions.length === before.length && partitions.every((one) => before.includes(one))) return;
      this.#fetcher?.assign(partitions);
    };
    refresh();
    this.#stopFollowing ??= this.#cluster.watch(refresh);
  }

  /** Waits until all partitions know where they read, but not longer than a request may take. */
  async #positioned(fetcher: Fetcher, running: Running): Promise<void> {
    const { clock, requestTimeoutMs } = this.#cluster;
    let isOverdue = false;
    const cancelTimer = clock.setTimer(requestTimeoutMs, () => {
      isOverdue = true;
      fetcher.notify();
    });
    const isReady = () => (this.#subscribedGroup?.isSettled ?? true) && fetcher.isPositioned;
    await fetcher.settled(() => isReady() || running.over || isOverdue);
    cancelTimer();
  }
}

function disconnected(): KafkaJSError {
  return new KafkaJSError("The consumer is disconnected; call connect() first");
}

function startOf({ topic, partition, offset, timestamp }: PartitionAssignment): StartAt {
  if (timestamp !== undefined)
    return { kind: "timestamp", timestamp: wholeNumber(timestamp, "timestamp", { topic, partition }) };
  if (offset === undefined || offset === "latest" || Number(offset) === -1) return { kind: "latest" };
  if (offset === "earliest" || Number(offset) === -2) return { kind: "earliest" };
  return { kind: "offset", offset: wholeNumber(offset, "offset", { topic, partition }) };
}
