import { expect, test } from "vitest";
import { readThroughChanges } from "./reading-on.ts";
import type { SdkAssigner } from "./sdk-member.ts";

const GOAL_MS = 100;
const SEED = 5;

async function changes(assigner: SdkAssigner) {
  const all = await readThroughChanges(SEED, assigner);
  return { quiet: all.filter(({ moved }) => moved === 0), rebalances: all.filter(({ moved }) => moved > 0) };
}

test.each(["cooperativeSticky", "uniform"] as const)(
  `%s: members read on, never silent for ${GOAL_MS} ms, through a rebalance of partitions of others`,
  { timeout: 120_000 },
  async (assigner) => {
    const { quiet, rebalances } = await changes(assigner);
    expect([quiet.length, rebalances.length]).toEqual([2, 5]);
    for (const { what, kept, longestWaitMs } of [...quiet, ...rebalances]) {
      expect(kept, what).toBeGreaterThanOrEqual(8);
      expect(longestWaitMs, what).toBeLessThanOrEqual(GOAL_MS);
    }
  },
);

test("range, for which everybody gives up everything, is seen to stop them", { timeout: 120_000 }, async () => {
  const { quiet, rebalances } = await changes("range");
  expect(Math.max(...quiet.map(({ longestWaitMs }) => longestWaitMs))).toBeLessThanOrEqual(GOAL_MS);
  expect(Math.max(...rebalances.map(({ longestWaitMs }) => longestWaitMs))).toBeGreaterThan(2 * GOAL_MS);
});
