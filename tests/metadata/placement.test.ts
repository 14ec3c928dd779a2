import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Placement } from "../../src/metadata/placement.ts";
import { Random } from "../../src/metadata/random.ts";

function brokers(...racks: (string | null)[]) {
  return racks.map((rack, index) => ({ brokerId: index + 1, rack }));
}

describe("Placement", () => {
  test("takes racks that hold nothing first, then the brokers with the fewest replicas", () => {
    const placement = new Placement(brokers("a", "a", "b", "b", "c"));
    placement.count({ replicas: [5, 3], leader: 5 });
    expect(placement.addReplicas([], 3)).toEqual([1, 4, 5]);
    expect(placement.addReplicas([1], 5)).toEqual([3, 5, 2, 4]);
  });

  test("leaves out brokers that are not accepted", () => {
    const placement = new Placement(brokers(null, null, null));
    expect(placement.addReplicas([], 3, (brokerId) => brokerId !== 2)).toEqual([1, 3]);
  });

  test("gives many replicas as it gives one after the other", () => {
    const rack = fc.constantFrom(null, "a", "b", "c");
    const nodes = fc.uniqueArray(fc.integer({ min: 1, max: 12 }));
    const racks = fc.array(rack, { maxLength: 12 });
    fc.assert(
      fc.property(racks, fc.array(nodes), nodes, fc.integer({ min: 0, max: 15 }), (racks, others, existing, wanted) => {
        const [atOnce, oneByOne] = [new Placement(brokers(...racks)), new Placement(brokers(...racks))];
        for (const replicas of others) {
          for (const placement of [atOnce, oneByOne]) placement.count({ replicas, leader: -1 });
        }
        const replicas = [...existing];
        for (let count = 0; count < wanted; count++) replicas.push(...oneByOne.addReplicas(replicas, 1));
        expect([...existing, ...atOnce.addReplicas(existing, wanted)]).toEqual(replicas);
      }),
    );
  });

  test("looks at each broker once, however many replicas are wanted", () => {
    const placement = new Placement(brokers(...Array.from({ length: 200 }, () => null)));
    const looked: number[] = [];
    const accepts = (brokerId: number) => looked.push(brokerId) > 0;
    expect(placement.addReplicas([], 32_767, accepts)).toHaveLength(200);
    expect(looked).toHaveLength(200);
  });

  test("gives up the replica of the fullest rack, and one whose broker is not there before all others", () => {
    const placement = new Placement(brokers("a", "a", "b"));
    expect(placement.leastNeeded([1, 2, 3], [2, 3])).toBe(2);
    expect(placement.leastNeeded([1, 2, 9], [2, 9])).toBe(9);
    expect(placement.leastNeeded([1], [])).toBeUndefined();
  });

  test("spreads replicas and leaders of many partitions evenly, and over as many racks as there are", () => {
    const upTo = (max: number) => fc.integer({ min: 1, max });
    fc.assert(
      fc.property(upTo(8), upTo(4), upTo(40), (count, factor, partitions) => {
        const placement = new Placement(brokers(...Array.from({ length: count }, () => null)));
        const placed = Array.from({ length: partitions }, () => placement.placePartition(factor));
        const spread = (nodes: number[]) => {
          const counts = Array.from({ length: count }, (_, index) => nodes.filter((node) => node === index + 1).length);
          return Math.max(...counts) - Math.min(...counts);
        };
        expect(placed.every((replicas) => new Set(replicas).size === Math.min(factor, count))).toBe(true);
        expect(spread(placed.flat())).toBeLessThanOrEqual(1);
        expect(spread(placed.map((replicas) => replicas[0]!))).toBeLessThanOrEqual(Math.max(1, factor));
      }),
    );
  });
});

describe("Random", () => {
  test("repeats itself from the same seed, and not from another", () => {
    const uuids = (seed: string) => {
      const random = new Random(seed);
      return Array.from({ length: 1000 }, () => random.uuid());
    };
    expect(uuids("a")).toEqual(uuids("a"));
    expect(new Set([...uuids("a"), ...uuids("b"), ...uuids("")]).size).toBe(3000);
    const version4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    for (const uuid of uuids("a")) expect(uuid).toMatch(version4);
  });

  test("spreads its bits", () => {
    const random = new Random("bits");
    const ones = Array.from({ length: 32 }, () => 0);
    for (let draw = 0; draw < 10_000; draw++) {
      const word = random.next();
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (word >>> bit) & 1;
    }
    // Five standard deviations of a fair coin.
    for (const count of ones) expect(Math.abs(count - 5_000)).toBeLessThan(250);
  });
});
