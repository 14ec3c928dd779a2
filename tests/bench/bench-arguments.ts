import { parseArgs } from "node:util";

export type BenchArguments =
  | {
      readonly mode: "run";
      readonly scenarios: readonly string[];
      readonly json: string | undefined;
      readonly rounds: number;
      readonly minutes: number;
    }
  | { readonly mode: "compare"; readonly files: readonly [string, string] };

/** Thrown when the command line asks for what does not exist; the message is for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function usage(scenarios: readonly string[]): string {
  return (
    "usage: npm run bench -- [--scenario NAME]... [--json FILE] [--rounds N] [--minutes N]\n" +
    "       npm run bench -- --compare A.json B.json\n" +
    `  --scenario NAME  one of ${scenarios.join(", ")}; all by default\n` +
    "  --json FILE      where the figures go (test-results/bench.json); the page of charts goes beside it\n" +
    "  --rounds N       how often each figure is measured (5)\n" +
    "  --minutes N      of steady load in the scenario memory (1)\n" +
    "  --compare A B    two such files, figure by figure"
  );
}

const MOST_ROUNDS = 1_000;
const MOST_MINUTES = 1_440;

export function parseBenchArguments(args: readonly string[], known: readonly string[]): BenchArguments {
  const { values, positionals } = parse(args);
  if (values.compare === true) {
    const [before, after] = positionals;
    if (before === undefined || after === undefined || positionals.length > 2) {
      throw new UsageError("--compare takes two files that --json has written");
    }
    if (Object.keys(values).length > 1) {
      throw new UsageError("--compare measures nothing, and takes no other option");
    }
    return { mode: "compare", files: [before, after] };
  }
  if (positionals.length > 0) throw new UsageError(`${positionals[0]}: an option begins with two dashes`);
  for (const name of values.scenario ?? []) {
    if (!known.includes(name)) throw new UsageError(`--scenario ${name}: choose from ${known.join(", ")}`);
  }
  const rounds = Number(values.rounds ?? "5");
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MOST_ROUNDS) {
    throw new UsageError(`--rounds ${values.rounds}: give a whole number from 1 to ${MOST_ROUNDS}`);
  }
  const minutes = Number(values.minutes ?? "1");
  if (!(minutes > 0 && minutes <= MOST_MINUTES)) {
    throw new UsageError(`--minutes ${values.minutes}: give a number above 0, ${MOST_MINUTES} at most`);
  }
  return { mode: "run", scenarios: values.scenario ?? known, json: values.json, rounds, minutes };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        scenario: { type: "string", multiple: true },
        json: { type: "string" },
        rounds: { type: "string" },
        minutes: { type: "string" },
        compare: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
