import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ensureChromium } from "./cluster/chromium.ts";

/**
 * `npm test`: types, lint, everything under Vitest, then real browsers. All of it runs whatever fails, and the last
 * line, `N passed, M failed`, adds up what the two runners counted; a failed type check or lint counts as one failure.
 */
interface Totals {
  readonly passed: number;
  readonly failed: number;
}

const root = fileURLToPath(new URL("..", import.meta.url));
const results = `${root}test-results`;

function main(): void {
  ensureChromium();
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const parts = [script("types"), script("lint"), vitest(), playwright()];
  const passed = parts.reduce((sum, part) => sum + part.passed, 0);
  const failed = parts.reduce((sum, part) => sum + part.failed, 0);
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function script(name: string): Totals {
  return { passed: 0, failed: run("npm", ["run", "--silent", name]) ? 0 : 1 };
}

function vitest(): Totals {
  const file = `${results}/vitest.json`;
  const succeeded = run("npx", ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`]);
  const report = readJson(file) as { numPassedTests: number; numFailedTests: number } | undefined;
  return totals(succeeded, report && { passed: report.numPassedTests, failed: report.numFailedTests });
}

function playwright(): Totals {
  const succeeded = run("npx", ["playwright", "test", "-c", "tests/browser/playwright.config.ts"]);
  const report = readJson(`${results}/playwright.json`) as
    | { stats: { expected: number; unexpected: number; flaky: number } }
    | undefined;
  const stats = report?.stats;
  return totals(succeeded, stats && { passed: stats.expected, failed: stats.unexpected + stats.flaky });
}

/** A runner that fails without counting a failure, for example because it could not start, counts as one. */
function totals(succeeded: boolean, counted: Totals = { passed: 0, failed: 1 }): Totals {
  return succeeded || counted.failed > 0 ? counted : { ...counted, failed: 1 };
}

function run(command: string, args: readonly string[]): boolean {
  console.log(`\n> ${command} ${args.join(" ")}`);
  return spawnSync(command, args, { cwd: root, stdio: "inherit" }).status === 0;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    console.error(`the runner left no results in ${file}: ${String(error)}`);
    return undefined;
  }
}

main();
