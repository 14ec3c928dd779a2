import { expect, test } from "@playwright/test";

/**
 * Prints what was measured beside its goal, and holds the median against it: a figure of one trial says more about
 * what else the machine did. Times in milliseconds.
 */
export function reportGoal(name: string, goalMs: number, trials: readonly number[]): void {
  print(`${name}: ${inWords(trials)} in ${trials.length} trials (goal: ${Math.round(goalMs)} ms)`);
  expect.soft(medianOf(trials), name).toBeLessThanOrEqual(goalMs);
}

/**
 * The same for what a machine does by itself as well: each trial has a control, as long, of the same run, in which
 * nothing happened. Where the machine alone misses the goal, a trial may exceed its control by no more than the goal.
 */
export function reportBeside(
  name: string,
  goalMs: number,
  trials: readonly number[],
  controls: readonly number[],
): void {
  const ratio = (medianOf(trials) / medianOf(controls)).toFixed(2);
  const excess = trials.map((trial, index) => Math.max(0, trial - controls[index]!));
  const beside = `${inWords(controls)} when nothing happens; ratio ${ratio} in ${trials.length} pairs`;
  print(`${name}: ${inWords(trials)}; ${beside}`);
  print(`${name}: beyond its control, ${inWords(excess)} (goal: ${Math.round(goalMs)} ms)`);
  expect.soft(Math.min(medianOf(trials), medianOf(excess)), name).toBeLessThanOrEqual(goalMs);
}

function medianOf(trials: readonly number[]): number {
  return trials.toSorted((a, b) => a - b)[Math.floor((trials.length - 1) / 2)]!;
}

function inWords(trials: readonly number[]): string {
  return `median ${Math.round(medianOf(trials))} ms, at most ${Math.round(Math.max(...trials))} ms`;
}

function print(description: string): void {
  test.info().annotations.push({ type: "figure", description });
  console.log(`    ${description}`);
}
