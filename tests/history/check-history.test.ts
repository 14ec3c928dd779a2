import { describe, expect, test } from "vitest";
import { ANOMALY_CLASSES } from "./anomaly.ts";
import type { Anomaly, AnomalyClass } from "./anomaly.ts";
import { checkHistory } from "./check-history.ts";
import type { HistoryEvent } from "./history.ts";
import { cycles } from "./written-cycles.ts";
import { acked, assign, fail, finalRead, info, invoke, ok, poll, subscribe, transaction } from "./written-events.ts";
import type { WrittenHistory } from "./written-events.ts";
import { plain, removed } from "./written-plain.ts";
import { settings } from "./written-settings.ts";
import { transactions } from "./written-transactions.ts";

const tables = { plain, removed, transactions, cycles, settings };
const everything = Object.values(tables).flatMap((table) => Object.values(table));

function judge({ history, options }: WrittenHistory) {
  return checkHistory(history, { finalReaders: ["final"], ...options });
}

function classesOf(anomalies: readonly Anomaly[]): AnomalyClass[] {
  return [...new Set(anomalies.map((anomaly) => anomaly.class))].sort();
}

describe.each(Object.entries(tables))("%s", (_, table) => {
  test.each(Object.entries(table))("%s", (__, written) => {
    const { anomalies, allowed, valid } = judge(written);
    const found = { denied: classesOf(anomalies), allowed: classesOf(allowed) };
    expect(found).toEqual({ denied: [...written.denied].sort(), allowed: [...(written.allowed ?? [])].sort() });
    expect(valid).toBe(written.denied.length === 0);
  });
});

describe("each class", () => {
  /** Kafka promises nothing against these. */
  const harmless: AnomalyClass[] = ["int-send-skip", "G0"];

  test.each(ANOMALY_CLASSES)("%s has a history against it and one that only comes close", (kind) => {
    const found = everything.filter(({ denied, allowed = [] }) => {
      return denied.includes(kind) || (harmless.includes(kind) && allowed.includes(kind));
    });
    const near = everything.filter(({ near: classes = [] }) => classes.includes(kind));
    expect(found.length).toBeGreaterThan(0);
    expect(near.length).toBeGreaterThan(0);
    for (const { denied, allowed = [] } of near) expect([...denied, ...allowed]).not.toContain(kind);
  });
});

describe("the verdict", () => {
  test("counts what happened", () => {
    const history = [
      ...acked("a1", 0), invoke("a2"), fail("a2"), invoke("a3"), info("a3"), invoke("a4"), poll("c", 0, "a1"),
      ...finalRead("a1"),
    ];
    expect(judge({ history, denied: [] })).toMatchObject({
      valid: true, anomalies: [], allowed: [], sent: 4, acknowledged: 1, failed: 1, unknown: 2, read: 1,
    });
  });

  test("counts the records of a transaction by its outcome", () => {
    const history = [
      transaction("at", "invoke"), ...acked("a1", 0, { operation: "at" }), transaction("at", "fail"),
      transaction("au", "invoke"), ...acked("a2", 1, { operation: "au" }), transaction("au", "info"),
    ];
    expect(judge({ history, denied: [] })).toMatchObject({ sent: 2, acknowledged: 0, failed: 1, unknown: 1 });
  });

  test("counts every anomaly and shows the first ones", () => {
    const values = Array.from({ length: 100 }, (_, index) => `a${index}`);
    const history = values.flatMap((value, offset) => acked(value, offset));
    const { anomalies, classes } = judge({ history, denied: [] });
    expect(classes.unseen).toEqual({ permission: "deny", denied: 100, allowed: 0 });
    expect(anomalies.length).toBe(32);
  });

  test("names the process, the partition, the values and the offsets", () => {
    const history = [...acked("a1", 0), ...acked("a2", 1), ...acked("a3", 7), poll("c", 0, "a1"), poll("c", 7, "a3")];
    const { anomalies } = judge({ history, denied: [], options: { finalReaders: [] } });
    expect(anomalies).toContainEqual({
      class: "poll-skip",
      partition: "t-0",
      evidence: "c read a3 at offset 7 next after a1 at offset 0, passing over 1, first a2 at offset 1",
    });
  });

  test("tells who saw a value where", () => {
    const { anomalies } = judge(plain["an offset acknowledged for one value and read as another"]!);
    expect(anomalies.map(({ evidence }) => evidence)).toEqual([
      "offset 0 holds a1 of a (acknowledged at 0, read at 0 by final) and " +
        "b1 of b (acknowledged at 1, read at 0 by c, read at 1 by final)",
      "b1 of b (acknowledged at 1, read at 0 by c, read at 1 by final) is at the offsets 0 and 1",
    ]);
  });

  test("tells a cycle step by step", () => {
    const { anomalies } = judge(cycles["a record sent behind a read that it lies before"]!);
    expect(anomalies.map(({ evidence }) => evidence)).toEqual([
      "b's poll of a1 at offset 1 ended, in its process, before b1 at t-0 offset 0 of b lies before " +
        "a1 at t-0 offset 1 of a was read in (a1 at t-0 offset 1) b's poll of a1 at offset 1",
    ]);
  });

  test("measures the lag of consumers", () => {
    expect(judge(settings["a consumer that is stuck"]!).lagMs).toBe(70);
    expect(judge(plain["acknowledged records read once"]!).lagMs).toBeUndefined();
  });

  test("has an entry per class, by the settings of the run", () => {
    const permissions = (history: readonly HistoryEvent[], idempotence = true) => {
      const { classes } = checkHistory(history, { finalReaders: [], idempotence });
      return ANOMALY_CLASSES.filter((kind) => classes[kind].permission === "allow");
    };
    const safe = [...acked("a1", 0), assign("c"), poll("c", 0, "a1")];
    expect(permissions(safe)).toEqual(["int-send-skip", "consume-counts"]);
    expect(permissions([...acked("a1", 0, { acks: "leader" }), poll("c", 0, "a1")])).toEqual([
      "lost-write", "unseen", "int-send-skip", "consume-counts",
    ]);
    expect(permissions([...safe, ...acked("b1", 1, { acks: "leader" })])).toEqual(permissions(safe));
    expect(permissions([subscribe("c"), ...acked("a1", 0), poll("c", 0, "a1")])).toEqual([
      "torn", "poll-skip", "nonmonotonic-poll", "int-send-skip", "consume-counts",
    ]);
    expect(permissions(safe, false)).toEqual([
      "duplicate", "int-send-skip", "int-nonmonotonic-send", "nonmonotonic-send", "consume-counts",
    ]);
    const inTransaction = [transaction("at", "invoke"), ...acked("a1", 0, { operation: "at" }), poll("c", 0, "a1")];
    expect(permissions(inTransaction)).toEqual([
      "int-send-skip", "G0", "G0-process", "G0-realtime", "G1c", "G1c-process", "G1c-realtime",
    ]);
  });
});

describe("a malformed history is refused", () => {
  test.each<[string, HistoryEvent[], string]>([
    ["a value sent twice", [invoke("a1"), invoke("a1")], "sent twice"],
    ["a completion without an invocation", [ok("a1")], "without having been sent"],
    ["a completion elsewhere", [invoke("a1"), ok("a1", 0, { partition: "t-1" })], "without having been sent"],
    ["a second completion", [...acked("a1", 0), fail("a1")], "completes twice"],
    ["a transaction that begins twice", [transaction("at", "invoke"), transaction("at", "invoke")], "begins twice"],
    ["a transaction that only ends", [transaction("at", "ok")], "before it begins"],
    [
      "a transaction that ends twice",
      [transaction("at", "invoke"), transaction("at", "info"), transaction("at", "ok")],
      "completes twice",
    ],
  ])("%s", (_, history, message) => {
    expect(() => checkHistory(history, { finalReaders: [] })).toThrow(message);
  });
});
