import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { runSeeds, Totals } from "./campaign.ts";
import { describeFailure, describeMarks, describeProgress, figures } from "./campaign-report.ts";
import type { SavedRun } from "./saved-run.ts";
import { readScheduleFile, saveRun } from "./schedule-file.ts";
import { parseSimulateArguments, USAGE } from "./simulate-arguments.ts";
import type { SimulateArguments } from "./simulate-arguments.ts";
import type { FinishedRun } from "./simulation-worker.ts";
import { measureSpeed } from "./speed.ts";
import { UsageError } from "./usage-error.ts";
import { bundleWorker } from "./worker-bundle.ts";
import { WorkerPool } from "./worker-pool.ts";

const PROGRESS_EVERY = 20;
/** Shrinking takes longer than running, and what breaks every run needs to be seen only a few times. */
const MOST_SHRUNK = 3;
const INTERRUPTED = 130;

/** `npm run simulate`: USAGE says what it does; the last line is `N passed, M failed`. */
async function main(): Promise<void> {
  const { args, saved } = readCommandLine();
  const bundle = await bundleWorker();
  const pool = new WorkerPool({ workers: args.workers, entry: bundle.entry });
  try {
    if (args.speed) await showSpeed(pool, args);
    else if (saved !== undefined) await runSaved(pool, args, saved);
    else await runCampaign(pool, args);
  } finally {
    pool.stop();
    bundle.remove();
  }
}

async function runCampaign(pool: WorkerPool, args: SimulateArguments): Promise<void> {
  const totals = new Totals();
  process.once("SIGINT", () => {
    pool.stop();
    console.log(`\ninterrupted: ${describeProgress(totals, args.seeds)}`);
    conclude(totals, args);
    process.exit(INTERRUPTED);
  });
  for await (const run of runSeeds(pool, args)) {
    totals.add(run);
    if (run.result.violation !== undefined) {
      await report(pool, run, args, totals.failed <= MOST_SHRUNK, rerunOf(run));
    }
    if (totals.runs % PROGRESS_EVERY === 0 || totals.runs === args.seeds) {
      console.log(describeProgress(totals, args.seeds));
    }
  }
  conclude(totals, args);
}

async function runSaved(pool: WorkerPool, args: SimulateArguments, saved: SavedRun): Promise<void> {
  const totals = new Totals();
  const run = await pool.run(saved);
  totals.add(run);
  if (run.result.violation !== undefined) {
    await report(pool, run, args, true, `npm run simulate -- --schedule ${args.schedule}`);
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  process.exitCode = totals.failed === 0 ? 0 : 1;
}

async function showSpeed(pool: WorkerPool, { firstSeed, seeds, seconds }: SimulateArguments): Promise<void> {
  const chosen = Array.from({ length: seeds }, (_, index) => firstSeed + index);
  const { table, runs, failed } = await measureSpeed(pool, chosen, seconds);
  console.log(`${table}\n\n${runs - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

async function report(
  pool: WorkerPool,
  run: FinishedRun,
  { save }: SimulateArguments,
  shrinks: boolean,
  rerun: string,
): Promise<void> {
  const { seed, schedule } = run.result;
  const again = shrinks ? await pool.run({ seed, schedule, seconds: run.seconds, shrinks }) : run;
  // A process that dies while it shrinks leaves the run as it was.
  const shown = again.result.violation?.rule === run.result.violation?.rule ? again : run;
  console.log(describeFailure(shown, shrinks ? schedule.faults.length : undefined, rerun));
  if (save === undefined) return;
  const file = saveRun(save, { seed, seconds: shown.seconds, schedule: shown.result.schedule });
  console.log(`  as shown: npm run simulate -- --schedule ${file}\n`);
}

/** Marks are a matter of the campaign: its seeds may all have passed, and yet have shown too little. */
function conclude(totals: Totals, args: SimulateArguments): void {
  if (args.marks) console.log(`\n${describeMarks(totals)}\n`);
  if (args.json !== undefined) writeFileSync(args.json, `${JSON.stringify(figures(totals, args), undefined, 2)}\n`);
  const missed = totals.missedMarks(args.seconds);
  if (missed.length > 0) console.log(`marks missed: ${missed.join(", ")}`);
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  process.exitCode = totals.failed === 0 && totals.runs > 0 && missed.length === 0 ? 0 : 1;
}

function rerunOf({ result, seconds }: FinishedRun): string {
  return `npm run simulate -- --seed ${result.seed} --seconds ${seconds}`;
}

function readCommandLine(): { readonly args: SimulateArguments; readonly saved: SavedRun | undefined } {
  try {
    const args = parseSimulateArguments(process.argv.slice(2), availableParallelism());
    makePlaces(args);
    return { args, saved: args.schedule === undefined ? undefined : readScheduleFile(args.schedule) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

/** Nobody wants to learn after hours that what they bring has nowhere to go. */
function makePlaces({ save, json }: SimulateArguments): void {
  try {
    if (save !== undefined) {
      mkdirSync(save, { recursive: true });
      rmdirSync(mkdtempSync(join(save, "seed-")));
    }
    if (json !== undefined) closeSync(openSync(json, "a"));
  } catch (error) {
    throw new UsageError(`--save or --json cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

await main();
