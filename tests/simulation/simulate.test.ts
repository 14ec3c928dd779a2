import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";
import type { SimulationResult } from "./simulate.ts";

const SECONDS = 12;
const SEEDS = Array.from({ length: 50 }, (_, index) => index + 1);

test("the cluster keeps what it acknowledges, whatever goes wrong", { timeout: 300_000 }, async () => {
  const results: SimulationResult[] = [];
  for (const seed of SEEDS) results.push(await simulate(seed, { seconds: SECONDS }));
  const failed = results.filter(({ violation }) => violation !== undefined);
  expect(failed.map(({ seed, violation }) => [seed, violation])).toEqual([]);
  const reached = new Set(results.flatMap(({ marks }) => [...marks.keys()]));
  for (const mark of ["failover", "uncommitted tail at election", "refused storage", "broker fenced itself"]) {
    expect([...reached]).toContain(mark);
  }
});

test("a seed is a run: twice the same events, to the last byte", { timeout: 60_000 }, async () => {
  const trace = async (seed: number) => (await simulate(seed, { seconds: SECONDS })).traceHash;
  for (const seed of [3, 4]) expect(await trace(seed)).toBe(await trace(seed));
  expect(await trace(5)).not.toBe(await trace(6));
});

test("a run in which nothing is acknowledged has failed", { timeout: 60_000 }, async () => {
  const { schedule } = await simulate(1, { seconds: 1 });
  const { violation } = await simulate(1, { seconds: 1, schedule: { ...schedule, producers: 0, consumers: 0 } });
  expect(violation?.rule).toBe("nothing happened");
});
