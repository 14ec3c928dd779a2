import { expect, test } from "vitest";
import { planted, withPlanted } from "./plant.ts";
import { plantedBugs } from "./planted-bugs.ts";

test.each(plantedBugs.map((bug) => [bug.name, bug] as const))("%s can still be planted", (_, bug) => {
  expect(planted(bug).size).toBeGreaterThan(0);
});

test("a planted bug is found, within a few seeds", { timeout: 120_000 }, async () => {
  const bug = plantedBugs.find(({ name }) => name === "acknowledges-own-copy")!;
  const rules = await withPlanted(bug, async (simulate) => {
    const found: (string | undefined)[] = [];
    for (const seed of [1, 2, 3, 4]) found.push((await simulate(seed, { seconds: 12 })).violation?.rule);
    return found;
  });
  expect(rules).toContain("acknowledged-is-committed");
});

test("source that has moved on is noticed", () => {
  const edits = [{ file: "src/replication/leader.ts", replace: "what is not there", by: "" }];
  expect(() => planted({ name: "stale", breaks: "nothing", edits })).toThrow(
    "stale: src/replication/leader.ts holds the text to replace 0 times",
  );
});
