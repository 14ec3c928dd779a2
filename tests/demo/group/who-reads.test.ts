import { describe, expect, test } from "vitest";
import { Roster } from "../../../src/demo/group/roster.ts";
import type { ReaderReport } from "../../../src/demo/group/member-messages.ts";
import { keyOf, readerNumber, whoReads, withKept } from "../../../src/demo/group/who-reads.ts";
import type { AnsweredMember, GroupAnswer, OwnReaderFacts } from "../../../src/demo/group/who-reads.ts";

const PARTITIONS = ["orders-0", "orders-1"];

function member(memberId: string, partitions: readonly string[], clientId = memberId): AnsweredMember {
  return { memberId, clientId, clientHost: "", topics: ["orders"], partitions };
}

function answer(members: readonly AnsweredMember[], rest: Partial<GroupAnswer> = {}): GroupAnswer {
  const assignor = "cooperative-sticky";
  return { askedMs: 0, state: "Stable", type: "classic", assignor, epoch: undefined, members, ...rest };
}

function own(clientId: string, owned: readonly string[], rest: Partial<OwnReaderFacts> = {}): OwnReaderFacts {
  const report: ReaderReport = {
    atMs: 0, phase: "reading", memberId: "", generation: 1, rebalancing: false, owned, processed: 0, reason: undefined,
  };
  return { clientId, report, killedMs: undefined, frozen: undefined, ...rest };
}

describe("who reads what", () => {
  test("members of other pages read what the coordinator says", () => {
    const who = whoReads(PARTITIONS, answer([member("x", ["orders-1"])]), []);
    expect([...who.readers]).toEqual([["orders-0", undefined], ["orders-1", "x"]]);
    expect(who.stable).toBe(true);
  });

  test("one's own readers are believed before the coordinator", () => {
    const told = answer([member("m1", ["orders-0", "orders-1"], "reader-1@a")]);
    const who = whoReads(PARTITIONS, told, [own("reader-1@a", ["orders-0"])]);
    expect([...who.readers]).toEqual([["orders-0", "reader-1@a"], ["orders-1", undefined]]);
  });

  test.each([{ killedMs: 5 }, { frozen: {} }])("a silent reader holds partitions and reads none: %j", (fate) => {
    const told = answer([member("m1", ["orders-0"], "reader-1@a")]);
    const who = whoReads(PARTITIONS, told, [own("reader-1@a", ["orders-0"], fate)]);
    expect(who.readers.get("orders-0")).toBeUndefined();
    expect([...who.heldBySilent]).toEqual([["orders-0", "reader-1@a"]]);
  });

  test("what somebody else reads is not held by the silent one", () => {
    const told = answer([member("m1", ["orders-0"], "reader-1@a")]);
    const readers = [own("reader-1@a", ["orders-0"], { killedMs: 5 }), own("reader-2@a", ["orders-0"])];
    const who = whoReads(PARTITIONS, told, readers);
    expect(who.readers.get("orders-0")).toBe("reader-2@a");
    expect(who.heldBySilent.size).toBe(0);
  });

  test("a group is not stable while one of its readers knows of a rebalance", () => {
    const reader = own("reader-1@a", []);
    const rebalancing = { ...reader, report: { ...reader.report!, rebalancing: true } };
    expect(whoReads(PARTITIONS, answer([]), [rebalancing]).stable).toBe(false);
    expect(whoReads(PARTITIONS, answer([]), [{ ...rebalancing, killedMs: 1 }]).stable).toBe(true);
  });

  test("partitions that do not exist are not shown", () => {
    expect(whoReads(["orders-0"], answer([member("x", ["orders-7"])]), []).readers.size).toBe(1);
  });
});

describe("while a group rebalances", () => {
  const before = answer([member("x", ["orders-0"]), member("y", ["orders-1"])]);
  const during = answer([member("x", []), member("z", [])], { state: "PreparingRebalance", assignor: "" });

  test("members of an incremental protocol keep what they have", () => {
    const kept = withKept(during, before);
    expect(kept.assignor).toBe("cooperative-sticky");
    expect(kept.members.map(({ memberId, partitions }) => [memberId, partitions])).toEqual([
      ["x", ["orders-0"]],
      ["z", []],
    ]);
  });

  test("members of another one have given up everything", () => {
    const kept = withKept(during, { ...before, assignor: "range" });
    expect(kept.members.flatMap(({ partitions }) => partitions)).toEqual([]);
    expect(kept.assignor).toBe("range");
  });

  test("it is kept over any number of answers", () => {
    expect(withKept(during, withKept(during, before)).members[0]?.partitions).toEqual(["orders-0"]);
  });
});

describe("names", () => {
  test("readers of any page have a number", () => {
    expect(readerNumber("reader-12@x7")).toBe(12);
    for (const other of ["reader-x@a", "reader-1", "rdkafka", "reader-123456@a"]) {
      expect(readerNumber(other)).toBeUndefined();
    }
  });

  test("own readers are known by their client id, whatever member id they have", () => {
    expect(keyOf(member("m7", [], "reader-1@a"), [own("reader-1@a", [])])).toBe("reader-1@a");
    expect(keyOf(member("m7", [], "reader-1@b"), [own("reader-1@a", [])])).toBe("m7");
  });

  test("a colour stays, and other clients get one that is free", () => {
    const roster = new Roster();
    roster.note([member("m1", [], "reader-1@b"), member("m2", [], "kcat")], []);
    roster.note([member("m2", [], "kcat")], [own("reader-2@a", [])]);
    expect(roster.of("m1")).toEqual({ name: "Reader 1", colour: 0 });
    expect(roster.of("m2")).toEqual({ name: "kcat", colour: 5 });
    expect(roster.of("reader-2@a")).toEqual({ name: "Reader 2", colour: 1 });
  });

  test("a name that would deceive is spelled out", () => {
    const roster = new Roster();
    roster.note([member("m1", [], "a\u202eb")], []);
    expect(roster.of("m1")?.name).toBe("a⟨U+202E⟩b");
  });
});
