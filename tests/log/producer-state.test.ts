import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_PRODUCERS, ProducerState } from "../../src/log/producer-state.ts";
import type { ProducerCheck, SequencedBatch } from "../../src/log/producer-state.ts";

const LAST_SEQUENCE = 2 ** 31 - 1;
const ok: ProducerCheck = { kind: "ok" };
const outOfOrder: ProducerCheck = { kind: "error", error: "OUT_OF_ORDER_SEQUENCE_NUMBER" };

function header(baseOffset: number, baseSequence: number, changes: Partial<SequencedBatch> = {}): SequencedBatch {
  return {
    baseOffset,
    baseSequence,
    lastOffsetDelta: 0,
    maxTimestamp: 0,
    producerId: 7,
    producerEpoch: 0,
    ...changes,
  };
}

/** Producer 7 has written batches of two records with the sequences 0-1, 2-3, … at offsets 100, 102, … */
function afterBatches(count: number): ProducerState {
  const state = new ProducerState();
  for (let index = 0; index < count; index++) {
    state.append(header(100 + 2 * index, 2 * index, { lastOffsetDelta: 1 }), 0);
  }
  return state;
}

describe("producer state", () => {
  test("[R16] batches without a producer id are not looked at", () => {
    const state = afterBatches(1);
    expect(state.check(header(0, -1, { producerId: -1 }))).toEqual(ok);
  });

  test("[R16] a producer that is not known may start with any sequence", () => {
    expect(new ProducerState().check(header(0, 42))).toEqual(ok);
  });

  test("[R16] the next sequence is accepted, a gap is not", () => {
    const state = afterBatches(2);
    expect(state.check(header(0, 4))).toEqual(ok);
    expect(state.check(header(0, 5))).toEqual(outOfOrder);
    expect(state.check(header(0, 3))).toEqual(outOfOrder);
  });

  test("[R16] each of the last five batches is known as a duplicate, with its original offset", () => {
    const state = afterBatches(6);
    expect(state.check(header(0, 0, { lastOffsetDelta: 1 }))).toEqual(outOfOrder);
    for (let index = 1; index < 6; index++) {
      const expected = { kind: "duplicate", baseOffset: 100 + 2 * index, lastOffset: 101 + 2 * index };
      expect(state.check(header(0, 2 * index, { lastOffsetDelta: 1 }))).toEqual(expected);
    }
  });

  test("[R16] a hundred thousand batches are let go at once when the high watermark moves on", () => {
    const count = 200_000;
    const state = afterBatches(count);
    const startMs = performance.now();
    state.append(header(100 + 2 * count, 2 * count, { lastOffsetDelta: 1 }), 100 + 2 * count);
    expect(performance.now() - startMs).toBeLessThan(500);
    expect(state.check(header(0, 2 * count - 10, { lastOffsetDelta: 1 }))).toEqual(outOfOrder);
    expect(state.check(header(0, 2 * count - 6, { lastOffsetDelta: 1 })).kind).toBe("duplicate");
  });

  test("[R16] a batch that a copy was told of, because its log starts within it, counts once", () => {
    const told = afterBatches(5).entriesBelow(109);
    const state = new ProducerState({ offset: 109, producers: told });
    state.append(header(108, 8, { lastOffsetDelta: 1 }), 109);
    for (let index = 0; index < 5; index++) {
      expect(state.check(header(0, 2 * index, { lastOffsetDelta: 1 }))).toMatchObject({ kind: "duplicate" });
    }
  });

  test("[R16] a batch that only overlaps an earlier one is no duplicate", () => {
    expect(afterBatches(2).check(header(0, 2))).toEqual(outOfOrder);
  });

  test("[R16] sequences wrap from 2^31 - 1 to 0", () => {
    const state = new ProducerState();
    state.append(header(0, LAST_SEQUENCE - 1, { lastOffsetDelta: 1 }), 0);
    expect(state.check(header(2, 0))).toEqual(ok);
    expect(state.check(header(2, LAST_SEQUENCE))).toEqual(outOfOrder);
    const wrapping = header(2, 0, { lastOffsetDelta: 2 });
    state.append(wrapping, 0);
    expect(state.check(header(5, 3))).toEqual(ok);
  });

  test("[R16] a batch whose own sequences wrap is followed by what comes after them", () => {
    const state = new ProducerState();
    const wrapping = header(10, LAST_SEQUENCE, { lastOffsetDelta: 2 });
    state.append(wrapping, 0);
    expect(state.check(header(13, 2))).toEqual(ok);
    expect(state.check(wrapping)).toEqual({ kind: "duplicate", baseOffset: 10, lastOffset: 12 });
  });

  test("[R16] an older epoch is refused", () => {
    const state = new ProducerState();
    state.append(header(0, 0, { producerEpoch: 3 }), 0);
    expect(state.check(header(1, 1, { producerEpoch: 2 }))).toEqual({ kind: "error", error: "INVALID_PRODUCER_EPOCH" });
  });

  test("[R16] a newer epoch starts at sequence 0, and ends the window of the older one", () => {
    const state = afterBatches(2);
    expect(state.check(header(104, 4, { producerEpoch: 1 }))).toEqual(outOfOrder);
    expect(state.check(header(104, 0, { producerEpoch: 1 }))).toEqual(ok);
    state.append(header(104, 0, { producerEpoch: 1 }), 0);
    expect(state.check(header(0, 2, { lastOffsetDelta: 1, producerEpoch: 1 }))).toEqual(outOfOrder);
  });

  test("[R16] a control batch leaves the sequence alone", () => {
    const state = afterBatches(2);
    state.append(header(104, -1), 0);
    expect(state.check(header(105, 4))).toEqual(ok);
  });

  test("[R16] a truncation brings back what the window was", () => {
    const state = afterBatches(9);
    state.truncateTo(110);
    expect(state.check(header(0, 10))).toEqual(ok);
    expect(state.check(header(0, 0, { lastOffsetDelta: 1 })).kind).toBe("duplicate");
    state.truncateTo(100);
    expect(state.size).toBe(0);
  });

  test("beyond its limit the longest silent producer is forgotten", () => {
    const state = new ProducerState();
    for (let producerId = 0; producerId < MAX_PRODUCERS; producerId++) {
      state.append(header(producerId, 0, { producerId }), 0);
    }
    state.append(header(MAX_PRODUCERS, 1, { producerId: 0 }), 0);
    state.append(header(MAX_PRODUCERS + 1, 0, { producerId: MAX_PRODUCERS }), 0);
    expect(state.size).toBe(MAX_PRODUCERS);
    expect(state.check(header(0, 9, { producerId: 0 }))).toEqual(outOfOrder);
    expect(state.check(header(0, 9, { producerId: 1 }))).toEqual(ok);
  });

  test("[R16] is a function of the log's content, whatever was truncated and restored on the way", () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant("append" as const),
          producerId: fc.nat(2),
          newEpoch: fc.nat(9),
          count: fc.integer({ min: 1, max: 3 }),
        }),
      },
      fc.record({ kind: fc.constant("commit" as const), share: share() }),
      fc.record({ kind: fc.constant("truncate" as const), share: share() }),
      fc.record({ kind: fc.constant("restart" as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        let log: SequencedBatch[] = [];
        let highWatermark = 0;
        let state = new ProducerState();
        const end = () => endOf(log);
        for (const each of steps) {
          if (each.kind === "append") {
            const next = nextBatch(log, each.producerId, each.newEpoch === 0, each.count);
            expect(state.check(next)).toEqual(ok);
            log.push(next);
            state.append(next, highWatermark);
          } else if (each.kind === "commit") {
            highWatermark = border(log, highWatermark + each.share * (end() - highWatermark));
          } else if (each.kind === "truncate") {
            const offset = Math.max(highWatermark, border(log, highWatermark + each.share * (end() - highWatermark)));
            log = log.filter(({ baseOffset }) => baseOffset < offset);
            state.truncateTo(offset);
          } else {
            const snapshot = state.snapshotAt(highWatermark);
            state = new ProducerState(snapshot);
            for (const each of log) if (each.baseOffset >= snapshot.offset) state.append(each, highWatermark);
          }
          for (let producerId = 0; producerId <= 2; producerId++) {
            for (const probe of probes(log, producerId)) expect(state.check(probe)).toEqual(modelCheck(log, probe));
          }
        }
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});

function share(): fc.Arbitrary<number> {
  return fc.nat(1000).map((thousandths) => thousandths / 1000);
}

function endOf(log: readonly SequencedBatch[]): number {
  const last = log.at(-1);
  return last === undefined ? 0 : last.baseOffset + last.lastOffsetDelta + 1;
}

/** The last border between batches up to `offset`. */
function border(log: readonly SequencedBatch[], offset: number): number {
  return [0, ...log.map((_, index) => endOf(log.slice(0, index + 1)))].findLast((each) => each <= offset)!;
}

function nextBatch(
  log: readonly SequencedBatch[],
  producerId: number,
  newEpoch: boolean,
  count: number,
): SequencedBatch {
  const last = log.findLast((each) => each.producerId === producerId);
  const producerEpoch = (last?.producerEpoch ?? 0) + (newEpoch ? 1 : 0);
  const starts = last === undefined || newEpoch;
  return header(endOf(log), starts ? 0 : last.baseSequence + last.lastOffsetDelta + 1, {
    producerId,
    producerEpoch,
    lastOffsetDelta: count - 1,
  });
}

/** Retries of all the producer's batches, a next one, a gap, and both neighbouring epochs. */
function probes(log: readonly SequencedBatch[], producerId: number): SequencedBatch[] {
  const next = nextBatch(log, producerId, false, 1);
  return [
    ...log.filter((each) => each.producerId === producerId),
    next,
    { ...next, baseSequence: next.baseSequence + 1 },
    { ...next, producerEpoch: next.producerEpoch + 1 },
    { ...next, producerEpoch: next.producerEpoch + 1, baseSequence: 0 },
    { ...next, producerEpoch: next.producerEpoch - 1 },
  ];
}

/** KIP-98 read off the whole log. */
function modelCheck(log: readonly SequencedBatch[], probe: SequencedBatch): ProducerCheck {
  const own = log.filter(({ producerId }) => producerId === probe.producerId);
  const last = own.at(-1);
  if (last === undefined) return ok;
  const window = own.slice(-5).filter(({ producerEpoch }) => producerEpoch === last.producerEpoch);
  const original = window.find(
    (each) =>
      each.producerEpoch === probe.producerEpoch &&
      each.baseSequence === probe.baseSequence &&
      each.lastOffsetDelta === probe.lastOffsetDelta,
  );
  if (original !== undefined) {
    const { baseOffset, lastOffsetDelta } = original;
    return { kind: "duplicate", baseOffset, lastOffset: baseOffset + lastOffsetDelta };
  }
  if (probe.producerEpoch < last.producerEpoch) return { kind: "error", error: "INVALID_PRODUCER_EPOCH" };
  const expected = probe.producerEpoch > last.producerEpoch ? 0 : last.baseSequence + last.lastOffsetDelta + 1;
  return probe.baseSequence === expected ? ok : outOfOrder;
}
