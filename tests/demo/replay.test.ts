import { expect, test } from "vitest";
import type { Earthquake } from "../../src/demo/earthquakes.ts";
import { Replay } from "../../src/demo/replay.ts";

const HOUR_MS = 3_600_000;
const HOUR_PER_SECOND = HOUR_MS / 1000;

/** One an hour. */
const quakes: readonly Earthquake[] = Array.from({ length: 10 }, (_, index) => ({
  id: `q${index}`,
  timeMs: index * HOUR_MS,
  magnitude: 1,
  place: "here",
  longitude: 0,
  latitude: 0,
}));
const idsOf = (due: readonly Earthquake[]) => due.map(({ id }) => id);

test("at an hour a second, a quake of every hour comes each second", () => {
  const replay = new Replay(quakes);
  expect(idsOf(replay.due(5000, HOUR_PER_SECOND, 100))).toEqual(["q0"]);
  expect(idsOf(replay.due(5900, HOUR_PER_SECOND, 100))).toEqual([]);
  expect(idsOf(replay.due(6000, HOUR_PER_SECOND, 100))).toEqual(["q1"]);
  expect(idsOf(replay.due(8500, HOUR_PER_SECOND, 100))).toEqual(["q2", "q3"]);
});

test("the speed may change on the way", () => {
  const replay = new Replay(quakes);
  replay.due(0, HOUR_PER_SECOND, 100);
  expect(idsOf(replay.due(1000, 3 * HOUR_PER_SECOND, 100))).toEqual(["q1", "q2", "q3"]);
  expect(idsOf(replay.due(2000, HOUR_PER_SECOND, 100))).toEqual(["q4"]);
});

test("a cluster that takes no more stops the clock of the events, and nothing is skipped", () => {
  const replay = new Replay(quakes);
  expect(idsOf(replay.due(0, HOUR_PER_SECOND, 100))).toEqual(["q0"]);
  expect(replay.due(60_000, HOUR_PER_SECOND, 0)).toEqual([]);
  expect(idsOf(replay.due(61_000, HOUR_PER_SECOND, 100))).toEqual(["q1"]);
});

test("never more than there is room for, and the rest comes later at the chosen pace", () => {
  const replay = new Replay(quakes);
  replay.due(0, HOUR_PER_SECOND, 100);
  expect(idsOf(replay.due(8000, HOUR_PER_SECOND, 3))).toEqual(["q1", "q2", "q3"]);
  expect(idsOf(replay.due(9000, HOUR_PER_SECOND, 3))).toEqual(["q4"]);
});

test("it finishes with the last quake", () => {
  const replay = new Replay(quakes);
  replay.due(0, HOUR_PER_SECOND, 100);
  expect(replay.finished).toBe(false);
  replay.due(60_000, HOUR_PER_SECOND, 100);
  expect(replay).toMatchObject({ finished: true, sent: 10, total: 10 });
});
