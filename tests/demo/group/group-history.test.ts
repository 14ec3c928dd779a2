import { describe, expect, test } from "vitest";
import { GroupHistory, LANE_MS } from "../../../src/demo/group/group-history.ts";
import type { Moment } from "../../../src/demo/group/group-history.ts";

/** Members a, b … are named A, B …; the readers of partitions 0, 1 … are given in order, "-" for nobody. */
function moment(atMs: number, members: string, readers: string, rest: Partial<Moment> = {}): Moment {
  return {
    atMs,
    heardMs: atMs,
    stable: true,
    members: new Map([...members].map((key) => [key, key.toUpperCase()])),
    readers: new Map([...readers].map((key, index) => [`orders-${index}`, key === "-" ? undefined : key])),
    silent: new Set(),
    leaving: new Set(),
    ...rest,
  };
}

function historyOf(...moments: readonly Moment[]): GroupHistory {
  const history = new GroupHistory();
  for (const told of moments) history.onMoment(told);
  return history;
}

describe("rebalances", () => {
  test("a group at rest has none", () => {
    const history = historyOf(moment(0, "ab", "aabb"), moment(100, "ab", "aabb"), moment(200, "ab", "aabb"));
    expect(history.rebalances).toEqual([]);
  });

  test("a member that joins takes partitions over, and those that do not move are never unread", () => {
    const history = historyOf(
      moment(1000, "ab", "aaabbb"),
      moment(1100, "abc", "aaabbb", { stable: false }),
      moment(1150, "abc", "aa-bb-", { stable: false }),
      moment(1200, "abc", "aacbb-"),
      moment(1260, "abc", "aacbbc"),
    );
    expect(history.rebalances).toMatchObject([
      {
        beganMs: 1100,
        endedMs: 1260,
        joined: ["C"],
        left: [],
        silent: [],
        unmoved: 4,
        changes: [
          { partition: "orders-2", from: "a", to: "c", unreadMs: 50 },
          { partition: "orders-5", from: "b", to: "c", unreadMs: 110 },
        ],
      },
    ]);
  });

  test("an eager rebalance lets partitions wait that stay with their reader", () => {
    const history = historyOf(
      moment(0, "ab", "ab"),
      moment(100, "abc", "--", { stable: false }),
      moment(250, "abc", "ab"),
    );
    expect(history.rebalances[0]).toMatchObject({ unmoved: 0, joined: ["C"] });
    expect(history.rebalances[0]?.changes.map(({ unreadMs }) => unreadMs)).toEqual([150, 150]);
  });

  test("a killed member's partitions are unread from its death, though the group notices later", () => {
    const silent = new Set(["b"]);
    const before = [moment(0, "ab", "ab"), moment(1000, "ab", "a-", { silent })];
    expect(historyOf(...before).rebalances).toMatchObject([{ endedMs: undefined, beganMs: undefined, silent: ["B"] }]);
    const history = historyOf(
      ...before,
      moment(7000, "a", "a-", { stable: false }),
      moment(7300, "a", "aa"),
    );
    expect(history.rebalances).toMatchObject([
      { fromMs: 1000, beganMs: 7000, endedMs: 7300, left: [], silent: ["B"] },
    ]);
    expect(history.rebalances[0]?.changes).toEqual([{ partition: "orders-1", from: "b", to: "a", unreadMs: 6300 }]);
  });

  test("what readers say first is one rebalance with what the coordinator says of it afterwards", () => {
    const history = historyOf(
      moment(0, "ab", "ab"),
      moment(500, "ab", "a-", { heardMs: 400 }),
      moment(700, "ab", "aa", { heardMs: 400 }),
      moment(800, "a", "aa"),
    );
    expect(history.rebalances).toMatchObject([{ left: ["B"], joined: [], endedMs: 800 }]);
  });

  test("one that began and ended between two looks began after the first of them", () => {
    const history = historyOf(moment(1000, "a", "aa"), moment(1250, "ab", "ab"));
    expect(history.rebalances).toMatchObject([{ fromMs: 1000, endedMs: 1250, joined: ["B"] }]);
  });

  test("the two rounds of an incremental protocol are one rebalance", () => {
    const history = historyOf(
      moment(0, "ab", "aabb"),
      moment(100, "abc", "aabb", { stable: false }),
      moment(300, "abc", "aabb"),
      moment(400, "abc", "a-b-", { stable: false }),
      moment(700, "abc", "acbc"),
      moment(3000, "abc", "acbc"),
    );
    expect(history.rebalances).toMatchObject([{ beganMs: 100, endedMs: 700, joined: ["C"], unmoved: 2 }]);
  });

  test("a member that dies right after a rebalance is an event of its own", () => {
    const history = historyOf(
      moment(0, "ab", "ab"),
      moment(250, "a", "aa"),
      moment(300, "a", "--", { silent: new Set(["a"]) }),
    );
    expect(history.rebalances).toMatchObject([
      { silent: ["A"], left: [], endedMs: undefined },
      { silent: [], left: ["B"], endedMs: 250 },
    ]);
  });

  test("so is a member that leaves right after one", () => {
    const history = historyOf(
      moment(0, "ab", "ab"),
      moment(250, "abc", "cb"),
      moment(300, "abc", "c-", { leaving: new Set(["b"]) }),
      moment(400, "ac", "ca"),
    );
    expect(history.rebalances.map(({ joined, left }) => [joined, left])).toEqual([
      [[], ["B"]],
      [["C"], []],
    ]);
  });

  test("what happens after a quiet while is another one", () => {
    const history = historyOf(moment(0, "a", "aa"), moment(250, "ab", "ab"), moment(3000, "abc", "cb"));
    expect(history.rebalances.map(({ joined }) => joined)).toEqual([["C"], ["B"]]);
  });

  test("partitions that nobody read before have no time unread", () => {
    const history = historyOf(moment(0, "", "--"), moment(100, "a", "--", { stable: false }), moment(3100, "a", "aa"));
    expect(history.rebalances[0]?.changes.map(({ unreadMs }) => unreadMs)).toEqual([undefined, undefined]);
  });

  test("only the newest are kept, the newest first, and all are counted", () => {
    const history = new GroupHistory();
    for (let turn = 0; turn < 100; turn++) history.onMoment(moment(turn * 2000, "ab", turn % 2 === 0 ? "ab" : "ba"));
    expect(history.rebalances.length).toBe(30);
    expect(history.rebalanceCount).toBe(99);
    expect(history.rebalances[0]?.endedMs).toBe(198_000);
  });
});

describe("lanes", () => {
  test("each partition has a span for each reader and for each gap", () => {
    const history = historyOf(moment(0, "ab", "ab"), moment(500, "ab", "-b"), moment(700, "ab", "bb"));
    expect(history.lanes.get("orders-0")).toEqual([
      { reader: "a", fromMs: 0 },
      { reader: undefined, fromMs: 500 },
      { reader: "b", fromMs: 700 },
    ]);
    expect(history.lanes.get("orders-1")).toEqual([{ reader: "b", fromMs: 0 }]);
  });

  test("a report that arrives late does not turn time back", () => {
    const history = historyOf(moment(1000, "ab", "ab"), moment(900, "ab", "bb"));
    expect(history.lanes.get("orders-0")?.at(-1)).toEqual({ reader: "b", fromMs: 1000 });
  });

  test("what is older than the lanes is forgotten, but for the span that reaches into them", () => {
    const history = historyOf(
      moment(0, "ab", "ab"),
      moment(1000, "ab", "bb"),
      moment(2000, "ab", "ab"),
      moment(LANE_MS + 1500, "ab", "ab"),
    );
    expect(history.lanes.get("orders-0")?.map(({ fromMs }) => fromMs)).toEqual([1000, 2000]);
  });

  test("a topic that is gone has none", () => {
    const history = historyOf(moment(0, "a", "aa"), moment(100, "a", "a"));
    expect([...history.lanes.keys()]).toEqual(["orders-0"]);
  });
});
