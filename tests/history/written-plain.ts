import type { WrittenHistory } from "./written-events.ts";
import { acked, assign, fail, finalRead, info, invoke, ok, poll, rebalance, trim } from "./written-events.ts";

/** One record at a time, acks=all, consumers that were assigned their partitions. */
export const plain: Record<string, WrittenHistory> = {
  "nothing at all": { history: [], denied: [] },
  "acknowledged records read once": {
    history: [...acked("a1", 0), ...acked("a2", 1), ...finalRead("a1", "a2")],
    denied: [],
    near: ["lost-write", "unseen", "corrupt", "unsent"],
  },
  "offsets with holes between them": {
    history: [...acked("a1", 0), ...acked("a2", 7), poll("final", 0, "a1"), poll("final", 7, "a2")],
    denied: [],
    near: ["poll-skip"],
  },
  "an acknowledgement without an offset": { history: [...acked("a1"), ...finalRead("a1")], denied: [] },
  "an unknown send that was stored": {
    history: [invoke("a1"), info("a1"), ...finalRead("a1")],
    denied: [],
    near: ["failed-read"],
  },
  "an unknown send that was not stored": {
    history: [invoke("a1"), info("a1"), ...acked("a2", 0), ...finalRead("a2")],
    denied: [],
    near: ["lost-write"],
  },
  "a send that never completed": { history: [invoke("a1"), ...acked("a2", 0), ...finalRead("a2")], denied: [] },
  "a failed send that nobody read": {
    history: [invoke("a1"), fail("a1"), ...acked("a2", 0), ...finalRead("a2")],
    denied: [],
    near: ["failed-read", "unseen"],
  },
  "two values at the same offset of two partitions": {
    history: [
      ...acked("a1", 0), ...acked("b1", 0, { partition: "t-1" }), ...finalRead("a1"),
      poll("final", 0, "b1", { partition: "t-1" }),
    ],
    denied: [],
    near: ["inconsistent-offsets"],
  },
  "two consumers, each in order": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), poll("c", 0, "a1"), poll("d", 0, "a1"), poll("c", 1, "a2"),
      ...finalRead("a1", "a2"),
    ],
    denied: [],
    near: ["duplicate", "nonmonotonic-poll"],
  },
  "a consumer that seeks back": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), poll("c", 0, "a1"), poll("c", 1, "a2"), assign("c"), poll("c", 0, "a1"),
      ...finalRead("a1", "a2"),
    ],
    denied: [],
    near: ["nonmonotonic-poll"],
  },
  "a consumer that starts late": {
    history: [...acked("a1", 0), ...acked("a2", 1), assign("c"), poll("c", 1, "a2"), ...finalRead("a1", "a2")],
    denied: [],
    near: ["poll-skip"],
  },
  "two producers whose records interleave": {
    history: [invoke("a1"), ...acked("b1", 0), ok("a1", 1), ...acked("b2", 2), ...finalRead("b1", "a1", "b2")],
    denied: [],
    near: ["nonmonotonic-send"],
  },
  "an offset acknowledged for one value and read as another": {
    history: [...acked("a1", 0), ...acked("b1", 1), poll("c", 0, "b1"), ...finalRead("a1", "b1")],
    denied: ["duplicate", "inconsistent-offsets"],
  },
  "two consumers that see different values at an offset": {
    history: [invoke("a1"), invoke("b1"), poll("c", 0, "a1"), poll("final", 0, "b1"), poll("final", 1, "a1")],
    denied: ["duplicate", "inconsistent-offsets"],
  },
  "one value read at two offsets": { history: [...acked("a1", 0), ...finalRead("a1", "a1")], denied: ["duplicate"] },
  "an acknowledged record that was passed by": {
    history: [...acked("a1", 0), ...acked("a2", 1), poll("final", 1, "a2")],
    denied: ["lost-write", "unseen"],
  },
  "an acknowledged record whose offset another value took": {
    history: [...acked("a1", 0), ...acked("b1", 1), ...finalRead("b1")],
    denied: ["duplicate", "inconsistent-offsets", "lost-write", "unseen"],
  },
  "an unread tail": { history: [...acked("a1", 0), ...acked("a2", 1), ...finalRead("a1")], denied: ["unseen"] },
  "an unread tail that no final reader was to read": {
    history: [...acked("a1", 0), ...acked("a2", 1), poll("c", 0, "a1")],
    denied: [],
    near: ["unseen"],
    options: { finalReaders: [] },
  },
  "a record passed by without a final reader": {
    history: [...acked("a1", 0), ...acked("a2", 1), poll("c", 1, "a2")],
    denied: ["lost-write"],
    options: { finalReaders: [] },
  },
  "two final readers of which one misses a record": {
    history: [...acked("a1", 0), ...finalRead("a1")],
    denied: ["unseen"],
    options: { finalReaders: ["final", "absent"] },
  },
  "an acknowledgement without an offset that nobody read": {
    history: [...acked("a1", 0), ...acked("a2"), ...finalRead("a1")],
    denied: ["unseen"],
  },
  "a record that vanished after somebody had read it": {
    history: [...acked("a1", 0), invoke("a2"), poll("c", 0, "a1"), poll("c", 1, "a2"), ...finalRead("a1")],
    denied: ["unseen"],
  },
  "a gap in what one consumer reads": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), poll("c", 0, "a1"), poll("c", 2, "a3"),
      ...finalRead("a1", "a2", "a3"),
    ],
    denied: ["poll-skip"],
  },
  "a gap in a partition that an assignment kept": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), poll("c", 0, "a1"), assign("c", ["t-0"]),
      poll("c", 2, "a3"), ...finalRead("a1", "a2", "a3"),
    ],
    denied: ["poll-skip"],
  },
  "a record handed over twice": {
    history: [...acked("a1", 0), poll("c", 0, "a1"), poll("c", 0, "a1"), ...finalRead("a1")],
    denied: ["nonmonotonic-poll"],
  },
  "a step back without an assignment": {
    history: [...acked("a1", 0), ...acked("a2", 1), poll("c", 1, "a2"), poll("c", 0, "a1"), ...finalRead("a1", "a2")],
    denied: ["nonmonotonic-poll"],
  },
  "an earlier record stored behind a later one": {
    history: [invoke("a1"), ...acked("a2", 0), ok("a1", 1), ...finalRead("a2", "a1")],
    denied: ["nonmonotonic-send"],
  },
  "an unknown record that surfaced behind a later one": {
    history: [invoke("a1"), info("a1"), ...acked("a2", 0), ...finalRead("a2", "a1")],
    denied: ["nonmonotonic-send"],
  },
  "a failed send that was read": {
    history: [invoke("a1"), fail("a1"), ...finalRead("a1")],
    denied: ["failed-read"],
  },
  "a record with other bytes": {
    history: [...acked("a1", 0), poll("final", 0, "a1", { content: "bytes of a2" })],
    denied: ["corrupt"],
  },
  "a value nobody sent": { history: [...acked("a1", 0), ...finalRead("a1", "z9")], denied: ["unsent"] },
  "a value in another partition than it was sent to": {
    history: [...acked("a1", 0), ...finalRead("a1"), poll("final", 0, "a1", { partition: "t-1" })],
    denied: ["unsent"],
  },
};

/** Records that are removed on purpose, and topics that are made again. */
export const removed: Record<string, WrittenHistory> = {
  "retention before anybody read": {
    history: [...acked("a1", 0), ...acked("a2", 1), trim(1), poll("final", 1, "a2")],
    denied: [],
    near: ["lost-write", "unseen"],
  },
  "retention under a slow consumer": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), poll("c", 0, "a1"), trim(2), poll("c", 2, "a3"),
      poll("final", 2, "a3"),
    ],
    denied: [],
    near: ["poll-skip"],
  },
  "retention that explains only a part of a gap": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), poll("c", 0, "a1"), trim(1), poll("c", 2, "a3"),
      poll("final", 1, "a2"), poll("final", 2, "a3"),
    ],
    denied: ["poll-skip"],
  },
  "a gap that retention explains only later": {
    history: [
      ...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), poll("c", 0, "a1"), poll("c", 2, "a3"), trim(2),
      poll("final", 2, "a3"),
    ],
    denied: ["poll-skip"],
  },
  "a record lost behind the start of the log": {
    history: [...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 2), trim(1), poll("final", 2, "a3")],
    denied: ["lost-write", "unseen"],
  },
  "retention of another partition": {
    history: [...acked("a1", 0), ...acked("a2", 1), trim(1, "t-1"), poll("final", 1, "a2")],
    denied: ["lost-write", "unseen"],
  },
  "an unplaced acknowledgement in a partition with retention": {
    history: [...acked("a1"), ...acked("a2", 1), trim(1), poll("final", 1, "a2")],
    denied: [],
    near: ["unseen"],
  },
  "a topic that was deleted": {
    history: [...acked("a1", 0), ...acked("a2", 1), poll("c", 0, "a1"), trim(Infinity), rebalance("c", "t-0")],
    denied: [],
    near: ["unseen"],
  },
  "a topic that was made again": {
    history: [
      ...acked("a1", 0, { partition: "t-0@one" }), poll("c", 0, "a1", { partition: "t-0@one" }),
      trim(Infinity, "t-0@one"), ...acked("b1", 0, { partition: "t-0@two" }),
      poll("final", 0, "b1", { partition: "t-0@two" }),
    ],
    denied: [],
    near: ["inconsistent-offsets"],
  },
  "a send that found its topic made again": {
    history: [
      invoke("a1", { partition: "t-0@one" }), trim(Infinity, "t-0@one"), ok("a1", 0, { partition: "t-0@two" }),
      poll("final", 0, "a1", { partition: "t-0@two" }),
    ],
    denied: [],
    near: ["unsent"],
  },
  "an unknown send that was stored in both lives of its topic": {
    history: [
      invoke("a1", { partition: "t-0@one" }), poll("c", 3, "a1", { partition: "t-0@one" }),
      trim(Infinity, "t-0@one"), poll("final", 0, "a1", { partition: "t-0@two" }),
    ],
    denied: [],
    near: ["duplicate"],
  },
  "sends out of order in the second life of their topic": {
    history: [
      invoke("a1", { partition: "t-0@one" }), invoke("a2", { partition: "t-0@one" }), trim(Infinity, "t-0@one"),
      ok("a2", 0, { partition: "t-0@two" }), ok("a1", 1, { partition: "t-0@two" }),
      poll("final", 0, "a2", { partition: "t-0@two" }), poll("final", 1, "a1", { partition: "t-0@two" }),
    ],
    denied: ["nonmonotonic-send"],
  },
  "a record of the second life that was lost": {
    history: [invoke("a1", { partition: "t-0@one" }), trim(Infinity, "t-0@one"), ok("a1", 0, { partition: "t-0@two" })],
    denied: ["unseen"],
  },
};
