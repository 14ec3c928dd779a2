import fc from "fast-check";
import { expect, test } from "vitest";
import { coalesceAppends } from "../../src/log/coalesce-appends.ts";
import { CompactionPass } from "../../src/log/compaction-pass.ts";
import { OffsetMap } from "../../src/log/offset-map.ts";
import type { StoreOperation } from "../../src/log/stored-log.ts";
import { batches } from "../../src/protocol/record-batch.ts";
import { eager, keyed, lastValues, StoredLog } from "./compacted-log.ts";
import type { Pair, ReadRecord } from "./compacted-log.ts";

const pair: fc.Arbitrary<Pair> = fc.tuple(
  fc.constantFrom("a", "b", "c", "d"),
  fc.constantFrom("x", "y", "zzz", "xyz", null),
);

const sketch = fc.record({
  pairs: fc.array(pair, { minLength: 1, maxLength: 4 }),
  epochStep: fc.constantFrom(0, 0, 0, 1),
  /** 0 for a batch without a producer id. */
  producerId: fc.nat(2),
  /** Whether the next batch shares its chunk. */
  sameChunk: fc.boolean(),
});

type Sketch = typeof sketch extends fc.Arbitrary<infer T> ? T : never;

/** The batches in the log, some to a chunk, and all committed. */
function logOf(sketches: readonly Sketch[], cacheBytes: number): StoredLog {
  const stored = new StoredLog(cacheBytes);
  const sequences = new Map<number, number>();
  const waiting: StoreOperation[] = [];
  let epoch = 0;
  for (const [at, { pairs, epochStep, producerId, sameChunk }] of sketches.entries()) {
    epoch += epochStep;
    const baseSequence = sequences.get(producerId) ?? 0;
    sequences.set(producerId, baseSequence + pairs.length);
    const init = producerId === 0 ? {} : { producerId, producerEpoch: 0, baseSequence };
    const { operations } = stored.log.appendAsLeader(keyed(pairs, init, 1000 + at), epoch, 0);
    waiting.push(...operations);
    if (sameChunk) continue;
    stored.apply(coalesceAppends(waiting.splice(0)));
  }
  stored.apply(coalesceAppends(waiting));
  stored.log.setHighWatermark(stored.log.logEndOffset);
  return stored;
}

/** The last record of each key below `end`, tombstones included. */
function lastRecords(records: readonly ReadRecord[], end: number): Map<string, ReadRecord> {
  const last = new Map<string, ReadRecord>();
  for (const record of records) if (record.offset < end) last.set(record.key!, record);
  return last;
}

test("a compaction keeps the last record of every key, the end, the epochs, the producers and all above its bound", () => {
  fc.assert(
    fc.property(
      fc.array(sketch, { minLength: 2, maxLength: 25 }),
      fc.nat(1000),
      fc.constantFrom(1, 300, 1e6),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(0, 300, 1e6),
      (sketches, committed, stepBytes, maxKeys, cacheBytes) => {
        const stored = logOf(sketches, cacheBytes);
        const borders = [...batches(stored.bytes)].map(({ header }) => header.lastOffset + 1);
        const bound = borders[Math.floor((committed / 1001) * borders.length)]!;
        stored.restart(cacheBytes);
        stored.log.setHighWatermark(bound);
        const before = stored.records;
        const known = stored.log.metadataOperation();
        const limits = { ...eager, deleteRetentionMs: 100 };
        // A pass that changes nothing any more ends it, however little a pass can note.
        for (let passes = 0; passes < 60; passes++) {
          stored.compact(limits, { nowMs: 5000 }, stepBytes, new OffsetMap(maxKeys));
        }
        const after = stored.records;
        expect(after.every((record) => before.some((original) => same(original, record)))).toBe(true);
        expect(after.filter(({ offset }) => offset >= bound)).toEqual(before.filter(({ offset }) => offset >= bound));
        const compactedTo = stored.log.compaction.compactedTo;
        expect(compactedTo).toBeLessThanOrEqual(bound);
        expect(lastRecords(after, compactedTo)).toEqual(lastRecords(before, compactedTo));
        expect(lastValues(after)).toEqual(lastValues(before));
        // One record of each key is left.
        const cleaned = after.filter(({ offset }) => offset < compactedTo);
        expect(new Set(cleaned.map(({ key }) => key)).size).toBe(cleaned.length);
        const { bytes } = stored;
        stored.compact({ ...limits, maxCompactionLagMs: 1 }, { nowMs: 5000 }, stepBytes);
        if (stored.log.compaction.compactedTo === compactedTo) expect(stored.bytes).toEqual(bytes);
        // What is read back knows of epochs and producers what was known before.
        const hint = stored.log.highWatermark;
        stored.apply([stored.log.metadataOperation()]);
        stored.restart(cacheBytes);
        stored.log.setHighWatermark(hint);
        const copy = new StoredLog();
        copy.apply(copy.log.appendAsFollower(stored.bytes).operations);
        copy.log.setHighWatermark(hint);
        for (const { log } of [stored, copy]) {
          expect(log.logEndOffset).toBe(borders.at(-1));
          expect(metadataOf(log.metadataOperation())).toEqual(metadataOf(known));
        }
        // Later, the tombstones go as well, and nobody sees a difference.
        const later = { ...limits, maxCompactionLagMs: 1 };
        for (const nowMs of [5100, 1e7, 2e7]) stored.compact(later, { nowMs }, stepBytes);
        expect(lastValues(stored.records)).toEqual(lastValues(before));
        const left = stored.records.filter(({ offset }) => offset < stored.log.compaction.compactedTo);
        expect(left.filter(({ value }) => value === null)).toEqual([]);
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);

test("a compaction that a crash interrupts anywhere has lost nothing, and the next goes on", () => {
  fc.assert(
    fc.property(fc.array(sketch, { minLength: 3, maxLength: 25 }), fc.array(fc.nat(6)), (sketches, crashes) => {
      const stored = logOf(sketches, 300);
      const before = lastValues(stored.records);
      const hint = stored.log.highWatermark;
      const limits = { ...eager, deleteRetentionMs: 0 };
      for (const [round, steps] of [...crashes, 100, 100, 100].entries()) {
        const range = stored.log.cleanable(limits, 5000 + round);
        const pass = range && new CompactionPass(stored.log, range, limits, new OffsetMap(3));
        for (let step = 0; step <= steps && pass?.nextOffset !== undefined; step++) {
          const operations = pass.step(stored.disk.read(stored.log.key, pass.nextOffset, 1), { nowMs: 5000 + round });
          // The last step was under way when the tab died.
          if (step < steps) stored.apply(operations);
        }
        stored.restart(300);
        stored.log.setHighWatermark(hint);
        expect(lastValues(stored.records)).toEqual(before);
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);

function same(left: ReadRecord, right: ReadRecord): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function metadataOf(operation: StoreOperation) {
  if (operation.type !== "put-metadata") throw new Error(operation.type);
  const { metadata } = operation;
  const producers = metadata.producerSnapshot.producers.map((each) => ({ ...each, lastTimestamp: 0 }));
  return { epochs: metadata.epochs, producers: producers.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}
