import { availableParallelism } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { runSeeds, Totals } from "./campaign.ts";
import { simulate } from "./simulate.ts";
import { bundleWorker } from "./worker-bundle.ts";
import { WorkerPool } from "./worker-pool.ts";

const SECONDS = 20;
const SEEDS = 200;

test("the cluster keeps what it acknowledges, whatever goes wrong", { timeout: 600_000 }, async () => {
  const bundle = await bundleWorker();
  const pool = new WorkerPool({ workers: availableParallelism(), entry: bundle.entry });
  onTestFinished(() => {
    pool.stop();
    bundle.remove();
  });
  const totals = new Totals();
  const failed: unknown[] = [];
  for await (const run of runSeeds(pool, { firstSeed: 1, seeds: SEEDS, seconds: SECONDS })) {
    totals.add(run);
    if (run.result.violation !== undefined) failed.push([run.result.seed, run.result.violation]);
  }
  expect(failed).toEqual([]);
  expect(totals.passed).toBe(SEEDS);
  expect(totals.missedMarks(SECONDS)).toEqual([]);
});

test("a seed is a run: twice the same events, to the last byte", { timeout: 60_000 }, async () => {
  const traceHash = async (seed: number) => (await simulate(seed, { seconds: SECONDS })).traceHash;
  const hashes: string[] = [];
  for (const seed of [3, 4, 5, 6]) {
    hashes.push(await traceHash(seed));
    expect(await traceHash(seed)).toBe(hashes.at(-1));
  }
  expect(new Set(hashes).size).toBe(hashes.length);
});

test("a run in which nothing is acknowledged has failed", { timeout: 60_000 }, async () => {
  const { schedule } = await simulate(1, { seconds: 1 });
  const nobody = { ...schedule, producers: 0, consumers: 0, sdkProducers: 0, sdkConsumers: 0 };
  const { violation } = await simulate(1, { seconds: 1, schedule: nobody });
  expect(violation?.rule).toBe("nothing happened");
});
