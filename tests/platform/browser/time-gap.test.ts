import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchTimeGaps } from "../../../src/platform/browser/time-gap.ts";

let gaps: number[];
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance", "Date"] });
  gaps = [];
  stop = watchTimeGaps((gapMs) => gaps.push(gapMs));
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

test("[B6] ordinary time, even a second late, is no gap", () => {
  vi.advanceTimersByTime(10_000);
  vi.setSystemTime(Date.now() + 1000);
  vi.advanceTimersByTime(10_000);
  expect(gaps).toEqual([]);
});

test("[B7] a jump that only the wall clock shows is a gap, reported once", () => {
  vi.advanceTimersByTime(1000);
  vi.setSystemTime(Date.now() + 60_000);
  vi.advanceTimersByTime(5000);
  expect(gaps).toEqual([60_000]);
});

test("a jump that only the monotonic clock shows is a gap", () => {
  vi.advanceTimersByTime(1000);
  const jumped = performance.now() + 30_000;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => jumped);
  vi.advanceTimersByTime(1000);
  clock.mockRestore();
  expect(gaps).toEqual([29_000]);
});

test("nothing is reported after the watch has ended", () => {
  stop();
  vi.setSystemTime(Date.now() + 60_000);
  vi.advanceTimersByTime(5000);
  expect(gaps).toEqual([]);
});
