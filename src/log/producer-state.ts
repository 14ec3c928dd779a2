import type { ErrorName } from "../protocol/error-codes.ts";
import type { ProducerBatch, ProducerEntry, ProducerSnapshot } from "./stored-log.ts";

/** How many batches of one producer can be told to be duplicates: as many as a producer may have in flight (KIP-98). */
export const DUPLICATE_WINDOW = 5;

/**
 * How many producers one log remembers, in about 2 MB. Beyond them the one that has been silent for longest is
 * forgotten, and not by the time that it was: clocks differ and jump, and a producer that was offline may repeat days
 * later what it got no answer for.
 */
export const MAX_PRODUCERS = 4096;

/** Sequence numbers wrap from 2^31 - 1 to 0. */
const SEQUENCES = 2 ** 31;

/** The part of a batch header that idempotence is about. `producerId` is -1 in a batch without it. */
export interface SequencedBatch {
  readonly baseOffset: number;
  readonly lastOffsetDelta: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/** What to do with a batch that a producer sent. `lastOffset` is inclusive. */
export type ProducerCheck =
  | { readonly kind: "ok" }
  | { readonly kind: "duplicate"; readonly baseOffset: number; readonly lastOffset: number }
  | { readonly kind: "error"; readonly error: ErrorName };

/** A producer that the log remembers. `lastTimestamp` is the newest in its last batch, in milliseconds since 1970. */
export interface ActiveProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: number;
}

interface AppendedBatch extends ProducerBatch {
  readonly producerEpoch: number;
}

/** Never without a batch. */
interface Producer {
  /** Oldest first: all at or above the high watermark, and the newest {@link DUPLICATE_WINDOW} below it. */
  readonly batches: AppendedBatch[];
  lastTimestamp: number;
}

/**
 * What idempotent producers wrote to one log (KIP-98), batches in flight included: a function of the log's content
 * up to its end (R16), so a follower that becomes leader has it already.
 *
 * Enough batches are kept to give the exact state after a truncation to any offset at or above the high watermark. One
 * below it happens after an unclean election only; a producer may then be less known than the log would allow,
 * and a producer that is not known is accepted with any sequence.
 */
export class ProducerState {
  /** From the longest silent producer to the latest. */
  readonly #producers = new Map<number, Producer>();
  /** Batches below were let go with this high watermark in mind. */
  #exactFrom: number;

  constructor(snapshot?: ProducerSnapshot) {
    this.#exactFrom = snapshot?.offset ?? 0;
    for (const { producerId, producerEpoch, batches, lastTimestamp } of snapshot?.producers ?? []) {
      if (batches.length === 0) continue;
      this.#producers.set(producerId, {
        batches: batches.map((batch) => ({ producerEpoch, ...batch })),
        lastTimestamp,
      });
    }
  }

  get size(): number {
    return this.#producers.size;
  }

  /** Whether this batch is among those known of its producer. */
  remembers({ producerId, baseOffset }: Pick<SequencedBatch, "producerId" | "baseOffset">): boolean {
    return this.#producers.get(producerId)?.batches.some(({ offset }) => offset === baseOffset) === true;
  }

  /** Judges a batch before it is appended: duplicate first, then the epoch, then the sequence. */
  check(batch: SequencedBatch): ProducerCheck {
    const producer = this.#producers.get(batch.producerId);
    if (batch.producerId < 0 || producer === undefined) return { kind: "ok" };
    const window = duplicateWindow(producer.batches);
    const latest = window.at(-1)!;
    if (batch.producerEpoch < latest.producerEpoch) return { kind: "error", error: "INVALID_PRODUCER_EPOCH" };
    if (batch.producerEpoch > latest.producerEpoch) return batch.baseSequence === 0 ? { kind: "ok" } : outOfOrder;
    const lastSequence = sequenceAfter(batch.baseSequence, batch.lastOffsetDelta);
    const original = window.find(
      (known) => known.firstSequence === batch.baseSequence && known.lastSequence === lastSequence,
    );
    if (original !== undefined) {
      return { kind: "duplicate", baseOffset: original.offset, lastOffset: original.offset + batch.lastOffsetDelta };
    }
    return batch.baseSequence === sequenceAfter(latest.lastSequence, 1) ? { kind: "ok" } : outOfOrder;
  }

  /** Notes a batch that was appended, in log order. */
  append(batch: SequencedBatch, highWatermark: number): void {
    // Control batches carry a producer id, but no sequence.
    if (batch.producerId < 0 || batch.baseSequence < 0) return;
    const batches = this.#producers.get(batch.producerId)?.batches ?? [];
    // A copy that starts within a batch was told of it with what lies before, and then copies it.
    if (batches.at(-1)?.offset === batch.baseOffset) batches.pop();
    batches.push({
      producerEpoch: batch.producerEpoch,
      firstSequence: batch.baseSequence,
      lastSequence: sequenceAfter(batch.baseSequence, batch.lastOffsetDelta),
      offset: batch.baseOffset,
    });
    // All at once: a high watermark that stood still may let go of a hundred thousand.
    let settled = 0;
    while (batches.length - settled > DUPLICATE_WINDOW && batches[settled + DUPLICATE_WINDOW]!.offset < highWatermark) {
      settled++;
    }
    if (settled > 0) batches.splice(0, settled);
    this.#exactFrom = Math.max(this.#exactFrom, highWatermark);
    this.#producers.delete(batch.producerId);
    this.#producers.set(batch.producerId, { batches, lastTimestamp: batch.maxTimestamp });
    if (this.#producers.size > MAX_PRODUCERS) this.#forgetLongestSilent();
  }

  /** Forgets the batches at or above `offset`. */
  truncateTo(offset: number): void {
    this.#exactFrom = Math.min(this.#exactFrom, offset);
    for (const [producerId, { batches }] of this.#producers) {
      while (batches.length > 0 && batches.at(-1)!.offset >= offset) batches.pop();
      if (batches.length === 0) this.#producers.delete(producerId);
    }
  }

  /**
   * The state as it was when the log ended at the high watermark. A follower's may have gone back since batches were
   * let go (R5); then the snapshot is of the older, higher one, below which everything was committed as well.
   */
  snapshotAt(highWatermark: number): ProducerSnapshot {
    const offset = Math.max(highWatermark, this.#exactFrom);
    return { offset, producers: this.entriesBelow(offset) };
  }

  /** What each producer last wrote below `offset`, as far as it is remembered. */
  entriesBelow(offset: number): ProducerEntry[] {
    const producers: ProducerEntry[] = [];
    for (const [producerId, { batches, lastTimestamp }] of this.#producers) {
      const window = duplicateWindow(batches.filter((batch) => batch.offset < offset));
      const latest = window.at(-1);
      if (latest === undefined) continue;
      producers.push({
        producerId,
        producerEpoch: latest.producerEpoch,
        batches: window.map(withoutEpoch),
        lastTimestamp,
      });
    }
    return producers;
  }

  /** What is known of each producer, by its newest batch. */
  latest(): ActiveProducer[] {
    return [...this.#producers].map(([producerId, { batches, lastTimestamp }]) => {
      const { producerEpoch, lastSequence } = batches.at(-1)!;
      return { producerId, producerEpoch, lastSequence, lastTimestamp };
    });
  }

  #forgetLongestSilent(): void {
    for (const producerId of this.#producers.keys()) {
      this.#producers.delete(producerId);
      return;
    }
  }
}

function withoutEpoch({ firstSequence, lastSequence, offset }: AppendedBatch): ProducerBatch {
  return { firstSequence, lastSequence, offset };
}

const outOfOrder: ProducerCheck = { kind: "error", error: "OUT_OF_ORDER_SEQUENCE_NUMBER" };

/** The newest batches that share the newest epoch, at most {@link DUPLICATE_WINDOW} of them. */
function duplicateWindow(batches: readonly AppendedBatch[]): readonly AppendedBatch[] {
  const newest = batches.slice(-DUPLICATE_WINDOW);
  const producerEpoch = newest.at(-1)?.producerEpoch;
  return newest.filter((batch) => batch.producerEpoch === producerEpoch);
}

function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES;
}
