import { assert } from "../protocol/assert.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import { sequenceAfter } from "./producer-batch.ts";
import type { ProducerBatch } from "./producer-batch.ts";

/**
 * The batches of one partition, oldest first, and the rules that keep them in order and free of duplicates (KIP-98,
 * KIP-360).
 *
 *     append → waiting ──take──► in flight ──delivered──► gone
 *                                   │  ▲
 *                     retry, refused▼  │take
 *                                 retrying ──expired──► gone, leaving a gap
 *
 * - A batch gets its sequence when it is first taken and keeps it over all attempts, so that the leader can tell a
 *   repetition. At most five batches, counted from the oldest unresolved one, have been taken: a leader remembers five.
 * - Batches are sent in order, to one node at a time; one that failed holds up those behind it.
 * - A batch that is given up leaves a gap, which the leader would refuse to pass. Nothing new is sent until the gap is
 *   known to be filled (a later batch got through) or closed: the producer epoch of this partition is counted up and
 *   sequences start again from 0. The old epoch is fenced by the first batch of the new one, so a request of it that
 *   is still under way can no longer be appended behind our back.
 * - A batch that may have been written keeps its sequence until the leader says that it does not have it.
 *
 * A producer epoch is counted per partition, because only the leaders of partitions look at it.
 */

/** Batches of one producer that a leader remembers, and so recognises when they are repeated. */
const REMEMBERED_BATCHES = 5;
const MAX_PRODUCER_EPOCH = 0x7fff;

/** What InitProducerId granted. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** Errors after which the batch is certainly not in the log because of this attempt. */
const notWritten: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "CORRUPT_MESSAGE",
  "UNKNOWN_TOPIC_OR_PARTITION",
  "UNKNOWN_TOPIC_ID",
  "LEADER_NOT_AVAILABLE",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "MESSAGE_TOO_LARGE",
  "RECORD_LIST_TOO_LARGE",
  "NOT_ENOUGH_REPLICAS",
  "INVALID_TOPIC_EXCEPTION",
  "INVALID_RECORD",
  "INVALID_TIMESTAMP",
  "INVALID_REQUIRED_ACKS",
  "INVALID_REQUEST",
  "UNSUPPORTED_COMPRESSION_TYPE",
  "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  "THROTTLING_QUOTA_EXCEEDED",
]);

/** Whether an attempt that ended with `error` may still have appended the batch; undefined is a lost connection. */
export function mayHaveWritten(error: ErrorName | undefined): boolean {
  return error === undefined || !notWritten.has(error);
}

export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  /** The next batch will probably be about as large. */
  lastBatchBytes = 0;
  readonly #idempotent: boolean;
  readonly #waiting: ProducerBatch[] = [];
  readonly #taken: ProducerBatch[] = [];
  /** Of the log that batches go to. */
  #topicId: string | undefined;
  #identity: ProducerIdentity | undefined;
  /** Set when only another producer id helps: this one is fenced, or its epochs are used up. */
  #retiredProducerId: number | undefined;
  #nextSequence = 0;
  #nextOrdinal = 0;
  /** Whether a batch was given up since which nothing got through. */
  #gap = false;
  /**
   * Whether the leader has a batch of this id and epoch in that log. Before that it accepts any sequence, so a second
   * batch must not be on its way that could be appended when the first is refused.
   */
  #established = false;

  constructor(topic: string, partition: number, options: { readonly idempotent: boolean }) {
    this.topic = topic;
    this.partition = partition;
    this.#idempotent = options.idempotent;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#taken.length === 0;
  }

  /** The batch that takes records, if there is one. */
  get open(): ProducerBatch | undefined {
    const last = this.#waiting.at(-1);
    return last === undefined || last.closed ? undefined : last;
  }

  get batches(): readonly ProducerBatch[] {
    return [...this.#taken, ...this.#waiting];
  }

  add(batch: ProducerBatch): void {
    this.#waiting.push(batch);
  }

  /** The producer id that this partition can no longer use. */
  get retiredProducerId(): number | undefined {
    return this.#retiredProducerId;
  }

  /**
   * The batch that may be sent to `nodeId` next, if there is one. `isReady` is asked about a batch that is the next in
   * turn and was not sent before: whether it is to wait no longer.
   */
  peek(nowMs: number, nodeId: number, isReady: (batch: ProducerBatch) => boolean): ProducerBatch | undefined {
    // Sending more under the old epoch would only be refused, and put off the moment when nothing is under way.
    if (this.#mustCloseGap()) return undefined;
    for (const batch of this.#taken) {
      if (batch.state === "in-flight") {
        if (batch.nodeId !== nodeId || !this.#established) return undefined;
      } else {
        return batch.retryAtMs <= nowMs ? batch : undefined;
      }
    }
    const next = this.#waiting[0];
    if (next === undefined || this.#gap || !this.#hasRoom(next)) return undefined;
    return isReady(next) ? next : undefined;
  }

  /** Marks the batch that {@link peek} gave as sent, and numbers it if it is sent for the first time. */
  take(batch: ProducerBatch, nodeId: number, leaderEpoch: number): void {
    if (batch.state === "waiting") {
      assert(batch === this.#waiting[0], "batches are taken in order");
      this.#waiting.shift();
      this.#taken.push(batch);
      this.lastBatchBytes = batch.sizeInBytes;
      batch.ordinal = this.#nextOrdinal++;
      if (this.#needsSequence(batch)) this.#number(batch);
    }
    batch.state = "in-flight";
    batch.topicId = this.#topicId;
    batch.nodeId = nodeId;
    batch.leaderEpoch = leaderEpoch;
    batch.attempts++;
  }

  /** Says which topic has the name now: the log of a new one has nothing of this producer. */
  topicKnown(topicId: string): void {
    if (topicId === this.#topicId) return;
    this.#topicId = topicId;
    this.#established = false;
  }

  /**
   * Makes ready for sending under `identity`: adopts it if it is the first or the old one is retired, and closes a gap
   * if that can be done now. Returns false while the partition needs an identity that it does not have.
   */
  prepare(identity: ProducerIdentity | undefined): boolean {
    if (!this.#idempotent) return true;
    if (this.#identity === undefined || this.#retiredProducerId !== undefined) {
      if (identity === undefined || identity.producerId === this.#retiredProducerId) return false;
      if (this.#identity !== undefined && this.#hasInFlight()) return false;
      this.#restart(identity);
      return true;
    }
    if (this.#mustCloseGap() && !this.#hasInFlight()) this.#countUpEpoch();
    return this.#retiredProducerId === undefined;
  }

  /** The leader has appended the batch, now or at an earlier attempt. */
  delivered(batch: ProducerBatch): void {
    const index = this.#taken.indexOf(batch);
    if (index < 0) return;
    this.#taken.splice(index, 1);
    if (batch.sequence !== undefined && batch.topicId === this.#topicId) this.#established = true;
    if (!batch.afterGap) return;
    // The leader appends in order only, so what was given up before this batch is in the log after all.
    this.#gap = false;
    for (const other of this.#taken) other.afterGap = false;
  }

  /** The attempt failed, and the batch is to be tried again from `retryAtMs` on. */
  retry(batch: ProducerBatch, retryAtMs: number, maybeWritten: boolean): void {
    batch.state = "retrying";
    batch.retryAtMs = retryAtMs;
    batch.maybeWritten ||= maybeWritten;
  }

  /**
   * The leader does not have what should precede the batch, so it does not have the batch either, and neither those
   * behind it. When the one before is being tried again that is no wonder; else it lost them, and we start anew.
   */
  outOfOrder(batch: ProducerBatch, retryAtMs: number): void {
    batch.state = "retrying";
    batch.retryAtMs = retryAtMs;
    if (this.#taken[0] !== batch) return;
    batch.maybeWritten = false;
    this.#openGap(0);
  }

  /**
   * The leader knows a newer epoch of this producer id, so nothing of this one will be appended any more. Returns the
   * batches that may have been written before: under another id their repetition would not be recognised.
   */
  fenced(batch: ProducerBatch, retryAtMs: number): readonly ProducerBatch[] {
    this.retry(batch, retryAtMs, false);
    this.#retiredProducerId = this.#identity?.producerId;
    return this.#taken.filter(({ state, maybeWritten }) => state !== "in-flight" && maybeWritten);
  }

  /** The batch is given up. Unless it never had a sequence, it leaves a gap. */
  abandon(batch: ProducerBatch): void {
    const waiting = this.#waiting.indexOf(batch);
    if (waiting >= 0) {
      this.#waiting.splice(waiting, 1);
      return;
    }
    const index = this.#taken.indexOf(batch);
    if (index < 0) return;
    this.#taken.splice(index, 1);
    if (batch.sequence !== undefined) this.#openGap(index);
  }

  /** Batches whose time is over, whether they are in flight or not. */
  expired(nowMs: number): readonly ProducerBatch[] {
    if (this.#deadlineMs() > nowMs) return [];
    return this.batches.filter(({ deadlineMs }) => deadlineMs <= nowMs);
  }

  /** The partition is led in `leaderEpoch`: what failed at an earlier leader need not wait. */
  leaderKnown(leaderEpoch: number, nowMs: number): void {
    for (const batch of this.#taken) {
      if (batch.leaderEpoch < leaderEpoch) batch.retryAtMs = Math.min(batch.retryAtMs, nowMs);
    }
  }

  /** Whether the batch is still to be settled; the answer to a request may come after the batch was given up. */
  has(batch: ProducerBatch): boolean {
    return this.#taken.includes(batch) || this.#waiting.includes(batch);
  }

  /** When, after `nowMs`, something may have to be done without an event: a pause or the time of a batch ends. */
  wakeAtMs(nowMs: number): number {
    const retrying = this.#taken.find(({ state }) => state === "retrying");
    return Math.min(...[this.#deadlineMs(), retrying?.retryAtMs ?? nowMs].filter((at) => at > nowMs));
  }

  /** Of the oldest batch; those behind it were made later. */
  #deadlineMs(): number {
    return (this.#taken[0] ?? this.#waiting[0])?.deadlineMs ?? Number.POSITIVE_INFINITY;
  }

  #hasInFlight(): boolean {
    return this.#taken.some(({ state }) => state === "in-flight");
  }

  #hasRoom(next: ProducerBatch): boolean {
    const oldest = this.#taken[0];
    if (oldest === undefined) return true;
    if (!this.#established) return false;
    // Without sequences a leader cannot keep the order of two batches of which the first has to be sent again.
    if (!this.#needsSequence(next) || !this.#needsSequence(oldest)) return false;
    return this.#nextOrdinal - oldest.ordinal < REMEMBERED_BATCHES;
  }

  #needsSequence(batch: ProducerBatch): boolean {
    return this.#idempotent && batch.options.acks !== 0;
  }

  #number(batch: ProducerBatch): void {
    assert(this.#identity !== undefined, "a partition is prepared before its batches are taken");
    batch.sequence = { ...this.#identity, baseSequence: this.#nextSequence };
    this.#nextSequence = sequenceAfter(this.#nextSequence, batch.recordCount);
  }

  #openGap(from: number): void {
    this.#gap = true;
    for (const batch of this.#taken.slice(from)) batch.afterGap = true;
  }

  /** Whether the next batch is known not to have been written, and cannot be under its sequence. */
  #mustCloseGap(): boolean {
    if (!this.#gap) return false;
    const first = this.#taken[0];
    return first === undefined || (first.afterGap && !first.maybeWritten);
  }

  #countUpEpoch(): void {
    const { producerId, producerEpoch } = this.#identity!;
    if (producerEpoch < MAX_PRODUCER_EPOCH) this.#restart({ producerId, producerEpoch: producerEpoch + 1 });
    else this.#retiredProducerId = producerId;
  }

  #restart(identity: ProducerIdentity): void {
    this.#identity = identity;
    this.#retiredProducerId = undefined;
    this.#nextSequence = 0;
    this.#gap = false;
    this.#established = false;
    for (const batch of this.#taken) {
      if (batch.sequence === undefined) continue;
      batch.afterGap = false;
      batch.maybeWritten = false;
      this.#number(batch);
    }
  }
}
