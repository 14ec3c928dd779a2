import { parseArgs } from "node:util";
import { UsageError } from "./usage-error.ts";

export interface SimulateArguments {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly seconds: number;
  readonly workers: number;
  /** A file that holds the one run to make. */
  readonly schedule: string | undefined;
  /** Where failed runs are written. */
  readonly save: string | undefined;
  /** Where the campaign's figures are written. */
  readonly json: string | undefined;
  readonly marks: boolean;
  readonly speed: boolean;
}

export const USAGE =
  "usage: npm run simulate -- [--seeds N] [--seed S] [--seconds V] [--workers W] [--marks] [--json FILE] [--save DIR]\n" +
  "       npm run simulate -- --schedule FILE\n" +
  "       npm run simulate -- --speed [--seeds N] [--seconds V]\n" +
  "  --seeds N        runs, each with a seed of its own (100; 1 if --seed is given; 40 for --speed)\n" +
  "  --seed S         the first seed (1)\n" +
  "  --seconds V      virtual seconds of load and faults in each run, 3 to 86400 (40); the first two are without faults\n" +
  "  --workers W      processes to run them in (one for each core)\n" +
  "  --marks          also print how often each named state was reached\n" +
  "  --json FILE      also write the figures there\n" +
  "  --save DIR       also write each failed run, shrunk, as DIR/seed-S.json\n" +
  "  --schedule FILE  make the run that such a file holds\n" +
  "  --speed          measure the loaded profile instead, with faults and without";

const LAST_SEED = 1_000_000_000;
/** Two weeks on two cores. */
const MOST_SEEDS = 1_000_000;
/** What does not go together, and why. */
const clashes = [
  ["schedule", ["seeds", "seed", "seconds", "json", "marks", "speed"], "the file says what to run"],
  ["speed", ["save", "json", "marks"], "it prints a table of its own"],
] as const;

export function parseSimulateArguments(args: readonly string[], cores: number): SimulateArguments {
  const values = parse(args);
  for (const [mode, flags, why] of clashes) {
    const clash = values[mode] === undefined ? undefined : flags.find((flag) => values[flag] !== undefined);
    if (clash !== undefined) throw new UsageError(`--${clash} does not go with --${mode}: ${why}`);
  }
  const usualSeeds = values.speed === true ? "40" : values.seed === undefined ? "100" : "1";
  return {
    seeds: wholeNumber("--seeds", values.seeds ?? usualSeeds, 1, MOST_SEEDS),
    firstSeed: wholeNumber("--seed", values.seed ?? "1", 0, LAST_SEED),
    seconds: wholeNumber("--seconds", values.seconds ?? "40", 3, 86_400),
    workers: wholeNumber("--workers", values.workers ?? String(cores), 1, 1_024),
    schedule: values.schedule,
    save: values.save,
    json: values.json,
    marks: values.marks ?? false,
    speed: values.speed ?? false,
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    seeds: text,
    seed: text,
    seconds: text,
    workers: text,
    schedule: text,
    save: text,
    json: text,
    marks: flag,
    speed: flag,
  };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${flag} ${text}: give a whole number from ${least} to ${most}`);
}
