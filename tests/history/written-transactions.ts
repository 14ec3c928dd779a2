import type { HistoryEvent } from "./history.ts";
import type { WrittenHistory } from "./written-events.ts";
import { acked, assign, finalRead, invoke, poll, rebalance, transaction } from "./written-events.ts";

/** A send within an operation, acknowledged at `offset`. */
function sent(operation: string, value: string, offset: number, partition = "t-0"): HistoryEvent[] {
  return acked(value, offset, { operation, partition });
}

/** The transaction `at` of producer `a` with a record in each of two partitions. */
const pair = [...sent("at", "a1", 0), ...sent("at", "a2", 0, "t-1")];
const uncommitted: HistoryEvent = { f: "assign", type: "ok", process: "c", isolation: "read_uncommitted" };

/** Transactions, and other operations of several sends or polls. */
export const transactions: Record<string, WrittenHistory> = {
  "a committed transaction read whole": {
    history: [
      transaction("at", "invoke"), ...pair, transaction("at", "ok"), ...finalRead("a1"),
      poll("final", 0, "a2", { partition: "t-1" }),
    ],
    denied: [],
    near: ["torn"],
  },
  "an aborted transaction that nobody reads": {
    history: [
      transaction("at", "invoke"), ...sent("at", "a1", 1), transaction("at", "fail"), ...acked("b1", 0),
      ...acked("b2", 2), poll("final", 0, "b1"), poll("final", 2, "b2"),
    ],
    denied: [],
    near: ["failed-read", "lost-write", "unseen", "poll-skip"],
  },
  "a transaction of which nobody knows the end, unread": {
    history: [transaction("at", "invoke"), ...pair, transaction("at", "info")],
    denied: [],
    near: ["unseen"],
  },
  "a transaction that never ended, read whole": {
    history: [transaction("at", "invoke"), ...pair, ...finalRead("a1"), poll("final", 0, "a2", { partition: "t-1" })],
    denied: [],
  },
  "a part of a transaction read by a consumer of that partition alone": {
    history: [
      transaction("at", "invoke"), ...pair, transaction("at", "ok"), poll("c", 0, "a1"), ...finalRead("a1"),
      poll("final", 0, "a2", { partition: "t-1" }),
    ],
    denied: [],
    near: ["torn"],
  },
  "a consumer that starts behind a part of a transaction": {
    history: [
      transaction("at", "invoke"), ...pair, transaction("at", "ok"), ...acked("b1", 1), assign("c"), poll("c", 1, "b1"),
      poll("c", 0, "a2", { partition: "t-1" }), ...finalRead("a1", "b1"), poll("final", 0, "a2", { partition: "t-1" }),
    ],
    denied: [],
    near: ["torn"],
  },
  "a transaction that consumes what another committed": {
    history: [
      transaction("at", "invoke"), ...sent("at", "a1", 0), transaction("at", "ok"), transaction("bt", "invoke"),
      poll("b", 0, "a1", { operation: "bt" }), ...sent("bt", "b1", 1), transaction("bt", "ok"),
      ...finalRead("a1", "b1"),
    ],
    denied: [],
    near: ["precommitted-read", "G1c"],
  },
  "an operation that is no transaction reads its own record": {
    history: [...sent("op", "a1", 0), poll("a", 0, "a1", { operation: "op" }), ...finalRead("a1")],
    denied: [],
    near: ["precommitted-read"],
  },
  "a transaction that failed has its records handed over again": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), transaction("bt", "invoke"), poll("b", 0, "a1", { operation: "bt" }),
      poll("b", 1, "a2", { operation: "bt" }), transaction("bt", "fail"), transaction("bu", "invoke"),
      poll("b", 0, "a1", { operation: "bu" }), transaction("bu", "ok"), poll("b", 1, "a2"), ...finalRead("a1", "a2"),
    ],
    denied: [],
    near: ["nonmonotonic-poll", "int-nonmonotonic-poll"],
  },
  "the records of one operation close together": {
    history: [...sent("op", "a1", 0), ...sent("op", "a2", 1), ...acked("b1", 2), ...finalRead("a1", "a2", "b1")],
    denied: [],
    near: ["int-send-skip", "int-nonmonotonic-send"],
  },
  "a poll of several records, of which a rebalance took some away": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), poll("c", 0, "a1", { operation: "op" }),
      rebalance("c", "t-0"), poll("c", 2, "a3", { operation: "op" }), ...finalRead("a1", "a2", "a3"),
    ],
    denied: [],
    near: ["int-poll-skip"],
  },
  "a consumer of uncommitted records that sees an aborted one, and another that passes it": {
    history: [
      uncommitted, transaction("at", "invoke"), ...sent("at", "a1", 0), poll("c", 0, "a1"), transaction("at", "fail"),
      ...acked("b1", 1), poll("c", 1, "b1"), poll("final", 1, "b1"),
    ],
    denied: [],
    allowed: ["failed-read"],
  },
  "a consumer of uncommitted records that loses one": {
    history: [
      uncommitted, transaction("at", "invoke"), ...sent("at", "a1", 0), poll("c", 0, "a1"), transaction("at", "ok"),
      ...acked("b1", 1), poll("c", 0, "a1"), ...finalRead("a1", "b1"),
    ],
    denied: ["nonmonotonic-poll"],
  },
  "a transaction that reads its own record as uncommitted": {
    history: [
      { ...uncommitted, process: "a" } as HistoryEvent, transaction("at", "invoke"), ...sent("at", "a1", 0),
      poll("a", 0, "a1", { operation: "at" }), transaction("at", "ok"), ...finalRead("a1"),
    ],
    denied: [],
    allowed: ["precommitted-read"],
  },
  "a record of an aborted transaction that was read": {
    history: [transaction("at", "invoke"), ...sent("at", "a1", 0), transaction("at", "fail"), ...finalRead("a1")],
    denied: ["failed-read"],
  },
  "a transaction that reads what it sent": {
    history: [
      transaction("at", "invoke"), ...sent("at", "a1", 0), poll("a", 0, "a1", { operation: "at" }),
      transaction("at", "ok"), ...finalRead("a1"),
    ],
    denied: ["precommitted-read"],
  },
  "a consumer that reads one part and passes by another": {
    history: [
      transaction("at", "invoke"), ...sent("at", "a1", 1), ...sent("at", "a2", 0, "t-1"), transaction("at", "ok"),
      ...acked("b1", 0), ...acked("b2", 2), poll("c", 0, "b1"), poll("c", 2, "b2"),
      poll("c", 0, "a2", { partition: "t-1" }), ...finalRead("b1", "a1", "b2"),
      poll("final", 0, "a2", { partition: "t-1" }),
    ],
    denied: ["poll-skip", "torn"],
  },
  "a part read proves that another was lost": {
    history: [
      transaction("at", "invoke"), ...sent("at", "a1", 0), ...sent("at", "a2", 0, "t-1"), transaction("at", "info"),
      ...acked("b1", 1, { partition: "t-1" }), ...finalRead("a1"), poll("final", 1, "b1", { partition: "t-1" }),
    ],
    denied: ["lost-write", "unseen"],
  },
  "a gap within one operation": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), poll("c", 0, "a1", { operation: "op" }),
      poll("c", 2, "a3", { operation: "op" }), ...finalRead("a1", "a2", "a3"),
    ],
    denied: ["int-poll-skip"],
  },
  "a record handed over twice within one operation": {
    history: [
      ...acked("a1", 0), poll("c", 0, "a1", { operation: "op" }), poll("c", 0, "a1", { operation: "op" }),
      ...finalRead("a1"),
    ],
    denied: ["int-nonmonotonic-poll"],
  },
  "a gap between two operations": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), poll("c", 0, "a1", { operation: "op" }),
      poll("c", 2, "a3", { operation: "oq" }), ...finalRead("a1", "a2", "a3"),
    ],
    denied: ["poll-skip"],
  },
  "two records of one operation in the wrong order": {
    history: [
      invoke("a1", { operation: "op" }), invoke("a2", { operation: "op" }), ...finalRead("a2", "a1"),
    ],
    denied: ["int-nonmonotonic-send"],
  },
  "another's record between two of one operation": {
    history: [...sent("op", "a1", 0), ...acked("b1", 1), ...sent("op", "a2", 2), ...finalRead("a1", "b1", "a2")],
    denied: [],
    allowed: ["int-send-skip"],
  },
};
