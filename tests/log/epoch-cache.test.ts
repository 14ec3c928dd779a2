import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EpochCache } from "../../src/log/epoch-cache.ts";

const cache = () =>
  new EpochCache([
    { epoch: 2, startOffset: 0 },
    { epoch: 5, startOffset: 10 },
    { epoch: 6, startOffset: 25 },
  ]);

describe("epoch cache", () => {
  test("[R3] the first batch of an epoch starts it, later ones do not", () => {
    const epochs = new EpochCache();
    expect(epochs.latestEpoch).toBe(-1);
    expect(epochs.assign(4, 7)).toBe(true);
    expect(epochs.assign(4, 9)).toBe(false);
    expect(epochs.assign(6, 12)).toBe(true);
    expect(epochs.entries).toEqual([
      { epoch: 4, startOffset: 7 },
      { epoch: 6, startOffset: 12 },
    ]);
  });

  test("[R3] an epoch never goes back", () => {
    expect(() => cache().assign(5, 30)).toThrow("never go back");
  });

  test("[R4] an epoch ends where the next one starts, the latest at the log end", () => {
    expect(cache().endOffsetFor(2, 30)).toEqual({ epoch: 2, endOffset: 10 });
    expect(cache().endOffsetFor(5, 30)).toEqual({ epoch: 5, endOffset: 25 });
    expect(cache().endOffsetFor(6, 30)).toEqual({ epoch: 6, endOffset: 30 });
  });

  test("[R4] an epoch that is not here is answered with the largest one below", () => {
    expect(cache().endOffsetFor(4, 30)).toEqual({ epoch: 2, endOffset: 10 });
    expect(cache().endOffsetFor(9, 30)).toEqual({ epoch: 6, endOffset: 30 });
  });

  test("[R4] an epoch older than the log ended where the log starts", () => {
    expect(cache().endOffsetFor(1, 30)).toEqual({ epoch: 1, endOffset: 0 });
    expect(new EpochCache().endOffsetFor(1, 30)).toEqual({ epoch: 1, endOffset: 30 });
  });

  test("no epoch is answered with none", () => {
    expect(cache().endOffsetFor(-1, 30)).toEqual({ epoch: -1, endOffset: -1 });
  });

  test("an epoch does not end behind what is durable", () => {
    expect(cache().endOffsetFor(5, 20)).toEqual({ epoch: 5, endOffset: 20 });
  });

  test("truncating the end forgets epochs that start there or later", () => {
    const epochs = cache();
    expect(epochs.truncateFromEnd(26)).toBe(false);
    expect(epochs.truncateFromEnd(25)).toBe(true);
    expect(epochs.latestEpoch).toBe(5);
  });

  test("truncating the start moves the epoch that holds it", () => {
    const epochs = cache();
    epochs.truncateFromStart(12);
    expect(epochs.entries).toEqual([
      { epoch: 5, startOffset: 12 },
      { epoch: 6, startOffset: 25 },
    ]);
    epochs.truncateFromStart(30);
    expect(epochs.entries).toEqual([{ epoch: 6, startOffset: 30 }]);
  });

  test("an epoch whose records are all deleted gives way to the next at the same offset", () => {
    const epochs = cache();
    epochs.truncateFromStart(30);
    epochs.assign(8, 30);
    expect(epochs.entries).toEqual([{ epoch: 8, startOffset: 30 }]);
  });

  test("entries out of order are refused", () => {
    expect(() => new EpochCache([{ epoch: 2, startOffset: 3 }, { epoch: 3, startOffset: 3 }])).toThrow("increase");
  });

  test("[R4] agrees with a plain list of each record's epoch", () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ epochs: fc.nat(2), count: fc.integer({ min: 1, max: 5 }) }) },
      fc.record({ kind: fc.constant("truncate-end"), share: fc.nat(1000).map((thousandths) => thousandths / 1000) }),
      fc.record({ kind: fc.constant("truncate-start"), share: fc.nat(1000).map((thousandths) => thousandths / 1000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
        const epochs = new EpochCache();
        let start = 0;
        let model: number[] = [];
        const end = () => start + model.length;
        for (const each of steps) {
          if ("count" in each) {
            const epoch = Math.max(0, epochs.latestEpoch) + each.epochs;
            epochs.assign(epoch, end());
            model.push(...Array<number>(each.count).fill(epoch));
          } else {
            const at = start + Math.floor(each.share * model.length);
            if (each.kind === "truncate-end") {
              epochs.truncateFromEnd(at);
              model = model.slice(0, at - start);
            } else if (at < end()) {
              epochs.truncateFromStart(at);
              model = model.slice(at - start);
              start = at;
            }
          }
          expect(Array.from(model, (_, index) => epochs.epochAt(start + index))).toEqual(model);
          for (let asked = 0; asked <= (model.at(-1) ?? 0) + 1; asked++) {
            const floor = model.findLast((epoch) => epoch <= asked) ?? asked;
            const later = model.findIndex((epoch) => epoch > asked);
            const endOffset = later === -1 ? end() : start + later;
            expect(epochs.endOffsetFor(asked, end())).toEqual({ epoch: floor, endOffset });
          }
        }
      }),
    );
  });
});
