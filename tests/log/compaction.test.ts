import { describe, expect, test } from "vitest";
import { findCleanable } from "../../src/log/compaction.ts";
import type { CompactionLimits } from "../../src/log/compaction.ts";
import { neverCompacted } from "../../src/log/stored-log.ts";
import type { LogCompaction } from "../../src/log/stored-log.ts";

/** Chunks of ten offsets and a hundred bytes, each as old as said. */
const chunks = (...timestamps: readonly number[]) =>
  timestamps.map((maxTimestamp, at) => ({ baseOffset: at * 10, lastOffset: at * 10 + 9, sizeInBytes: 100, maxTimestamp }));

const defaults: CompactionLimits = {
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 1000,
};

interface Sketch extends Partial<CompactionLimits>, Partial<LogCompaction> {
  readonly highWatermark?: number;
  readonly logStartOffset?: number;
  readonly timestamps?: readonly number[];
}

function find(sketch: Sketch) {
  const { timestamps = [100, 200, 300, 400, 500], highWatermark = 50, logStartOffset = 0, ...rest } = sketch;
  const log = { logStartOffset, highWatermark, compaction: { ...neverCompacted, ...rest } };
  return findCleanable(chunks(...timestamps), log, { ...defaults, ...rest }, 1000);
}

describe("what is to be compacted", () => {
  test("is all but the newest chunk of a log that never was", () => {
    expect(find({})).toEqual({ startOffset: 0, unsettledOffset: 0, dirtyOffset: 0, endOffset: 40 });
    expect(find({ timestamps: [] })).toBeUndefined();
    expect(find({ timestamps: [100] })).toBeUndefined();
    expect(find({ logStartOffset: 15 })).toEqual({ startOffset: 15, unsettledOffset: 15, dirtyOffset: 15, endOffset: 40 });
  });

  test("is what is committed", () => {
    expect(find({ highWatermark: 39 })).toMatchObject({ endOffset: 30 });
    expect(find({ highWatermark: 30 })).toMatchObject({ endOffset: 30 });
    expect(find({ highWatermark: 9 })).toBeUndefined();
  });

  test("is nothing while little of it is new", () => {
    expect(find({ compactedTo: 20 })).toEqual({ startOffset: 0, unsettledOffset: 20, dirtyOffset: 20, endOffset: 40 });
    expect(find({ compactedTo: 30 })).toBeUndefined();
    expect(find({ compactedTo: 30, minCleanableDirtyRatio: 0.25 })).toMatchObject({ dirtyOffset: 30 });
    expect(find({ compactedTo: 40, minCleanableDirtyRatio: 0 })).toBeUndefined();
  });

  test("is only what is older than min.compaction.lag.ms", () => {
    expect(find({ minCompactionLagMs: 700 })).toMatchObject({ endOffset: 30 });
    expect(find({ minCompactionLagMs: 950 })).toBeUndefined();
    expect(find({ minCompactionLagMs: 700, timestamps: [100, 2000, 300, 400] })).toMatchObject({ endOffset: 10 });
  });

  test("is what is older than max.compaction.lag.ms in any case, the newest chunk too", () => {
    expect(find({ compactedTo: 30, maxCompactionLagMs: 700 })).toBeUndefined();
    expect(find({ compactedTo: 30, maxCompactionLagMs: 550 })).toMatchObject({ endOffset: 40 });
    expect(find({ compactedTo: 30, maxCompactionLagMs: 450 })).toMatchObject({ endOffset: 50 });
    expect(find({ compactedTo: 50, maxCompactionLagMs: 450 })).toBeUndefined();
  });

  test("is the whole once its tombstones may go", () => {
    expect(find({ compactedTo: 40, deleteHorizonMs: 1001 })).toBeUndefined();
    expect(find({ compactedTo: 40, deleteHorizonMs: 1000 })).toEqual({ startOffset: 0, unsettledOffset: 40, dirtyOffset: 40, endOffset: 40 });
  });

  test("is unsettled from the first batch on that could not be looked into", () => {
    expect(find({ compactedTo: 20, closedFrom: 12 })).toMatchObject({ unsettledOffset: 12, dirtyOffset: 20 });
    expect(find({ compactedTo: 20, closedFrom: 12, logStartOffset: 15 })).toMatchObject({ unsettledOffset: 15 });
    expect(find({ compactedTo: 20, closedFrom: 25 })).toMatchObject({ unsettledOffset: 20, dirtyOffset: 20 });
  });
});
