import { expect, test } from "vitest";
import { runSeeds, Totals } from "./campaign.ts";
import { requiredMarks } from "./marks.ts";
import { drawSchedule } from "./schedule.ts";
import type { FinishedRun, SimulationTask } from "./simulation-worker.ts";

function finished(seed: number, changes: Partial<FinishedRun["result"]> = {}, cpuMs = 10): FinishedRun {
  const result = {
    seed,
    schedule: drawSchedule(seed, 1),
    violation: undefined,
    traceHash: "",
    virtualMs: 1_000,
    events: 5,
    acknowledged: 3,
    read: 4,
    marks: new Map<string, number>(),
    log: [],
    ...changes,
  };
  return { result, seconds: 1, cpuMs };
}

test("runs come in the order of their seeds, whichever ends first, and not all of them are begun at once", async () => {
  let open = 0;
  let mostOpen = 0;
  const pool = {
    workers: 2,
    async run({ seed }: SimulationTask) {
      open++;
      mostOpen = Math.max(mostOpen, open);
      await new Promise((resolve) => setTimeout(resolve, (seed * 7) % 5));
      open--;
      return finished(seed);
    },
  };
  const seeds: number[] = [];
  for await (const { result } of runSeeds(pool, { firstSeed: 5, seeds: 100, seconds: 1 })) seeds.push(result.seed);
  expect(seeds).toEqual(Array.from({ length: 100 }, (_, index) => 5 + index));
  expect(mostOpen).toBeLessThanOrEqual(32);
});

test("totals add up", () => {
  const totals = new Totals();
  totals.add(finished(1, { marks: new Map([["failover", 2]]) }, 10));
  totals.add(finished(2, { violation: { rule: "r", evidence: "e" } }, 20));
  totals.add(finished(3, { marks: new Map([["failover", 1], ["other", 1]]) }, 100));
  expect(totals).toMatchObject({ passed: 2, failed: 1, runs: 3, virtualMs: 3_000, events: 15, acknowledged: 9, read: 12 });
  expect(totals.medianSpeed).toBe(50);
  expect([...totals.marks]).toEqual([["failover", { runs: 2, times: 3 }], ["other", { runs: 1, times: 1 }]]);
});

test("a mark is missed by a campaign that is large enough to demand it", () => {
  const [[mark, seeds]] = [...requiredMarks] as [[string, number]];
  const totals = new Totals();
  for (let seed = 1; seed < seeds; seed++) totals.add(finished(seed));
  expect(totals.missedMarks(40)).not.toContain(mark);
  totals.add(finished(seeds));
  expect(totals.missedMarks(39)).not.toContain(mark);
  expect(totals.missedMarks(40)).toContain(mark);
  totals.add(finished(seeds + 1, { marks: new Map([[mark, 1]]) }));
  expect(totals.missedMarks(40)).not.toContain(mark);
});
