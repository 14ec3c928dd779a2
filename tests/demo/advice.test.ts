import { describe, expect, test } from "vitest";
import type { BrokerStatus } from "../../src/index.ts";
import { adviceFor, effectiveMinIsr } from "../../src/inspector/advice.ts";
import type { Situation } from "../../src/inspector/advice.ts";
import { clusterView } from "./cluster-views.ts";

const running: BrokerStatus = {
  state: "running",
  brokerId: 3,
  directoryId: "00000000-0000-4000-8000-000000000003",
  rack: "rack-b",
  reason: undefined,
  controllerConnected: true,
  partitions: [],
  storedBytes: 0,
  replicatedBytes: 0,
};
const well: Situation = {
  server: "ws://localhost:8080/tabstream",
  missing: [],
  status: running,
  startError: undefined,
  view: clusterView([{}]),
  minIsr: new Map(),
  storage: { usedBytes: 1, quotaBytes: 100, persisted: true },
};
const advice = (change: Partial<Situation>) => adviceFor({ ...well, ...change });
const titles = (change: Partial<Situation>) => advice(change).map(({ title }) => title);

test("nothing is said when all is well", () => expect(advice({})).toEqual([]));

describe("this tab's broker", () => {
  test("a fenced broker says why, and that it comes back by itself", () => {
    const [notice] = advice({ status: { ...running, state: "fenced", reason: "The tab slept for 14 s." } });
    expect(notice?.title).toContain("fenced");
    expect(notice?.text).toMatch(/^The tab slept for 14 s\. .*by itself/);
  });

  test("a storage error names the remedy", () => {
    const [notice] = advice({ status: { ...running, state: "failed", reason: "The quota is used up." } });
    expect(notice).toMatchObject({ level: "error" });
    expect(notice?.text).toMatch(/The quota is used up\..*Make room.*reload/);
  });

  test("a reason cannot reorder the sentence that quotes it", () => {
    const [notice] = advice({ startError: "bad\u202eyllaer" });
    expect(notice?.text).toMatch(/^Bad⟨U\+202E⟩yllaer\. Reload/);
  });

  test("a browser that lacks something says what", () => {
    expect(advice({ missing: ["WebRTC", "Web Locks"] })[0]?.text).toContain("no WebRTC or Web Locks");
  });
});

describe("without the server", () => {
  const cut = { ...running, controllerConnected: false };

  test("it says what goes on and what waits", () => {
    const [notice] = advice({ status: cut });
    expect(notice?.text).toMatch(/Reading and writing go on.*Elections.*wait.*Reconnecting/);
  });

  test("before the first contact it says where it looks", () => {
    const [notice] = advice({ status: { ...cut, state: "starting" }, view: undefined });
    expect(notice?.text).toContain("ws://localhost:8080/tabstream");
  });

  test("a broker that was stopped looks for nobody", () => {
    expect(titles({ status: { ...cut, state: "stopped" } })).toEqual(["This tab's broker is stopped"]);
  });
});

describe("partitions", () => {
  test("below the effective min ISR acks=all waits", () => {
    expect(titles({ view: clusterView([{ isr: [1] }, {}]) })).toEqual(["acks=all waits on orders-0"]);
  });

  test("a topic with one assigned copy never waits for a second", () => {
    expect(effectiveMinIsr({ replicas: [1] }, 2)).toBe(1);
    expect(titles({ view: clusterView([{ replicas: [1], isr: [1] }]) })).toEqual([]);
  });

  test("the topic's own setting counts", () => {
    const view = clusterView([{ isr: [1, 3] }]);
    expect(titles({ view, minIsr: new Map([["orders", 3]]) })).toEqual(["acks=all waits on orders-0"]);
    expect(titles({ view, minIsr: new Map([["orders", 1]]) })).toEqual([]);
  });

  test("of many brokers whose return helps it names a few", () => {
    const isr = Array.from({ length: 20 }, (_, id) => 20 - id);
    const [notice] = advice({ view: clusterView([{ leader: -1, isr }]) });
    expect(notice?.text).toContain("one of the brokers 1, 2, 3, 4, 5, 6, 7, 8 or 12 more");
  });

  test("without a leader it names the brokers whose return helps", () => {
    const [notice] = advice({ view: clusterView([{ leader: -1, isr: [4, 3] }], [3, 4]) });
    expect(notice).toMatchObject({ level: "error", title: "No leader for orders-0" });
    expect(notice?.text).toContain("brokers 3 or 4");
    expect(notice?.text).toContain("open further ones until it is there");
  });

  test("many partitions are summed up", () => {
    const view = clusterView(Array.from({ length: 9 }, () => ({ isr: [1] })));
    expect(titles({ view })).toEqual(["acks=all waits on orders-0, orders-1, orders-2 and 6 more"]);
  });
});

test("room that runs out is told before it is gone", () => {
  const storage = { usedBytes: 95 * 2 ** 20, quotaBytes: 100 * 2 ** 20, persisted: false };
  expect(advice({ storage })[0]?.text).toContain("95.0 MiB of 100 MiB");
});
