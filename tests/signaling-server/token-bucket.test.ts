import fc from "fast-check";
import { expect, test } from "vitest";
import { TokenBucket } from "../../signaling-server/token-bucket.ts";

test("a bucket lets its burst through, then its rate", () => {
  const bucket = new TokenBucket({ burst: 3, perSecond: 10 }, 1_000);
  expect([1, 2, 3, 4].map(() => bucket.take(1, 1_000))).toEqual([true, true, true, false]);
  expect(bucket.take(1, 1_099)).toBe(false);
  expect(bucket.take(1, 1_100)).toBe(true);
  expect(bucket.take(4, 100_000)).toBe(false);
  expect(bucket.take(3, 100_000)).toBe(true);
});

test("no more than burst and rate allow ever passes, however it is asked", () => {
  const ask = fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 50 }));
  fc.assert(
    fc.property(fc.array(ask, { maxLength: 200 }), (steps) => {
      const rate = { burst: 40, perSecond: 20 };
      const bucket = new TokenBucket(rate, 0);
      let nowMs = 0;
      let taken = 0;
      for (const [laterMs, count] of steps) {
        nowMs += laterMs;
        if (bucket.take(count, nowMs)) taken += count;
        expect(taken).toBeLessThanOrEqual(rate.burst + (nowMs / 1000) * rate.perSecond + 1e-6);
      }
    }),
  );
});
