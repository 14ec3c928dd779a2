import { describe, expect, test } from "vitest";
import { checkHistory } from "./check-history.ts";
import type { AnomalyClass } from "./anomaly.ts";
import type { HistoryEvent, SendEvent } from "./history.ts";

const partition = "t-0";

/** A send that was acknowledged at `offset`; the value names its producer by its first letter. */
function acked(value: string, offset?: number): HistoryEvent[] {
  const ok: SendEvent = { ...send(value, "ok") };
  return [invoke(value), offset === undefined ? ok : { ...ok, offset }];
}

function invoke(value: string): HistoryEvent {
  return { ...send(value, "invoke"), content: `bytes of ${value}` };
}

function send(value: string, type: SendEvent["type"]): SendEvent {
  return { f: "send", type, process: value.slice(0, 1), partition, value };
}

function poll(process: string, offset: number, value: string): HistoryEvent {
  return { f: "poll", type: "ok", process, partition, offset, value, content: `bytes of ${value}` };
}

function assign(process: string): HistoryEvent {
  return { f: "assign", type: "ok", process };
}

/** What the final reader reads, from offset 0 on. */
function finalRead(...values: string[]): HistoryEvent[] {
  return values.map((value, offset) => poll("final", offset, value));
}

function classesOf(history: readonly HistoryEvent[], finalReaders = ["final"]): AnomalyClass[] {
  return [...new Set(checkHistory(history, { finalReaders }).anomalies.map((anomaly) => anomaly.class))].sort();
}

const legal: Record<string, HistoryEvent[]> = {
  "nothing at all": [],
  "acknowledged records read once": [...acked("a1", 0), ...acked("a2", 1), ...finalRead("a1", "a2")],
  "offsets with holes between them": [
    ...acked("a1", 0), ...acked("a2", 7), poll("final", 0, "a1"), poll("final", 7, "a2"),
  ],
  "an acknowledgement without an offset": [...acked("a1"), ...finalRead("a1")],
  "an unknown send that was stored": [invoke("a1"), send("a1", "info"), ...finalRead("a1")],
  "an unknown send that was not stored": [invoke("a1"), send("a1", "info"), ...acked("a2", 0), ...finalRead("a2")],
  "a send that never completed": [invoke("a1"), ...acked("a2", 0), ...finalRead("a2")],
  "a failed send that nobody read": [invoke("a1"), send("a1", "fail"), ...acked("a2", 0), ...finalRead("a2")],
  "two consumers, each in order": [
    ...acked("a1", 0), ...acked("a2", 1), poll("c", 0, "a1"), poll("d", 0, "a1"), poll("c", 1, "a2"),
    ...finalRead("a1", "a2"),
  ],
  "a consumer that seeks back": [
    ...acked("a1", 0), ...acked("a2", 1), poll("c", 0, "a1"), poll("c", 1, "a2"), assign("c"), poll("c", 0, "a1"),
    ...finalRead("a1", "a2"),
  ],
  "a consumer that starts late": [
    ...acked("a1", 0), ...acked("a2", 1), assign("c"), poll("c", 1, "a2"), ...finalRead("a1", "a2"),
  ],
  "two producers whose records interleave": [
    invoke("a1"), ...acked("b1", 0), { ...send("a1", "ok"), offset: 1 }, ...acked("b2", 2),
    ...finalRead("b1", "a1", "b2"),
  ],
};

const illegal: Record<string, { history: HistoryEvent[]; classes: AnomalyClass[] }> = {
  "an offset acknowledged for one value and read as another": {
    history: [...acked("a1", 0), ...acked("b1", 1), poll("c", 0, "b1"), ...finalRead("a1", "b1")],
    classes: ["duplicate", "inconsistent-offsets"],
  },
  "two consumers that see different values at an offset": {
    history: [
      invoke("a1"), invoke("b1"), poll("c", 0, "a1"), poll("final", 0, "b1"), poll("final", 1, "a1"),
    ],
    classes: ["duplicate", "inconsistent-offsets"],
  },
  "one value read at two offsets": {
    history: [...acked("a1", 0), ...finalRead("a1", "a1")],
    classes: ["duplicate"],
  },
  "an acknowledged record that was passed by": {
    history: [...acked("a1", 0), ...acked("a2", 1), poll("final", 1, "a2")],
    classes: ["lost-write", "unseen"],
  },
  "an acknowledged record whose offset another value took": {
    history: [...acked("a1", 0), ...acked("b1", 1), ...finalRead("b1")],
    classes: ["duplicate", "inconsistent-offsets", "lost-write", "unseen"],
  },
  "an unread tail": {
    history: [...acked("a1", 0), ...acked("a2", 1), ...finalRead("a1")],
    classes: ["unseen"],
  },
  "an acknowledgement without an offset that nobody read": {
    history: [...acked("a1", 0), ...acked("a2"), ...finalRead("a1")],
    classes: ["unseen"],
  },
  "a record that vanished after somebody had read it": {
    history: [...acked("a1", 0), invoke("a2"), poll("c", 0, "a1"), poll("c", 1, "a2"), ...finalRead("a1")],
    classes: ["unseen"],
  },
  "a gap in what one consumer reads": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), poll("c", 0, "a1"), poll("c", 2, "a3"),
      ...finalRead("a1", "a2", "a3"),
    ],
    classes: ["poll-skip"],
  },
  "a record handed over twice": {
    history: [...acked("a1", 0), poll("c", 0, "a1"), poll("c", 0, "a1"), ...finalRead("a1")],
    classes: ["nonmonotonic-poll"],
  },
  "a step back without an assignment": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), poll("c", 1, "a2"), poll("c", 0, "a1"), ...finalRead("a1", "a2"),
    ],
    classes: ["nonmonotonic-poll"],
  },
  "an earlier record stored behind a later one": {
    history: [
      invoke("a1"), ...acked("a2", 0), { ...send("a1", "ok"), offset: 1 }, ...finalRead("a2", "a1"),
    ],
    classes: ["nonmonotonic-send"],
  },
  "an unknown record that surfaced behind a later one": {
    history: [invoke("a1"), send("a1", "info"), ...acked("a2", 0), ...finalRead("a2", "a1")],
    classes: ["nonmonotonic-send"],
  },
  "a failed send that was read": {
    history: [invoke("a1"), send("a1", "fail"), ...finalRead("a1")],
    classes: ["failed-read"],
  },
  "a record with other bytes": {
    history: [...acked("a1", 0), { ...poll("final", 0, "a1"), content: "bytes of a2" } as HistoryEvent],
    classes: ["corrupt"],
  },
  "a value nobody sent": {
    history: [...acked("a1", 0), ...finalRead("a1", "z9")],
    classes: ["unsent"],
  },
  "a value in another partition than it was sent to": {
    history: [
      ...acked("a1", 0), ...finalRead("a1"), { ...poll("final", 0, "a1"), partition: "t-1" } as HistoryEvent,
    ],
    classes: ["unsent"],
  },
};

describe("a legal history passes", () => {
  test.each(Object.entries(legal))("%s", (_, history) => {
    expect(checkHistory(history, { finalReaders: ["final"] }).anomalies).toEqual([]);
  });
});

describe("an anomaly is named by its class", () => {
  test.each(Object.entries(illegal))("%s", (_, { history, classes }) => {
    expect(classesOf(history)).toEqual(classes);
    expect(checkHistory(history, { finalReaders: ["final"] }).valid).toBe(false);
  });

  test("every class has a history against it", () => {
    const caught = new Set(Object.values(illegal).flatMap(({ history }) => classesOf(history)));
    const all: Record<AnomalyClass, true> = {
      "inconsistent-offsets": true, duplicate: true, "lost-write": true, unseen: true, "poll-skip": true,
      "nonmonotonic-poll": true, "nonmonotonic-send": true, "failed-read": true, corrupt: true, unsent: true,
    };
    expect([...caught].sort()).toEqual(Object.keys(all).sort());
  });
});

test("without a final reader an unread tail is no anomaly, but a passed-over record is", () => {
  expect(classesOf([...acked("a1", 0), ...acked("a2", 1), poll("c", 0, "a1")], [])).toEqual([]);
  expect(classesOf([...acked("a1", 0), ...acked("a2", 1), poll("c", 1, "a2")], [])).toEqual(["lost-write"]);
});

test("the verdict counts what happened", () => {
  const history = [
    ...acked("a1", 0), invoke("a2"), send("a2", "fail"), invoke("a3"), send("a3", "info"), invoke("a4"),
    poll("c", 0, "a1"), ...finalRead("a1"),
  ];
  expect(checkHistory(history, { finalReaders: ["final"] })).toMatchObject({
    valid: true, anomalies: [], allowed: [], sent: 4, acknowledged: 1, failed: 1, unknown: 2, read: 1,
  });
});

describe("a malformed history is refused", () => {
  test.each([
    ["a value sent twice", [invoke("a1"), invoke("a1")], "sent twice"],
    ["a completion without an invocation", [send("a1", "ok")], "without having been sent"],
    ["a second completion", [...acked("a1", 0), send("a1", "fail")], "completes twice"],
  ])("%s", (_, history, message) => {
    expect(() => checkHistory(history as HistoryEvent[], { finalReaders: [] })).toThrow(message);
  });
});
