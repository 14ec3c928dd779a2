import { execFileSync } from "node:child_process";
import type { Totals } from "./campaign.ts";
import { describeFault } from "./schedule.ts";
import type { SimulateArguments } from "./simulate-arguments.ts";
import type { FinishedRun } from "./simulation-worker.ts";

const LOG_LINES = 15;

/** `wereFaults` is how many there were before the run was shrunk; undefined if it was not. */
export function describeFailure(
  { result, seconds }: FinishedRun,
  wereFaults: number | undefined,
  rerun: string,
): string {
  const { seed, schedule, violation, log } = result;
  const { faults, ...cluster } = schedule;
  return [
    "",
    `seed ${seed} failed: ${violation?.rule}`,
    indented([violation?.evidence ?? ""], 2),
    `  in ${seconds} virtual seconds of a cluster of ${JSON.stringify(cluster)}`,
    `  with ${faults.length}${wereFaults === undefined ? "" : ` of ${wereFaults}`} faults:`,
    ...faults.map((fault) => `    ${describeFault(fault)}`),
    "  which ends:",
    indented(log.slice(-LOG_LINES), 4),
    `  rerun: ${rerun}`,
    "",
  ].join("\n");
}

export function describeProgress(totals: Totals, seeds: number): string {
  const { virtualMs, cpuMs, runs } = totals;
  const speed = Math.round(virtualMs / Math.max(1, cpuMs));
  return `${runs} of ${seeds} seeds, ${(virtualMs / 3_600_000).toFixed(2)} virtual hours, ${speed} times real time per core`;
}

export function describeMarks({ marks, runs }: Totals): string {
  const rows = [...marks]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([mark, count]) => `| ${mark} | ${count.runs} of ${runs} | ${count.times} |`);
  return ["| mark | reached by runs | times |", "|---|---|---|", ...rows].join("\n");
}

export function figures(totals: Totals, { firstSeed, seeds, seconds }: SimulateArguments): object {
  return {
    commit: commit(),
    firstSeed,
    seeds,
    seconds,
    passed: totals.passed,
    failed: totals.failed,
    virtualHours: totals.virtualMs / 3_600_000,
    operationsChecked: totals.acknowledged + totals.read,
    events: totals.events,
    cpuSeconds: totals.cpuMs / 1000,
    medianTimesRealTimePerCore: totals.medianSpeed,
    marks: Object.fromEntries(totals.marks),
  };
}

/** The commit that is checked out, marked if the tree differs from it; undefined where that cannot be told. */
function commit(): string | undefined {
  try {
    const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const head = git("rev-parse", "HEAD").trim();
    return git("status", "--porcelain", "--untracked-files=no") === "" ? head : `${head} and changes`;
  } catch {
    return undefined;
  }
}

function indented(lines: readonly string[], by: number): string {
  return lines
    .flatMap((line) => line.split("\n"))
    .map((line) => " ".repeat(by) + line)
    .join("\n");
}
