import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Delivery } from "../../src/client/delivery.ts";
import { mayHaveWritten, PartitionQueue } from "../../src/client/partition-queue.ts";
import { ProducerBatch, sequenceAfter } from "../../src/client/producer-batch.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import { ScriptedPartition } from "./scripted-partition.ts";

const IDENTITY = { producerId: 7, producerEpoch: 0 };

function batchOf(values: readonly string[], options: { acks?: -1 | 0 | 1; deadlineMs?: number } = {}): ProducerBatch {
  const { acks = -1, deadlineMs = 1_000_000 } = options;
  const times = { createdAtMs: 0, deadlineMs };
  const batch = new ProducerBatch({ topic: "t", partition: 0 }, { acks, timeoutMs: 1000, codec: "none" }, times);
  const delivery = new Delivery();
  delivery.promise.catch(() => {});
  for (const value of values) {
    batch.append({ offset: 0, timestamp: 1, key: null, value: new TextEncoder().encode(value) }, delivery);
  }
  batch.close();
  return batch;
}

/** A queue, and what a sender does with it. */
class Bench {
  readonly queue: PartitionQueue;
  nowMs = 0;

  constructor(idempotent = true) {
    this.queue = new PartitionQueue("t", 0, { idempotent });
  }

  add(...values: string[]): ProducerBatch {
    const batch = batchOf(values);
    this.queue.add(batch);
    return batch;
  }

  /** Sends what may be sent to a node, one after the other. */
  send(nodeId = 1, identity = IDENTITY, limit = 100): ProducerBatch[] {
    const sent: ProducerBatch[] = [];
    while (sent.length < limit && this.queue.prepare(identity)) {
      const batch = this.queue.peek(this.nowMs, nodeId, () => true);
      if (batch === undefined) break;
      this.queue.take(batch, nodeId, 0);
      sent.push(batch);
    }
    return sent;
  }
}

const sequences = (batches: readonly ProducerBatch[]) =>
  batches.map(({ sequence }) => [sequence?.producerEpoch, sequence?.baseSequence]);

/** A bench whose leader already has a batch of the producer, so that more than one may be under way. */
function establishedBench(): Bench {
  const bench = new Bench();
  const first = bench.add("first");
  bench.send();
  bench.queue.delivered(first);
  return bench;
}

describe("sequences", () => {
  test("the second batch waits until the leader has the first of this producer", () => {
    const bench = new Bench();
    const [first, second] = [bench.add("a", "b"), bench.add("c")];
    expect(bench.send()).toEqual([first]);
    bench.queue.delivered(first);
    expect(bench.send()).toEqual([second]);
    expect(sequences([first, second])).toEqual([
      [0, 0],
      [0, 2],
    ]);
  });

  test("at most five batches are under way, counted from the oldest that is not settled", () => {
    const bench = establishedBench();
    const batches = Array.from({ length: 7 }, (_, index) => bench.add(`${index}`));
    expect(bench.send()).toEqual(batches.slice(0, 5));
    bench.queue.delivered(batches[1]!);
    expect(bench.send()).toEqual([]);
    bench.queue.delivered(batches[0]!);
    expect(bench.send()).toEqual(batches.slice(5, 7));
  });

  test("wrap from 2^31 - 1 to 0", () => {
    expect(sequenceAfter(2 ** 31 - 1, 1)).toBe(0);
    expect(sequenceAfter(2 ** 31 - 3, 5)).toBe(2);
  });

  test("a repetition keeps its sequence, and holds up those behind it", () => {
    const bench = establishedBench();
    const [first, second, third] = [bench.add("a"), bench.add("b"), bench.add("c")];
    bench.send(1, IDENTITY, 2);
    bench.queue.retry(first, 100, true);
    bench.queue.outOfOrder(second, 0);
    expect(bench.send()).toEqual([]);
    bench.nowMs = 100;
    expect(bench.send()).toEqual([first, second, third]);
    expect(sequences([first, second, third])).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
  });

  test("nothing goes to a new leader while an answer of the old one is due", () => {
    const bench = establishedBench();
    const [first, second] = [bench.add("a"), bench.add("b")];
    bench.send(1, IDENTITY, 1);
    expect(bench.send(2)).toEqual([]);
    bench.queue.retry(first, 0, true);
    expect(bench.send(2)).toEqual([first, second]);
  });

  test("a new leader makes a waiting repetition due at once", () => {
    const bench = establishedBench();
    const batch = bench.add("a");
    bench.send();
    bench.queue.retry(batch, 5_000, true);
    bench.queue.leaderKnown(0, 10);
    expect(bench.send(2)).toEqual([]);
    bench.queue.leaderKnown(1, 10);
    bench.nowMs = 10;
    expect(bench.send(2)).toEqual([batch]);
  });

  test("without idempotence, one batch at a time is under way, and has no sequence", () => {
    const bench = new Bench(false);
    const [first, second] = [bench.add("a"), bench.add("b")];
    expect(bench.send()).toEqual([first]);
    expect(first.sequence).toBeUndefined();
    bench.queue.retry(first, 0, true);
    expect(bench.send()).toEqual([first]);
    bench.queue.delivered(first);
    expect(bench.send()).toEqual([second]);
  });

  test("a batch with acks 0 has no sequence and waits for those before it", () => {
    const bench = establishedBench();
    const first = bench.add("a");
    const careless = batchOf(["b"], { acks: 0 });
    bench.queue.add(careless);
    expect(bench.send()).toEqual([first]);
    bench.queue.delivered(first);
    expect(bench.send()).toEqual([careless]);
    expect(careless.sequence).toBeUndefined();
  });
});

describe("a batch that is given up", () => {
  test("leaves a gap, which a new epoch closes", () => {
    const bench = establishedBench();
    const [first, second] = [bench.add("a"), bench.add("b")];
    bench.send(1, IDENTITY, 1);
    bench.queue.abandon(first);
    expect(bench.send()).toEqual([second]);
    expect(sequences([second])).toEqual([[1, 0]]);
  });

  test("is not followed by anything new while a later one may have been written", () => {
    const bench = establishedBench();
    const [first, second, third] = [bench.add("a"), bench.add("b"), bench.add("c")];
    bench.send(1, IDENTITY, 2);
    bench.queue.retry(first, 0, true);
    bench.queue.retry(second, 0, true);
    bench.queue.abandon(first);
    // Whether the second was written is asked under its old sequence: under a new one it could be written twice.
    expect(bench.send()).toEqual([second]);
    expect(sequences([second])).toEqual([[0, 2]]);
    bench.queue.outOfOrder(second, 0);
    expect(bench.send()).toEqual([second]);
    expect(sequences([second])).toEqual([[1, 0]]);
    bench.queue.delivered(second);
    expect(bench.send()).toEqual([third]);
    expect(sequences([third])).toEqual([[1, 1]]);
  });

  test("was written after all when a later one gets through, and then the epoch stays", () => {
    const bench = establishedBench();
    const [first, second, third] = [bench.add("a"), bench.add("b"), bench.add("c")];
    bench.send(1, IDENTITY, 2);
    bench.queue.retry(first, 0, true);
    bench.queue.abandon(first);
    expect(bench.send()).toEqual([]);
    bench.queue.delivered(second);
    expect(bench.send()).toEqual([third]);
    expect(sequences([third])).toEqual([[0, 3]]);
  });

  test("leaves no gap when it was never sent", () => {
    const bench = establishedBench();
    const [first, second] = [bench.add("a"), bench.add("b")];
    bench.queue.abandon(first);
    expect(bench.send()).toEqual([second]);
    expect(sequences([second])).toEqual([[0, 1]]);
  });
});

describe("producer ids", () => {
  test("nothing is sent without one", () => {
    const bench = new Bench();
    bench.add("a");
    expect(bench.queue.prepare(undefined)).toBe(false);
  });

  test("a fenced one is replaced, and what may have been written under it is given up", () => {
    const bench = establishedBench();
    const [first, second] = [bench.add("a"), bench.add("b")];
    bench.send();
    bench.queue.retry(second, 0, true);
    expect(bench.queue.fenced(first, 0)).toEqual([second]);
    bench.queue.abandon(second);
    expect(bench.queue.prepare(IDENTITY)).toBe(false);
    expect(bench.queue.retiredProducerId).toBe(7);
    expect(bench.send(1, { producerId: 8, producerEpoch: 0 })).toEqual([first]);
    expect(first.sequence).toEqual({ producerId: 8, producerEpoch: 0, baseSequence: 0 });
  });

  test("one whose epochs are used up is replaced", () => {
    const bench = new Bench();
    const [first, second] = [bench.add("a"), bench.add("b")];
    bench.send(1, { producerId: 7, producerEpoch: 0x7fff });
    bench.queue.abandon(first);
    expect(bench.queue.prepare(IDENTITY)).toBe(false);
    expect(bench.send(1, { producerId: 8, producerEpoch: 0 })).toEqual([second]);
  });
});

/** What may happen to the oldest request that is under way. */
const fates = [
  "answered",
  "request-lost",
  "response-lost",
  "all-responses-lost",
  "refused",
  "accepted-then-refused",
  "expired",
] as const;
type Fate = (typeof fates)[number];

type Step = { readonly kind: "append" } | { readonly kind: "send" } | { readonly kind: "fate"; readonly fate: Fate };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>({ kind: "append" }) },
  { weight: 3, arbitrary: fc.constant<Step>({ kind: "send" }) },
  { weight: 6, arbitrary: fc.constantFrom(...fates).map((fate): Step => ({ kind: "fate", fate })) },
);

/** Runs a queue against a leader with Kafka's rules, over a connection that keeps order and breaks. */
class Simulation {
  readonly bench = new Bench();
  readonly leader = new ScriptedPartition();
  readonly delivered: string[] = [];
  readonly givenUp = new Set<string>();
  #connection: { batch: ProducerBatch; bytes: Uint8Array }[] = [];
  #next = 0;

  run(step: Step): void {
    if (step.kind === "append") {
      const values = Array.from({ length: 1 + (this.#next % 3) }, () => String(this.#next++));
      this.bench.add(...values);
    } else if (step.kind === "send") {
      for (const batch of this.bench.send()) this.#connection.push({ batch, bytes: batch.encode() });
    } else {
      this.#decide(step.fate);
    }
  }

  /** From here on everything works. */
  finish(): void {
    for (let turn = 0; !this.bench.queue.isEmpty; turn++) {
      expect(turn).toBeLessThan(1000);
      this.run({ kind: "send" });
      this.#decide("answered");
    }
  }

  #decide(fate: Fate): void {
    if (fate === "expired") {
      const [oldest] = this.bench.queue.batches;
      if (oldest !== undefined) this.#giveUp(oldest);
      return;
    }
    const request = this.#connection.shift();
    if (request === undefined) return;
    const { batch, bytes } = request;
    switch (fate) {
      case "answered":
        return this.#answer(batch, this.leader.append(bytes, 0).error);
      case "refused":
        return this.#answer(batch, "NOT_ENOUGH_REPLICAS");
      case "accepted-then-refused":
        this.leader.append(bytes, 0);
        return this.#answer(batch, "NOT_ENOUGH_REPLICAS_AFTER_APPEND");
      case "response-lost":
        this.leader.append(bytes, 0);
        return this.#lose([request, ...this.#connection]);
      case "all-responses-lost":
        for (const { bytes: sent } of [request, ...this.#connection]) this.leader.append(sent, 0);
        return this.#lose([request, ...this.#connection]);
      case "request-lost":
        return this.#lose([request, ...this.#connection]);
    }
  }

  #lose(requests: readonly { batch: ProducerBatch }[]): void {
    this.#connection = [];
    for (const { batch } of requests) if (this.bench.queue.has(batch)) this.bench.queue.retry(batch, 0, true);
  }

  #answer(batch: ProducerBatch, error: ErrorName): void {
    const { queue } = this.bench;
    if (!queue.has(batch)) return;
    if (error === "NONE") {
      queue.delivered(batch);
      this.delivered.push(...valuesOf(batch));
    } else if (error === "OUT_OF_ORDER_SEQUENCE_NUMBER") queue.outOfOrder(batch, 0);
    else if (error === "INVALID_PRODUCER_EPOCH") throw new Error("no live batch is of an old epoch");
    else queue.retry(batch, 0, mayHaveWritten(error));
  }

  #giveUp(batch: ProducerBatch): void {
    this.bench.queue.abandon(batch);
    for (const value of valuesOf(batch)) this.givenUp.add(value);
  }
}

function ascending(numbers: Iterable<number>): number[] {
  return [...numbers].sort((left, right) => left - right);
}

function valuesOf(batch: ProducerBatch): string[] {
  const partition = new ScriptedPartition();
  partition.append(batch.encode(), 0);
  partition.producers.clear();
  return partition.values();
}

test("whatever is lost or given up: no record twice, none out of order, none missing that was acknowledged", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const simulation = new Simulation();
      for (const one of steps) simulation.run(one);
      simulation.finish();
      const written = simulation.leader.values().map(Number);
      expect(written).toEqual(ascending(new Set(written)));
      // Acknowledgements may come in another order: a repetition is answered after those that were sent behind it.
      const delivered = ascending(simulation.delivered.map(Number));
      expect(written.filter((value) => !simulation.givenUp.has(String(value)))).toEqual(delivered);
    }),
    { numRuns: 500 },
  );
});
