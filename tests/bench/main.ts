import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBenchPages } from "./bench-pages.ts";
import { parseBenchArguments, usage, UsageError } from "./bench-arguments.ts";
import { compareReports } from "./compare.ts";
import type { Figure, Recorder, Report, ScenarioOptions } from "./figure.ts";
import { reportPage } from "./report-page.ts";
import { reportTable } from "./report-table.ts";
import { scenarios } from "./scenarios.ts";
import { median } from "./statistics.ts";
import { ensureChromium } from "../cluster/chromium.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const DEFAULT_JSON = `${root}test-results/bench.json`;

/** `npm run bench`: measures, prints a table, and leaves the figures as JSON and as a page of charts. */
async function main(): Promise<void> {
  const wanted = parseBenchArguments(process.argv.slice(2), [...scenarios.keys()]);
  if (wanted.mode === "compare") {
    const [before, after] = wanted.files.map((file) => JSON.parse(readFileSync(file, "utf8")) as Report);
    if (before !== undefined && after !== undefined) console.log(compareReports(before, after));
    return;
  }
  ensureChromium();
  await buildBenchPages();
  const report = await run(wanted.scenarios, { roundCount: wanted.rounds, memoryMinutes: wanted.minutes });
  const file = wanted.json ?? DEFAULT_JSON;
  const page = file.replace(/(\.json)?$/, ".html");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(page, reportPage(report));
  console.log(`\n${reportTable(report)}\n\nfigures: ${file}\ncharts: ${page}`);
  process.exitCode = report.failed.length === 0 ? 0 : 1;
}

async function run(names: readonly string[], options: ScenarioOptions): Promise<Report> {
  const figures: Figure[] = [];
  const skipped: string[] = [];
  const failed: string[] = [];
  const startMs = Date.now();
  for (const name of names) {
    const scenario = scenarios.get(name);
    if (scenario === undefined) continue;
    console.log(`\n${name} (after ${Math.round((Date.now() - startMs) / 1000)} s)`);
    const measured: Figure[] = [];
    const recorder: Recorder = {
      figure(figure) {
        measured.push({ scenario: name, ...figure });
        console.log(`  ${figure.name}: ${median(figure.rounds).toFixed(2)} ${figure.unit}`);
      },
      skip(reason) {
        skipped.push(`${name}: ${reason}`);
        console.log(`  *** SKIPPED: ${reason} ***`);
      },
      note: (line) => console.log(`  ${line}`),
    };
    try {
      await scenario(recorder, options);
      figures.push(...measured);
    } catch (error) {
      // What fails its checks has no figures.
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      console.error(`  *** FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)} ***`);
    }
  }
  const date = new Date().toISOString().slice(0, 16);
  return { date, commit: commit(), machine: machine(), figures, skipped, failed };
}

/** Empty output, as where there is no repository, is an unknown commit. */
function commit(): string {
  const { stdout } = spawnSync("git", ["describe", "--always", "--dirty"], { cwd: root, encoding: "utf8" });
  return stdout?.trim() || "unknown";
}

function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}`;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${usage([...scenarios.keys()])}`);
  process.exitCode = 2;
}
