import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { simulate } from "./simulate.ts";
import { bundleWorker } from "./worker-bundle.ts";
import { afterRunning, WorkerPool } from "./worker-pool.ts";

const folder = mkdtempSync(join(tmpdir(), "workers-"));
afterAll(() => rmSync(folder, { recursive: true }));

function poolOf(workers: number, entry: string): WorkerPool {
  const pool = new WorkerPool({ workers, entry });
  onTestFinished(() => pool.stop());
  return pool;
}

test("a run in a worker is the run that it is here", { timeout: 60_000 }, async () => {
  const bundle = await bundleWorker();
  onTestFinished(() => bundle.remove());
  const pool = poolOf(2, bundle.entry);
  const tasks = [1, 2, 3].map((seed) => ({ seed, seconds: 3 }));
  const finished = await Promise.all(tasks.map((task) => pool.run(task)));
  for (const [index, { result, cpuMs, seconds }] of finished.entries()) {
    const here = await simulate(tasks[index]!.seed, tasks[index]!);
    expect(result).toEqual({ ...here, log: [] });
    expect(seconds).toBe(3);
    expect(cpuMs).toBeGreaterThan(0);
  }
});

test("a worker that dies makes a failed run, with what it said, and is replaced", { timeout: 60_000 }, async () => {
  const entry = join(folder, "dying.mjs");
  const dies = 'console.error("out of luck"); process.exit(3);';
  const answers = "process.send({ result: { seed: task.seed, marks: new Map([['m', 1]]) }, seconds: 1, cpuMs: 1 });";
  writeFileSync(entry, `process.on("message", (task) => { if (task.seed === 2) { ${dies} } ${answers} });`);
  const pool = poolOf(1, entry);
  const runs = await Promise.all([1, 2, 3].map((seed) => pool.run({ seed, seconds: 1 })));
  expect(runs.map(({ result }) => result.violation?.rule)).toEqual([undefined, "no result", undefined]);
  expect(runs[1]!.result.violation!.evidence).toMatch(/code 3\n[^]*out of luck/);
  expect(runs[2]!.result.marks.get("m")).toBe(1);
});

test("a module that cannot even be loaded fails every run, and ends", { timeout: 60_000 }, async () => {
  const pool = poolOf(2, join(folder, "not-there.mjs"));
  const runs = await Promise.all([1, 2, 3].map((seed) => pool.run({ seed, seconds: 1 })));
  for (const { result } of runs) {
    expect(result.violation?.rule).toBe("no result");
    expect(result.violation?.evidence).toContain("not-there.mjs");
  }
});

test("nobody loses patience while everything is stopped", async () => {
  let isOver = false;
  afterRunning(400, () => {
    isOver = true;
  });
  // Nothing runs meanwhile, and every timer is late afterwards.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  await sleep(1);
  expect(isOver).toBe(false);
  await expect.poll(() => isOver, { timeout: 10_000 }).toBe(true);
});
