import { describe, expect, test } from "vitest";
import { profileNames, replicaGrid } from "../../src/inspector/replica-grid.ts";
import { clusterView } from "./cluster-views.ts";

const focus = { ownId: 3, topic: "orders" };
const rowsOf = (view: Parameters<typeof replicaGrid>[0]) => replicaGrid(view, focus).topics[0]?.rows ?? [];

describe("columns", () => {
  test("brokers stand by profile, and this tab is marked", () => {
    const columns = replicaGrid(clusterView([{}]), focus).columns;
    expect(columns.map(({ nodeId, profile, own }) => [nodeId, profile, own])).toEqual([
      [1, "A", false],
      [2, "A", false],
      [3, "B", true],
      [4, "C", false],
    ]);
  });

  test("a closed broker is drawn while it holds a copy, and counted when it holds none", () => {
    const grid = replicaGrid(clusterView([{}], [2, 4]), focus);
    expect(grid.columns.map(({ nodeId, fenced }) => [nodeId, fenced])).toEqual([
      [1, false],
      [3, false],
      [4, true],
    ]);
    expect(grid.hiddenBrokers).toBe(1);
  });

  test("this tab's column stays when it is fenced and empty", () => {
    const grid = replicaGrid(clusterView([{ replicas: [1], isr: [1] }], [3]), focus);
    expect(grid.columns.map(({ nodeId }) => nodeId)).toContain(3);
  });

  test("the 28th profile is AB", () => {
    const brokers = Array.from({ length: 28 }, (_, nodeId) => ({
      nodeId,
      host: "",
      port: 0,
      rack: `r${nodeId}`,
      fenced: false,
    }));
    expect(profileNames(brokers).get("r27")).toBe("AB");
    expect(profileNames(brokers).get("r25")).toBe("Z");
  });
});

describe("copies", () => {
  test("leader, in-sync follower, follower that catches up, and none", () => {
    const [row] = rowsOf(clusterView([{ leader: 3, isr: [3, 1] }]));
    expect(row?.copies).toEqual(["in-sync", "none", "leader", "catching-up"]);
  });

  test("a copy of a closed broker is offline, in sync or not", () => {
    const [row] = rowsOf(clusterView([{ isr: [1, 3] }], [4]));
    expect(row?.copies).toEqual(["leader", "none", "in-sync", "offline"]);
  });

  test("a copy that is being added catches up", () => {
    const [row] = rowsOf(clusterView([{ replicas: [1], isr: [1], addingReplicas: [4] }]));
    expect(row?.copies).toEqual(["leader", "none", "none", "catching-up"]);
  });
});

describe("worries", () => {
  const worryOf = (partition: object) => rowsOf(clusterView([partition]))[0]?.worry;

  test("none while in-sync copies are in two profiles", () => expect(worryOf({})).toBeUndefined());
  test("no leader outweighs all", () => expect(worryOf({ leader: -1, isr: [4] })).toBe("no-leader"));
  test("one in-sync copy", () => expect(worryOf({ isr: [1] })).toBe("one-copy"));
  test("two in-sync copies in one profile", () =>
    expect(worryOf({ replicas: [1, 2], isr: [1, 2] })).toBe("one-profile"));
});

test("topics of the cluster itself come last", () => {
  const view = clusterView([{}]);
  const [orders] = view.topics;
  const named = (name: string) => ({ ...orders!, name });
  const topics = ["__consumer_offsets", "zebras", "apples"].map(named);
  const grid = replicaGrid({ ...view, topics }, { ownId: 1, topic: undefined });
  expect(grid.topics.map(({ name }) => name)).toEqual(["apples", "zebras", "__consumer_offsets"]);
});

describe("what is too much for a picture", () => {
  test("a topic's further partitions are counted; the chosen topic shows more of them", () => {
    const view = clusterView(Array.from({ length: 60 }, () => ({})));
    expect(replicaGrid(view, focus).topics[0]).toMatchObject({ hiddenPartitions: 12 });
    expect(replicaGrid(view, { ownId: 3, topic: undefined }).topics[0]).toMatchObject({ hiddenPartitions: 54 });
  });

  test("of many topics the chosen one is always drawn, and drawn first", () => {
    const { topics, ...rest } = clusterView([{}]);
    const many = Array.from({ length: 20 }, (_, index) => ({
      ...topics[0]!,
      name: `topic-${String(index).padStart(2, "0")}`,
    }));
    const grid = replicaGrid({ ...rest, topics: many }, { ownId: 3, topic: "topic-17" });
    expect(grid.topics.map(({ name }) => name).slice(0, 2)).toEqual(["topic-17", "topic-00"]);
    expect(grid.topics.length + grid.hiddenTopics).toBe(20);
  });
});
