import { retryPolicy } from "./backoff.ts";
import type { RetryOptions, RetryPolicy } from "./backoff.ts";
import { BrokerConnections } from "./broker-connections.ts";
import type { Cluster } from "./cluster.ts";
import { CompressionTypes } from "./compression-types.ts";
import { Delivery } from "./delivery.ts";
import type { RecordMetadata } from "./delivery.ts";
import { KafkaJSError, KafkaJSNonRetriableError, KafkaJSNotImplemented, KafkaJSProtocolError } from "./errors.ts";
import { Emitter, producerEvents } from "./events.ts";
import type { InstrumentationEvent } from "./events.ts";
import type { Logger } from "./logger.ts";
import { prepareRecord } from "./messages.ts";
import type { Message, PreparedRecord } from "./messages.ts";
import { loadSender } from "./on-demand.ts";
import { partitionMetadata } from "./partition-metadata.ts";
import { DefaultPartitioner } from "./partitioner.ts";
import type { ICustomPartitioner, Partitioner, PartitionMetadata } from "./partitioner.ts";
import { Presence } from "./presence.ts";
import { sizeOfLoneBatch } from "./producer-batch.ts";
import type { SendOptions } from "./producer-batch.ts";
import type { Sender } from "./sender.ts";
import { ensureTopic } from "./topic-creation.ts";
import { topicConfig } from "../metadata/topic-config.ts";
import { codecNames } from "../protocol/record-batch.ts";

export interface ProducerConfig {
  readonly createPartitioner?: ICustomPartitioner;
  readonly retry?: RetryOptions;
  /** Creates a topic that does not exist when it is first sent to, with the cluster's defaults. True by default. */
  readonly allowAutoTopicCreation?: boolean;
  /**
   * Whether repetitions are recognised and order is kept over retries. By default they are, for all messages with acks
   * -1 or 1; set to true, other acks than -1 are refused, as by KafkaJS.
   */
  readonly idempotent?: boolean;
  /** Produce requests in flight to one broker; 5 by default. */
  readonly maxInFlightRequests?: number;
  /** Milliseconds that a batch waits for more messages; 0 by default, which still gathers what is sent in one task. */
  readonly lingerMs?: number;
  /** A batch of this many bytes is sent at once; 256 KiB by default. */
  readonly batchSize?: number;
  /** The most bytes to hold unacknowledged; beyond it, `send` waits. 32 MiB by default. */
  readonly bufferMemory?: number;
  /** Milliseconds from `send` to its failure, over all retries; 120,000 by default. */
  readonly deliveryTimeout?: number;
  /** Accepted for KafkaJS's sake: metadata arrives as it changes. */
  readonly metadataMaxAge?: number;
  readonly transactionalId?: string;
}

export interface ProducerRecord {
  readonly topic: string;
  readonly messages: readonly Message[];
  /** -1, the default, waits for all in-sync replicas, 1 for the leader, 0 for nobody. */
  readonly acks?: number;
  /** Milliseconds that the leader may wait for the replicas; 30,000 by default. */
  readonly timeout?: number;
  readonly compression?: CompressionTypes;
}

export interface ProducerBatch {
  readonly topicMessages?: readonly { readonly topic: string; readonly messages: readonly Message[] }[];
  readonly acks?: number;
  readonly timeout?: number;
  readonly compression?: CompressionTypes;
}

/** Messages of one `send` that wait for room in the buffer. */
interface Admission {
  readonly entries: readonly Entry[];
  next: number;
  readonly options: SendOptions;
  readonly delivery: Delivery;
  readonly deadlineMs: number;
}

interface Entry {
  readonly topic: string;
  readonly message: Message;
  readonly record: PreparedRecord;
}

interface TopicTarget {
  readonly imageOffset: number;
  readonly partitions: PartitionMetadata[];
  readonly maxMessageBytes: number;
}

/**
 * Sends messages. Calls that follow each other are sent in that order, partition by partition, and share batches; the
 * rules of order and repetition are in `partition-queue.ts`.
 */
export class Producer {
  readonly events = producerEvents;
  readonly #cluster: Cluster;
  readonly #config: ProducerConfig;
  readonly #logger: Logger;
  readonly #emitter: Emitter;
  readonly #retry: RetryPolicy;
  readonly #presence: Presence;
  readonly #partitioner: Partitioner;
  readonly #admissions: Admission[] = [];
  readonly #targets = new Map<string, TopicTarget>();
  readonly #awaitedTopics = new Map<string, Promise<void>>();
  readonly #outstanding = new Set<Promise<RecordMetadata[]>>();
  #sender: Sender | undefined;

  constructor(cluster: Cluster, config: ProducerConfig, options: { logger: Logger; retry: RetryOptions | undefined }) {
    if (config.transactionalId !== undefined) {
      throw new KafkaJSNotImplemented("Transactions are not there yet: leave transactionalId out");
    }
    this.#cluster = cluster;
    this.#config = config;
    this.#logger = options.logger.namespace("Producer");
    this.#emitter = new Emitter(() => cluster.wallNow(), this.#logger, producerEvents);
    this.#retry = retryPolicy(options.retry, config.retry);
    this.#presence = new Presence(cluster, "producer");
    this.#partitioner = (config.createPartitioner ?? DefaultPartitioner)(() => cluster.platform.random());
  }

  /** Throws KafkaJSConnectionError when no broker answers, and KafkaJSError when {@link disconnect} comes first. */
  async connect(): Promise<void> {
    if (this.#sender !== undefined && !this.#presence.isLeaving) return;
    const { Sender: Loaded } = await this.#presence.enter(loadSender);
    if (this.#sender !== undefined) return this.#cluster.release();
    const { idempotent = true, lingerMs = 0, batchSize = 256 * 1024, bufferMemory = 32 * 1024 * 1024 } = this.#config;
    const connections = new BrokerConnections(this.#cluster, this.#emitter.network("producer"));
    this.#sender = new Loaded(this.#cluster, connections, {
      idempotent,
      lingerMs,
      batchBytes: batchSize,
      bufferBytes: bufferMemory,
      deliveryTimeoutMs: this.#deliveryTimeoutMs,
      maxInFlightRequests: this.#config.maxInFlightRequests ?? 5,
      retry: this.#retry,
      logger: this.#logger,
      batchClosed: (topic, partition) => this.#partitioner.batchClosed?.(topic, partition),
      admit: () => this.#admit(),
    });
    this.#emitter.emit(producerEvents.CONNECT, null);
  }

  /** Sends what is waiting, or fails it when its time is over, and closes the connections. */
  disconnect(): Promise<void> {
    return this.#presence.leave(async () => {
      const sender = this.#sender;
      if (sender === undefined) return;
      sender.beginFlush();
      await Promise.allSettled(this.#outstanding);
      this.#sender = undefined;
      sender.close();
      this.#cluster.release();
      this.#emitter.emit(producerEvents.DISCONNECT, null);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  isIdempotent(): boolean {
    return this.#config.idempotent ?? true;
  }

  /** Resolves when the messages are acknowledged as `acks` asks, with an entry for each partition they went to. */
  send(record: ProducerRecord): Promise<RecordMetadata[]> {
    const { topic, messages, ...options } = record;
    return this.sendBatch({ ...options, topicMessages: [{ topic, messages }] });
  }

  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]> {
    const sent = this.#send(batch);
    this.#outstanding.add(sent);
    const forget = () => this.#outstanding.delete(sent);
    sent.then(forget, forget);
    return sent;
  }

  /** Sends everything that waits without lingering; resolves when all of it is acknowledged or has failed. */
  async flush(): Promise<void> {
    const sender = this.#connected();
    sender.beginFlush();
    await Promise.allSettled(this.#outstanding);
    sender.endFlush();
  }

  on<T>(eventName: string, listener: (event: InstrumentationEvent<T>) => void): () => void {
    return this.#emitter.on(eventName, listener);
  }

  transaction(): Promise<never> {
    return Promise.reject(
      new KafkaJSNotImplemented("Transactions are not there yet: send() is idempotent without them"),
    );
  }

  logger(): Logger {
    return this.#logger;
  }

  get #deliveryTimeoutMs(): number {
    return this.#config.deliveryTimeout ?? 120_000;
  }

  #connected(): Sender {
    if (this.#sender === undefined || this.#presence.isLeaving) {
      throw new KafkaJSError("The producer is disconnected; call connect() first");
    }
    return this.#sender;
  }

  async #send(batch: ProducerBatch): Promise<RecordMetadata[]> {
    this.#connected();
    const deadlineMs = this.#cluster.clock.now() + this.#deliveryTimeoutMs;
    const options = this.#sendOptions(batch);
    const entries = this.#prepare(batch);
    for (const topic of new Set(entries.map((entry) => entry.topic))) {
      if (!this.#isKnown(topic)) await this.#untilKnown(topic);
    }
    if (options.codec === "none") for (const { topic, record } of entries) this.#checkSize(topic, record);
    const delivery = new Delivery();
    this.#admissions.push({ entries, next: 0, options, delivery, deadlineMs });
    this.#admit();
    return delivery.promise;
  }

  #sendOptions({ acks = -1, timeout = 30_000, compression = CompressionTypes.None }: ProducerBatch): SendOptions {
    if (acks !== -1 && acks !== 0 && acks !== 1) {
      throw new KafkaJSNonRetriableError(`acks is ${acks}; it must be -1 (all in-sync replicas), 1 (the leader) or 0`);
    }
    if (acks !== -1 && this.#config.idempotent === true) {
      throw new KafkaJSNonRetriableError("A producer made with idempotent: true sends with acks -1 only");
    }
    const codec = codecNames[compression];
    if (codec === undefined) {
      throw new KafkaJSNonRetriableError(`compression is ${String(compression)}; use a value of CompressionTypes`);
    }
    return { acks, timeoutMs: timeout, codec };
  }

  #prepare({ topicMessages = [] }: ProducerBatch): Entry[] {
    const wallNow = Math.floor(this.#cluster.clock.wallNow());
    const entries: Entry[] = [];
    for (const { topic, messages } of topicMessages) {
      if (typeof topic !== "string" || topic === "")
        throw new KafkaJSNonRetriableError(`Invalid topic ${String(topic)}`);
      if (!Array.isArray(messages)) {
        throw new KafkaJSNonRetriableError(`Invalid messages for topic ${topic}: they must be an array`);
      }
      for (const message of messages as readonly Message[]) {
        entries.push({ topic, message, record: prepareRecord(topic, message, wallNow) });
      }
    }
    return entries;
  }

  #isKnown(topic: string): boolean {
    // A call that comes while an earlier one waits for the topic must stay behind it.
    return !this.#awaitedTopics.has(topic) && this.#cluster.image.topicNamed(topic) !== undefined;
  }

  #untilKnown(topic: string): Promise<void> {
    let known = this.#awaitedTopics.get(topic);
    if (known === undefined) {
      known = ensureTopic(this.#cluster, topic, {
        create: this.#config.allowAutoTopicCreation ?? true,
        timeoutMs: Math.min(this.#deliveryTimeoutMs, this.#cluster.requestTimeoutMs),
      }).finally(() => this.#awaitedTopics.delete(topic));
      this.#awaitedTopics.set(topic, known);
    }
    return known;
  }

  #targetOf(topic: string): TopicTarget | undefined {
    const { image } = this.#cluster;
    const known = this.#targets.get(topic);
    if (known?.imageOffset === image.endOffset) return known;
    const partitions = image.topicNamed(topic)?.partitions;
    if (partitions === undefined || partitions.length === 0) return undefined;
    const target = {
      imageOffset: image.endOffset,
      partitions: partitions.map((partition) => partitionMetadata(image, partition)),
      maxMessageBytes: topicConfig(image, topic).maxMessageBytes,
    };
    this.#targets.set(topic, target);
    return target;
  }

  #checkSize(topic: string, record: PreparedRecord): void {
    const limit = this.#targetOf(topic)?.maxMessageBytes;
    const size = sizeOfLoneBatch(record);
    if (limit === undefined || size <= limit) return;
    throw new KafkaJSProtocolError(
      "MESSAGE_TOO_LARGE",
      `A message for topic ${topic} makes a batch of ${size} bytes, which exceeds max.message.bytes ${limit}; ` +
        "split it, or raise the topic's limit",
    );
  }

  /** Moves waiting messages into the buffer, first come first served, as far as there is room. */
  #admit(): void {
    const sender = this.#sender;
    if (sender === undefined) return;
    const now = this.#cluster.clock.now();
    for (;;) {
      const admission = this.#admissions[0];
      if (admission === undefined) return;
      try {
        if (!this.#append(sender, admission, now)) return sender.wakeAt(admission.deadlineMs);
        admission.delivery.allAdded();
      } catch (error) {
        admission.delivery.allAdded(error as Error);
      }
      this.#admissions.shift();
    }
  }

  #append(sender: Sender, admission: Admission, now: number): boolean {
    const { entries, options, delivery, deadlineMs } = admission;
    while (admission.next < entries.length) {
      if (now >= deadlineMs) throw sender.bufferFull(entries.length - admission.next);
      const { topic, message, record } = entries[admission.next]!;
      const target = this.#targetOf(topic);
      if (target === undefined) throw new KafkaJSProtocolError("UNKNOWN_TOPIC_OR_PARTITION", `Topic ${topic}`);
      const partition = this.#partitionOf(topic, message, record, target);
      const { maxMessageBytes } = target;
      if (!sender.append({ topic, partition, maxMessageBytes }, record, options, delivery, deadlineMs)) return false;
      admission.next++;
    }
    return true;
  }

  #partitionOf(topic: string, message: Message, record: PreparedRecord, target: TopicTarget): number {
    const partition = this.#choosePartition(topic, message, record, target.partitions);
    if (Number.isInteger(partition) && partition >= 0 && partition < target.partitions.length) return partition;
    throw new KafkaJSNonRetriableError(
      `Partition ${String(partition)} of topic ${topic} does not exist: it has ${target.partitions.length}`,
    );
  }

  #choosePartition(topic: string, message: Message, record: PreparedRecord, partitions: PartitionMetadata[]): number {
    if (this.#config.createPartitioner !== undefined) {
      return this.#partitioner({ topic, partitionMetadata: partitions, message });
    }
    // The key as bytes hashes the same, and need not be encoded again.
    const keyed = { key: record.key, value: null };
    return message.partition ?? this.#partitioner({ topic, partitionMetadata: partitions, message: keyed });
  }
}
