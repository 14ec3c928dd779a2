import type { Schedule } from "./schedule.ts";
import { simulate } from "./simulate.ts";
import type { SimulationResult } from "./simulate.ts";

const MOST_RUNS = 200;

/**
 * A failing run with as few faults as possible, found by delta debugging: whole parts of the list are left out, then
 * smaller ones, as long as the run goes on breaking the same rule. Without those faults the rest of the run differs, as
 * it must, so a shrunk schedule is a failing run of its own and not a part of the first one.
 */
export function shrink(failed: SimulationResult, seconds: number): SimulationResult {
  const rule = failed.violation?.rule;
  let best = failed;
  let runs = 0;
  for (let size = Math.ceil(failed.schedule.faults.length / 2); size >= 1 && runs < MOST_RUNS; ) {
    let shrank = false;
    for (let start = 0; start < best.schedule.faults.length && runs < MOST_RUNS; ) {
      const schedule = withoutFaults(best.schedule, start, size);
      const candidate = simulate(failed.seed, { seconds, schedule });
      runs++;
      if (candidate.violation?.rule === rule) {
        best = candidate;
        shrank = true;
      } else {
        start += size;
      }
    }
    if (!shrank || size > 1) size = size === 1 ? 0 : Math.floor(size / 2);
  }
  return best;
}

function withoutFaults(schedule: Schedule, start: number, count: number): Schedule {
  return { ...schedule, faults: schedule.faults.filter((_, at) => at < start || at >= start + count) };
}
