import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findJoinable, JoiningPass } from "../../src/log/chunk-joining.ts";
import type { JoiningLimits } from "../../src/log/chunk-joining.ts";
import { batches } from "../../src/protocol/record-batch.ts";
import { batch, sequenced } from "./batch-builder.ts";
import { StoredLog } from "./compacted-log.ts";

const ALL = Number.MAX_SAFE_INTEGER;

/** Chunks of one offset each, by size and newest timestamp. */
function found(
  sketches: readonly (readonly [sizeInBytes: number, maxTimestamp?: number])[],
  { highWatermark = sketches.length, ...limits }: Partial<JoiningLimits> & { readonly highWatermark?: number } = {},
) {
  const chunks = sketches.map(([sizeInBytes, maxTimestamp = 0], at) => {
    return { baseOffset: at, lastOffset: at, sizeInBytes, maxTimestamp };
  });
  const runs = findJoinable(chunks, highWatermark, { chunkBytes: 100, minChunks: 4, stretchMs: 10, ...limits });
  return runs.map(({ baseOffset, lastOffset, sizeInBytes }) => [baseOffset, lastOffset, sizeInBytes]);
}

const repeated = (count: number, sizeInBytes: number, maxTimestamp = 0) =>
  Array.from({ length: count }, () => [sizeInBytes, maxTimestamp] as const);

describe("what is to be joined", () => {
  test("is as many chunks as fit, once another one does not", () => {
    expect(found([])).toEqual([]);
    expect(found(repeated(5, 20))).toEqual([]);
    expect(found(repeated(6, 20))).toEqual([[0, 4, 100]]);
    expect(found([...repeated(4, 20), [200], ...repeated(7, 20)])).toEqual([[0, 3, 80], [5, 9, 100]]);
  });

  test("is nothing where there are few", () => {
    expect(found([...repeated(3, 20), ...repeated(3, 90), ...repeated(3, 20), [90]])).toEqual([]);
  });

  test("becomes smaller chunks meanwhile, which later become one", () => {
    expect(found(repeated(5, 5))).toEqual([]);
    expect(found(repeated(6, 5))).toEqual([[0, 4, 25]]);
    expect(found([...repeated(2, 25), ...repeated(6, 5)])).toEqual([[2, 6, 25]]);
    expect(found([...repeated(4, 25), [5]])).toEqual([[0, 3, 100]]);
  });

  test("is committed, and so is what does not fit", () => {
    expect(found(repeated(6, 20), { highWatermark: 5 })).toEqual([]);
    expect(found(repeated(60, 20), { highWatermark: 11 })).toEqual([[0, 4, 100], [5, 9, 100]]);
    expect(found(repeated(6, 20), { highWatermark: 0 })).toEqual([]);
  });

  test("is of about one age", () => {
    expect(found([...repeated(4, 1, 9), ...repeated(4, 1, 10), ...repeated(4, 1, 21)])).toEqual([[0, 3, 4], [4, 7, 4]]);
    expect(found([...repeated(4, 1, -1), ...repeated(4, 1, 0), [1, 10]])).toEqual([[0, 3, 4], [4, 7, 4]]);
    const forEver = { stretchMs: Number.POSITIVE_INFINITY };
    expect(found([...repeated(4, 20, 9), [10, 1e12], [10, -1], [10, 0]], forEver)).toEqual([[0, 5, 100]]);
  });
});

describe("joining", () => {
  const limits: JoiningLimits = { chunkBytes: 1000, minChunks: 4, stretchMs: Number.POSITIVE_INFINITY };

  function trickle(count: number): StoredLog {
    const stored = new StoredLog();
    for (let at = 0; at < count; at++) stored.lead(0, batch({ timestamp: 1000 + at }));
    return stored;
  }

  test("rewrites each record twice at most, and leaves few chunks", () => {
    const stored = new StoredLog();
    const sizes = { ...limits, chunkBytes: 64 * 80, minChunks: 8 };
    let writtenBytes = 0;
    let mostChunks = 0;
    for (let round = 0; round < 400; round++) {
      for (let each = 0; each < 10; each++) stored.lead(0, batch());
      writtenBytes += stored.join(sizes);
      mostChunks = Math.max(mostChunks, stored.chunks.length);
      expect(stored.join(sizes)).toBe(0);
    }
    const { sizeInBytes } = stored.log;
    expect(writtenBytes).toBeGreaterThan(1.8 * sizeInBytes);
    expect(writtenBytes).toBeLessThanOrEqual(2 * sizeInBytes);
    expect(mostChunks).toBeLessThan(sizeInBytes / sizes.chunkBytes + 40);
    // A restart finds nothing more to do.
    stored.restart();
    stored.log.setHighWatermark(stored.log.logEndOffset);
    expect(stored.join(sizes)).toBe(0);
  });

  test("lets retention delete what is old, with little that is younger", () => {
    const stored = new StoredLog();
    for (let at = 0; at < 500; at++) stored.lead(0, batch({ timestamp: 10_000 + at }));
    stored.join({ ...limits, stretchMs: 10 });
    expect(stored.chunks.length).toBeLessThan(70);
    stored.apply(stored.log.retention({ retentionMs: 200, retentionBytes: -1 }, 10_455));
    expect(stored.log.logStartOffset).toBe(250);
  });

  test("ends when the log is cut, and harms nothing", () => {
    const stored = trickle(40);
    const pass = new JoiningPass(stored.log, limits);
    const chunks = stored.disk.read(stored.log.key, 0, pass.next!.sizeInBytes);
    stored.apply(stored.log.deleteRecordsBefore(1));
    expect(pass.next).toBeUndefined();
    expect(pass.step(chunks)).toEqual([]);
    expect(stored.chunks).toHaveLength(39);
  });

  test("[R5] ends when a follower's high watermark goes back", () => {
    const stored = trickle(40);
    const pass = new JoiningPass(stored.log, limits);
    const { lastOffset } = pass.next!;
    stored.log.setHighWatermark(lastOffset);
    expect(pass.next).toBeUndefined();
    stored.log.setHighWatermark(lastOffset + 1);
    expect(pass.next).toBeDefined();
  });

  test("[R20] refuses chunks that are damaged or missing", () => {
    const stored = trickle(40);
    const step = (change: (chunks: ReturnType<typeof stored.disk.read>) => typeof chunks) => {
      const pass = new JoiningPass(stored.log, limits);
      return () => pass.step(change(stored.disk.read(stored.log.key, 0, pass.next!.sizeInBytes)));
    };
    expect(step(() => [])).toThrow(/offset 0 .* is missing/);
    expect(step((chunks) => chunks.slice(1))).toThrow(/offset 0 .* is missing/);
    expect(step((chunks) => chunks.toSpliced(2, 1))).toThrow(/offset 2 .* is missing/);
    expect(step((chunks) => chunks.slice(0, 3))).toThrow(/offset 3 .* is missing/);
    const flipped = (bytes: Uint8Array) => bytes.map((byte, at) => (at === 65 ? byte ^ 1 : byte));
    const damaged = step((chunks) => chunks.map((chunk, at) => (at === 1 ? { ...chunk, bytes: flipped(chunk.bytes) } : chunk)));
    expect(damaged).toThrow(/offset 1 .* fails its checksum/);
    expect(stored.chunks).toHaveLength(40);
  });

  const sketch = fc.record({
    count: fc.integer({ min: 1, max: 3 }),
    timestamp: fc.nat(60),
    valueBytes: fc.constantFrom(0, 0, 0, 30, 400),
    epochStep: fc.constantFrom(0, 0, 0, 1),
    /** 0 for a batch without a producer id. */
    producerId: fc.nat(2),
  });

  test("[R18] changes nothing of a log but its chunks, and of those none that is not committed", () => {
    fc.assert(
      fc.property(
        fc.array(sketch, { minLength: 2, maxLength: 40, size: "max" }),
        fc.nat(1000),
        fc.record({
          chunkBytes: fc.constantFrom(300, 1000, 1e6),
          minChunks: fc.integer({ min: 2, max: 5 }),
          stretchMs: fc.constantFrom(1, 20, Number.POSITIVE_INFINITY),
        }),
        fc.constantFrom(0, 500, 1e6),
        (sketches, committed, each, cacheBytes) => {
          const stored = new StoredLog(cacheBytes);
          const sequences = new Map<number, number>();
          let epoch = 0;
          for (const { producerId, epochStep, ...rest } of sketches) {
            epoch += epochStep;
            const baseSequence = sequences.get(producerId) ?? 0;
            sequences.set(producerId, baseSequence + rest.count);
            stored.lead(epoch, producerId === 0 ? batch(rest) : sequenced(producerId, 0, baseSequence, rest));
          }
          stored.restart(cacheBytes);
          const bound = Math.floor((committed / 1000) * stored.log.logEndOffset);
          stored.log.setHighWatermark(bound);
          const seen = () => ({
            bytes: Buffer.from(stored.bytes).toString("latin1"),
            ends: [stored.log.logStartOffset, stored.log.highWatermark, stored.log.logEndOffset, stored.log.sizeInBytes],
            metadata: stored.log.metadataOperation(),
            newest: stored.log.maxTimestamp,
            uncommitted: stored.chunks.filter(({ lastOffset }) => lastOffset >= bound),
            lookUps: [0, 7, 20, 33, 50, 62].map((timestamp) => {
              const result = stored.log.offsetForTimestamp(timestamp);
              if (result.kind !== "disk") return result.kind === "found" ? result.offset : undefined;
              const chunks = stored.disk.read(stored.log.key, result.fromOffset, result.maxBytes);
              return stored.log.findTimestamp(chunks, timestamp)?.offset;
            }),
            reads: [...batches(stored.bytes)].map(({ header: { baseOffset } }) => {
              const read = stored.log.read(baseOffset, 1, ALL);
              if (read.kind !== "disk") return read.kind === "bytes" ? read.nextOffset : undefined;
              const chunks = stored.disk.read(stored.log.key, read.fromOffset, read.maxBytes);
              return stored.log.sliceChunks(chunks, baseOffset, 1, ALL).nextOffset;
            }),
          });
          const before = seen();
          stored.join(each);
          expect(seen()).toEqual(before);
          stored.restart(cacheBytes);
          stored.log.setHighWatermark(bound);
          expect(seen()).toEqual(before);
        },
      ),
      { numRuns: 100 },
    );
  }, 60_000);
});
