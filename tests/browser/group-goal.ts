import { expect, test } from "@playwright/test";

/**
 * Prints what was measured beside its goal, and holds the median against it: a figure of one trial says more about
 * what else the machine did. Times in milliseconds.
 */
export function reportGoal(name: string, goalMs: number, trials: readonly number[]): void {
  const sorted = trials.toSorted((a, b) => a - b);
  const [median, worst] = [sorted[Math.floor((sorted.length - 1) / 2)]!, sorted.at(-1)!];
  const found = `median ${Math.round(median)} ms, at most ${Math.round(worst)} ms in ${trials.length} trials`;
  const description = `${name}: ${found} (goal: ${Math.round(goalMs)} ms)`;
  test.info().annotations.push({ type: "figure", description });
  console.log(`    ${description}`);
  expect.soft(median, name).toBeLessThanOrEqual(goalMs);
}
