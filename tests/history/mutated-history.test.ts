import { expect, test } from "vitest";
import { checkHistory } from "./check-history.ts";
import type { AnomalyClass } from "./anomaly.ts";
import type { HistoryEvent } from "./history.ts";
import { randomHistory, randomIntegers } from "./random-history.ts";

const SEEDS = 500;
const STEPS = 120;

/** A fault planted into a legal history; undefined when the history offers no place for it. */
type Mutation = (history: readonly HistoryEvent[], random: (limit: number) => number) => HistoryEvent[] | undefined;

function pick(
  history: readonly HistoryEvent[],
  random: (limit: number) => number,
  wanted: (event: HistoryEvent, index: number) => boolean,
): number | undefined {
  const indices = [...history.keys()].filter((index) => wanted(history[index] as HistoryEvent, index));
  return indices.length === 0 ? undefined : indices[random(indices.length)];
}

/** Replaces the event at a random place that fits by other events. */
function replaceOne(
  wanted: (event: HistoryEvent, history: readonly HistoryEvent[]) => boolean,
  replace: (event: HistoryEvent) => HistoryEvent[],
): Mutation {
  return (history, random) => {
    const at = pick(history, random, (event) => wanted(event, history));
    return at === undefined ? undefined : history.toSpliced(at, 1, ...replace(history[at] as HistoryEvent));
  };
}

/** What the final reader reads and nobody else knows of can be missed without a trace, so these were acknowledged. */
const isFinalAndAcked = (event: HistoryEvent, history: readonly HistoryEvent[]) =>
  isFinal(event) &&
  history.some((other) => other.f === "send" && other.type === "ok" && isSameValue(event, other));
const isFinal = (event: HistoryEvent) => event.f === "poll" && event.process === "final";
const isRead = (event: HistoryEvent, history: readonly HistoryEvent[]) =>
  event.f === "send" && history.some((other) => other.f === "poll" && isSameValue(event, other));
const isSameValue = (one: HistoryEvent, other: HistoryEvent) =>
  one.f !== "assign" && other.f !== "assign" && one.value === other.value;

const mutations: Record<string, { mutate: Mutation; oneOf: AnomalyClass[] }> = {
  "the final reader misses a record": { mutate: replaceOne(isFinalAndAcked, () => []), oneOf: ["unseen"] },
  "the final reader gets a record twice": {
    mutate: replaceOne(isFinal, (event) => [event, event]),
    oneOf: ["nonmonotonic-poll"],
  },
  "a record moves to the next offset": {
    mutate: replaceOne(isFinalAndAcked, (event) =>
      event.f === "poll" ? [{ ...event, offset: event.offset + 1 }] : [],
    ),
    oneOf: ["duplicate", "inconsistent-offsets", "poll-skip"],
  },
  "a byte changes": {
    mutate: replaceOne(isFinal, (event) => (event.f === "poll" ? [{ ...event, content: `${event.content}!` }] : [])),
    oneOf: ["corrupt"],
  },
  "a value comes from nowhere": {
    mutate: replaceOne(isFinal, (event) => (event.f === "poll" ? [{ ...event, value: `${event.value}?` }] : [])),
    oneOf: ["unsent"],
  },
  "a record that was read is reported as failed": {
    mutate: replaceOne(
      (event, history) => event.f === "send" && event.type === "ok" && isRead(event, history),
      (event) => (event.f === "send" ? [{ ...event, type: "fail" }] : []),
    ),
    oneOf: ["failed-read"],
  },
  "a failed send is acknowledged": {
    mutate: replaceOne(
      (event) => event.f === "send" && event.type === "fail",
      (event) => (event.f === "send" ? [{ ...event, type: "ok" }] : []),
    ),
    oneOf: ["unseen"],
  },
  "two neighbours change places in what the final reader reads": {
    mutate: (history, random) => {
      const at = pick(history, random, (event, index) => isFinal(event) && samePartition(event, history[index + 1]));
      if (at === undefined) return undefined;
      return history.toSpliced(at, 2, history[at + 1] as HistoryEvent, history[at] as HistoryEvent);
    },
    oneOf: ["nonmonotonic-poll"],
  },
  "two records of one producer change places in the log": {
    mutate: (history, random) => {
      const producerOf = (event: HistoryEvent) => (event.f === "poll" ? event.value.slice(0, 1) : undefined);
      const at = pick(history, random, (event, index) => {
        const next = history[index + 1];
        return isFinal(event) && samePartition(event, next) && producerOf(event) === producerOf(next as HistoryEvent);
      });
      const [one, other] = at === undefined ? [] : history.slice(at, at + 2);
      if (one?.f !== "poll" || other?.f !== "poll") return undefined;
      const offsets = new Map([[one.value, other.offset], [other.value, one.offset]]);
      const moved = history.map((event) => {
        if (event.f === "assign" || event.offset === undefined) return event;
        return { ...event, offset: offsets.get(event.value) ?? event.offset };
      });
      return moved;
    },
    oneOf: ["nonmonotonic-send"],
  },
  "a record vanishes from every read": {
    mutate: (history, random) => {
      const at = pick(history, random, (event) => event.f === "send" && event.type === "ok");
      const victim = at === undefined ? undefined : history[at];
      if (victim?.f !== "send") return undefined;
      return history.filter((event) => event.f !== "poll" || event.value !== victim.value);
    },
    oneOf: ["unseen"],
  },
};

function samePartition(event: HistoryEvent, next: HistoryEvent | undefined): boolean {
  if (event.f !== "poll" || next?.f !== "poll") return false;
  return next.process === event.process && next.partition === event.partition;
}

test(`${SEEDS} random legal histories pass`, () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const { anomalies } = checkHistory(randomHistory(seed, STEPS), { finalReaders: ["final"] });
    expect(anomalies, `seed ${seed}`).toEqual([]);
  }
});

test.each(Object.entries(mutations))("caught in every history: %s", (_, { mutate, oneOf }) => {
  let planted = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const mutated = mutate(randomHistory(seed, STEPS), randomIntegers(seed + 1));
    if (mutated === undefined) continue;
    planted++;
    const classes = checkHistory(mutated, { finalReaders: ["final"] }).anomalies.map((anomaly) => anomaly.class);
    expect(oneOf.some((expected) => classes.includes(expected)), `seed ${seed} found ${classes.join()}`).toBe(true);
  }
  expect(planted).toBeGreaterThan(SEEDS / 2);
});
