import type { HistoryEvent } from "./history.ts";
import type { WrittenHistory } from "./written-events.ts";
import { acked, finalRead, invoke, ok, poll, transaction } from "./written-events.ts";

const options = { finalReaders: [] };

/** Sent at one time and acknowledged at another. */
function during(value: string, offset: number, fromMs: number, toMs: number, partition = "t-0"): HistoryEvent[] {
  return [invoke(value, { partition, timeMs: fromMs }), ok(value, offset, { partition, timeMs: toMs })];
}

function part(operation: string, value: string, offset: number, partition = "t-0"): HistoryEvent[] {
  return acked(value, offset, { operation, partition });
}

/** Orders in which something would have happened before itself, and such that only look like it. */
export const cycles: Record<string, WrittenHistory> = {
  "two transactions that each read the other": {
    history: [
      transaction("at", "invoke"), transaction("bt", "invoke"), ...part("at", "a1", 0),
      ...part("bt", "b1", 0, "t-1"), poll("a", 0, "b1", { operation: "at", partition: "t-1" }),
      poll("b", 0, "a1", { operation: "bt" }), transaction("at", "ok"), transaction("bt", "ok"),
    ],
    denied: ["G1c"],
    options,
  },
  "two operations that are no transactions and each read the other": {
    history: [
      ...part("at", "a1", 0), ...part("bt", "b1", 0, "t-1"),
      poll("a", 0, "b1", { operation: "at", partition: "t-1" }), poll("b", 0, "a1", { operation: "bt" }),
    ],
    denied: [],
    near: ["G1c"],
    options,
  },
  "two transactions that wrote before each other": {
    history: [
      transaction("at", "invoke"), transaction("bt", "invoke"), ...part("at", "a1", 0), ...part("bt", "b1", 1),
      ...part("at", "a2", 1, "t-1"), ...part("bt", "b2", 0, "t-1"), transaction("at", "ok"), transaction("bt", "ok"),
    ],
    denied: [],
    allowed: ["G0"],
    options,
  },
  "two transactions one after the other": {
    history: [
      transaction("at", "invoke"), ...part("at", "a1", 0), ...part("at", "a2", 0, "t-1"), transaction("at", "ok"),
      transaction("bt", "invoke"), ...part("bt", "b1", 1), ...part("bt", "b2", 1, "t-1"), transaction("bt", "ok"),
    ],
    denied: [],
    near: ["G0", "G0-process", "G1c-process"],
    options,
  },
  "a transaction that read what was written behind it": {
    history: [
      transaction("at", "invoke"), ...part("at", "a1", 0), transaction("bt", "invoke"), ...part("bt", "b1", 1),
      ...part("bt", "b2", 0, "t-1"), transaction("bt", "ok"),
      poll("a", 0, "b2", { operation: "at", partition: "t-1" }), transaction("at", "ok"),
    ],
    denied: [],
    allowed: ["G1c"],
    options,
  },
  "two producers whose open sends cross": {
    history: [
      invoke("a1"), invoke("a2", { partition: "t-1" }), invoke("b1", { partition: "t-1" }), invoke("b2"),
      ok("a1", 1), ok("a2", 0, { partition: "t-1" }), ok("b1", 1, { partition: "t-1" }), ok("b2", 0),
    ],
    denied: [],
    near: ["G0-process"],
    options,
  },
  "two producers whose sends cross though each had waited": {
    history: [
      ...acked("a1", 1), ...acked("a2", 0, { partition: "t-1" }), ...acked("b1", 1, { partition: "t-1" }),
      ...acked("b2", 0),
    ],
    denied: ["G0-process"],
    options,
  },
  "a record sent behind a read that it lies before": {
    history: [...acked("a1", 1), poll("b", 1, "a1"), ...acked("b1", 0), poll("c", 0, "b1")],
    denied: ["G1c-process"],
    options,
  },
  "a record sent behind a read": {
    history: [...acked("a1", 0), poll("b", 0, "a1"), ...acked("b1", 1)],
    denied: [],
    near: ["G1c-process"],
    options,
  },
  "a record sent after an acknowledgement that it lies before": {
    history: [...during("a1", 1, 0, 10), ...during("b1", 0, 20, 30)],
    denied: ["G0-realtime"],
    options,
  },
  "a record sent before an acknowledgement that it lies before": {
    history: [...during("a1", 1, 0, 10), ...during("b1", 0, 10, 30)],
    denied: [],
    near: ["G0-realtime"],
    options,
  },
  "processes one behind the other in a history whose times overlap": {
    history: [
      ...during("a1", 1, 0, 10), ...during("a2", 3, 20, 30), ...during("b1", 0, 0, 5), ...during("b2", 2, 6, 25),
    ],
    denied: [],
    near: ["G0-realtime"],
    options,
  },
  "a record sent after somebody else's read that it lies before": {
    history: [
      invoke("a1", { timeMs: 0 }), poll("c", 1, "a1", { timeMs: 5 }), ...during("b1", 0, 6, 9), poll("d", 0, "b1"),
    ],
    denied: ["G1c-realtime"],
    options,
  },
  "a record sent before somebody else's read that it lies before": {
    history: [
      invoke("a1", { timeMs: 0 }), poll("c", 1, "a1", { timeMs: 5 }), ...during("b1", 0, 4, 9), poll("d", 0, "b1"),
    ],
    denied: [],
    near: ["G1c-realtime"],
    options,
  },
  "transactions whose writes cross, and then a process's order": {
    history: [
      transaction("at", "invoke"), transaction("bt", "invoke"), ...part("bt", "b1", 0, "t-1"), transaction("bt", "ok"),
      transaction("bu", "invoke"), ...part("bu", "b2", 0), ...part("at", "a1", 1), ...part("at", "a2", 1, "t-1"),
      transaction("bu", "ok"), transaction("at", "ok"), ...finalRead("b2", "a1"),
    ],
    denied: [],
    near: ["G0-process"],
    options,
  },
  "transactions that cross by a process's order": {
    history: [
      transaction("at", "invoke"), ...part("at", "a1", 0), transaction("bt", "invoke"), ...part("bt", "b1", 1),
      transaction("bt", "ok"), transaction("bu", "invoke"), ...part("bu", "b2", 0, "t-1"), transaction("bu", "ok"),
      ...part("at", "a2", 1, "t-1"), transaction("at", "ok"),
    ],
    denied: [],
    allowed: ["G0-process"],
    options,
  },
  "transactions that cross by the clock": {
    history: [
      transaction("at", "invoke", 0), ...part("at", "a1", 0), transaction("bt", "invoke", 1), ...part("bt", "b1", 1),
      transaction("bt", "ok", 2), transaction("ct", "invoke", 3), ...part("ct", "c1", 0, "t-1"),
      transaction("ct", "ok", 4), ...part("at", "a2", 1, "t-1"), transaction("at", "ok", 5),
    ],
    denied: [],
    allowed: ["G0-realtime"],
    options,
  },
};
