import { runEach } from "../campaign.ts";
import type { FinishedRun } from "../simulation-worker.ts";
import type { WorkerPool } from "../worker-pool.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { withPlanted } from "./plant.ts";
import { seedsToTry } from "./seeds-to-try.ts";

export interface SearchOptions {
  /** How many to try. */
  readonly seeds: number;
  readonly seconds: number;
  readonly workers: number;
  readonly shrinks: boolean;
  /** Runs the source as it is: a seed that fails there as well finds nothing. */
  readonly unchanged: WorkerPool;
}

/** The first run, in the order in which seeds are tried, that fails because of the bug. */
export interface Finding {
  readonly run: FinishedRun;
  /** How many seeds were tried, this one included. */
  readonly tried: number;
  /** The faults of the same run, or of the smallest one that breaks the same rule, if it was to be shrunk. */
  readonly shrunk: FinishedRun | undefined;
}

/** Undefined when every seed passes in spite of the bug. */
export function findPlanted(bug: PlantedBug, options: SearchOptions): Promise<Finding | undefined> {
  return withPlanted(bug, options.workers, async (pool) => {
    let tried = 0;
    for await (const run of runEach(pool, seedsToTry(bug, options.seeds), options.seconds)) {
      tried++;
      if (run.result.violation === undefined) continue;
      const { seed, schedule } = run.result;
      const unchanged = await options.unchanged.run({ seed, schedule, seconds: run.seconds });
      if (unchanged.result.violation !== undefined) continue;
      const task = { seed, schedule, seconds: run.seconds, shrinks: true };
      return { run, tried, shrunk: options.shrinks ? await pool.run(task) : undefined };
    }
    return undefined;
  });
}
