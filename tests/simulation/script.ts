import type { Chance } from "../../src/platform/simulated/chance.ts";
import type { Fault, Schedule } from "./schedule.ts";

/** Makes the drawn cluster live through a script, whose lengths and targets `chance` draws. */
export type Script = (drawn: Schedule, chance: Chance, seconds: number) => Schedule;

/** What a script says about a fault; the rest is what a fault has mostly. */
export type Step = Pick<Fault, "atMs" | "kind"> & Partial<Fault>;

/** One passage of a script, from `atMs` on: what happens, and how long it takes until the next can begin. */
export type Passage = (atMs: number, chance: Chance, schedule: Schedule) => { readonly steps: readonly Step[]; readonly ms: number };

const SOONEST_MS = 2_000;
const LONGEST_MS = 60_000;

/** The passage again and again, for as long as the run lasts, in a cluster with these changes. */
export function repeated(passage: Passage, changes: Partial<Schedule> = {}): Script {
  return (drawn, chance, seconds) => {
    const schedule = { ...drawn, minInsyncReplicas: 2, ...changes };
    const faults: Fault[] = [];
    let atMs = SOONEST_MS + chance.below(1_000);
    while (atMs < seconds * 1000) {
      const { steps, ms } = passage(atMs, chance, schedule);
      for (const step of steps) faults.push({ on: "time", aim: "any", target: 0, other: 0, durationMs: 0, ...step });
      atMs += Math.min(ms, LONGEST_MS) + chance.between(500, 3_000);
    }
    return { ...schedule, faults: faults.sort((left, right) => left.atMs - right.atMs) };
  };
}
