import { afterEach, expect, test, vi } from "vitest";
import { Observations } from "../../src/demo/observations.ts";
import { clusterView } from "./cluster-views.ts";

const ANOTHER = "00000000-0000-4000-8000-000000000002";
const record = { partition: 0, offset: 6, timestampMs: 0, key: null, value: null };
const read = { partition: 0, records: [record], behind: 3 };

afterEach(() => vi.unstubAllGlobals());

test("elections are told once, by a leader epoch that is higher than the last", () => {
  const observations = new Observations();
  expect(observations.onView(clusterView([{ leaderEpoch: 3 }, {}])).elected).toEqual([]);
  expect(observations.onView(clusterView([{ leaderEpoch: 4 }, {}])).elected).toEqual(["orders-0"]);
  expect(observations.onView(clusterView([{ leaderEpoch: 4 }, {}])).elected).toEqual([]);
});

test("the first view is no news", () => {
  const observations = new Observations();
  expect(observations.onView(clusterView([{}])).news).toEqual([]);
  expect(observations.onView(clusterView([{}], [2])).news).toEqual(["Broker 2 is gone."]);
});

test("what was known of a topic is forgotten with it, also when another has its name at once", () => {
  const observations = new Observations();
  observations.onView(clusterView([{ leaderEpoch: 3 }]));
  observations.minIsr.set("orders", 2);
  observations.onRead("orders", read);
  expect(observations.figures().get("orders-0")?.highWatermark).toBe(10);
  expect(observations.onView(clusterView([{ leaderEpoch: 3 }])).gone).toEqual([]);
  // Whoever deleted it, this page or another.
  const anew = observations.onView(clusterView([{ leaderEpoch: 5 }], [], ANOTHER));
  expect(anew).toMatchObject({ elected: [], gone: ["orders"] });
  expect(anew.news).toEqual(["Topic orders is deleted.", "Topic orders is made, of 1 partition."]);
  expect([observations.minIsr.size, observations.figures().size]).toEqual([0, 0]);
  observations.minIsr.set("orders", 1);
  const view = { ...clusterView([]), topics: [] };
  expect(observations.onView(view).gone).toEqual(["orders"]);
  expect(observations.onView(view).gone).toEqual([]);
  expect(observations.minIsr.size).toBe(0);
});

test("a browser that cannot say how much room there is leaves it unknown, and fails nothing", async () => {
  const observations = new Observations();
  const estimate = vi.fn(async () => ({ usage: 3, quota: 10 }));
  vi.stubGlobal("navigator", { storage: { estimate, persisted: async () => false } });
  await observations.measureStorage();
  expect(observations.room).toEqual({ usedBytes: 3, quotaBytes: 10, persisted: false });
  estimate.mockRejectedValueOnce(new TypeError("denied"));
  await observations.measureStorage();
  expect(observations.room).toBeUndefined();
  vi.stubGlobal("navigator", {});
  await observations.measureStorage();
  expect(observations.room).toBeUndefined();
});
