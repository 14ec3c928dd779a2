import type { Delivery } from "./delivery.ts";
import type { PreparedRecord } from "./messages.ts";
import { PartitionQueue } from "./partition-queue.ts";
import type { ProducerIdentity } from "./partition-queue.ts";
import { ProducerBatch } from "./producer-batch.ts";
import type { SendOptions } from "./producer-batch.ts";

/** Where a batch of a partition has to go. */
export interface PartitionLeader {
  /** Of the topic that has the name now. */
  readonly topicId: string;
  readonly nodeId: number;
  readonly leaderEpoch: number;
}

export interface AccumulatorOptions {
  /** A batch that reaches this size is sent without waiting. */
  readonly batchBytes: number;
  /** How long a batch waits for more records. */
  readonly lingerMs: number;
  /** What all batches together may hold. */
  readonly bufferBytes: number;
  readonly idempotent: boolean;
  /** Called when a batch takes no more records; the one to compress it, if it is to be compressed. */
  readonly batchClosed: (batch: ProducerBatch) => void;
}

export interface AppendTarget {
  readonly topic: string;
  readonly partition: number;
  /** The topic's `max.message.bytes`. */
  readonly maxMessageBytes: number;
}

/**
 * Gathers records into batches, and decides which batches a node can be sent. Pure: time comes in, requests and
 * promises are the producer's.
 */
export class RecordAccumulator {
  readonly #options: AccumulatorOptions;
  /** By topic and partition; those with batches only, the one served last at the end. */
  readonly #queues = new Map<string, PartitionQueue>();
  /** Kept while empty, because a partition's sequence goes on. */
  readonly #idle = new Map<string, PartitionQueue>();
  #bufferedBytes = 0;
  #flushing = 0;

  constructor(options: AccumulatorOptions) {
    this.#options = options;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get isEmpty(): boolean {
    return this.#queues.size === 0;
  }

  /** All batches that are neither acknowledged nor given up. */
  get batches(): ProducerBatch[] {
    return [...this.#queues.values()].flatMap((queue) => queue.batches);
  }

  /**
   * Puts a record into the open batch of its partition, or into a new one. Returns false, having done nothing, when
   * the buffer is full. The caller has made sure that the record fits a batch of its topic. A batch has the deadline of
   * its first record, which is the earliest when deadlines come in order.
   */
  append(
    target: AppendTarget,
    record: PreparedRecord,
    options: SendOptions,
    delivery: Delivery,
    times: { readonly nowMs: number; readonly deadlineMs: number },
  ): boolean {
    if (this.#bufferedBytes >= this.#options.bufferBytes) return false;
    const queue = this.#queueOf(target.topic, target.partition);
    let batch = queue.open;
    if (batch !== undefined && !this.#fits(batch, record, options, target.maxMessageBytes)) {
      this.#close(batch);
      batch = undefined;
    }
    if (batch === undefined) {
      const { nowMs: createdAtMs, deadlineMs } = times;
      batch = new ProducerBatch(target, options, { createdAtMs, deadlineMs }, queue.lastBatchBytes);
      queue.add(batch);
      this.#bufferedBytes += batch.sizeInBytes;
    }
    const before = batch.sizeInBytes;
    batch.append(record, delivery);
    this.#bufferedBytes += batch.sizeInBytes - before;
    if (batch.sizeInBytes >= Math.min(this.#options.batchBytes, target.maxMessageBytes)) this.#close(batch);
    return true;
  }

  /** From now until {@link endFlush}, no batch waits for more records. */
  beginFlush(): void {
    this.#flushing++;
  }

  endFlush(): void {
    this.#flushing--;
  }

  /** The nodes that lead partitions with batches. */
  leaders(leaderOf: (topic: string, partition: number) => PartitionLeader | undefined): Set<number> {
    const nodes = new Set<number>();
    for (const { topic, partition } of this.#queues.values()) {
      const leader = leaderOf(topic, partition);
      if (leader !== undefined) nodes.add(leader.nodeId);
    }
    return nodes;
  }

  /** Whether some partition waits for a producer id, or for another one than `identity`. */
  needsIdentity(identity: ProducerIdentity | undefined): boolean {
    if (!this.#options.idempotent) return false;
    if (identity === undefined) return this.#queues.size > 0;
    for (const queue of this.#queues.values()) if (queue.retiredProducerId === identity.producerId) return true;
    return false;
  }

  /**
   * Takes what one request to `nodeId` can carry: at most one batch of each partition, all with the same acks; at least
   * one if one is ready, then more up to `maxBytes`.
   */
  drain(
    nowMs: number,
    nodeId: number,
    maxBytes: number,
    identity: ProducerIdentity | undefined,
    leaderOf: (topic: string, partition: number) => PartitionLeader | undefined,
  ): ProducerBatch[] {
    const drained: ProducerBatch[] = [];
    let size = 0;
    // A queue that is served moves to the end, so the order is kept aside meanwhile.
    const inTurn = [...this.#queues];
    for (const [key, queue] of inTurn) {
      const leader = leaderOf(queue.topic, queue.partition);
      if (leader?.nodeId !== nodeId) continue;
      queue.topicKnown(leader.topicId);
      if (!queue.prepare(identity)) continue;
      const batch = queue.peek(nowMs, nodeId, (next) => this.#isReady(next, nowMs));
      if (batch === undefined) continue;
      const first = drained[0];
      if (first !== undefined && (size + batch.sizeInBytes > maxBytes || batch.options.acks !== first.options.acks)) {
        continue;
      }
      queue.take(batch, nodeId, leader.leaderEpoch);
      drained.push(batch);
      size += batch.sizeInBytes;
      this.#queues.delete(key);
      this.#queues.set(key, queue);
    }
    return drained;
  }

  /** The queue that holds `batch`. */
  queueOf(batch: ProducerBatch): PartitionQueue {
    return this.#queueOf(batch.topic, batch.partition);
  }

  /** Lets go of a batch that its queue has let go of. */
  release(batch: ProducerBatch): void {
    this.#bufferedBytes -= batch.sizeInBytes;
    const key = keyOf(batch.topic, batch.partition);
    const queue = this.#queues.get(key);
    if (queue === undefined || !queue.isEmpty) return;
    this.#queues.delete(key);
    this.#idle.set(key, queue);
  }

  /** Batches whose time is over, still in their queues. */
  expired(nowMs: number): ProducerBatch[] {
    return [...this.#queues.values()].flatMap((queue) => queue.expired(nowMs));
  }

  /** Batches that failed need not wait where a new leader is known. */
  leadersKnown(leaderOf: (topic: string, partition: number) => PartitionLeader | undefined, nowMs: number): void {
    for (const queue of this.#queues.values()) {
      const leader = leaderOf(queue.topic, queue.partition);
      if (leader !== undefined) queue.leaderKnown(leader.leaderEpoch, nowMs);
    }
  }

  /** When, after `nowMs`, something has to be done though nothing happens. */
  wakeAtMs(nowMs: number): number {
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues.values()) {
      wakeAt = Math.min(wakeAt, queue.wakeAtMs(nowMs));
      const lingerEnd = (queue.open?.createdAtMs ?? nowMs) + this.#options.lingerMs;
      if (queue.open !== undefined && lingerEnd > nowMs) wakeAt = Math.min(wakeAt, lingerEnd);
    }
    return wakeAt;
  }

  /** A batch that could be sent stops waiting for more records when its time is over; only then is it compressed. */
  #isReady(batch: ProducerBatch, nowMs: number): boolean {
    // The same sum as that by which it is woken: a difference may be rounded to less.
    const isDue = this.#flushing > 0 || batch.createdAtMs + this.#options.lingerMs <= nowMs;
    if (!batch.closed && isDue) this.#close(batch);
    return batch.isEncodable;
  }

  #fits(batch: ProducerBatch, record: PreparedRecord, options: SendOptions, maxMessageBytes: number): boolean {
    const { acks, timeoutMs, codec } = batch.options;
    if (acks !== options.acks || timeoutMs !== options.timeoutMs || codec !== options.codec) return false;
    return batch.sizeWith(record) <= Math.min(this.#options.batchBytes, maxMessageBytes);
  }

  #close(batch: ProducerBatch): void {
    batch.close();
    this.#options.batchClosed(batch);
  }

  #queueOf(topic: string, partition: number): PartitionQueue {
    const key = keyOf(topic, partition);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = this.#idle.get(key) ?? new PartitionQueue(topic, partition, { idempotent: this.#options.idempotent });
      this.#idle.delete(key);
      this.#queues.set(key, queue);
    }
    return queue;
  }
}

function keyOf(topic: string, partition: number): string {
  return `${partition}/${topic}`;
}
