import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { drawSchedule } from "./schedule.ts";
import { parseSavedRun, SCHEDULE_VERSION } from "./saved-run.ts";
import { readScheduleFile, saveRun } from "./schedule-file.ts";
import { UsageError } from "./usage-error.ts";

const folder = mkdtempSync(join(tmpdir(), "schedules-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Json = Record<string, unknown>;

const fault = { atMs: 1_000, on: "time", kind: "kill-tab", aim: "any", target: 1, other: 2, durationMs: 300 };
const schedule: Json = { ...drawSchedule(1, 20), faults: [fault] };
const saved: Json = { version: SCHEDULE_VERSION, seed: 7, seconds: 20, schedule };

const parse = (value: unknown) => parseSavedRun(JSON.stringify(value));
const withSchedule = (changed: Json) => ({ ...saved, schedule: { ...schedule, ...changed } });
const withFault = (changed: Json) => withSchedule({ faults: [fault, { ...fault, ...changed }] });

/** Every number of the format, with the least and the most that it may be. */
const numbers: readonly (readonly [path: string, change: (value: unknown) => unknown, least: number, most: number])[] = [
  ["seed", (seed) => ({ ...saved, seed }), 0, Number.MAX_SAFE_INTEGER],
  ["seconds", (seconds) => ({ ...saved, seconds }), 1, 86_400],
  ["schedule.tabs", (tabs) => withSchedule({ tabs }), 3, 12],
  ["schedule.profiles", (profiles) => withSchedule({ profiles }), 1, 12],
  ["schedule.partitions", (partitions) => withSchedule({ partitions }), 1, 32],
  ["schedule.producers", (producers) => withSchedule({ producers }), 0, 16],
  ["schedule.consumers", (consumers) => withSchedule({ consumers }), 0, 16],
  ["schedule.sdkProducers", (sdkProducers) => withSchedule({ sdkProducers }), 0, 16],
  ["schedule.sdkConsumers", (sdkConsumers) => withSchedule({ sdkConsumers }), 0, 16],
  ["schedule.recordsPerSecond", (recordsPerSecond) => withSchedule({ recordsPerSecond }), 1, 10_000],
  ["schedule.minInsyncReplicas", (minInsyncReplicas) => withSchedule({ minInsyncReplicas }), 1, 3],
  ["schedule.retentionBytes", (retentionBytes) => withSchedule({ retentionBytes }), -1, 1_000_000_000],
  ["schedule.leaderAckedPartitions", (count) => withSchedule({ leaderAckedPartitions: count }), 0, 16],
  ["schedule.passingPartitions", (passingPartitions) => withSchedule({ passingPartitions }), 0, 16],
  ["schedule.compactedPartitions", (compactedPartitions) => withSchedule({ compactedPartitions }), 0, 16],
  ["schedule.eagerMembers", (eagerMembers) => withSchedule({ eagerMembers }), 0, 64],
  ["schedule.cooperativeMembers", (cooperativeMembers) => withSchedule({ cooperativeMembers }), 0, 64],
  ["schedule.consumerMembers", (consumerMembers) => withSchedule({ consumerMembers }), 0, 64],
  ["schedule.sdkMembers", (sdkMembers) => withSchedule({ sdkMembers }), 0, 64],
  ["schedule.staticMembers", (staticMembers) => withSchedule({ staticMembers }), 0, 64],
  ["schedule.replicaLagMs", (replicaLagMs) => withSchedule({ replicaLagMs }), 1, 86_400_000],
  ["schedule.lingerMs", (lingerMs) => withSchedule({ lingerMs }), 0, 60_000],
  ["schedule.produceTimeoutMs", (produceTimeoutMs) => withSchedule({ produceTimeoutMs }), 0, 60_000],
  ["schedule.firstSequence", (firstSequence) => withSchedule({ firstSequence }), 0, 2 ** 31 - 1],
  ["schedule.batchesPerEpoch", (batchesPerEpoch) => withSchedule({ batchesPerEpoch }), 0, 1_000_000],
  ["schedule.latencyMs", (latencyMs) => withSchedule({ latencyMs }), 1, 1_000],
  ["schedule.recordBytes", (recordBytes) => withSchedule({ recordBytes }), 0, 100_000],
  ["schedule.relaxedTabs", (relaxedTabs) => withSchedule({ relaxedTabs }), 0, 12],
  ["schedule.snapshotRecords", (snapshotRecords) => withSchedule({ snapshotRecords }), 1, 1_000_000],
  ["schedule.relayedTabs", (relayedTabs) => withSchedule({ relayedTabs }), 0, 12],
  ["schedule.faults[1].atMs", (atMs) => withFault({ atMs }), 0, 86_400_000],
  ["schedule.faults[1].target", (target) => withFault({ target }), 0, 1_000_000],
  ["schedule.faults[1].other", (other) => withFault({ other }), 0, 1_000_000],
  ["schedule.faults[1].durationMs", (durationMs) => withFault({ durationMs }), 0, 86_400_000],
];

test("what a seed draws, saved, is read back as it was", () => {
  for (const seed of [1, 2, 3, 50]) {
    const run = { seed, seconds: 120, schedule: drawSchedule(seed, 120) };
    expect(readScheduleFile(saveRun(folder, run))).toEqual({ version: SCHEDULE_VERSION, ...run });
  }
});

describe.each(numbers)("%s", (path, change, least, most) => {
  test("is within its bounds", () => {
    for (const value of [least, most]) expect(() => parse(change(value))).not.toThrow();
    for (const value of [least - 1, most + 1, least + 0.5, String(least), null, true, [], {}]) {
      const message = `${path} is ${JSON.stringify(value)}; it may be a whole number from ${least} to ${most}`;
      expect(() => parse(change(value))).toThrow(message);
    }
  });

  test("has to be there", () => {
    expect(() => parse(change(undefined))).toThrow(`${path} is missing`);
  });
});

test("every field of a schedule is in the tables above or below", () => {
  const tested = numbers.map(([path]) => path).filter((path) => /^schedule\.\w+$/.test(path));
  const names = [...tested.map((path) => path.replace("schedule.", "")), "relaxedTopic", "asksForEnds", "faults"];
  expect(names.toSorted()).toEqual(Object.keys(schedule).toSorted());
});

test.each([
  [withSchedule({ relaxedTopic: 1 }), "schedule.relaxedTopic is 1; it may be true or false"],
  [withSchedule({ relaxedTopic: undefined }), "schedule.relaxedTopic is missing"],
  [withSchedule({ faults: {} }), "schedule.faults is {}; it may be a list"],
  [withSchedule({ faults: undefined }), "schedule.faults is missing"],
  [withSchedule({ faults: ["kill-tab"] }), 'schedule.faults[0] is "kill-tab"; it may be an object'],
  [withSchedule({ moons: 2 }), "schedule.moons is not known; schedule has tabs, profiles,"],
  [withSchedule({ faults: Array.from({ length: 5_001 }, () => fault) }), "schedule.faults has 5001 entries, of at most 5000"],
  [withFault({ kind: "meteor" }), 'schedule.faults[1].kind is "meteor"; it may be one of kill-tab, reload-tab'],
  [withFault({ aim: "heart" }), 'schedule.faults[1].aim is "heart"; it may be one of any, leader, follower'],
  [withFault({ on: "whim" }), 'schedule.faults[1].on is "whim"; it may be one of time, decision'],
  [withFault({ kind: undefined }), "schedule.faults[1].kind is missing"],
  [withFault({ why: "" }), "schedule.faults[1].why is not known; schedule.faults[1] has atMs, on, kind, aim, target, other, durationMs"],
  [{ ...saved, schedule: null }, "schedule is null; it may be an object"],
  [{ ...saved, schedule: undefined }, "schedule is missing"],
  [{ ...saved, comment: "" }, "comment is not known; a schedule file has version, seed, seconds, schedule"],
  [[saved], "the file is [{"],
  [7, "the file is 7; it may be an object"],
])("malformed run %#", (value, message) => {
  expect(() => parse(value)).toThrow(UsageError);
  expect(() => parse(value)).toThrow(message);
});

test("another version is refused before anything else is looked at", () => {
  for (const version of [0, SCHEDULE_VERSION + 1, String(SCHEDULE_VERSION), null]) {
    expect(() => parse({ version, moons: 2 })).toThrow(
      `version is ${JSON.stringify(version)}; it may be ${SCHEDULE_VERSION}, the version of schedules`,
    );
  }
  expect(() => parse({ seed: 7, seconds: 20, schedule })).toThrow("version is missing");
});

test("a file that is not there, is no JSON or is too large is refused by name", () => {
  const file = join(folder, "bad.json");
  expect(() => readScheduleFile(join(folder, "none.json"))).toThrow(/--schedule .*none\.json: ENOENT/);
  expect(() => readScheduleFile(folder)).toThrow(UsageError);
  writeFileSync(file, '{"version": 1,');
  expect(() => readScheduleFile(file)).toThrow(/--schedule .*bad\.json: .*JSON/);
  writeFileSync(file, " ".repeat(1_048_577));
  expect(() => readScheduleFile(file)).toThrow("it has 1048577 bytes, of at most 1048576");
});

test("names that objects are born with are fields like any other", () => {
  expect(() => parseSavedRun('{"__proto__": {"version": 1}, "seed": 1}')).toThrow("version is missing");
  const text = JSON.stringify(saved).replace('"version"', '"constructor":1,"version"');
  expect(() => parseSavedRun(text)).toThrow("constructor is not known");
});
