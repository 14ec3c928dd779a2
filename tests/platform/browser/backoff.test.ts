import { expect, test } from "vitest";
import { defaultControllerConfig } from "../../../src/metadata/controller-config.ts";
import { backoffMs } from "../../../src/platform/browser/backoff.ts";

test("waits double from 50 ms to 2.5 s, and spread over the upper half", () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 7, 50, 2000].map((attempt) => backoffMs(attempt, 1));
  expect(longest).toEqual([50, 100, 200, 400, 800, 1600, 2500, 2500, 2500, 2500]);
  expect(backoffMs(3, 0)).toBe(200);
});

test("a tab that tries in vain is back within the session that a restarted server gives it", () => {
  expect(backoffMs(2000, 1)).toBeLessThanOrEqual(defaultControllerConfig.sessionTimeoutMs - 1000);
});
