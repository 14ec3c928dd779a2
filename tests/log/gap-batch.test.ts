import { describe, expect, test } from "vitest";
import { gapBatch, hasForgotten, holdsRecords, isGap, joinedGap, withoutStartOfGap } from "../../src/log/gap-batch.ts";
import type { Gap } from "../../src/log/gap-batch.ts";
import { batches, readBatchHeader, verifyCrc } from "../../src/protocol/record-batch.ts";
import { batch, joined, sequenced } from "./batch-builder.ts";

const gap = (baseOffset: number, lastOffset: number, changes: Partial<Gap> = {}): Gap => {
  return { baseOffset, lastOffset, partitionLeaderEpoch: 3, hasForgotten: false, ...changes };
};

describe("a gap", () => {
  test.each([true, false])("is a batch without records; that it has forgotten tombstones: %s", (forgotten) => {
    const bytes = gapBatch(gap(10, 19, { hasForgotten: forgotten }));
    const header = readBatchHeader(bytes);
    expect(header).toMatchObject({ baseOffset: 10, lastOffset: 19, partitionLeaderEpoch: 3, recordCount: 0 });
    expect([isGap(header), hasForgotten(header), verifyCrc(bytes), bytes.length]).toEqual([true, forgotten, true, 61]);
  });

  test("is told from records, and from what producers are known by", () => {
    expect(isGap(readBatchHeader(batch()))).toBe(false);
    expect(isGap({ ...readBatchHeader(sequenced(7, 0, 0)), recordCount: 0 })).toBe(false);
    expect(holdsRecords(joined(gapBatch(gap(0, 4)), gapBatch(gap(5, 5))))).toBe(false);
    expect(holdsRecords(joined(gapBatch(gap(0, 4)), batch({ baseOffset: 5 })))).toBe(true);
  });

  test("joins the next one of its epoch, and keeps what either has forgotten", () => {
    const forgotten = { hasForgotten: true };
    expect(joinedGap(gap(0, 4), gap(5, 9))).toEqual(gap(0, 9));
    expect(joinedGap(gap(0, 4, forgotten), gap(5, 9))).toEqual(gap(0, 9, forgotten));
    expect(joinedGap(gap(0, 4), gap(5, 9, forgotten))).toEqual(gap(0, 9, forgotten));
    expect(joinedGap(gap(0, 4), gap(6, 9))).toBeUndefined();
    expect(joinedGap(gap(0, 4), gap(5, 9, { partitionLeaderEpoch: 4 }))).toBeUndefined();
    expect(joinedGap(gap(0, 4), gap(5, 2 ** 31))).toBeUndefined();
    expect(joinedGap(gap(0, 4), gap(5, 2 ** 31 - 1))).toEqual(gap(0, 2 ** 31 - 1));
  });

  test("loses its start for a log that ends within it", () => {
    const following = batch({ baseOffset: 10, count: 2 });
    const cut = withoutStartOfGap(joined(gapBatch(gap(0, 9, { hasForgotten: true })), following), 4);
    const [first, second] = [...batches(cut)];
    expect(first!.header).toMatchObject({ baseOffset: 4, lastOffset: 9, partitionLeaderEpoch: 3 });
    expect([hasForgotten(first!.header), verifyCrc(first!.bytes)]).toEqual([true, true]);
    expect(second!.bytes).toEqual(following);
  });

  test.each([
    ["begins there", gapBatch(gap(4, 9))],
    ["lies below", gapBatch(gap(0, 3))],
    ["is damaged", gapBatch(gap(0, 9)).map((byte, at) => (at === 40 ? byte ^ 1 : byte))],
    ["is no gap", batch({ count: 10 })],
  ])("stays as it came if it %s", (_what, bytes) => {
    expect(withoutStartOfGap(bytes, 4)).toBe(bytes);
  });
});
