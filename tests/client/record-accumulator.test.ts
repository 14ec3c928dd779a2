import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Delivery } from "../../src/client/delivery.ts";
import type { ProducerBatch, SendOptions } from "../../src/client/producer-batch.ts";
import { RecordAccumulator } from "../../src/client/record-accumulator.ts";
import type { AccumulatorOptions } from "../../src/client/record-accumulator.ts";
import { readBatchHeader, recordsSection } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";

const IDENTITY = { producerId: 1, producerEpoch: 0 };
const OPTIONS: SendOptions = { acks: -1, timeoutMs: 1000, codec: "none" };
class Bench {
  readonly closed: string[] = [];
  readonly accumulator: RecordAccumulator;
  nowMs = 0;
  topicId = "one";

  constructor(options: Partial<AccumulatorOptions> = {}) {
    this.accumulator = new RecordAccumulator({
      batchBytes: 500,
      lingerMs: 0,
      bufferBytes: 10_000,
      idempotent: true,
      batchClosed: ({ topic, partition }) => this.closed.push(`${topic}/${partition}`),
      ...options,
    });
  }

  append(value: string, partition = 0, options = OPTIONS, deadlineMs = this.nowMs + 1000): boolean {
    const record = { offset: 0, timestamp: 1, key: null, value: new TextEncoder().encode(value) };
    const target = { topic: "t", partition, maxMessageBytes: 1000 };
    return this.accumulator.append(target, record, options, new Delivery(), { nowMs: this.nowMs, deadlineMs });
  }

  drain(nodeId = 0, maxBytes = 1_000_000): ProducerBatch[] {
    return this.accumulator.drain(this.nowMs, nodeId, maxBytes, IDENTITY, this.#leaderOf);
  }

  settle(batch: ProducerBatch): void {
    this.accumulator.queueOf(batch).delivered(batch);
    this.accumulator.release(batch);
  }

  readonly #leaderOf = (_topic: string, partition: number) => {
    return { topicId: this.topicId, nodeId: partition % 2, leaderEpoch: 0 };
  };
}

function valuesOf(batch: ProducerBatch): string[] {
  const bytes = batch.encode();
  return decodeRecords(recordsSection(bytes), readBatchHeader(bytes)).map(({ value }) =>
    new TextDecoder().decode(value!),
  );
}

test("a batch is given up at the deadline of its first record, however long that waited for room before", () => {
  const bench = new Bench();
  bench.nowMs = 900;
  bench.append("sent at 0, and admitted at last", 0, OPTIONS, 1000);
  bench.append("sent at 900");
  expect(bench.accumulator.wakeAtMs(bench.nowMs)).toBe(1000);
  expect(bench.accumulator.expired(999)).toEqual([]);
  expect(bench.accumulator.expired(1000)).toHaveLength(1);
});

describe("a batch is sent", () => {
  test("when it has waited long enough", () => {
    const bench = new Bench({ lingerMs: 50 });
    bench.append("a");
    expect(bench.drain()).toEqual([]);
    expect(bench.accumulator.wakeAtMs(bench.nowMs)).toBe(50);
    bench.nowMs = 50;
    expect(bench.drain().map(valuesOf)).toEqual([["a"]]);
    expect(bench.closed).toEqual(["t/0"]);
  });

  test("when it has waited long enough, at whatever fraction of a millisecond it began", () => {
    const bench = new Bench({ lingerMs: 100 });
    bench.nowMs = 30.7016;
    expect(bench.nowMs + 100 - bench.nowMs).toBeLessThan(100);
    bench.append("a");
    bench.nowMs = bench.accumulator.wakeAtMs(bench.nowMs);
    expect(bench.drain().map(valuesOf)).toEqual([["a"]]);
  });

  test("when it is full, however short it waited", () => {
    const bench = new Bench({ lingerMs: 50 });
    for (const value of ["a", "b", "c", "d", "e", "f"]) bench.append(value.repeat(100));
    expect(bench.drain().map((batch) => batch.recordCount)).toEqual([4]);
  });

  test("when everything is to be sent", () => {
    const bench = new Bench({ lingerMs: 50 });
    bench.append("a");
    bench.accumulator.beginFlush();
    expect(bench.drain()).toHaveLength(1);
    bench.accumulator.endFlush();
    bench.append("b");
    expect(bench.drain()).toEqual([]);
  });

  test("only after it was compressed", () => {
    const bench = new Bench();
    bench.append("a", 0, { ...OPTIONS, codec: "gzip" });
    expect(bench.drain()).toEqual([]);
    expect(bench.closed).toEqual(["t/0"]);
    const [batch] = bench.accumulator.batches;
    batch!.setSection(new Uint8Array([1, 2, 3]));
    expect(bench.drain()).toEqual([batch]);
    expect(readBatchHeader(batch!.encode()).attributes.codec).toBe(1);
  });
});

describe("one request", () => {
  test("carries a batch of each partition that its node leads, and in turn when not all fit", () => {
    const bench = new Bench();
    for (const partition of [0, 1, 2, 4]) bench.append("x".repeat(100), partition);
    const partitions = () => bench.drain(0, 400).map(({ partition }) => partition);
    expect(partitions()).toEqual([0, 2]);
    expect(partitions()).toEqual([4]);
    expect(bench.drain(1).map(({ partition }) => partition)).toEqual([1]);
  });

  test("carries one kind of acks", () => {
    const bench = new Bench();
    bench.append("a", 0);
    bench.append("b", 2, { ...OPTIONS, acks: 1 });
    expect(bench.drain().map(({ options }) => options.acks)).toEqual([-1]);
    expect(bench.drain().map(({ options }) => options.acks)).toEqual([1]);
  });
});

test("in a topic that was created again, one batch is under way until one is delivered", () => {
  const bench = new Bench();
  /** Appends a batch and sends what may be sent. */
  const send = () => {
    bench.append("a".repeat(400));
    return bench.drain();
  };
  const [first] = send();
  bench.settle(first!);
  const sent = [...send(), ...send()];
  expect(sent).toHaveLength(2);
  bench.topicId = "another";
  expect(send()).toEqual([]);
  // They were on their way to the old one.
  for (const batch of sent) bench.settle(batch);
  const [next] = bench.drain();
  expect(send()).toEqual([]);
  bench.settle(next!);
  const [second] = bench.drain();
  const [third] = send();
  expect([second!.sequence, third!.sequence]).toMatchObject([{ baseSequence: 4 }, { baseSequence: 5 }]);
});

test("what is sent differently never shares a batch", () => {
  const bench = new Bench();
  for (const options of [OPTIONS, { ...OPTIONS, acks: 1 as const }, { ...OPTIONS, timeoutMs: 5 }])
    bench.append("a", 0, options);
  expect(bench.accumulator.batches).toHaveLength(3);
});

test("batches are given up when their time is over, the oldest first", () => {
  const bench = new Bench();
  bench.append("a".repeat(400));
  bench.nowMs = 10;
  bench.append("b".repeat(400));
  expect(bench.accumulator.wakeAtMs(10)).toBe(1000);
  expect(bench.accumulator.expired(1000).map((batch) => batch.recordCount)).toEqual([1]);
  expect(bench.accumulator.expired(1010)).toHaveLength(2);
});

test("any records: batches keep within their size, the buffer within its bound, and all arrive in order", () => {
  const step = fc.oneof(
    fc.record({ partition: fc.nat({ max: 3 }), size: fc.nat({ max: 900 }) }),
    fc.record({ drain: fc.nat({ max: 1 }) }),
    fc.constant("settle" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const bench = new Bench();
      const appended: string[][] = [[], [], [], []];
      const arrived: string[][] = [[], [], [], []];
      const open: ProducerBatch[] = [];
      let next = 0;
      const take = (nodeId: number) => {
        const drained = bench.drain(nodeId);
        expect(new Set(drained.map(({ partition }) => partition)).size).toBe(drained.length);
        for (const batch of drained) {
          expect(batch.encode().length <= 500 || batch.recordCount === 1).toBe(true);
          arrived[batch.partition]!.push(...valuesOf(batch));
        }
        open.push(...drained);
        return drained.length;
      };
      const settle = () => {
        for (const batch of open.splice(0)) bench.settle(batch);
      };
      for (const one of steps) {
        if (one === "settle") settle();
        else if ("drain" in one) take(one.drain);
        else {
          const value = String(next++).padEnd(one.size, ".");
          const before = bench.accumulator.bufferedBytes;
          expect(bench.append(value, one.partition)).toBe(before < 10_000);
          if (before < 10_000) appended[one.partition]!.push(value);
          expect(bench.accumulator.bufferedBytes).toBeLessThan(10_000 + 1000);
        }
      }
      do settle();
      while (take(0) + take(1) > 0);
      expect(arrived).toEqual(appended);
      expect(bench.accumulator.bufferedBytes).toBe(0);
      expect(bench.accumulator.isEmpty).toBe(true);
    }),
  );
});
