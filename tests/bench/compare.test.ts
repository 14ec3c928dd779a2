import { expect, test } from "vitest";
import { compareReports } from "./compare.ts";
import type { Figure, Report } from "./figure.ts";

function report(...figures: Partial<Figure>[]): Report {
  const usual = { scenario: "produce", name: "RF 3", unit: "MiB/s", better: "higher", rounds: [1] } as const;
  const complete = figures.map((figure) => ({ ...usual, ...figure }));
  return { date: "today", commit: "c0ffee", machine: "two cores", figures: complete, skipped: [], failed: [] };
}

test("a figure whose rounds lie wholly above the earlier ones is better", () => {
  expect(compareReports(report({ rounds: [1, 2, 3] }), report({ rounds: [4, 5, 6] }))).toMatch(/2\.50 × .*better/);
});

test("less is worse, and better where less is wanted", () => {
  const [high, low] = [[4, 5, 6], [1, 2, 3]];
  expect(compareReports(report({ rounds: high }), report({ rounds: low }))).toContain("WORSE");
  const better = "lower";
  expect(compareReports(report({ rounds: high, better }), report({ rounds: low, better }))).toContain("better");
});

test("nothing is said of rounds that overlap", () => {
  const compared = compareReports(report({ rounds: [1, 2, 3] }), report({ rounds: [3, 4, 5] }));
  expect(compared).not.toMatch(/better|WORSE/);
});

test("nothing is said of fewer than three rounds", () => {
  const compared = compareReports(report({ rounds: [1, 2] }), report({ rounds: [4, 5, 6] }));
  expect(compared).not.toMatch(/better|WORSE/);
});

test("shares of a limit are compared round by round", () => {
  const limit = { name: "raw", rounds: [10, 20, 40] };
  const before = report({ rounds: [5, 10, 20], limit: "raw" }, limit);
  const after = report({ rounds: [8, 16, 32], limit: "raw" }, limit);
  expect(compareReports(before, after)).toContain("0.50 → 0.80");
});

test("figures of one report only are named", () => {
  const compared = compareReports(report({ name: "old" }), report({ name: "new" }));
  expect(compared).toContain("only in the first: produce: old");
  expect(compared).toContain("only in the second: produce: new");
});
