import { describe, expect, test } from "vitest";
import { Chance } from "../../src/platform/simulated/chance.ts";
import { parseSavedRun, savedRunText } from "./saved-run.ts";
import { plainSchedule, scriptOf } from "./schedule.ts";
import { scriptedSchedules } from "./scripted-schedules.ts";
import { simulate } from "./simulate.ts";

const SECONDS = 30;
/** Scripts that there would be no point in if they did not reach a certain state with some seed. */
const reached: readonly (readonly [script: string, mark: string])[] = [
  ["diverging-epochs", "diverging epochs over two rounds"],
  ["last-member", "ELR election"],
  ["stale-leader", "stale leader stepped down"],
  ["stale-proposal", "AlterPartition refused: FENCED_LEADER_EPOCH"],
  ["controller-killed", "controller restarted from snapshot"],
  ["amnesiac-rejoin", "replica replaced"],
  ["epochs-unheard", "ConsumerGroupHeartbeat refused: FENCED_MEMBER_EPOCH"],
];
/** Every third one reaches the rarest of these states. */
const MOST_SEEDS = 16;

function scripted(name: string, seed: number) {
  return scriptedSchedules.get(name)!(plainSchedule, new Chance(`${seed}/script`), SECONDS);
}

describe.each([...scriptedSchedules.keys()])("%s", (name) => {
  test("is a schedule like any other, and differs from seed to seed", () => {
    const schedule = scripted(name, 1);
    const run = { seed: 1, seconds: SECONDS, schedule };
    expect(parseSavedRun(savedRunText(run))).toMatchObject(run);
    expect(schedule.faults.length).toBeGreaterThan(1);
    const times = schedule.faults.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((left, right) => left - right));
    expect(scripted(name, 1)).toEqual(schedule);
    expect(scripted(name, 2)).not.toEqual(schedule);
  });
});

test.each(reached)("%s reaches: %s", { timeout: 120_000 }, async (name, mark) => {
  for (let seed = 1; seed <= MOST_SEEDS; seed++) {
    const { violation, marks } = await simulate(seed, { seconds: SECONDS, schedule: scripted(name, seed) });
    expect(violation).toBeUndefined();
    if (marks.has(mark)) return;
  }
  expect.fail(`none of ${MOST_SEEDS} seeds reached it`);
});

test("one seed in four follows a script, and each script has its turn", () => {
  const count = 4 * scriptedSchedules.size;
  const scripts = Array.from({ length: count }, (_, seed) => scriptOf(seed)).filter((name) => name !== undefined);
  expect(scripts).toHaveLength(scriptedSchedules.size);
  expect(new Set(scripts)).toEqual(new Set(scriptedSchedules.keys()));
});
