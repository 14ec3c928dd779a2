import { requiredMarks } from "./marks.ts";
import type { FinishedRun } from "./simulation-worker.ts";
import type { WorkerPool } from "./worker-pool.ts";

export interface Seeds {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly seconds: number;
}

/** How often a campaign reached a named state. */
export interface MarkCount {
  readonly runs: number;
  readonly times: number;
}

type RunningPool = Pick<WorkerPool, "run" | "workers">;

/** For each worker so many runs may be done before the one that is due. */
const AHEAD = 16;
/** The length of the runs that required marks are counted in. */
const MARKED_RUN_SECONDS = 40;

/** One run per seed, on all workers, in the order of the seeds. */
export function runSeeds(pool: RunningPool, { firstSeed, seeds, seconds }: Seeds): AsyncGenerator<FinishedRun> {
  return runEach(pool, Array.from({ length: seeds }, (_, index) => firstSeed + index), seconds);
}

/** The same for seeds in any order. */
export async function* runEach(
  pool: RunningPool,
  seeds: readonly number[],
  seconds: number,
): AsyncGenerator<FinishedRun> {
  const begun: Promise<FinishedRun>[] = [];
  for (let next = 0; next < seeds.length || begun.length > 0; ) {
    while (next < seeds.length && begun.length < AHEAD * pool.workers) {
      begun.push(pool.run({ seed: seeds[next++]!, seconds }));
    }
    yield await begun.shift()!;
  }
}

/** What a campaign's runs come to. */
export class Totals {
  passed = 0;
  failed = 0;
  virtualMs = 0;
  cpuMs = 0;
  events = 0;
  acknowledged = 0;
  read = 0;
  readonly marks = new Map<string, MarkCount>();
  readonly #speeds: number[] = [];

  add({ result, cpuMs }: FinishedRun): void {
    if (result.violation === undefined) this.passed++;
    else this.failed++;
    this.virtualMs += result.virtualMs;
    this.cpuMs += cpuMs;
    this.events += result.events;
    this.acknowledged += result.acknowledged;
    this.read += result.read;
    for (const [mark, times] of result.marks) {
      const count = this.marks.get(mark) ?? { runs: 0, times: 0 };
      this.marks.set(mark, { runs: count.runs + 1, times: count.times + times });
    }
    if (cpuMs > 0) this.#speeds.push(result.virtualMs / cpuMs);
  }

  get runs(): number {
    return this.passed + this.failed;
  }

  /** Times real time per core, of the run in the middle. */
  get medianSpeed(): number {
    return median(this.#speeds);
  }

  /** The marks that runs of this number and length ought to have reached, and did not. */
  missedMarks(seconds: number): string[] {
    const enough = (this.runs * seconds) / MARKED_RUN_SECONDS;
    return [...requiredMarks].filter(([mark, seeds]) => enough >= seeds && !this.marks.has(mark)).map(([mark]) => mark);
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
