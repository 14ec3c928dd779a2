import { retryPause } from "./backoff.ts";
import type { RetryPolicy } from "./backoff.ts";
import type { BrokerConnections } from "./broker-connections.ts";
import type { Cluster } from "./cluster.ts";
import type { BatchResult, Delivery } from "./delivery.ts";
import {
  asError,
  isRetriableError,
  KafkaJSConnectionClosedError,
  KafkaJSError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSTimeout,
  reasonOf,
} from "./errors.ts";
import type { Logger } from "./logger.ts";
import type { PreparedRecord } from "./messages.ts";
import { mayHaveWritten } from "./partition-queue.ts";
import type { ProducerIdentity } from "./partition-queue.ts";
import type { ProducerBatch, SendOptions } from "./producer-batch.ts";
import { RecordAccumulator } from "./record-accumulator.ts";
import type { AccumulatorOptions, AppendTarget } from "./record-accumulator.ts";
import { produce } from "../protocol/apis/00-produce.ts";
import type { ProduceRequestInit, ProduceResponse } from "../protocol/apis/00-produce.ts";
import { initProducerId } from "../protocol/apis/22-init-producer-id.ts";
import { CodecNotLoadedError, loadCodec } from "../protocol/compression/codecs.ts";
import { errorName, isRetriable } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";

export interface SenderOptions extends Omit<AccumulatorOptions, "batchClosed"> {
  readonly maxInFlightRequests: number;
  /** For people: what the deadlines of records come from. */
  readonly deliveryTimeoutMs: number;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  readonly batchClosed: (topic: string, partition: number) => void;
  /** Called when there may be room in the buffer, or when time has passed. */
  readonly admit: () => void;
}

/** What one Produce request carries at most, unless a single batch is larger. */
const MAX_REQUEST_BYTES = 1024 * 1024;

/** Nothing more is handed to a transport that holds this much; it is looked at again after the pause. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
const QUEUE_PAUSE_MS = 5;

type PartitionResponse = ProduceResponse["responses"][number]["partitionResponses"][number];

/** Moves batches from the accumulator to the leaders, and decides what an answer, or none, means for a batch. */
export class Sender {
  readonly #cluster: Cluster;
  readonly #connections: BrokerConnections;
  readonly #options: SenderOptions;
  readonly #accumulator: RecordAccumulator;
  readonly #inFlight = new Map<number, number>();
  readonly #stopWatching: () => void;
  #identity: ProducerIdentity | undefined;
  #acquiringIdentity = false;
  #identityFailures = 0;
  #pumpScheduled = false;
  #cancelTimer: (() => void) | undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(cluster: Cluster, connections: BrokerConnections, options: SenderOptions) {
    this.#cluster = cluster;
    this.#connections = connections;
    this.#options = options;
    this.#accumulator = new RecordAccumulator({ ...options, batchClosed: (batch) => this.#onBatchClosed(batch) });
    this.#stopWatching = cluster.watch(() => {
      this.#accumulator.leadersKnown(this.#leaderOf, this.#now());
      this.#schedule();
    });
  }

  /** Takes a record, to be acknowledged by `deadlineMs`, or returns false when the buffer is full. */
  append(
    target: AppendTarget,
    record: PreparedRecord,
    options: SendOptions,
    delivery: Delivery,
    deadlineMs: number,
  ): boolean {
    const taken = this.#accumulator.append(target, record, options, delivery, { nowMs: this.#now(), deadlineMs });
    if (taken) this.#schedule();
    return taken;
  }

  /** From now until {@link endFlush}, nothing waits for more records. */
  beginFlush(): void {
    this.#accumulator.beginFlush();
    this.#schedule();
  }

  endFlush(): void {
    this.#accumulator.endFlush();
  }

  /** Makes sure that `admit` is called at that time. */
  wakeAt(atMs: number): void {
    this.#arm(atMs);
  }

  bufferFull(left: number): KafkaJSTimeout {
    return new KafkaJSTimeout(
      `${left} of the messages found no room in the buffer of ${this.#options.bufferBytes} bytes (bufferMemory) within ` +
        `${this.#options.deliveryTimeoutMs} ms (deliveryTimeout)`,
    );
  }

  close(): void {
    this.#closed = true;
    this.#stopWatching();
    this.#cancelTimer?.();
    for (const batch of this.#accumulator.batches) this.#giveUp(batch, new KafkaJSError("The producer was closed"));
    this.#connections.close();
  }

  readonly #leaderOf = (topic: string, partition: number) => this.#cluster.leaderOf(topic, partition);

  #now(): number {
    return this.#cluster.clock.now();
  }

  /** What is appended in one task shares batches, because sending starts after it. */
  #schedule(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    queueMicrotask(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#closed) return;
    const now = this.#now();
    for (const batch of this.#accumulator.expired(now)) this.#expire(batch);
    this.#options.admit();
    if (this.#accumulator.needsIdentity(this.#identity)) void this.#acquireIdentity();
    for (const nodeId of this.#accumulator.leaders(this.#leaderOf)) this.#sendTo(nodeId, now);
    this.#arm(this.#accumulator.wakeAtMs(now));
  }

  #sendTo(nodeId: number, now: number): void {
    while ((this.#inFlight.get(nodeId) ?? 0) < this.#options.maxInFlightRequests) {
      if (this.#queuedBytes(nodeId) > MAX_QUEUED_BYTES) return this.#arm(now + QUEUE_PAUSE_MS);
      const batches = this.#accumulator.drain(now, nodeId, MAX_REQUEST_BYTES, this.#identity, this.#leaderOf);
      if (batches.length === 0) return;
      void this.#send(nodeId, batches);
    }
  }

  #queuedBytes(nodeId: number): number {
    try {
      return this.#connections.to(nodeId, "produce").queuedBytes;
    } catch {
      // The node has just left. Sending to it fails with the reason, and the batches are tried again.
      return 0;
    }
  }

  async #send(nodeId: number, batches: readonly ProducerBatch[]): Promise<void> {
    this.#inFlight.set(nodeId, (this.#inFlight.get(nodeId) ?? 0) + 1);
    try {
      const connection = this.#connections.to(nodeId, "produce");
      const request = produceRequest(batches);
      if (request.acks === 0) {
        await connection.sendOneWay(produce, request);
        for (const batch of batches) this.#delivered(batch, undefined);
      } else {
        const response = await connection.request(produce, request, this.#requestTimeoutMs(request.timeoutMs));
        this.#onResponse(batches, response);
      }
    } catch (error) {
      for (const batch of batches) this.#onFailure(batch, asError(error));
    } finally {
      this.#inFlight.set(nodeId, (this.#inFlight.get(nodeId) ?? 1) - 1);
      this.#schedule();
    }
  }

  /** The leader may wait for the replicas as long as it was told; its answer needs some time too. */
  #requestTimeoutMs(leaderTimeoutMs: number): number {
    const { requestTimeoutMs } = this.#cluster;
    return Math.max(requestTimeoutMs, leaderTimeoutMs + requestTimeoutMs / 2);
  }

  #onResponse(batches: readonly ProducerBatch[], response: ProduceResponse): void {
    const answers = new Map<string, PartitionResponse>();
    for (const { name, partitionResponses } of response.responses) {
      for (const answer of partitionResponses) answers.set(`${answer.index}/${name}`, answer);
    }
    for (const batch of batches) {
      const answer = answers.get(`${batch.partition}/${batch.topic}`);
      if (answer === undefined) {
        this.#onFailure(batch, new KafkaJSError(`The answer of broker ${batch.nodeId} lacks ${where(batch)}`));
      } else {
        this.#onAnswer(batch, answer);
      }
    }
  }

  #onAnswer(batch: ProducerBatch, answer: PartitionResponse): void {
    const error = errorName(answer.errorCode);
    const { baseOffset, logAppendTimeMs, logStartOffset } = answer;
    switch (error) {
      case "NONE":
        return this.#delivered(batch, { baseOffset, logAppendTimeMs, logStartOffset });
      case "DUPLICATE_SEQUENCE_NUMBER":
        return this.#delivered(batch, { baseOffset: -1, logAppendTimeMs, logStartOffset });
      default:
        return this.#onError(batch, error, answer.errorMessage);
    }
  }

  #onError(batch: ProducerBatch, error: ErrorName, message: string | null): void {
    const queue = this.#accumulator.queueOf(batch);
    if (!queue.has(batch)) return;
    const failure = new KafkaJSProtocolError(error, this.#describe(batch, error, message));
    batch.lastError = failure;
    if (batch.sequence !== undefined) {
      if (error === "OUT_OF_ORDER_SEQUENCE_NUMBER" || error === "UNKNOWN_PRODUCER_ID") {
        // A leader that was replaced lacks what its successors have, and cannot know what they have written.
        if (this.#isReplaced(batch)) return this.#retry(batch, failure, false);
        return queue.outOfOrder(batch, this.#now());
      }
      if (error === "INVALID_PRODUCER_EPOCH") {
        for (const doubtful of queue.fenced(batch, this.#now())) this.#giveUp(doubtful, failure);
        return;
      }
    }
    if (isRetriable(error)) this.#retry(batch, failure, mayHaveWritten(error));
    else this.#giveUp(batch, failure);
  }

  /** Whether another leader has been elected since the batch was sent. */
  #isReplaced({ topic, partition, leaderEpoch }: ProducerBatch): boolean {
    const known = this.#cluster.image.topicNamed(topic)?.partitions[partition];
    return known !== undefined && known.leaderEpoch > leaderEpoch;
  }

  /** The request got no answer, or could not be sent. */
  #onFailure(batch: ProducerBatch, error: Error): void {
    if (!this.#accumulator.queueOf(batch).has(batch)) return;
    batch.lastError = error;
    const isSent = error instanceof KafkaJSConnectionClosedError || error instanceof KafkaJSRequestTimeoutError;
    if (isRetriableError(error)) this.#retry(batch, error, isSent);
    else this.#giveUp(batch, error);
  }

  #retry(batch: ProducerBatch, error: Error, maybeWritten: boolean): void {
    const { retry, logger } = this.#options;
    if (batch.attempts > retry.retries) {
      const now = this.#now();
      const details = { retryCount: batch.attempts - 1, retryTime: now - batch.createdAtMs, cause: error };
      const message = `${where(batch)} was sent ${batch.attempts} times in vain, lastly: ${error.message}`;
      return this.#giveUp(batch, new KafkaJSNumberOfRetriesExceeded(message, details));
    }
    const leader = this.#cluster.leaderOf(batch.topic, batch.partition);
    const isLedAnew = leader !== undefined && this.#isReplaced(batch);
    const pause = isLedAnew ? 0 : retryPause(retry, batch.attempts - 1, this.#cluster.platform.random());
    logger.debug(`${where(batch)} is sent again in ${pause} ms: ${error.message}`);
    this.#accumulator.queueOf(batch).retry(batch, this.#now() + pause, maybeWritten);
  }

  #expire(batch: ProducerBatch): void {
    const fate = batch.attempts === 0 ? "They were never sent" : "They may or may not have been written";
    const hasLeader = this.#cluster.leaderOf(batch.topic, batch.partition) !== undefined;
    const last = batch.lastError === undefined ? "" : `; the last error was: ${batch.lastError.message}`;
    const message =
      `Messages for ${where(batch)} (${batch.recordCount} in the batch) were not acknowledged within ` +
      `${this.#options.deliveryTimeoutMs} ms (deliveryTimeout). ` +
      `${fate}${hasLeader ? "" : "; there is no leader"}${last}`;
    this.#giveUp(batch, new KafkaJSTimeout(message, { cause: batch.lastError }));
  }

  #delivered(batch: ProducerBatch, result: BatchResult | undefined): void {
    const queue = this.#accumulator.queueOf(batch);
    if (!queue.has(batch)) return;
    queue.delivered(batch);
    this.#accumulator.release(batch);
    for (const { delivery, firstIndex } of batch.shares) delivery.batchDelivered(batch, firstIndex, result);
  }

  #giveUp(batch: ProducerBatch, error: Error): void {
    const queue = this.#accumulator.queueOf(batch);
    if (!queue.has(batch)) return;
    queue.abandon(batch);
    this.#accumulator.release(batch);
    for (const { delivery } of batch.shares) delivery.batchFailed(error);
    this.#schedule();
  }

  #describe(batch: ProducerBatch, error: ErrorName, message: string | null): string {
    const size = error === "MESSAGE_TOO_LARGE" ? ` (a batch of ${batch.encode().length} bytes)` : "";
    return message === null ? `${where(batch)}${size}` : `${where(batch)}${size}, ${message}`;
  }

  #onBatchClosed(batch: ProducerBatch): void {
    this.#options.batchClosed(batch.topic, batch.partition);
    if (batch.options.codec !== "none") void this.#compress(batch);
  }

  async #compress(batch: ProducerBatch): Promise<void> {
    try {
      const codec = await loadCodec(batch.options.codec);
      batch.setSection(await codec.compress(batch.rawSection));
      this.#schedule();
    } catch (error) {
      const isForNow = error instanceof CodecNotLoadedError;
      this.#giveUp(batch, isForNow ? new KafkaJSError(error.message, { cause: error }) : asError(error));
    }
  }

  /** Any broker grants producer ids; the leader that is next to be sent to is connected in any case. */
  async #acquireIdentity(): Promise<void> {
    if (this.#acquiringIdentity) return;
    const nodes = [...new Set([...this.#accumulator.leaders(this.#leaderOf), ...this.#cluster.activeNodes()])];
    const nodeId = nodes[this.#identityFailures % nodes.length];
    if (nodeId === undefined) return;
    this.#acquiringIdentity = true;
    try {
      const response = await this.#connections
        .to(nodeId, "produce")
        .request(initProducerId, { transactionalId: null, transactionTimeoutMs: 0 }, this.#cluster.requestTimeoutMs);
      const error = errorName(response.errorCode);
      if (error !== "NONE") throw new KafkaJSProtocolError(error, `Broker ${nodeId} grants no producer id`);
      this.#identity = { producerId: response.producerId, producerEpoch: response.producerEpoch };
      this.#identityFailures = 0;
      this.#acquiringIdentity = false;
      this.#schedule();
    } catch (error) {
      if (this.#closed) return;
      const pause = retryPause(this.#options.retry, this.#identityFailures++, this.#cluster.platform.random());
      this.#options.logger.debug(`No producer id, asking again in ${pause} ms: ${reasonOf(error)}`);
      for (const batch of this.#accumulator.batches) batch.lastError ??= asError(error);
      this.#cluster.clock.setTimer(pause, () => {
        this.#acquiringIdentity = false;
        this.#schedule();
      });
    }
  }

  #arm(atMs: number): void {
    if (this.#closed || atMs >= this.#wakeAtMs) return;
    this.#cancelTimer?.();
    this.#wakeAtMs = atMs;
    this.#cancelTimer = this.#cluster.clock.setTimer(Math.max(0, atMs - this.#now()), () => {
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.#cancelTimer = undefined;
      this.#schedule();
    });
  }
}

function produceRequest(batches: readonly ProducerBatch[]): ProduceRequestInit {
  const topics = new Map<string, { index: number; records: Uint8Array }[]>();
  for (const batch of batches) {
    const partitions = topics.get(batch.topic) ?? [];
    topics.set(batch.topic, partitions);
    partitions.push({ index: batch.partition, records: batch.encode() });
  }
  const { acks, timeoutMs } = batches[0]!.options;
  const topicData = [...topics].map(([name, partitionData]) => ({ name, partitionData }));
  return { transactionalId: null, acks, timeoutMs, topicData };
}

function where({ topic, partition }: ProducerBatch): string {
  return `partition ${partition} of topic ${topic}`;
}
