import { AssignedPartition } from "./assigned-partition.ts";
import type { StartAt } from "./assigned-partition.ts";
import { retryPolicy } from "./backoff.ts";
import type { RetryOptions, RetryPolicy } from "./backoff.ts";
import { BrokerConnections } from "./broker-connections.ts";
import type { Cluster } from "./cluster.ts";
import { ConsumerRun } from "./consumer-run.ts";
import type { ConsumerConfig, ConsumerRunConfig, PartitionAssignment, TopicPartitionOffset } from "./consumer-types.ts";
import { KafkaJSError, KafkaJSNonRetriableError, KafkaJSNotImplemented } from "./errors.ts";
import { consumerEvents, Emitter } from "./events.ts";
import type { InstrumentationEvent } from "./events.ts";
import { Fetcher } from "./fetcher.ts";
import { nameOf } from "./fetch-position.ts";
import type { TopicPartition } from "./fetch-position.ts";
import type { Logger } from "./logger.ts";
import { messageStream } from "./message-stream.ts";
import type { ConsumedMessage } from "./messages.ts";
import { Subscription } from "./subscription.ts";
import { ensureTopic } from "./topic-creation.ts";

/** A run or a stream, of which a consumer has one at a time. */
interface Running {
  readonly over: boolean;
  readonly finished: Promise<unknown>;
  end(): void;
}

/**
 * Reads partitions: those given to {@link assign}, or all of the topics given to {@link subscribe}. Messages of a
 * partition come in order, and each at least once: when a callback fails, its message comes again.
 */
export class Consumer {
  readonly events = consumerEvents;
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #logger: Logger;
  readonly #emitter: Emitter;
  readonly #retry: RetryPolicy;
  readonly #subscription = new Subscription();
  #connections: BrokerConnections | undefined;
  #fetcher: Fetcher | undefined;
  #stopFollowing: (() => void) | undefined;
  #running: Running | undefined;

  constructor(cluster: Cluster, config: ConsumerConfig, options: { logger: Logger; retry: RetryOptions | undefined }) {
    this.#cluster = cluster;
    this.#config = config;
    this.#logger = options.logger.namespace("Consumer");
    this.#emitter = new Emitter(() => cluster.wallNow(), this.#logger);
    this.#retry = retryPolicy(options.retry, config.retry);
  }

  async connect(): Promise<void> {
    if (this.#fetcher !== undefined) return;
    await this.#cluster.acquire();
    if (this.#fetcher !== undefined) return this.#cluster.release();
    const config = this.#config;
    this.#connections = new BrokerConnections(this.#cluster, this.#emitter.network("consumer"));
    this.#fetcher = new Fetcher(this.#cluster, this.#connections, {
      maxWaitMs: config.maxWaitTimeInMs ?? 5000,
      minBytes: config.minBytes ?? 1,
      maxBytes: config.maxBytes ?? 10 * 1024 * 1024,
      maxBytesPerPartition: config.maxBytesPerPartition ?? 1024 * 1024,
      isolationLevel: config.readUncommitted === true ? 0 : 1,
      rackId: config.rackId ?? "",
      retry: this.#retry,
      logger: this.#logger,
      fetchStarted: (nodeId) => this.#emitter.emit(consumerEvents.FETCH_START, { nodeId }),
      fetchEnded: (nodeId, numberOfBatches, duration) =>
        this.#emitter.emit(consumerEvents.FETCH, { nodeId, numberOfBatches, duration }),
      offsetReset: ({ topic, partition }, offset, reason) =>
        this.#emitter.emit(consumerEvents.OFFSET_RESET, { topic, partition, offset, reason }),
    });
    this.#emitter.emit(consumerEvents.CONNECT, null);
  }

  async disconnect(): Promise<void> {
    await this.stop();
    if (this.#fetcher === undefined) return;
    this.#stopFollowing?.();
    this.#stopFollowing = undefined;
    this.#fetcher.close();
    this.#fetcher = undefined;
    this.#connections?.close();
    this.#connections = undefined;
    this.#cluster.release();
    this.#emitter.emit(consumerEvents.DISCONNECT, null);
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

  /** Reads all partitions of the topics, also those that are added later. To be called before {@link run}. */
  async subscribe(subscription: {
    readonly topics?: readonly (string | RegExp)[];
    readonly topic?: string | RegExp;
    readonly fromBeginning?: boolean;
  }): Promise<void> {
    this.#connected();
    if (this.#config.groupId !== undefined) {
      throw new KafkaJSNotImplemented(
        "Consumer groups are not there yet: leave groupId out to read whole topics alone, or use assign()",
      );
    }
    if (this.#running !== undefined)
      throw new KafkaJSNonRetriableError("Cannot subscribe while the consumer is running");
    const { topics = [], topic, fromBeginning = false } = subscription;
    for (const wanted of topic === undefined ? topics : [...topics, topic]) {
      if (typeof wanted === "string") await this.#ensureTopic(wanted);
      this.#subscription.add(wanted, fromBeginning, this.#cluster.image);
    }
    this.#followSubscription();
  }

  /** Starts calling back. Resolves when it is known where to read, so that what is produced afterwards is read. */
  async run(config: ConsumerRunConfig): Promise<void> {
    const fetcher = this.#connected();
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
      restartOnFailure: this.#config.retry?.restartOnFailure,
    });
    this.#running = running;
    await this.#positioned(fetcher, running);
  }

  /**
   * Stops calling back. Resolves after the callbacks under way, so a callback must not wait for it. The positions stay,
   * for another {@link run}.
   */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.end();
    await running.finished;
    if (this.#running !== running) return;
    this.#running = undefined;
    this.#emitter.emit(consumerEvents.STOP, null);
  }

  /**
   * The messages, one by one, instead of {@link run}. No more is fetched than is asked for. Leaving the loop keeps the
   * position behind the last message. Aborting makes the loop throw the signal's reason.
   */
  async *stream(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<ConsumedMessage, void, undefined> {
    const { signal } = options;
    const fetcher = this.#connected();
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
      yield* messageStream(fetcher, () => over);
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

  /** Goes on at another offset; "-2" is the first one there is, "-1" the end. */
  seek({ topic, partition, offset }: TopicPartitionOffset): void {
    this.#connected();
    const assigned = this.#find(topic, partition);
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

  commitOffsets(): Promise<never> {
    return Promise.reject(
      new KafkaJSNotImplemented(
        "Consumer groups are not there yet: keep the offsets yourself and give them to assign()",
      ),
    );
  }

  describeGroup(): Promise<never> {
    return Promise.reject(new KafkaJSNotImplemented("Consumer groups are not there yet"));
  }

  logger(): Logger {
    return this.#logger;
  }

  #connected(): Fetcher {
    if (this.#fetcher === undefined) throw new KafkaJSError("The consumer is disconnected; call connect() first");
    return this.#fetcher;
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
    const deadline = clock.now() + requestTimeoutMs;
    const cancelTimer = clock.setTimer(requestTimeoutMs, () => fetcher.notify());
    await fetcher.settled(() => fetcher.isPositioned || running.over || clock.now() >= deadline);
    cancelTimer();
  }
}

function startOf({ topic, partition, offset, timestamp }: PartitionAssignment): StartAt {
  if (timestamp !== undefined)
    return { kind: "timestamp", timestamp: wholeNumber(timestamp, "timestamp", { topic, partition }) };
  if (offset === undefined || offset === "latest" || Number(offset) === -1) return { kind: "latest" };
  if (offset === "earliest" || Number(offset) === -2) return { kind: "earliest" };
  return { kind: "offset", offset: wholeNumber(offset, "offset", { topic, partition }) };
}

function wholeNumber(value: string | number, what: string, where: TopicPartition): number {
  const number = typeof value === "string" && value.trim() === "" ? Number.NaN : Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new KafkaJSNonRetriableError(`Invalid ${what} ${value} for ${nameOf(where)}`);
}
