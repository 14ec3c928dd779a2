import { expect, test } from "vitest";
import { backoffMs } from "../../../src/platform/browser/backoff.ts";

test("waits double from 50 ms to 5 s, and spread over the upper half", () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 7, 50, 2000].map((attempt) => backoffMs(attempt, 1));
  expect(longest).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  expect(backoffMs(3, 0)).toBe(200);
});
