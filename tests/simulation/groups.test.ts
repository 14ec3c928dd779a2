import { expect, test } from "vitest";
import { COORDINATOR, plainSchedule } from "./schedule.ts";
import type { Fault } from "./schedule.ts";
import { simulate } from "./simulate.ts";

function fault(atMs: number, kind: Fault["kind"], durationMs: number, changes: Partial<Fault> = {}): Fault {
  return { atMs, on: "time", kind, aim: "any", target: 0, other: 1, durationMs, ...changes };
}

const faults = [
  fault(2_000, "crash-member", 1_000, { target: 1 }),
  fault(2_500, "kill-tab", 800, { on: "rebalance", aim: COORDINATOR, target: 0 }),
  fault(2_500, "kill-tab", 800, { on: "commit", aim: COORDINATOR, target: 1 }),
  fault(4_000, "freeze-member", 7_000, { target: 2 }),
  fault(4_500, "replace-member", 0, { target: 0 }),
  fault(5_000, "join-member", 3_000, { target: 5 }),
  fault(5_500, "pause-member", 5_000, { target: 4 }),
  fault(6_000, "close-member", 1_000, { target: 6 }),
];

const schedule = {
  ...plainSchedule,
  partitions: 4,
  recordsPerSecond: 20,
  compactedPartitions: 1,
  eagerMembers: 2,
  cooperativeMembers: 2,
  consumerMembers: 2,
  sdkMembers: 2,
  staticMembers: 1,
  faults,
};

test("groups of every kind pass over nothing, and come to rest", { timeout: 120_000 }, async () => {
  const { violation, marks } = await simulate(1, { seconds: 12, schedule });
  expect(violation).toBeUndefined();
  expect([...marks.keys()]).toEqual(expect.arrayContaining(["groups loaded by another coordinator", "log compacted"]));
});

test("a run with groups is the same twice", { timeout: 120_000 }, async () => {
  const trace = async (seed: number) => (await simulate(seed, { seconds: 4, schedule })).traceHash;
  expect(await trace(7)).toBe(await trace(7));
  expect(await trace(7)).not.toBe(await trace(8));
});
