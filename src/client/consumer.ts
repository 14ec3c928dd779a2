import { AssignedPartition } from "./assigned-partition.ts";
import type { Fetched, StartAt } from "./assigned-partition.ts";
import { retryPause, retryPolicy, sleep } from "./backoff.ts";
import type { RetryOptions, RetryPolicy } from "./backoff.ts";
import { BrokerConnections } from "./broker-connections.ts";
import type { Cluster } from "./cluster.ts";
import { consumerBatch } from "./consumer-batch.ts";
import type { Batch } from "./consumer-batch.ts";
import { asError, isRetriableError, KafkaJSError, KafkaJSNonRetriableError, KafkaJSNotImplemented } from "./errors.ts";
import { consumerEvents, Emitter } from "./events.ts";
import type { InstrumentationEvent } from "./events.ts";
import { Fetcher } from "./fetcher.ts";
import { nameOf } from "./fetch-position.ts";
import type { OffsetReset, TopicPartition } from "./fetch-position.ts";
import { decodeMessages } from "./fetched-records.ts";
import type { Logger } from "./logger.ts";
import type { ConsumedMessage, KafkaMessage } from "./messages.ts";
import { Subscription } from "./subscription.ts";
import { ensureTopic } from "./topic-creation.ts";

export interface ConsumerConfig {
  /** Groups are not there yet; without one, the consumer reads what `assign` or `subscribe` names, all by itself. */
  readonly groupId?: string;
  readonly retry?: RetryOptions & { readonly restartOnFailure?: (error: Error) => Promise<boolean> };
  /** The most bytes of one partition in one response; 1 MiB by default. */
  readonly maxBytesPerPartition?: number;
  /** Bytes that a broker waits for, up to `maxWaitTimeInMs`; 1 by default. */
  readonly minBytes?: number;
  /** The most bytes in one response; 10 MiB by default. */
  readonly maxBytes?: number;
  /** How long a broker holds a fetch while nothing arrives; 5,000 ms by default. */
  readonly maxWaitTimeInMs?: number;
  /** Whether messages of open and aborted transactions are read; false by default. */
  readonly readUncommitted?: boolean;
  readonly rackId?: string;
  /** Creates a topic that `subscribe` names and that does not exist. True by default. */
  readonly allowAutoTopicCreation?: boolean;
  /**
   * Where to go on when the position is no longer in the partition: its records were deleted, or the log was truncated.
   * `none` makes it an error. By default the end that reading started from, and `none` after an explicit offset.
   */
  readonly autoOffsetReset?: OffsetReset;
  /** Accepted for KafkaJS's sake. */
  readonly metadataMaxAge?: number;
  readonly sessionTimeout?: number;
  readonly rebalanceTimeout?: number;
  readonly heartbeatInterval?: number;
  readonly maxInFlightRequests?: number;
}

/** A partition to read, and where to start: at `offset`, at the first message from `timestamp` on, or by default at the end. */
export interface PartitionAssignment extends TopicPartition {
  readonly offset?: string | number | "earliest" | "latest";
  /** Milliseconds since 1970. */
  readonly timestamp?: string | number;
}

export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: string;
}

export interface EachMessagePayload extends TopicPartition {
  readonly message: KafkaMessage;
  heartbeat(): Promise<void>;
  /** Pauses this partition; returns how to resume it. */
  pause(): () => void;
}

export interface EachBatchPayload {
  readonly batch: Batch;
  /** Marks a message, and those before it, as processed. */
  resolveOffset(offset: string): void;
  heartbeat(): Promise<void>;
  pause(): () => void;
  commitOffsetsIfNecessary(): Promise<void>;
  uncommittedOffsets(): { topics: never[] };
  isRunning(): boolean;
  /** Whether the rest of the batch is not wanted any more: a seek or another assignment came between. */
  isStale(): boolean;
}

export interface ConsumerRunConfig {
  readonly eachMessage?: (payload: EachMessagePayload) => Promise<void> | void;
  readonly eachBatch?: (payload: EachBatchPayload) => Promise<void> | void;
  /** Whether a batch counts as processed when `eachBatch` returns. True by default. */
  readonly eachBatchAutoResolve?: boolean;
  /** Partitions processed side by side; 1 by default. Messages of one partition are always processed in order. */
  readonly partitionsConsumedConcurrently?: number;
  readonly autoCommit?: boolean;
  readonly autoCommitInterval?: number | null;
  readonly autoCommitThreshold?: number | null;
}

interface Running {
  over: boolean;
  /** Resolves when no callback is under way any more. */
  finished: Promise<unknown>;
}

/** How often a failing callback is called again for the same message before the consumer counts as crashed. */
const CALLBACK_RETRIES = 5;

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
    if (this.#running !== undefined) throw new KafkaJSNonRetriableError("Cannot subscribe while the consumer is running");
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
    if (this.#running !== undefined) {
      this.#logger.warn("run() was called while the consumer is running, and changes nothing");
      return;
    }
    if (config.eachMessage === undefined && config.eachBatch === undefined) {
      throw new KafkaJSNonRetriableError("run() needs eachMessage or eachBatch");
    }
    const running: Running = { over: false, finished: Promise.resolve() };
    const workers = Math.max(1, config.partitionsConsumedConcurrently ?? 1);
    running.finished = Promise.all(Array.from({ length: workers }, () => this.#work(running, config)));
    this.#running = running;
    await this.#positioned(fetcher, running);
  }

  /** Stops calling back, after the callbacks under way. The positions stay, for another {@link run}. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.over = true;
    this.#fetcher?.notify();
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
    if (this.#running !== undefined) throw new KafkaJSNonRetriableError("The consumer is running already");
    // Nobody waits for the loop's body, which may itself be waiting for stop() or disconnect().
    const running: Running = { over: false, finished: Promise.resolve() };
    this.#running = running;
    const wake = () => fetcher.notify();
    signal?.addEventListener("abort", wake);
    try {
      while (!running.over) {
        signal?.throwIfAborted();
        const partition = await fetcher.next(() => running.over || signal?.aborted === true);
        if (partition !== undefined) yield* this.#messagesOf(partition, running, signal);
      }
    } finally {
      signal?.removeEventListener("abort", wake);
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

  /** Where each assigned partition is: behind the last message that was processed; undefined while that is being found out. */
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
      new KafkaJSNotImplemented("Consumer groups are not there yet: keep the offsets yourself and give them to assign()"),
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

  async #work(running: Running, config: ConsumerRunConfig): Promise<void> {
    const failures = new Map<AssignedPartition, number>();
    while (!running.over) {
      let partition: AssignedPartition | undefined;
      try {
        partition = await this.#connected().next(() => running.over);
        if (partition === undefined) return;
        await this.#process(partition, running, config);
        failures.delete(partition);
      } catch (error) {
        const count = partition === undefined ? CALLBACK_RETRIES : (failures.get(partition) ?? 0);
        if (partition !== undefined) failures.set(partition, count < CALLBACK_RETRIES ? count + 1 : 0);
        await this.#recover(asError(error), count, running);
      }
    }
  }

  /** After a failure: pauses and goes on, or, when that has been tried often enough, counts as a crash. */
  async #recover(error: Error, failures: number, running: Running): Promise<void> {
    const pause = retryPause(this.#retry, failures, this.#cluster.platform.random());
    if (failures >= CALLBACK_RETRIES) {
      const restart = await this.#restarts(error);
      this.#logger.error(`The consumer crashed: ${error.message}`, { error, restart });
      this.#emitter.emit(consumerEvents.CRASH, { error, groupId: this.#config.groupId ?? "", restart });
      if (!restart) {
        running.over = true;
        if (this.#running === running) this.#running = undefined;
        this.#fetcher?.notify();
        return;
      }
    }
    if (!running.over) await sleep(this.#cluster.clock, pause);
  }

  /** A failing callback is worth another try, as is what may mend itself; a position that is gone is not. */
  async #restarts(error: Error): Promise<boolean> {
    if (error instanceof KafkaJSError && !isRetriableError(error)) return false;
    return (await this.#config.retry?.restartOnFailure?.(error)) ?? true;
  }

  async #process(partition: AssignedPartition, running: Running, config: ConsumerRunConfig): Promise<void> {
    const fetched = partition.fetched!;
    const { generation } = partition;
    partition.busy = true;
    partition.fetched = undefined;
    // While these records are processed, the next ones are fetched.
    this.#fetcher?.wake();
    try {
      const messages = await decodeMessages(fetched.batches, fetched.aborted);
      if (partition.generation !== generation) return;
      const batch = consumerBatch(partition, fetched, messages);
      const payload = batchEvent(batch);
      const startedAt = this.#cluster.clock.now();
      this.#emitter.emit(consumerEvents.START_BATCH_PROCESS, payload);
      if (config.eachBatch !== undefined) await this.#callWithBatch(partition, batch, fetched, running, config);
      else await this.#callWithMessages(partition, batch, fetched, running, config.eachMessage!);
      const duration = this.#cluster.clock.now() - startedAt;
      this.#emitter.emit(consumerEvents.END_BATCH_PROCESS, { ...payload, duration });
    } catch (error) {
      this.#logger.error(`Processing ${nameOf(partition)} failed: ${asError(error).message}`, { error });
      throw error;
    } finally {
      partition.busy = false;
      const isDone = partition.consumed?.offset === fetched.batches.next.offset;
      if (partition.generation === generation && !isDone) partition.rewind();
      this.#fetcher?.wake();
    }
  }

  async #callWithMessages(
    partition: AssignedPartition,
    batch: Batch,
    fetched: Fetched,
    running: Running,
    eachMessage: NonNullable<ConsumerRunConfig["eachMessage"]>,
  ): Promise<void> {
    const { generation } = partition;
    for (const message of batch.messages) {
      if (running.over || partition.paused || partition.generation !== generation) return;
      await eachMessage({
        topic: batch.topic,
        partition: batch.partition,
        message,
        heartbeat: async () => {},
        pause: () => this.#pauseOne(partition),
      });
      if (partition.generation !== generation) return;
      this.#passed(partition, fetched, Number(message.offset));
    }
    this.#passed(partition, fetched, fetched.batches.next.offset - 1);
  }

  async #callWithBatch(
    partition: AssignedPartition,
    batch: Batch,
    fetched: Fetched,
    running: Running,
    config: ConsumerRunConfig,
  ): Promise<void> {
    const { generation } = partition;
    const isStale = () => partition.generation !== generation;
    await config.eachBatch!({
      batch,
      resolveOffset: (offset) => {
        if (!isStale()) this.#passed(partition, fetched, Number(offset));
      },
      heartbeat: async () => {},
      pause: () => this.#pauseOne(partition),
      commitOffsetsIfNecessary: async () => {},
      uncommittedOffsets: () => ({ topics: [] }),
      isRunning: () => !running.over,
      isStale,
    });
    const resolves = config.eachBatchAutoResolve ?? true;
    if ((resolves || batch.isEmpty()) && !isStale()) this.#passed(partition, fetched, fetched.batches.next.offset - 1);
  }

  async *#messagesOf(
    partition: AssignedPartition,
    running: Running,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ConsumedMessage, void, undefined> {
    const fetched = partition.fetched!;
    const { generation, topic } = partition;
    partition.busy = true;
    partition.fetched = undefined;
    this.#fetcher?.wake();
    try {
      for (const message of await decodeMessages(fetched.batches, fetched.aborted)) {
        if (running.over || signal?.aborted === true || partition.paused || partition.generation !== generation) return;
        // Handing it out is the processing: whoever leaves the loop here has had this message.
        this.#passed(partition, fetched, Number(message.offset));
        yield { ...message, topic, partition: partition.partition };
      }
      if (partition.generation === generation) this.#passed(partition, fetched, fetched.batches.next.offset - 1);
    } finally {
      partition.busy = false;
      const isDone = partition.consumed?.offset === fetched.batches.next.offset;
      if (partition.generation === generation && !isDone) partition.rewind();
      this.#fetcher?.wake();
    }
  }

  /** Takes note that a message was processed. Only the end of what was fetched knows its epoch. */
  #passed(partition: AssignedPartition, { batches }: Fetched, offset: number): void {
    const next = offset + 1;
    partition.consumed = next >= batches.next.offset ? batches.next : { offset: next, lastFetchedEpoch: epochAt(batches, offset) };
  }

  #pauseOne(partition: AssignedPartition): () => void {
    partition.paused = true;
    return () => {
      partition.paused = false;
      this.#fetcher?.wake();
    };
  }
}

function epochAt({ views }: Fetched["batches"], offset: number): number {
  return views.find(({ header }) => header.lastOffset >= offset)?.header.partitionLeaderEpoch ?? -1;
}

function startOf({ topic, partition, offset, timestamp }: PartitionAssignment): StartAt {
  if (timestamp !== undefined) return { kind: "timestamp", timestamp: wholeNumber(timestamp, "timestamp", { topic, partition }) };
  if (offset === undefined || offset === "latest" || Number(offset) === -1) return { kind: "latest" };
  if (offset === "earliest" || Number(offset) === -2) return { kind: "earliest" };
  return { kind: "offset", offset: wholeNumber(offset, "offset", { topic, partition }) };
}

function wholeNumber(value: string | number, what: string, where: TopicPartition): number {
  const number = typeof value === "string" && value.trim() === "" ? Number.NaN : Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new KafkaJSNonRetriableError(`Invalid ${what} ${value} for ${nameOf(where)}`);
}

function batchEvent(batch: Batch) {
  return {
    topic: batch.topic,
    partition: batch.partition,
    highWatermark: batch.highWatermark,
    offsetLag: batch.offsetLag(),
    offsetLagLow: batch.offsetLagLow(),
    batchSize: batch.messages.length,
    firstOffset: batch.firstOffset(),
    lastOffset: batch.lastOffset(),
  };
}
