import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AssignerProtocol } from "../../../src/client/assigners/assigner-protocol.ts";
import type { Assigner, AssignerCluster, PartitionAssigner } from "../../../src/client/assigners/assigner.ts";
import { divideCooperatively } from "../../../src/client/assigners/cooperative-sticky.ts";
import { keyOf, partitionsOf } from "../../../src/client/assigners/division.ts";
import type { Candidate, Divide, TopicSize } from "../../../src/client/assigners/division.ts";
import { PartitionAssigners } from "../../../src/client/assigners/partition-assigners.ts";
import { divideByRange } from "../../../src/client/assigners/range.ts";
import { divideInTurn } from "../../../src/client/assigners/round-robin.ts";
import { divideStickily } from "../../../src/client/assigners/sticky.ts";
import type { TopicPartition } from "../../../src/client/fetch-position.ts";
import { createLogger, logLevel } from "../../../src/client/logger.ts";

const divisions: [string, Divide][] = [
  ["range", divideByRange],
  ["round-robin", divideInTurn],
  ["sticky", divideStickily],
];

const names = ["a", "b", "c", "d"];
const aTopicList = fc
  .array(fc.nat(9), { minLength: 1, maxLength: names.length })
  .map((counts) => counts.map((partitionCount, index): TopicSize => ({ topic: names[index]!, partitionCount })));
const aPartition = fc.record({ topic: fc.constantFrom(...names), partition: fc.nat(10) });
const someClaims = fc.record({
  owned: fc.uniqueArray(aPartition, { maxLength: 12, selector: keyOf }),
  generationId: fc.integer({ min: -1, max: 3 }),
});

/** Members of which each wants some topics, or all of them, and claims to own anything at all. */
const someMembers = (wanted: fc.Arbitrary<ReadonlySet<string>>) =>
  fc
    .array(fc.tuple(wanted, someClaims), { minLength: 1, maxLength: 7 })
    .map((members) =>
      members.map(([topics, claims], index): Candidate => ({ memberId: `m${index}`, topics, ...claims })),
    );
const anyTopics = fc.subarray(names).map((topics) => new Set(topics));
const allTopics = fc.constant(new Set(names));

const keysOf = (partitions: readonly TopicPartition[]) => partitions.map(keyOf).sort();
const sizes = (division: ReturnType<Divide>) => [...division.values()].map(({ length }) => length);

describe.each(divisions)("%s", (_, divide) => {
  test("gives every partition that is wanted to one member that wants it", () => {
    fc.assert(
      fc.property(someMembers(anyTopics), aTopicList, (members, topics) => {
        const division = divide(members, topics);
        const wanted = topics.filter(({ topic }) => members.some((member) => member.topics.has(topic)));
        expect(keysOf([...division.values()].flat())).toEqual(keysOf(partitionsOf(wanted)));
        for (const { memberId, topics: own } of members) {
          expect(division.get(memberId)!.every(({ topic }) => own.has(topic))).toBe(true);
        }
      }),
    );
  });

  test("does the same with the same", () => {
    fc.assert(
      fc.property(someMembers(anyTopics), aTopicList, (members, topics) => {
        expect([...divide(members, topics)]).toEqual([...divide(members, topics)]);
      }),
    );
  });
});

test("range gives runs of neighbours, and members the same partitions of topics of one size", () => {
  fc.assert(
    fc.property(someMembers(allTopics), fc.nat(12), (members, partitionCount) => {
      const division = divideByRange(members, [
        { topic: "a", partitionCount },
        { topic: "b", partitionCount },
      ]);
      for (const partitions of division.values()) {
        const [left, right] = ["a", "b"].map((name) =>
          partitions.filter(({ topic }) => topic === name).map(({ partition }) => partition),
        );
        expect(left).toEqual(right);
        expect(left).toEqual(left!.map((_, index) => left![0]! + index));
      }
      const counts = sizes(division);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
    }),
  );
});

test("round-robin and sticky leave equal subscribers at most one partition apart", () => {
  fc.assert(
    fc.property(someMembers(allTopics), aTopicList, fc.boolean(), (members, topics, inTurn) => {
      const divide = inTurn ? divideInTurn : divideStickily;
      const counts = sizes(divide(members, topics));
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }),
  );
});

describe("sticky", () => {
  /** Members that own what an earlier division gave them. */
  const settled = (members: readonly Candidate[], division: ReturnType<Divide>, generationId: number) =>
    members.map((member) => ({ ...member, owned: division.get(member.memberId) ?? [], generationId }));

  test("no partition could move and make two members more equal", () => {
    fc.assert(
      fc.property(someMembers(anyTopics), aTopicList, (members, topics) => {
        const division = divideStickily(members, topics);
        for (const [from, partitions] of division) {
          for (const { topic } of partitions) {
            for (const { memberId, topics: wanted } of members) {
              if (memberId === from || !wanted.has(topic)) continue;
              expect(partitions.length - division.get(memberId)!.length).toBeLessThanOrEqual(1);
            }
          }
        }
      }),
    );
  });

  test("nothing moves when nothing changes", () => {
    fc.assert(
      fc.property(someMembers(anyTopics), aTopicList, (members, topics) => {
        const first = divideStickily(members, topics);
        const second = divideStickily(settled(members, first, 5), topics);
        for (const { memberId } of members) expect(keysOf(second.get(memberId)!)).toEqual(keysOf(first.get(memberId)!));
      }),
    );
  });

  test("when members come and go, no more moves than fairness needs", () => {
    fc.assert(
      fc.property(someMembers(allTopics), aTopicList, fc.nat(6), fc.nat(6), (members, topics, gone, come) => {
        const before = divideStickily(members, topics);
        const left = settled(members, before, 5).filter((_, index) => index !== gone);
        const added = Array.from({ length: come % 3 }, (_, index): Candidate => ({
          memberId: `new${index}`,
          topics: new Set(names),
          owned: [],
          generationId: -1,
        }));
        const after = [...left, ...added];
        fc.pre(after.length > 0);
        const division = divideStickily(after, topics);
        const total = partitionsOf(topics).length;
        const low = Math.floor(total / after.length);
        // So many members may have one more than the others, and those that have most already should be among them.
        let extra = total % after.length;
        const ownedCounts = after.map(({ owned }) => owned.length).sort((first, second) => second - first);
        let best = 0;
        for (const count of ownedCounts) best += count > low && extra-- > 0 ? low + 1 : Math.min(count, low);
        const kept = after.reduce((sum, { memberId, owned }) => {
          const now = new Set(division.get(memberId)!.map(keyOf));
          return sum + owned.filter((partition) => now.has(keyOf(partition))).length;
        }, 0);
        expect(kept).toBe(best);
      }),
    );
  });

  test("the claim of the newer generation counts, and none of two equal ones", () => {
    const topics = [{ topic: "a", partitionCount: 2 }];
    const claim = (memberId: string, generationId: number, ...partitions: number[]): Candidate => ({
      memberId,
      topics: new Set(["a"]),
      owned: partitions.map((partition) => ({ topic: "a", partition })),
      generationId,
    });
    const newer = divideStickily([claim("x", 1, 0, 1), claim("y", 2, 0)], topics);
    expect(newer.get("y")).toEqual([{ topic: "a", partition: 0 }]);
    const equal = divideStickily([claim("x", 2, 1), claim("y", 2, 1), claim("z", 1, 1)], topics);
    expect(equal.get("z")).toEqual([]);
  });
});

describe("cooperative-sticky", () => {
  test("gives nobody what another still has; after all have joined again, everything is given out", () => {
    fc.assert(
      fc.property(someMembers(anyTopics), aTopicList, (members, topics) => {
        let current = members;
        for (let round = 0; round < 3; round++) {
          const division = divideCooperatively(current, topics);
          for (const { memberId, owned } of current) {
            const own = new Set(owned.map(keyOf));
            const ofOthers = new Set(
              current.flatMap((other) => (other.memberId === memberId ? [] : other.owned.map(keyOf))),
            );
            for (const given of division.get(memberId)!.map(keyOf)) {
              expect(own.has(given) || !ofOthers.has(given)).toBe(true);
            }
          }
          current = current.map((member) => ({
            ...member,
            owned: division.get(member.memberId)!,
            generationId: 10 + round,
          }));
        }
        const wanted = topics.filter(({ topic }) => members.some((member) => member.topics.has(topic)));
        expect(keysOf(current.flatMap(({ owned }) => owned))).toEqual(keysOf(partitionsOf(wanted)));
      }),
    );
  });
});

describe("KafkaJS's interface", () => {
  const logger = createLogger({ level: logLevel.NOTHING, logCreator: () => () => {}, wallNow: () => 0 });
  const cluster = {
    findTopicPartitionMetadata: (topic: string) => Array.from({ length: topic === "a" ? 4 : 2 }),
  } as unknown as AssignerCluster;
  const made = (make: PartitionAssigner): Assigner => make({ cluster, groupId: "g", logger });
  const nothingOwned = { ownedPartitions: [], generationId: -1, rackId: "" };

  test.each(Object.entries(PartitionAssigners))("%s divides through encoded bytes", async (_, make) => {
    const assigner = made(make);
    const topics = ["a", "b"];
    const { name, metadata } = assigner.protocol({ topics, ...nothingOwned });
    expect(name).toBe(assigner.name);
    expect(AssignerProtocol.MemberMetadata.decode(metadata)!.topics).toEqual(topics);
    const members = ["x", "y"].map((memberId) => ({ memberId, memberMetadata: metadata }));
    const division = await assigner.assign({ members, topics });
    const decoded = division.map(({ memberAssignment }) => AssignerProtocol.MemberAssignment.decode(memberAssignment)!);
    expect(decoded.map(({ assignment }) => (assignment["a"] ?? []).length)).toEqual([2, 2]);
    expect(decoded.map(({ assignment }) => (assignment["b"] ?? []).length)).toEqual([1, 1]);
  });

  test.each(["sticky", "cooperativeSticky"] as const)("%s tells what its member had", async (name) => {
    const assigner = made(PartitionAssigners[name]);
    const owned = [3, 1].map((partition) => ({ topic: "a", partition }));
    const keeps = assigner.protocol({ topics: ["a"], ownedPartitions: owned, generationId: 7, rackId: "r" });
    const fresh = assigner.protocol({ topics: ["a"], ...nothingOwned });
    const members = [
      { memberId: "x", memberMetadata: fresh.metadata },
      { memberId: "y", memberMetadata: keeps.metadata },
    ];
    const division = await assigner.assign({ members, topics: ["a"] });
    const [x, y] = division.map(({ memberAssignment }) => AssignerProtocol.MemberAssignment.decode(memberAssignment)!);
    expect(x!.assignment["a"]).toEqual([0, 2]);
    expect(y!.assignment["a"]).toEqual([1, 3]);
  });

  test("only a group of cooperative assignors keeps its partitions", () => {
    const cooperative = Object.values(PartitionAssigners).filter((make) => made(make).isCooperative === true);
    expect(cooperative).toEqual([PartitionAssigners.cooperativeSticky]);
  });

  test("static members are ordered by their names, so that they come back to the same partitions", async () => {
    const assigner = made(PartitionAssigners.range);
    const { metadata } = assigner.protocol({ topics: ["b"], ...nothingOwned });
    for (const ids of [["1", "2"], ["2", "1"]]) {
      const members = ids.map((memberId, index) => ({
        memberId,
        memberMetadata: metadata,
        groupInstanceId: ["first", "second"][index]!,
      }));
      const division = await assigner.assign({ members, topics: ["b"] });
      const first = AssignerProtocol.MemberAssignment.decode(division[0]!.memberAssignment);
      expect(first!.assignment["b"]).toEqual([0]);
    }
  });

  test("a member that cannot be understood gets nothing, and the others do", async () => {
    for (const make of Object.values(PartitionAssigners)) {
      const assigner = made(make);
      const { metadata } = assigner.protocol({ topics: ["b"], ...nothingOwned });
      const members = [
        { memberId: "x", memberMetadata: new Uint8Array([0, 0, 255, 255]) },
        { memberId: "y", memberMetadata: metadata },
      ];
      const division = await assigner.assign({ members, topics: ["b"] });
      const lengths = division.map(
        ({ memberAssignment }) =>
          (AssignerProtocol.MemberAssignment.decode(memberAssignment)!.assignment["b"] ?? []).length,
      );
      expect(lengths).toEqual([0, 2]);
    }
  });

  test("bytes that are no assignment are null", () => {
    expect(AssignerProtocol.MemberAssignment.decode(new Uint8Array(0))).toBeNull();
    expect(AssignerProtocol.MemberMetadata.decode(new Uint8Array([0, 1, 0]))).toBeNull();
    const userData = new Uint8Array([1, 2]);
    const encoded = AssignerProtocol.MemberMetadata.encode({ version: 1, topics: ["t"], userData });
    expect(AssignerProtocol.MemberMetadata.decode(encoded)).toEqual({ version: 1, topics: ["t"], userData });
  });
});
