import { describe, expect, it } from "vitest";
import type { SyncGroupResponseInit } from "../../src/protocol/apis/14-sync-group.ts";
import { encodeSubscription } from "../../src/protocol/consumer-protocol.ts";
import { ShardDriver, bytes, client, commitError, errorOf, protocol, response, text } from "./shard-driver.ts";

/** Two members in a stable first generation; the first leads. */
function stablePair(
  driver: ShardDriver,
  terms: { readonly rebalanceTimeoutMs?: number } = {},
): { leader: string; follower: string; generation: number } {
  const first = driver.enter(terms);
  driver.advance(0);
  const leader = response(first.join).memberId;
  expect(errorOf(driver.sync(leader, 1, { [leader]: "all" }))).toBe("NONE");
  const second = driver.enter(terms);
  const again = driver.join({ memberId: leader, ...terms });
  const { generationId } = response(again);
  const follower = response(second.join).memberId;
  const waiting = driver.sync(follower, generationId!);
  expect(waiting.outcome).toBeUndefined();
  response(driver.sync(leader, generationId!, { [leader]: "0-2", [follower]: "3-5" }));
  expect(text(response(waiting).assignment)).toBe("3-5");
  return { leader, follower, generation: generationId! };
}

describe("joining a classic group", () => {
  it("hands out a member id first, from version 4 on, without a rebalance (KIP-394)", () => {
    const driver = new ShardDriver();
    const first = driver.join({}, 4);
    expect(errorOf(first)).toBe("MEMBER_ID_REQUIRED");
    expect(response(first).memberId).toBe("client-1");
    expect(driver.shard.groups.get("group")?.state).toBe("Empty");
    const second = driver.join({ memberId: "client-1" }, 4);
    driver.advance(0);
    expect(response(second)).toMatchObject({ errorCode: 0, generationId: 1, leader: "client-1", memberId: "client-1" });
  });

  it("takes members of older versions in at once", () => {
    const driver = new ShardDriver();
    const join = driver.join({}, 3);
    driver.advance(0);
    expect(response(join)).toMatchObject({ generationId: 1, memberId: "client-1" });
  });

  it("forgets an id that nobody joined with in time, and the group that was made for it", () => {
    const driver = new ShardDriver();
    const { memberId } = response(driver.join());
    driver.advance(10_000);
    expect(driver.shard.groups.size).toBe(0);
    expect(driver.join({ memberId }).outcome).toBe("UNKNOWN_MEMBER_ID");
  });

  it("waits for more members before the first generation, and longer while they come", () => {
    const driver = new ShardDriver({ groupInitialRebalanceDelayMs: 3_000 });
    const first = driver.enter();
    driver.advance(2_000);
    const second = driver.enter();
    driver.advance(3_500);
    expect([first.join.outcome, second.join.outcome]).toEqual([undefined, undefined]);
    driver.advance(500);
    expect(response(first.join)).toMatchObject({ generationId: 1, members: [{}, {}] });
    expect(response(second.join)).toMatchObject({ generationId: 1, leader: first.memberId, members: [] });
  });

  it("waits no longer than the rebalance timeout, however many come", () => {
    const driver = new ShardDriver({ groupInitialRebalanceDelayMs: 3_000 });
    const first = driver.enter({ rebalanceTimeoutMs: 7_000 });
    for (let second = 0; second < 6; second++) {
      driver.advance(1_000);
      driver.enter({ rebalanceTimeoutMs: 7_000 });
    }
    driver.advance(999);
    expect(first.join.outcome).toBeUndefined();
    driver.advance(1);
    expect(response(first.join).members).toHaveLength(7);
  });

  it("chooses the protocol that all support and most prefer", () => {
    const driver = new ShardDriver({ groupInitialRebalanceDelayMs: 100 });
    const [range, sticky, odd] = ["range", "sticky", "odd"].map((name) => protocol(name));
    const joins = [[odd!, range!, sticky!], [sticky!, range!], [sticky!, range!]].map((protocols) =>
      driver.enter({ protocols }),
    );
    driver.advance(200);
    for (const { join } of joins) expect(response(join).protocolName).toBe("sticky");
  });

  it.each([
    ["no group id", { groupId: "" }, "INVALID_GROUP_ID"],
    ["a group id of 10,000 characters", { groupId: "g".repeat(10_000) }, "INVALID_GROUP_ID"],
    ["a session that is too short", { sessionTimeoutMs: 5_999 }, "INVALID_SESSION_TIMEOUT"],
    ["a session that is too long", { sessionTimeoutMs: 1_800_001 }, "INVALID_SESSION_TIMEOUT"],
    ["no protocol", { protocols: [] }, "INCONSISTENT_GROUP_PROTOCOL"],
    ["no protocol type", { protocolType: "" }, "INCONSISTENT_GROUP_PROTOCOL"],
    ["a member that is not known", { memberId: "somebody" }, "UNKNOWN_MEMBER_ID"],
    ["metadata of 300 KiB", { protocols: [protocol("range", "x".repeat(300 * 1024))] }, "INVALID_REQUEST"],
    ["ten thousand protocols", { protocols: Array(10_000).fill(protocol("", "")) }, "INVALID_REQUEST"],
    ["an empty instance id", { groupInstanceId: "" }, "INVALID_REQUEST"],
  ])("refuses %s", (_, request, error) => {
    const driver = new ShardDriver();
    expect(driver.join(request).outcome).toBe(error);
    expect(driver.shard.groups.size).toBe(0);
  });

  it("refuses a member that shares no protocol with the others, who do not notice", () => {
    const driver = new ShardDriver();
    const { leader, generation } = stablePair(driver);
    expect(driver.join({ protocols: [protocol("own")] }).outcome).toBe("INCONSISTENT_GROUP_PROTOCOL");
    expect(driver.join({ protocolType: "connect" }).outcome).toBe("INCONSISTENT_GROUP_PROTOCOL");
    expect(driver.heartbeat(leader, generation)).toBe("NONE");
  });

  it("counts what a member replaces once, so that it can join again in a group that is nearly as large as allowed", () => {
    const driver = new ShardDriver({ maxMemberBytes: 2_000, maxGroupBytes: 2_500 });
    const protocols = [protocol("range", "x".repeat(1_500))];
    const { memberId } = driver.enter({ protocols });
    driver.advance(0);
    const other = [protocol("range", "y".repeat(1_500))];
    const again = driver.join({ memberId, protocols: other });
    driver.advance(0);
    expect(response(again)).toMatchObject({ errorCode: 0, generationId: 2 });
    expect(driver.enter({ protocols }).join.outcome).toBe("INVALID_REQUEST");
    const named = new ShardDriver({ maxMemberBytes: 2_000, maxGroupBytes: 2_500 });
    named.join({ protocols, groupInstanceId: "one" });
    named.advance(0);
    const back = named.join({ protocols: other, groupInstanceId: "one" });
    named.advance(0);
    expect(errorOf(back)).toBe("NONE");
  });

  it("counts all that it holds of members: their names, and what was assigned to them", () => {
    const driver = new ShardDriver({ maxGroupBytes: 5_000 });
    expect(driver.join({}, 3, "c".repeat(5_000)).outcome).toBe("INVALID_REQUEST");
    expect(driver.join({ groupInstanceId: "i".repeat(1_000) }, 3, "c".repeat(4_000)).outcome).toBe("INVALID_REQUEST");
    expect(driver.shard.groups.size).toBe(0);
    const first = driver.join({}, 3, "c".repeat(1_000));
    driver.advance(0);
    const { memberId } = response(first);
    expect(driver.sync(memberId, 1, { [memberId]: "a".repeat(4_000) }).outcome).toBe("INVALID_REQUEST");
    expect(errorOf(driver.sync(memberId, 1, { [memberId]: "a".repeat(3_000) }))).toBe("NONE");
    expect(driver.join({}, 3, "c").outcome).toBe("INVALID_REQUEST");
    expect(driver.heartbeat(memberId, 1)).toBe("NONE");
    const again = driver.join({ memberId, protocols: [protocol("range", "others")] }, 3, "c".repeat(1_000));
    driver.advance(0);
    expect(errorOf(again)).toBe("NONE");
  });

  it("refuses members beyond the group's size", () => {
    const driver = new ShardDriver({ groupMaxSize: 2 });
    const { leader, generation } = stablePair(driver);
    expect(driver.join().outcome).toBe("GROUP_MAX_SIZE_REACHED");
    expect(driver.heartbeat(leader, generation)).toBe("NONE");
  });
});

describe("a rebalance", () => {
  it("starts with a new member, is told by heartbeats, and raises the generation", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    const third = driver.enter();
    expect(driver.heartbeat(leader, generation)).toBe("REBALANCE_IN_PROGRESS");
    const joins = [driver.join({ memberId: leader }), driver.join({ memberId: follower })];
    for (const join of [...joins, third.join]) expect(response(join).generationId).toBe(generation + 1);
    expect(driver.heartbeat(leader, generation)).toBe("ILLEGAL_GENERATION");
    expect(driver.heartbeat(leader, generation + 1)).toBe("NONE");
  });

  it("goes on without members that did not join in time, though they beat and commit", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    const third = driver.enter({ rebalanceTimeoutMs: 20_000 });
    driver.join({ memberId: leader, rebalanceTimeoutMs: 20_000 });
    for (let beat = 0; beat < 6; beat++) {
      driver.advance(5_000);
      driver.heartbeat(follower, generation);
      driver.commitOffset(beat, { memberId: follower, generation });
    }
    expect(response(third.join).generationId).toBe(generation + 1);
    expect(driver.heartbeat(follower, generation + 1)).toBe("UNKNOWN_MEMBER_ID");
    expect(response(third.join).leader).toBe(leader);
  });

  it("waits for members for as long as they ask, which may be hours", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver, { rebalanceTimeoutMs: 2 * 3_600_000 });
    driver.enter();
    for (let beat = 0; beat < 3_600 / 5; beat++) {
      driver.advance(5_000);
      for (const memberId of [leader, follower]) {
        expect(driver.heartbeat(memberId, generation)).toBe("REBALANCE_IN_PROGRESS");
      }
    }
  });

  it("does not start when a follower joins again unchanged, but does when the leader does", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    expect(response(driver.join({ memberId: follower }))).toMatchObject({ generationId: generation, members: [] });
    expect(driver.join({ memberId: leader }).outcome).toBeUndefined();
    expect(driver.heartbeat(follower, generation)).toBe("REBALANCE_IN_PROGRESS");
  });

  it("starts when a follower joins with other metadata", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    expect(driver.join({ memberId: follower, protocols: [protocol("range", "other")] }).outcome).toBeUndefined();
    expect(driver.heartbeat(leader, generation)).toBe("REBALANCE_IN_PROGRESS");
  });

  it("gives the same generation again to a member that lost its answer", () => {
    const driver = new ShardDriver();
    const { memberId, join } = driver.enter();
    driver.advance(0);
    expect(response(driver.join({ memberId }))).toEqual(response(join));
  });

  it("starts anew when a member joins before the leader has assigned; who waits for that is told", () => {
    const driver = new ShardDriver();
    const { leader, follower } = stablePair(driver);
    driver.join({ memberId: leader });
    const { generationId } = response(driver.join({ memberId: follower }));
    const waiting = driver.sync(follower, generationId!);
    driver.enter();
    expect(waiting.outcome).toBe("REBALANCE_IN_PROGRESS");
    expect(driver.sync(leader, generationId!, {}).outcome).toBe("REBALANCE_IN_PROGRESS");
  });

  it("expels members that join and never ask for their assignment", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    driver.join({ memberId: leader });
    driver.join({ memberId: follower });
    response(driver.sync(leader, generation + 1, {}));
    for (let beat = 0; beat < 6; beat++) {
      driver.advance(5_000);
      driver.heartbeat(follower, generation + 1);
      driver.heartbeat(leader, generation + 1);
    }
    expect(driver.heartbeat(follower, generation + 1)).toBe("UNKNOWN_MEMBER_ID");
    expect(driver.heartbeat(leader, generation + 1)).toBe("REBALANCE_IN_PROGRESS");
  });

  it("lets a member that waits for the others be silent, but not a new one for ever", () => {
    const driver = new ShardDriver();
    const { leader, generation } = stablePair(driver);
    driver.enter({ rebalanceTimeoutMs: 1_800_000 });
    const again = driver.join({ memberId: leader, rebalanceTimeoutMs: 1_800_000 });
    driver.advance(9_000);
    expect(again.outcome).toBeUndefined();
    driver.advance(2_000);
    // The follower's session is over, and the generation without it complete.
    expect(response(again).generationId).toBe(generation + 1);
    expect(response(again).members).toHaveLength(2);
  });

  it("refuses to sync with another protocol, another generation or as another member", () => {
    const driver = new ShardDriver();
    const { leader, generation } = stablePair(driver);
    const foreign = driver.ask((reply) =>
      driver.shard.syncGroup(
        {
          groupId: "group",
          generationId: generation,
          memberId: leader,
          groupInstanceId: null,
          protocolType: "connect",
          protocolName: null,
          assignments: [],
        },
        driver.nowMs,
        reply,
      ),
    );
    expect(foreign.outcome).toBe("INCONSISTENT_GROUP_PROTOCOL");
    expect(driver.sync(leader, generation - 1).outcome).toBe("ILLEGAL_GENERATION");
    expect(driver.sync("somebody", generation).outcome).toBe("UNKNOWN_MEMBER_ID");
  });

  it("keeps protocol metadata as the bytes they are", () => {
    const driver = new ShardDriver();
    const metadata = Uint8Array.of(0, 255, 1, 128);
    const { join } = driver.enter({ protocolType: "stream", protocols: [{ name: "own", metadata }] });
    driver.advance(0);
    expect(response(join).members[0]?.metadata).toEqual(metadata);
  });
});

describe("sessions and leaving", () => {
  it("expels a silent member, and the others share what it had", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    driver.advance(6_000);
    expect(driver.heartbeat(leader, generation)).toBe("NONE");
    driver.advance(3_999);
    expect(driver.heartbeat(leader, generation)).toBe("NONE");
    driver.advance(1);
    expect(driver.heartbeat(leader, generation)).toBe("REBALANCE_IN_PROGRESS");
    expect(driver.heartbeat(follower, generation)).toBe("UNKNOWN_MEMBER_ID");
    expect(response(driver.join({ memberId: leader })).members).toHaveLength(1);
  });

  it("rebalances at once when a member leaves, and stores that the group is empty when the last one does", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    expect(driver.leave([{ memberId: follower }, { memberId: "somebody" }])).toEqual(["NONE", "UNKNOWN_MEMBER_ID"]);
    expect(driver.heartbeat(leader, generation)).toBe("REBALANCE_IN_PROGRESS");
    expect(driver.leave([{ memberId: leader }])).toEqual(["NONE"]);
    expect(driver.shard.groups.get("group")).toMatchObject({ state: "Empty", stored: { members: [], protocol: null } });
    expect(driver.leave([{ memberId: leader }])).toEqual(["UNKNOWN_MEMBER_ID"]);
  });

  it("answers versions before 3 with one error", () => {
    const driver = new ShardDriver();
    const { leader } = stablePair(driver);
    const leave = (memberId: string) =>
      driver.answer((reply) =>
        driver.shard.leaveGroup({ groupId: "group", memberId, members: [] }, client(1), driver.nowMs, reply),
      );
    expect(leave("somebody")).toEqual({ errorCode: 25 });
    expect(leave(leader)).toEqual({ errorCode: 0 });
  });

  it("answers UNKNOWN_MEMBER_ID for groups that do not exist", () => {
    const driver = new ShardDriver();
    expect(driver.heartbeat("somebody", 1)).toBe("UNKNOWN_MEMBER_ID");
    expect(driver.heartbeat("somebody", 1, null, "")).toBe("INVALID_GROUP_ID");
    expect(driver.sync("somebody", 1).outcome).toBe("UNKNOWN_MEMBER_ID");
    expect(driver.leave([{ memberId: "somebody" }])).toEqual(["UNKNOWN_MEMBER_ID"]);
  });
});

describe("static members (KIP-345)", () => {
  function staticPair(driver: ShardDriver) {
    const first = driver.join({ groupInstanceId: "one" });
    const second = driver.join({ groupInstanceId: "two" });
    driver.advance(100);
    const { memberId: leader, generationId } = response(first);
    const { memberId: follower } = response(second);
    response(driver.sync(leader, generationId!, { [leader]: "0-2", [follower]: "3-5" }, "one"));
    response(driver.sync(follower, generationId!, {}, "two"));
    return { leader, follower, generation: generationId! };
  }
  const start = () => new ShardDriver({ groupInitialRebalanceDelayMs: 50 });

  it("takes its place again under a new id, without a rebalance, and fences the old id", () => {
    const driver = start();
    const { leader, follower, generation } = staticPair(driver);
    const back = response(driver.join({ groupInstanceId: "two" }));
    expect(back).toMatchObject({ generationId: generation, leader, members: [], skipAssignment: false });
    expect(back.memberId).not.toBe(follower);
    expect(text(response(driver.sync(back.memberId, generation, {}, "two")).assignment)).toBe("3-5");
    expect(driver.heartbeat(follower, generation, "two")).toBe("FENCED_INSTANCE_ID");
    expect(driver.heartbeat(follower, generation)).toBe("UNKNOWN_MEMBER_ID");
    expect(commitError(driver.commitOffset(5, { memberId: follower, generation, groupInstanceId: "two" }))).toBe(
      "FENCED_INSTANCE_ID",
    );
    expect(driver.heartbeat(leader, generation, "one")).toBe("NONE");
  });

  it("tells a leader that comes back to skip the assignment, from version 9 on (KIP-814)", () => {
    const driver = start();
    const { leader, generation } = staticPair(driver);
    const back = response(driver.join({ groupInstanceId: "one" }, 9));
    expect(back).toMatchObject({ generationId: generation, leader: back.memberId, skipAssignment: true });
    expect(back.members).toHaveLength(2);
    const older = response(driver.join({ groupInstanceId: "one" }, 8));
    expect(older).toMatchObject({ leader: back.memberId, members: [] });
    expect(older.leader).not.toBe(older.memberId);
    expect(leader).not.toBe(back.memberId);
  });

  it("rebalances when it comes back with another subscription", () => {
    const driver = start();
    const { leader, generation } = staticPair(driver);
    expect(driver.join({ groupInstanceId: "two", protocols: [protocol("range", "more")] }).outcome).toBeUndefined();
    expect(driver.heartbeat(leader, generation, "one")).toBe("REBALANCE_IN_PROGRESS");
  });

  it("takes it back without a rebalance when it has forgotten its generation and what it owned", () => {
    const driver = start();
    const subscribe = (topics: string[], generationId: number, partitions: number[]) => {
      const ownedPartitions = generationId < 0 ? [] : [{ topic: "quakes", partitions }];
      return [{ name: "range", metadata: encodeSubscription({ topics, generationId, ownedPartitions }) }];
    };
    const anew = subscribe(["quakes", "storms"], -1, []);
    const first = driver.join({ groupInstanceId: "one", protocols: anew });
    driver.advance(100);
    const { memberId: leader } = response(first);
    response(driver.sync(leader, 1, { [leader]: "all" }, "one"));
    const second = driver.join({ groupInstanceId: "two", protocols: anew });
    const had = subscribe(["quakes", "storms"], 1, [0, 1, 2]);
    driver.join({ memberId: leader, groupInstanceId: "one", protocols: had });
    const { memberId: follower } = response(second);
    response(driver.sync(leader, 2, { [leader]: "0-2", [follower]: "3-5" }, "one"));
    const back = driver.join({ groupInstanceId: "one", protocols: subscribe(["storms", "quakes"], -1, []) });
    expect(driver.heartbeat(follower, 2, "two")).toBe("NONE");
    expect(response(back).generationId).toBe(2);
    expect(text(response(driver.sync(response(back).memberId, 2, {}, "one")).assignment)).toBe("0-2");
    for (const topics of [["quakes"], ["quakes", "floods"], ["quakes", "storms", "floods"]]) {
      const changed = start();
      const before = changed.join({ groupInstanceId: "one", protocols: anew });
      changed.advance(100);
      response(changed.sync(response(before).memberId, 1, {}, "one"));
      const after = changed.join({ groupInstanceId: "one", protocols: subscribe(topics, -1, []) });
      expect(response(after).generationId).toBe(2);
    }
  });

  it("compares what is not a consumer's subscription byte by byte", () => {
    const driver = start();
    const protocols = (generationId: number) => [
      { name: "own", metadata: encodeSubscription({ topics: ["quakes"], generationId }) },
    ];
    const join = (generationId: number) =>
      driver.join({ groupInstanceId: "one", protocolType: "stream", protocols: protocols(generationId) });
    const first = join(-1);
    driver.advance(100);
    const { memberId } = response(first);
    const who = { groupId: "group", generationId: 1, memberId, groupInstanceId: "one" };
    const sync = driver.ask<SyncGroupResponseInit>((reply) =>
      driver.shard.syncGroup({ ...who, protocolType: null, protocolName: null, assignments: [] }, driver.nowMs, reply),
    );
    expect(errorOf(sync)).toBe("NONE");
    expect(response(join(-1)).generationId).toBe(1);
    expect(response(join(1)).generationId).toBe(2);
  });

  it("fences whoever waits under the old id", () => {
    const driver = start();
    const { leader } = staticPair(driver);
    const waiting = driver.join({ memberId: leader, groupInstanceId: "one" });
    driver.join({ groupInstanceId: "one" });
    expect(waiting.outcome).toBe("FENCED_INSTANCE_ID");
  });

  it("stays through a rebalance that it misses, until its session ends or it is removed", () => {
    const driver = start();
    const { leader, follower, generation } = staticPair(driver);
    expect(driver.leave([{ memberId: "", groupInstanceId: "two" }])).toEqual(["NONE"]);
    expect(driver.heartbeat(follower, generation, "two")).toBe("UNKNOWN_MEMBER_ID");
    expect(driver.heartbeat(leader, generation, "one")).toBe("REBALANCE_IN_PROGRESS");
    expect(driver.leave([{ memberId: "", groupInstanceId: "two" }])).toEqual(["UNKNOWN_MEMBER_ID"]);
    expect(driver.leave([{ memberId: "wrong", groupInstanceId: "one" }])).toEqual(["FENCED_INSTANCE_ID"]);
  });

  it("waits for static members that are all away without spinning, whatever rebalance timeout they gave", () => {
    const driver = start();
    const first = driver.join({ groupInstanceId: "one", rebalanceTimeoutMs: 0 });
    const second = driver.join({ groupInstanceId: "two", rebalanceTimeoutMs: 0 });
    driver.advance(100);
    const { memberId: leader, generationId } = response(first);
    response(driver.sync(leader, generationId!, {}, "one"));
    response(driver.sync(response(second).memberId, generationId!, {}, "two"));
    const { memberId } = driver.enter({ rebalanceTimeoutMs: 0 });
    driver.leave([{ memberId }]);
    driver.advance(9_000);
    expect(driver.heartbeat(leader, generationId!, "one")).toBe("REBALANCE_IN_PROGRESS");
    const back = driver.join({ memberId: leader, groupInstanceId: "one" });
    driver.advance(100);
    expect(response(back)).toMatchObject({ generationId: generationId! + 1, members: [{}, {}] });
  });

  it("keeps the place of a static member that does not join, while dynamic ones lose theirs", () => {
    const driver = start();
    const { leader, generation } = staticPair(driver);
    const third = driver.enter();
    driver.join({ memberId: leader, groupInstanceId: "one" });
    driver.advance(9_000);
    expect(third.join.outcome).toBeUndefined();
    driver.advance(1_500);
    expect(response(third.join)).toMatchObject({ generationId: generation + 1 });
  });
});

describe("commits of members", () => {
  it("go by generation, member and state", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    const commit = (memberId: string, inGeneration: number) =>
      commitError(driver.commitOffset(7, { memberId, generation: inGeneration }));
    expect(commit(leader, generation)).toBe("NONE");
    expect(commit(leader, generation - 1)).toBe("ILLEGAL_GENERATION");
    expect(commit("somebody", generation)).toBe("UNKNOWN_MEMBER_ID");
    expect(commit("", -1)).toBe("UNKNOWN_MEMBER_ID");
    driver.join({ memberId: leader });
    expect(commit(follower, generation)).toBe("NONE");
    const { generationId } = response(driver.join({ memberId: follower }));
    expect(commit(leader, generationId!)).toBe("REBALANCE_IN_PROGRESS");
    expect(driver.offset()).toBe(7);
  });

  it("keep the member's session alive", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    for (let second = 0; second < 15; second += 5) {
      driver.advance(5_000);
      driver.heartbeat(leader, generation);
      expect(commitError(driver.commitOffset(second, { memberId: follower, generation }))).toBe("NONE");
    }
  });
});

describe("a coordinator that could not hear anybody", () => {
  /** For longer than any session or rebalance takes. */
  function goDeaf(driver: ShardDriver): void {
    driver.nowMs += 60_000;
    driver.take(driver.shard.restartSessions(driver.nowMs));
    driver.advance(0);
  }

  it("waits as long again for members to join", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    const third = driver.enter();
    driver.join({ memberId: leader });
    goDeaf(driver);
    expect(driver.heartbeat(follower, generation)).toBe("REBALANCE_IN_PROGRESS");
    expect(response(driver.join({ memberId: follower })).generationId).toBe(generation + 1);
    expect(response(third.join).generationId).toBe(generation + 1);
  });

  it("waits as long again for members to ask for their assignments", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    driver.join({ memberId: leader });
    driver.join({ memberId: follower });
    goDeaf(driver);
    response(driver.sync(leader, generation + 1, { [follower]: "all" }));
    expect(text(response(driver.sync(follower, generation + 1)).assignment)).toBe("all");
  });

  it("lets a new member that waits for the others be silent", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    const third = driver.enter({ sessionTimeoutMs: 6_000 });
    goDeaf(driver);
    driver.advance(9_000);
    const joins = [third.join, ...[leader, follower].map((memberId) => driver.join({ memberId }))];
    for (const join of joins) expect(response(join).generationId).toBe(generation + 1);
  });
});

describe("a coordinator that moves", () => {
  it("[R17] answers a sync only once the generation is committed", () => {
    const driver = new ShardDriver();
    const { memberId } = driver.enter();
    driver.advance(0);
    driver.holds = true;
    const sync = driver.sync(memberId, 1, { [memberId]: "all" });
    expect(sync.outcome).toBeUndefined();
    driver.failover();
    expect(sync.outcome).toBe("NOT_COORDINATOR");
    driver.commit();
    expect(driver.shard.groups.size).toBe(0);
  });

  it("lets members of a stable generation carry on, with sessions that start anew", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    driver.advance(9_000);
    driver.failover();
    driver.advance(9_000);
    expect(driver.heartbeat(leader, generation)).toBe("NONE");
    expect(driver.heartbeat(follower, generation)).toBe("NONE");
    expect(text(response(driver.sync(follower, generation)).assignment)).toBe("3-5");
    expect(commitError(driver.commitOffset(3, { memberId: leader, generation }))).toBe("NONE");
    driver.advance(10_000);
    expect(driver.heartbeat(leader, generation)).toBe("UNKNOWN_MEMBER_ID");
  });

  it("goes back to the last complete generation when it moved during a rebalance", () => {
    const driver = new ShardDriver();
    const { leader, follower, generation } = stablePair(driver);
    const third = driver.enter();
    driver.join({ memberId: leader });
    driver.failover();
    expect(third.join.outcome).toBe("NOT_COORDINATOR");
    expect(driver.heartbeat(follower, generation)).toBe("NONE");
    expect(driver.join({ memberId: third.memberId }).outcome).toBe("UNKNOWN_MEMBER_ID");
    const rejoin = driver.join({ memberId: leader });
    driver.join({ memberId: follower });
    expect(response(rejoin).generationId).toBe(generation + 1);
  });

  it("takes a static member back with its assignment", () => {
    const driver = new ShardDriver({ groupInitialRebalanceDelayMs: 0 });
    const first = driver.join({ groupInstanceId: "one" });
    driver.advance(0);
    const { memberId } = response(first);
    response(driver.sync(memberId, 1, { [memberId]: "all" }, "one"));
    driver.failover();
    const back = response(driver.join({ groupInstanceId: "one" }));
    expect(back).toMatchObject({ generationId: 1, skipAssignment: true });
    driver.failover();
    expect(text(response(driver.sync(back.memberId, 1, {}, "one")).assignment)).toBe("all");
    expect(driver.heartbeat(memberId, 1, "one")).toBe("FENCED_INSTANCE_ID");
  });
});

describe("describing and listing", () => {
  it("shows metadata and assignments of a stable group, and no group as dead", () => {
    const driver = new ShardDriver();
    const { leader } = stablePair(driver);
    const described = driver.answer((reply) => driver.shard.describeGroup("group", driver.nowMs, reply));
    expect(described).toMatchObject({
      groupState: "Stable",
      protocolType: "consumer",
      protocolData: "range",
      members: [{ memberId: leader, memberMetadata: bytes("topics"), memberAssignment: bytes("0-2") }, {}],
    });
    driver.join({ memberId: leader });
    const preparing = driver.answer((reply) => driver.shard.describeGroup("group", driver.nowMs, reply));
    expect(preparing).toMatchObject({ groupState: "PreparingRebalance", protocolData: "" });
    expect(driver.answer((reply) => driver.shard.describeGroup("none", driver.nowMs, reply))).toMatchObject({
      groupState: "Dead",
      errorCode: 0,
    });
  });

  it("lists by state and type", () => {
    const driver = new ShardDriver();
    stablePair(driver);
    driver.commitOffset(1, { groupId: "simple" });
    const list = (statesFilter: string[], typesFilter: string[] = []) => {
      const listed = driver.answer<readonly { groupId: string }[]>((reply) =>
        driver.shard.listGroups({ statesFilter, typesFilter }, driver.nowMs, reply),
      );
      return typeof listed === "string" ? listed : listed.map(({ groupId }) => groupId);
    };
    expect(list([])).toEqual(["group", "simple"]);
    expect(list(["stable"])).toEqual(["group"]);
    expect(list(["Empty"], ["Classic"])).toEqual(["simple"]);
    expect(list([], ["consumer"])).toEqual([]);
  });
});
