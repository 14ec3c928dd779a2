import { expect, test } from "vitest";
import { growthExponent, median, percentile, ratios } from "./statistics.ts";

test("the median is the middle value, whatever the order", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([])).toBeNaN();
});

test("percentiles stay within the values", () => {
  const values = Array.from({ length: 100 }, (_, index) => index);
  expect(percentile(values, 0.99)).toBe(99);
  expect(percentile(values, 1)).toBe(99);
  expect(percentile([7], 0.5)).toBe(7);
});

test("ratios are taken round by round", () => {
  expect(ratios([1, 4], [2, 2])).toEqual([0.5, 2]);
});

test("the growth exponent of a power law is its power", () => {
  const points = [10, 100, 1000].map((size) => ({ size, cost: 3 * size ** 1.5 }));
  expect(growthExponent(points)).toBeCloseTo(1.5);
});
