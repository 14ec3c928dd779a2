import { parseArgs } from "node:util";

export interface SimulateArguments {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly seconds: number;
}

/** Thrown when the command line asks for what does not exist; the message is for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE =
  "usage: npm run simulate -- [--seeds N] [--seed S] [--seconds V]\n" +
  "  --seeds N     runs, each with a seed of its own (100; 1 if --seed is given)\n" +
  "  --seed S      the first seed (1)\n" +
  "  --seconds V   virtual seconds of load and faults in each run, 1 to 86400 (40)";

const MOST = 1_000_000_000;

export function parseSimulateArguments(args: readonly string[]): SimulateArguments {
  const values = parse(args);
  return {
    seeds: integer("--seeds", values.seeds ?? (values.seed === undefined ? "100" : "1"), 1, MOST),
    firstSeed: integer("--seed", values.seed ?? "1", 0, MOST),
    seconds: integer("--seconds", values.seconds ?? "40", 1, 86_400),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { seeds: { type: "string" }, seed: { type: "string" }, seconds: { type: "string" } },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function integer(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${flag} ${text}: give a whole number from ${least} to ${most}`);
}
