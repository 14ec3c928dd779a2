import { describe, expect, test } from "vitest";
import { plainSchedule } from "./schedule.ts";
import type { Schedule } from "./schedule.ts";
import { simulate } from "./simulate.ts";

/** A run that failed once, shrunk, with its schedule written out, for how schedules are drawn will change. */
interface Regression {
  readonly name: string;
  readonly seed: number;
  readonly seconds: number;
  readonly schedule: Schedule;
}

const regressions: readonly Regression[] = [
  {
    name: "a broker that is gone for good is replaced, though its delay ends at a fraction of a millisecond",
    seed: 2010,
    seconds: 30,
    schedule: {
      ...plainSchedule,
      tabs: 5,
      profiles: 5,
      partitions: 3,
      producers: 1,
      consumers: 2,
      recordsPerSecond: 20,
      faults: [
        { atMs: 4_616, on: "time", kind: "restore-storage", aim: "any", target: 39, other: 17, durationMs: 11_719 },
        { atMs: 13_224, on: "time", kind: "kill-server", aim: "any", target: 17, other: 37, durationMs: 13_434 },
        { atMs: 18_641, on: "time", kind: "kill-server", aim: "any", target: 48, other: 50, durationMs: 197 },
        { atMs: 21_305, on: "time", kind: "fill-server-disk", aim: "any", target: 37, other: 46, durationMs: 6_366 },
      ],
    },
  },
];

describe("what failed once", () => {
  test.each(regressions)("$name", { timeout: 60_000 }, async ({ seed, seconds, schedule }) => {
    expect((await simulate(seed, { seconds, schedule })).violation).toBeUndefined();
  });
});
