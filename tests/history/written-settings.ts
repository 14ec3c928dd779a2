import type { HistoryEvent, PollEvent } from "./history.ts";
import type { WrittenHistory } from "./written-events.ts";
import { acked, assign, finalRead, invoke, ok, poll, rebalance, subscribe, transaction } from "./written-events.ts";

const LEADER = { acks: "leader" } as const;

function inTransaction(operation: string, end: "ok" | "fail", ...polls: PollEvent[]): HistoryEvent[] {
  const read = polls.map((one) => ({ ...one, operation }));
  return [transaction(operation, "invoke"), ...read, transaction(operation, end)];
}

/** Asked at one time and handed over at another. */
function asked(offset: number, value: string, invokedAtMs: number): HistoryEvent {
  return poll("c", offset, value, { invokedAtMs, timeMs: invokedAtMs + 1 });
}

function idle(invokedAtMs: number): HistoryEvent {
  return { f: "idle", type: "ok", process: "c", partitions: ["t-0"], invokedAtMs };
}

const twoTimed = [...acked("a1", 0, { timeMs: 10 }), ...acked("a2", 1, { timeMs: 20 })];

/** What is legal or not by how the records were sent and read: acks, idempotence, groups, and how late is too late. */
export const settings: Record<string, WrittenHistory> = {
  "a record that one leader acknowledged and lost": {
    history: [...acked("a1", 0, LEADER), ...acked("b1", 1), poll("final", 1, "b1")],
    denied: [],
    allowed: ["lost-write", "unseen"],
  },
  "a record that one leader acknowledged, whose offset another value took": {
    history: [...acked("a1", 0, LEADER), ...acked("b1", 0), ...finalRead("b1")],
    denied: [],
    allowed: ["lost-write", "unseen"],
    near: ["inconsistent-offsets", "poll-skip"],
  },
  "records of one leader, the first of them lost": {
    history: [...acked("a1", 5, LEADER), ...acked("a2", 0, LEADER), ...finalRead("a2")],
    denied: [],
    allowed: ["unseen"],
    near: ["nonmonotonic-send"],
  },
  "a record that one leader acknowledged at one offset and that was read at another": {
    history: [...acked("a1", 0, LEADER), poll("final", 1, "a1")],
    denied: [],
    near: ["duplicate", "inconsistent-offsets"],
  },
  "a record that one leader acknowledged and that was read at two offsets": {
    history: [...acked("a1", 0, LEADER), ...finalRead("a1", "a1")],
    denied: ["duplicate"],
  },
  "records of one leader in the wrong order": {
    history: [...acked("a1", 1, LEADER), ...acked("a2", 0, LEADER), ...finalRead("a2", "a1")],
    denied: ["G0-process", "nonmonotonic-send"],
  },
  "a record of one leader that somebody had read": {
    history: [...acked("a1", 0, LEADER), poll("c", 0, "a1"), ...acked("b1", 1), poll("final", 1, "b1")],
    denied: ["unseen"],
  },
  "a record of all replicas lost beside one of a leader": {
    history: [...acked("a1", 0, LEADER), ...acked("b1", 1), ...acked("b2", 2), poll("final", 2, "b2")],
    denied: ["lost-write", "unseen"],
    allowed: ["lost-write", "unseen"],
  },
  "a duplicate of a producer without idempotence": {
    history: [...acked("a1", 0), ...finalRead("a1", "a1")],
    denied: [],
    allowed: ["duplicate"],
    options: { idempotence: false },
  },
  "records of a producer without idempotence in the wrong order": {
    history: [invoke("a1"), ...acked("a2", 0), ok("a1", 1), ...finalRead("a2", "a1")],
    denied: [],
    allowed: ["nonmonotonic-send"],
    options: { idempotence: false },
  },
  "records of one operation without idempotence in the wrong order": {
    history: [invoke("a1", { operation: "op" }), invoke("a2", { operation: "op" }), ...finalRead("a2", "a1")],
    denied: [],
    allowed: ["int-nonmonotonic-send"],
    options: { idempotence: false },
  },
  "a consumer in a group that goes back and skips": {
    history: [
      subscribe("c"), ...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), poll("c", 1, "a2"), poll("c", 0, "a1"),
      poll("c", 2, "a3"), ...finalRead("a1", "a2", "a3"),
    ],
    denied: [],
    allowed: ["nonmonotonic-poll", "poll-skip"],
  },
  "a consumer in a group that goes back after a rebalance": {
    history: [
      subscribe("c"), ...acked("a1", 0), ...acked("a2", 1), poll("c", 1, "a2"), rebalance("c", "t-0"),
      poll("c", 0, "a1"), ...finalRead("a1", "a2"),
    ],
    denied: [],
    near: ["nonmonotonic-poll", "consume-counts"],
  },
  "a rebalance of another partition": {
    history: [
      ...acked("a1", 0), poll("c", 0, "a1"), rebalance("c", "t-1"), poll("c", 0, "a1"), ...finalRead("a1"),
    ],
    denied: ["nonmonotonic-poll"],
  },
  "a consumer that was assigned after it had been in a group": {
    history: [
      subscribe("c"), ...acked("a1", 0), poll("c", 0, "a1"), assign("c"), poll("c", 0, "a1"), poll("c", 0, "a1"),
      ...finalRead("a1"),
    ],
    denied: ["nonmonotonic-poll"],
  },
  "a gap within one operation of a consumer in a group": {
    history: [
      subscribe("c"), ...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), poll("c", 0, "a1", { operation: "op" }),
      poll("c", 2, "a3", { operation: "op" }), ...finalRead("a1", "a2", "a3"),
    ],
    denied: ["int-poll-skip"],
  },
  "a consumer in a group that gets a record anew": {
    history: [
      subscribe("c"), ...acked("a1", 0), poll("c", 0, "a1"), rebalance("c", "t-0"), poll("c", 0, "a1"),
      ...finalRead("a1"),
    ],
    denied: [],
    allowed: ["consume-counts"],
  },
  "a record consumed in two transactions": {
    history: [
      subscribe("c"), ...acked("a1", 0), ...inTransaction("ct", "ok", poll("c", 0, "a1")), rebalance("c", "t-0"),
      ...inTransaction("cu", "ok", poll("c", 0, "a1")), ...finalRead("a1"),
    ],
    denied: ["consume-counts"],
  },
  "a record consumed anew after its transaction had failed": {
    history: [
      subscribe("c"), ...acked("a1", 0), ...inTransaction("ct", "fail", poll("c", 0, "a1")),
      ...inTransaction("cu", "ok", poll("c", 0, "a1")), ...finalRead("a1"),
    ],
    denied: [],
    near: ["consume-counts"],
  },
  "a consumer that is a little late": {
    history: [...twoTimed, asked(0, "a1", 25), asked(1, "a2", 30), ...finalRead("a1", "a2")],
    denied: [],
    near: ["realtime-lag"],
    options: { maxLagMs: 10 },
  },
  "a consumer that is late": {
    history: [...twoTimed, asked(0, "a1", 200), asked(1, "a2", 300), ...finalRead("a1", "a2")],
    denied: ["realtime-lag"],
    options: { maxLagMs: 10 },
  },
  "a consumer that gets everything with its next answer": {
    history: [...twoTimed, asked(0, "a1", 200), asked(1, "a2", 200), idle(400), ...finalRead("a1", "a2")],
    denied: [],
    near: ["realtime-lag"],
    options: { maxLagMs: 10 },
  },
  "a consumer that is stuck": {
    history: [...twoTimed, asked(0, "a1", 15), idle(25), idle(90), ...finalRead("a1", "a2")],
    denied: ["realtime-lag"],
    options: { maxLagMs: 10 },
  },
};
