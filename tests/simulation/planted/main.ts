import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { scriptOf } from "../schedule.ts";
import { wholeNumber } from "../simulate-arguments.ts";
import { UsageError } from "../usage-error.ts";
import { bundleWorker } from "../worker-bundle.ts";
import { WorkerPool } from "../worker-pool.ts";
import { findPlanted } from "./find-planted.ts";
import type { Finding } from "./find-planted.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { plantedBugs } from "./planted-bugs.ts";

const USAGE =
  "usage: npm run planted -- [--seeds N] [--seconds V] [--workers W] [--shrink] [NAME…]\n" +
  "  --seeds N    how many seeds each bug may take to be found: its scripts', and all others from 1 on (100)\n" +
  "  --seconds V  virtual seconds of each run (40)\n" +
  "  --workers W  processes to run them in (one for each core)\n" +
  "  --shrink     also tell how few faults are enough\n" +
  "  NAME         planted bugs to look for (all of them)";

interface PlantedArguments {
  readonly seeds: number;
  readonly seconds: number;
  readonly workers: number;
  readonly shrinks: boolean;
  readonly bugs: readonly PlantedBug[];
}

/** `npm run planted`: a table of which seed finds which planted bug, by which rule. */
async function main(): Promise<void> {
  const { bugs, workers, ...search } = readArguments();
  const atOnce = Math.min(workers, bugs.length);
  const bundle = await bundleWorker();
  const unchanged = new WorkerPool({ workers: 1, entry: bundle.entry });
  const options = { ...search, workers: Math.floor(workers / atOnce), unchanged };
  console.log("| planted bug | breaks | found by seed | tried | script | as | faults | shrunk to |\n|---|---|---|---|---|---|---|---|");
  const findings: Promise<Finding | undefined>[] = [];
  const begin = () => {
    const bug = bugs[findings.length];
    if (bug !== undefined) findings.push(findPlanted(bug, options).finally(begin));
  };
  for (let count = 0; count < atOnce; count++) begin();
  let found = 0;
  process.once("SIGINT", () => process.exit(130));
  for (const [index, bug] of bugs.entries()) {
    const finding = await findings[index];
    if (finding !== undefined) found++;
    console.log(row(bug, finding, search.seeds));
  }
  unchanged.stop();
  bundle.remove();
  console.log(`\n${found} of ${bugs.length} planted bugs found within ${search.seeds} seeds`);
  process.exitCode = found === bugs.length ? 0 : 1;
}

function row({ name, breaks }: PlantedBug, finding: Finding | undefined, seeds: number): string {
  if (finding === undefined) return `| ${name} | ${breaks} | none of ${seeds} | | | | | |`;
  const { run, tried, shrunk } = finding;
  const { seed, violation, schedule } = run.result;
  const rule = violation!.rule.replaceAll("|", "\\|").replaceAll("\n", " ");
  return (
    `| ${name} | ${breaks} | ${seed} | ${tried} | ${scriptOf(seed) ?? ""} | ${rule} | ${schedule.faults.length} | ` +
    `${shrunk === undefined ? "" : shrunk.result.schedule.faults.length} |`
  );
}

function readArguments(): PlantedArguments {
  try {
    return parse(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

function parse(args: readonly string[]): PlantedArguments {
  const text = { type: "string" } as const;
  const options = { seeds: text, seconds: text, workers: text, shrink: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const chosen = positionals.map((name) => {
    const bug = plantedBugs.find((known) => known.name === name);
    if (bug === undefined) throw new UsageError(`${name}: no planted bug has this name`);
    return bug;
  });
  return {
    seeds: wholeNumber("--seeds", values.seeds ?? "100", 1, 1_000_000),
    seconds: wholeNumber("--seconds", values.seconds ?? "40", 1, 86_400),
    workers: wholeNumber("--workers", values.workers ?? String(availableParallelism()), 1, 1_024),
    shrinks: values.shrink ?? false,
    bugs: chosen.length === 0 ? plantedBugs : chosen,
  };
}

await main();
