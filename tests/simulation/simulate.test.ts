import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

const SECONDS = 12;
const SEEDS = Array.from({ length: 50 }, (_, index) => index + 1);

test("the cluster keeps what it acknowledges, whatever goes wrong", { timeout: 300_000 }, () => {
  const results = SEEDS.map((seed) => simulate(seed, { seconds: SECONDS }));
  const failed = results.filter(({ violation }) => violation !== undefined);
  expect(failed.map(({ seed, violation }) => [seed, violation])).toEqual([]);
  const reached = new Set(results.flatMap(({ marks }) => [...marks.keys()]));
  for (const mark of ["failover", "uncommitted tail at election", "refused storage", "broker fenced itself"]) {
    expect([...reached]).toContain(mark);
  }
});

test("a seed is a run: twice the same events, to the last byte", { timeout: 60_000 }, () => {
  const traces = (seed: number) => [1, 2].map(() => simulate(seed, { seconds: SECONDS }).traceHash);
  for (const seed of [3, 4]) {
    const [first, second] = traces(seed);
    expect(second).toBe(first);
  }
  expect(traces(5)[0]).not.toBe(traces(6)[0]);
});

test("a run in which nothing is acknowledged has failed", { timeout: 60_000 }, () => {
  const { schedule } = simulate(1, { seconds: 1 });
  const { violation } = simulate(1, { seconds: 1, schedule: { ...schedule, producers: 0, consumers: 0 } });
  expect(violation?.rule).toBe("nothing happened");
});
