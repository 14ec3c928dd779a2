import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Assignment } from "../../src/coordinator/assignment.ts";
import type { AssignedMember } from "../../src/coordinator/assignors/assignor.ts";
import { rangeAssignor } from "../../src/coordinator/assignors/range.ts";
import { assignors } from "../../src/coordinator/assignors/table.ts";
import { uniformAssignor } from "../../src/coordinator/assignors/uniform.ts";

const NOTHING: Assignment = new Map();

function member(memberId: string, subscribed: readonly string[], target: Assignment = NOTHING): AssignedMember {
  return { memberId, instanceId: null, subscribed, target };
}

const sizeOf = (assignment: Assignment | undefined) =>
  [...(assignment ?? [])].reduce((sum, [, partitions]) => sum + partitions.size, 0);
const plain = (assignment: Assignment | undefined) =>
  Object.fromEntries([...(assignment ?? [])].map(([topic, partitions]) => [topic, [...partitions]]));

/** Members with subscriptions to some of up to five topics. */
const input = fc
  .record({ counts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }), members: fc.nat(8) })
  .chain(({ counts, members }) =>
    fc.record({
      topics: fc.constant(new Map(counts.map((count, at) => [`t${at}`, count]))),
      members: fc
        .array(fc.subarray(counts.map((_, at) => `t${at}`)), { minLength: members, maxLength: members })
        .map((subscriptions) => subscriptions.map((subscribed, at) => member(`m${at}`, subscribed))),
    }),
  );

describe.each([...assignors.values()])("the assignor $name", ({ assign }) => {
  it("gives every partition that somebody subscribes to, to one subscriber", () => {
    fc.assert(
      fc.property(input, ({ topics, members }) => {
        const assigned = assign(members, topics);
        for (const [topic, count] of topics) {
          const subscribers = members.filter(({ subscribed }) => subscribed.includes(topic));
          for (let partition = 0; partition < count; partition++) {
            const owners = members.filter(({ memberId }) => assigned.get(memberId)?.get(topic)?.has(partition));
            expect(owners.length).toBe(subscribers.length === 0 ? 0 : 1);
            for (const owner of owners) expect(subscribers).toContain(owner);
          }
        }
      }),
    );
  });

  it("reads each subscription once, however many topics there are", () => {
    const topics = new Map(Array.from({ length: 50 }, (_, at) => [`t${at}`, 2]));
    let reads = 0;
    const names = new Proxy([...topics.keys()], {
      get(list, key) {
        if (typeof key === "string" && /^\d+$/.test(key)) reads++;
        return Reflect.get(list, key);
      },
    });
    const assigned = assign([member("a", names), member("b", ["t3", "t3", "gone"])], topics);
    expect(reads).toBe(50);
    expect(sizeOf(assigned.get("a")) + sizeOf(assigned.get("b"))).toBe(100);
  });
});

describe("the assignor range", () => {
  it("splits each topic into consecutive parts, in the order of the members", () => {
    const members = ["b", "a"].map((name) => member(name, ["t", "u"]));
    const assigned = rangeAssignor.assign(members, new Map([["t", 5], ["u", 2]]));
    expect(plain(assigned.get("a"))).toEqual({ t: [0, 1, 2], u: [0] });
    expect(plain(assigned.get("b"))).toEqual({ t: [3, 4], u: [1] });
  });

  it("orders static members by their instance ids", () => {
    const members = [
      { ...member("x", ["t"]), instanceId: "2" },
      { ...member("y", ["t"]), instanceId: "1" },
    ];
    expect(plain(rangeAssignor.assign(members, new Map([["t", 2]])).get("y"))).toEqual({ t: [0] });
  });
});

describe("the assignor uniform", () => {
  it("is as even as can be when all subscribe to the same, and moves no more than that takes", () => {
    const cases = fc.record({
      partitions: fc.integer({ min: 1, max: 40 }),
      before: fc.integer({ min: 1, max: 8 }),
      after: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(cases, ({ partitions, before, after }) => {
        const topics = new Map([["t", partitions]]);
        const names = (count: number) => Array.from({ length: count }, (_, at) => `m${at}`);
        const first = uniformAssignor.assign(names(before).map((name) => member(name, ["t"])), topics);
        const second = uniformAssignor.assign(
          names(after).map((name) => member(name, ["t"], first.get(name) ?? NOTHING)),
          topics,
        );
        const sizes = names(after).map((name) => sizeOf(second.get(name)));
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        let moved = 0;
        for (let partition = 0; partition < partitions; partition++) {
          const owner = names(before).find((name) => first.get(name)?.get("t")?.has(partition))!;
          if (names(after).includes(owner) && second.get(owner)?.get("t")?.has(partition) !== true) moved++;
        }
        // What newcomers get at the least, or nothing if there are none.
        const newcomers = Math.max(0, after - before);
        expect(moved).toBeLessThanOrEqual(newcomers * Math.ceil(partitions / after));
      }),
    );
  });

  it("leaves no two members further apart than their subscriptions force", () => {
    fc.assert(
      fc.property(input, ({ topics, members }) => {
        const assigned = uniformAssignor.assign(members, topics);
        for (const rich of members) {
          for (const poor of members) {
            const movable = [...(assigned.get(rich.memberId) ?? [])].some(([topic]) => poor.subscribed.includes(topic));
            if (!movable) continue;
            expect(sizeOf(assigned.get(rich.memberId)) - sizeOf(assigned.get(poor.memberId))).toBeLessThanOrEqual(1);
          }
        }
      }),
    );
  });

  it("settles a large group in little time", () => {
    const names = Array.from({ length: 200 }, (_, at) => member(`m${at}`, ["t", "u"]));
    const assigned = uniformAssignor.assign(names, new Map([["t", 1_000], ["u", 1_000]]));
    expect(new Set(names.map(({ memberId }) => sizeOf(assigned.get(memberId))))).toEqual(new Set([10]));
  });
});
