import { expect, onTestFinished, test } from "vitest";
import { bundleWorker } from "../worker-bundle.ts";
import { WorkerPool } from "../worker-pool.ts";
import { scriptOf, seedOf } from "../schedule.ts";
import { findPlanted } from "./find-planted.ts";
import { planted } from "./plant.ts";
import { plantedBugs } from "./planted-bugs.ts";
import { seedsToTry } from "./seeds-to-try.ts";

test.each(plantedBugs.map((bug) => [bug.name, bug] as const))("%s can still be planted", (_, bug) => {
  for (const [file, text] of planted(bug)) expect(text, file).not.toBe("");
});

test("every planted bug is another one", () => {
  expect(plantedBugs.length).toBeGreaterThanOrEqual(65);
  expect(new Set(plantedBugs.map(({ name }) => name)).size).toBe(plantedBugs.length);
  expect(new Set(plantedBugs.map(({ edits }) => JSON.stringify(edits))).size).toBe(plantedBugs.length);
});

test("a planted bug is found, and shrunk to a handful of faults", { timeout: 240_000 }, async () => {
  const bug = plantedBugs.find(({ name }) => name === "never-diverges")!;
  const bundle = await bundleWorker();
  const unchanged = new WorkerPool({ workers: 1, entry: bundle.entry });
  onTestFinished(() => {
    unchanged.stop();
    bundle.remove();
  });
  const options = { seeds: 20, seconds: 20, workers: 1, shrinks: true, unchanged };
  const finding = await findPlanted(bug, options);
  expect(finding?.run.result.violation?.rule).toBeDefined();
  expect(finding?.shrunk?.result.violation?.rule).toBe(finding?.run.result.violation?.rule);
  expect(finding?.shrunk?.result.schedule.faults.length).toBeLessThanOrEqual(5);
});

test("every other seed that is tried follows a script of the bug", () => {
  expect(seedsToTry({}, 3)).toEqual([1, 2, 3]);
  const tried = seedsToTry({ scripts: ["trimmed-tail", "pause-kill"] }, 100);
  expect(new Set(tried).size).toBe(100);
  expect(tried.slice(0, 5).map(scriptOf)).toEqual(["trimmed-tail", undefined, "pause-kill", undefined, "trimmed-tail"]);
  expect(plantedBugs.flatMap(({ scripts = [] }) => scripts).map((script) => scriptOf(seedOf(script, 3)))).toEqual(
    plantedBugs.flatMap(({ scripts = [] }) => scripts),
  );
});

test("source that has moved on is noticed", () => {
  const edits = [{ file: "src/replication/leader.ts", replace: "what is not there", by: "" }];
  expect(() => planted({ name: "stale", breaks: "nothing", edits })).toThrow(
    "stale: src/replication/leader.ts holds the text to replace 0 times",
  );
});
