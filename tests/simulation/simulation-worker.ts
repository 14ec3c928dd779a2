import { constants, setPriority } from "node:os";
import { shrink } from "./shrink.ts";
import type { ShrunkRun } from "./shrink.ts";
import { simulate } from "./simulate.ts";
import type { Schedule } from "./schedule.ts";

/** What a worker is asked to do: one run, which it shrinks if asked to. */
export interface SimulationTask {
  readonly seed: number;
  readonly seconds: number;
  /** Instead of the one that the seed makes. */
  readonly schedule?: Schedule;
  readonly shrinks?: boolean;
}

export interface FinishedRun extends ShrunkRun {
  /** CPU time that the task took, by this process. */
  readonly cpuMs: number;
}

/** How much of a failed run's log is worth sending. */
const LOG_LINES = 40;

async function perform({ shrinks = false, ...task }: SimulationTask): Promise<FinishedRun> {
  const startedUs = cpuUs();
  let { result, seconds } = { result: await simulate(task.seed, task), seconds: task.seconds };
  if (shrinks && result.violation !== undefined) ({ result, seconds } = await shrink({ result, seconds }));
  const log = result.violation === undefined ? [] : result.log.slice(-LOG_LINES);
  return { result: { ...result, log }, seconds, cpuMs: (cpuUs() - startedUs) / 1000 };
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

// Runs take all the time there is; whatever has a clock, such as a browser under test, comes first.
setPriority(constants.priority.PRIORITY_LOW);
process.on("message", (task: SimulationTask) => {
  perform(task).then(
    (finished) => process.send?.(finished),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on("disconnect", () => process.exit());
// A terminal interrupts the whole process group; whoever started this process decides when it ends.
process.on("SIGINT", () => {});
