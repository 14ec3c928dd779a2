import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { drawSchedule } from "./schedule.ts";
import { parseSavedRun } from "./saved-run.ts";
import { saveRun } from "./schedule-file.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "simulate-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]) {
  const options = { cwd: root, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync("npx", ["tsx", "tests/simulation/main.ts", ...args], options);
  return { status, stderr, output: stdout, lastLine: stdout.trimEnd().split("\n").at(-1) };
}

test("seeds that pass are counted, and their figures written down", { timeout: 60_000 }, () => {
  const json = join(folder, "figures.json");
  const { status, lastLine, output } = run("--seeds", "3", "--seconds", "3", "--workers", "2", "--marks", "--json", json);
  expect(lastLine).toBe("3 passed, 0 failed");
  expect(status).toBe(0);
  expect(output).toContain("| first leader | 3 of 3 |");
  const figures = JSON.parse(readFileSync(json, "utf8"));
  expect(figures).toMatchObject({ seeds: 3, passed: 3, failed: 0, marks: { "first leader": { runs: 3 } } });
  expect(figures.operationsChecked).toBeGreaterThan(100);
  expect(figures.cpuSeconds).toBeGreaterThan(0);
});

test("a run that fails is shrunk, saved and run again from its file", { timeout: 120_000 }, () => {
  const drawn = drawSchedule(1, 2);
  const fault = { atMs: 500, on: "time", kind: "cut", aim: "any", target: 0, other: 0, durationMs: 100 } as const;
  const nobody = { producers: 0, consumers: 0, sdkProducers: 0, sdkConsumers: 0 };
  const file = saveRun(folder, { seed: 1, seconds: 4, schedule: { ...drawn, ...nobody, faults: [fault] } });
  const first = run("--schedule", file, "--save", join(folder, "shrunk"));
  expect(first.lastLine).toBe("0 passed, 1 failed");
  expect(first.status).toBe(1);
  expect(first.output).toContain("seed 1 failed: nothing happened");
  expect(first.output).toContain("with 0 of 1 faults");
  expect(first.output).toContain(`rerun: npm run simulate -- --schedule ${file}`);
  const shrunk = join(folder, "shrunk", "seed-1.json");
  const { seconds, schedule } = parseSavedRun(readFileSync(shrunk, "utf8"));
  expect({ seconds, tabs: schedule.tabs, partitions: schedule.partitions }).toEqual({ seconds: 1, tabs: 3, partitions: 1 });
  expect(run("--schedule", shrunk).lastLine).toBe("0 passed, 1 failed");
});

test("a bad flag or file ends with 2 before anything runs", { timeout: 60_000 }, () => {
  const file = join(folder, "other-version.json");
  writeFileSync(file, '{"version": 99}');
  for (const args of [["--seeds", "none"], ["--schedule", file], ["--json", join(file, "figures.json")], ["--save", "/proc"]]) {
    const { status, stderr, output } = run(...args);
    expect(status).toBe(2);
    expect(output).toBe("");
    expect(stderr).toContain("usage: npm run simulate");
    expect(stderr).toContain(args[1]);
  }
});
