import { beforeEach, describe, expect, it } from "vitest";
import type { ConsumerGroupHeartbeatRequest } from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import { ShardDriver, client, commitError, errorOf, response } from "./shard-driver.ts";

let driver: ShardDriver;
let quakes: string;

beforeEach(() => {
  driver = new ShardDriver();
  quakes = driver.topics.get("quakes")!.topicId;
});

type Heartbeat = Partial<ConsumerGroupHeartbeatRequest>;

const beat = (memberId: string, memberEpoch: number, more: Heartbeat = {}) =>
  driver.consumerHeartbeat({ memberId, memberEpoch, ...more });
const join = (memberId: string, more: Heartbeat = {}) =>
  beat(memberId, 0, { rebalanceTimeoutMs: 30_000, subscribedTopicNames: ["quakes"], topicPartitions: [], ...more });
const owning = (...partitions: number[]) => ({ topicPartitions: [{ topicId: quakes, partitions }] });
const given = (pending: ReturnType<typeof beat>) => {
  const { assignment } = response(pending);
  return assignment == null ? null : assignment.topicPartitions.flatMap(({ partitions }) => partitions);
};
const epochOf = (pending: ReturnType<typeof beat>) => response(pending).memberEpoch;
const group = () => {
  const found = driver.shard.groups.get("group");
  if (found?.type !== "consumer") throw new Error("no consumer group");
  return found;
};

describe("a consumer group (KIP-848)", () => {
  it("gives its first member everything at once", () => {
    const first = join("a");
    expect(response(first)).toMatchObject({ errorCode: 0, memberId: "a", memberEpoch: 1, heartbeatIntervalMs: 100 });
    expect(given(first)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(group().state).toBe("Stable");
    expect(given(beat("a", 1))).toBeNull();
  });

  it("makes up member ids for version 0, and wants them in version 1 (KIP-1082)", () => {
    const old = driver.consumerHeartbeat(
      { memberEpoch: 0, rebalanceTimeoutMs: 1_000, subscribedTopicNames: ["quakes"], topicPartitions: [] },
      0,
    );
    expect(response(old)).toMatchObject({ memberId: "1", memberEpoch: 1 });
    expect(errorOf(join(""))).toBe("INVALID_REQUEST");
  });

  it("asks the members of a large group for fewer heartbeats", () => {
    driver = new ShardDriver({ groupConsumerHeartbeatsPerSecond: 15 });
    const intervals = ["a", "b", "c"].map((name) => response(join(name)).heartbeatIntervalMs);
    expect(intervals).toEqual([100, 134, 200]);
  });

  it("hands a partition over only when its old owner says that it gave it up", () => {
    join("a");
    const second = join("b");
    expect([epochOf(second), given(second)]).toEqual([2, []]);
    expect(group().state).toBe("Reconciling");
    // Told to give up three, "a" stays in its epoch until it no longer names them.
    const told = beat("a", 1, owning(0, 1, 2, 3, 4, 5));
    expect([epochOf(told), given(told)?.length]).toEqual([1, 3]);
    const kept = given(told)!;
    expect(given(beat("b", 2))).toBeNull();
    expect(epochOf(beat("a", 1))).toBe(1);
    expect(epochOf(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))).toBe(1);
    expect(epochOf(beat("a", 1, owning(...kept)))).toBe(2);
    const received = given(beat("b", 2))!;
    expect([...kept, ...received].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(group().state).toBe("Stable");
    expect(driver.consumerHeartbeat({ memberId: "b", memberEpoch: 2 }).outcome).toMatchObject({ assignment: null });
  });

  it("moves only what has to move", () => {
    join("a");
    join("b");
    const kept = given(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))!;
    beat("a", 1, owning(...kept));
    const other = given(beat("b", 2))!;
    join("c");
    const left = given(beat("a", 2, owning(...kept)))!;
    expect(left).toHaveLength(2);
    expect(kept).toEqual(expect.arrayContaining(left));
    const right = given(beat("b", 2, owning(...other)))!;
    expect(other).toEqual(expect.arrayContaining(right));
  });

  it("raises no epoch and writes no record for a heartbeat that changes nothing", () => {
    join("a");
    const before = driver.log.length;
    for (let count = 0; count < 5; count++) expect(epochOf(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))).toBe(1);
    expect(driver.log.length).toBe(before);
  });

  it("repeats the answer for a member whose last one was lost, by its previous epoch", () => {
    join("a");
    expect(given(join("a"))).toEqual([0, 1, 2, 3, 4, 5]);
    driver.createTopic("quakes", 8);
    expect(epochOf(beat("a", 1, owning(0, 1)))).toBe(2);
    expect(given(beat("a", 1, owning(0, 1)))).toHaveLength(8);
    expect(errorOf(beat("a", 1, owning(0, 1, 9)))).toBe("FENCED_MEMBER_EPOCH");
    expect(errorOf(beat("a", 1))).toBe("FENCED_MEMBER_EPOCH");
  });

  it("fences epochs that are not the member's, and members that it does not know", () => {
    join("a");
    expect(errorOf(beat("a", 2))).toBe("FENCED_MEMBER_EPOCH");
    driver.createTopic("quakes", 8);
    beat("a", 1);
    driver.createTopic("quakes", 9);
    beat("a", 2);
    expect(errorOf(beat("a", 1, owning()))).toBe("FENCED_MEMBER_EPOCH");
    expect(errorOf(beat("nobody", 3))).toBe("UNKNOWN_MEMBER_ID");
    expect(errorOf(driver.consumerHeartbeat({ groupId: "none", memberId: "a", memberEpoch: 3 }))).toBe(
      "GROUP_ID_NOT_FOUND",
    );
  });

  it("lets a member begin anew in its epoch, which has given up what it had (KAFKA-19233)", () => {
    join("a");
    join("b");
    expect(given(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))?.length).toBe(3);
    // It was to give up three. It owns nothing by now, so that "b" may have them.
    const again = join("a");
    expect([epochOf(again), given(again)?.length]).toEqual([2, 3]);
    expect(given(beat("b", 2))?.length).toBe(3);
    const settled = join("a");
    expect([epochOf(settled), given(settled)]).toEqual([2, given(again)]);
    expect(group().state).toBe("Stable");
    // What others have yet to give up, it waits for as before.
    join("c");
    const waiting = join("c");
    expect([epochOf(waiting), given(waiting)]).toEqual([3, []]);
    expect(group().members.size).toBe(3);
  });

  it.each<[string, Heartbeat, string]>([
    ["no group id", { groupId: "" }, "INVALID_REQUEST"],
    ["a group id of 10,000 characters", { groupId: "g".repeat(10_000) }, "INVALID_GROUP_ID"],
    ["a join without rebalance timeout", { rebalanceTimeoutMs: -1 }, "INVALID_REQUEST"],
    ["a join without subscription", { subscribedTopicNames: null }, "INVALID_REQUEST"],
    ["a join that owns something", { topicPartitions: [{ topicId: "x", partitions: [] }] }, "INVALID_REQUEST"],
    ["an epoch below all", { memberEpoch: -3 }, "INVALID_REQUEST"],
    ["a static leave without instance id", { memberEpoch: -2 }, "INVALID_REQUEST"],
    ["an assignor that is not there", { serverAssignor: "own" }, "UNSUPPORTED_ASSIGNOR"],
    ["a subscription of 300 KiB", { subscribedTopicNames: ["t".repeat(300 * 1024)] }, "INVALID_REQUEST"],
    ["a regular expression", { subscribedTopicRegex: "q.*" }, "INVALID_REGULAR_EXPRESSION"],
  ])("refuses %s, and says why", (_, fault, error) => {
    const refused = join("a", fault);
    expect(errorOf(refused)).toBe(error);
    expect(response(refused).errorMessage).toBeTruthy();
    expect(driver.shard.groups.size).toBe(0);
  });

  it("holds only so much of what its members say of themselves, and nobody else notices", () => {
    driver = new ShardDriver({ maxGroupBytes: 5_000 });
    const named = (clientId: string, memberId: string, memberEpoch: number, more: Heartbeat = {}) =>
      driver.ask((reply: Parameters<typeof driver.shard.consumerGroupHeartbeat>[3]) => {
        const blank = { groupId: "group", instanceId: null, rackId: null, rebalanceTimeoutMs: -1, serverAssignor: null };
        const nothing = { subscribedTopicNames: null, subscribedTopicRegex: null, topicPartitions: null };
        const request = { ...blank, ...nothing, memberId, memberEpoch, ...more };
        return driver.shard.consumerGroupHeartbeat(request, client(1, clientId), driver.nowMs, reply);
      });
    const joining = { rebalanceTimeoutMs: 30_000, subscribedTopicNames: ["quakes"], topicPartitions: [] };
    const refused = named("c".repeat(5_000), "a", 0, joining);
    expect(errorOf(refused)).toBe("INVALID_REQUEST");
    expect(response(refused).errorMessage).toMatch(/would take 5\d{3} bytes, of at most 5000/);
    expect(driver.shard.groups.size).toBe(0);
    expect(errorOf(named("c".repeat(3_000), "a", 0, joining))).toBe("NONE");
    expect(errorOf(named("c".repeat(3_000), "b", 0, joining))).toBe("INVALID_REQUEST");
    expect(errorOf(named("c", "b", 0, { ...joining, instanceId: "i".repeat(1_000) }))).toBe("INVALID_REQUEST");
    expect(errorOf(named("c", "b", 0, joining))).toBe("NONE");
    expect(errorOf(named("c".repeat(3_000), "b", 2))).toBe("INVALID_REQUEST");
    expect(errorOf(named("c".repeat(3_000), "stranger", 2))).toBe("UNKNOWN_MEMBER_ID");
    // What a member replaces is counted once.
    expect(errorOf(named("d".repeat(3_000), "a", 1))).toBe("NONE");
    expect([...group().members.values()].map(({ clientId }) => clientId.length)).toEqual([3_000, 1]);
  });

  it("is full at its size", () => {
    driver = new ShardDriver({ groupMaxSize: 1 });
    join("a");
    expect(errorOf(join("b"))).toBe("GROUP_MAX_SIZE_REACHED");
    expect(errorOf(beat("a", 1))).toBe("NONE");
  });

  it("shares what a leaving member had, at the others' next heartbeat", () => {
    join("a");
    join("b");
    const kept = given(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))!;
    beat("a", 1, owning(...kept));
    beat("b", 2);
    expect(response(beat("b", -1))).toMatchObject({ errorCode: 0, memberEpoch: -1 });
    expect(given(beat("a", 2, owning(...kept)))).toHaveLength(6);
    expect(response(beat("a", -1)).errorCode).toBe(0);
    expect(group().state).toBe("Empty");
    expect(errorOf(beat("a", -1))).toBe("UNKNOWN_MEMBER_ID");
  });

  it("expels a silent member after its session, and one that does not give up in its rebalance timeout", () => {
    join("a");
    join("b", { rebalanceTimeoutMs: 30_000 });
    const told = beat("a", 1, owning(0, 1, 2, 3, 4, 5));
    expect(given(told)).toHaveLength(3);
    for (let second = 0; second < 30; second++) {
      driver.advance(1_000);
      if (second < 29) expect(errorOf(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))).toBe("NONE");
      beat("b", 2);
    }
    expect(errorOf(beat("a", 1))).toBe("UNKNOWN_MEMBER_ID");
    const epoch = epochOf(beat("b", 3));
    expect(group().members.get("b")!.assigned.get(quakes)?.size).toBe(6);
    driver.advance(45_000);
    expect(errorOf(beat("b", epoch))).toBe("UNKNOWN_MEMBER_ID");
  });

  it("waits for a member to give up for as long as it has asked for, hours included", () => {
    join("a", { rebalanceTimeoutMs: 7_200_000 });
    join("b");
    beat("a", 1, owning(0, 1, 2, 3, 4, 5));
    for (let minute = 0; minute < 31; minute += 0.5) {
      driver.advance(30_000);
      expect(errorOf(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))).toBe("NONE");
      beat("b", 2);
    }
    expect(group().members.get("a")!.assigned.get(quakes)?.size).toBe(3);
    expect(group().members.has("b")).toBe(true);
  });

  it("lets members that could not be heard for a while say as late that they are there, and what they gave up", () => {
    join("a");
    join("b");
    const kept = given(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))!;
    driver.nowMs += 60_000;
    driver.take(driver.shard.restartSessions(driver.nowMs));
    driver.advance(29_000);
    expect(errorOf(beat("b", 2))).toBe("NONE");
    expect(epochOf(beat("a", 1, owning(...kept)))).toBe(2);
  });

  it("gives a member its rebalance timeout anew when it has to give up more", () => {
    join("a");
    join("b");
    const kept = given(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))!;
    const alive = (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        driver.advance(1_000);
        for (const [memberId, { memberEpoch }] of group().members) if (memberId !== "a") beat(memberId, memberEpoch);
      }
    };
    alive(20);
    join("c");
    const more = beat("a", 1, owning(...kept));
    expect([epochOf(more), given(more)?.length]).toEqual([1, 2]);
    alive(20);
    expect(epochOf(beat("a", 1, owning(...given(more)!)))).toBe(3);
  });

  it("follows topics as they appear, grow and go", () => {
    const first = join("a", { subscribedTopicNames: ["later"] });
    expect(given(first)).toEqual([]);
    const topicId = driver.createTopic("later", 2);
    const seen = beat("a", 1);
    expect(response(seen).assignment?.topicPartitions).toEqual([{ topicId, partitions: [0, 1] }]);
    driver.deleteTopic("later");
    const gone = beat("a", 2, { topicPartitions: [] });
    expect([epochOf(gone), given(gone)]).toEqual([3, []]);
  });

  it("assigns anew when a member changes its subscription, and only then by another assignor", () => {
    const other = driver.createTopic("other", 4);
    join("a");
    const changed = beat("a", 1, { subscribedTopicNames: ["other"], topicPartitions: [] });
    expect(response(changed).assignment?.topicPartitions).toEqual([{ topicId: other, partitions: [0, 1, 2, 3] }]);
    expect(epochOf(beat("a", 2, { serverAssignor: "range" }))).toBe(2);
    expect(epochOf(beat("a", 2, { subscribedTopicNames: ["quakes"] }))).toBe(2);
    expect(group()).toMatchObject({ epoch: 3, assignmentEpoch: 3 });
  });

  it("takes commits in the member's epoch only", () => {
    join("a");
    const commit = (memberId: string, generation: number, version = 9) =>
      commitError(driver.commitOffset(5, { memberId, generation, version }));
    expect(commit("a", 1)).toBe("NONE");
    expect(commit("a", 2)).toBe("STALE_MEMBER_EPOCH");
    expect(commit("a", 1, 8)).toBe("UNSUPPORTED_VERSION");
    expect(commit("b", 1)).toBe("UNKNOWN_MEMBER_ID");
    expect(commit("", -1)).toBe("UNKNOWN_MEMBER_ID");
    const fetch = (memberId: string | null, memberEpoch: number) =>
      driver.answer((reply) =>
        driver.shard.fetchOffsets({ groupId: "group", memberId, memberEpoch, topics: null }, driver.nowMs, reply),
      );
    expect(fetch("a", 1)).toMatchObject({ topics: [{ partitions: [{ committedOffset: 5 }] }] });
    expect(fetch(null, -1)).toMatchObject({ topics: [{}] });
    expect(fetch("a", 9)).toBe("STALE_MEMBER_EPOCH");
    expect(fetch("b", 1)).toBe("UNKNOWN_MEMBER_ID");
  });
});

describe("static members of a consumer group", () => {
  const instance = { instanceId: "one" };

  it("keep their place, under another id too, and nobody notices", () => {
    join("a", instance);
    join("b");
    const kept = given(beat("a", 1, { ...instance, ...owning(0, 1, 2, 3, 4, 5) }))!;
    beat("a", 1, { ...instance, ...owning(...kept) });
    beat("b", 2);
    expect(response(beat("a", -2, instance))).toMatchObject({ errorCode: 0, memberEpoch: -2 });
    expect(given(beat("b", 2))).toBeNull();
    const back = join("a2", instance);
    expect([epochOf(back), given(back)]).toEqual([2, kept]);
    expect(errorOf(beat("a", 2, instance))).toBe("FENCED_INSTANCE_ID");
    expect(given(beat("b", 2))).toBeNull();
  });

  it("cannot be replaced by one that is a member already", () => {
    join("a", instance);
    join("b");
    beat("a", -2, instance);
    expect(errorOf(join("b", instance))).toBe("FENCED_MEMBER_EPOCH");
    expect(errorOf(beat("b", 2))).toBe("NONE");
  });

  it("cannot be replaced while they are there", () => {
    join("a", instance);
    expect(errorOf(join("a2", instance))).toBe("UNRELEASED_INSTANCE_ID");
    expect(errorOf(beat("a", 1, instance))).toBe("NONE");
  });

  it("cannot be replaced by one that is a member already while they are there", () => {
    join("a", instance);
    join("b");
    expect(errorOf(join("b", instance))).toBe("UNRELEASED_INSTANCE_ID");
    expect(errorOf(beat("b", 2, instance))).toBe("FENCED_INSTANCE_ID");
    expect(errorOf(beat("b", 2))).toBe("NONE");
    expect(group().staticMembers.get("one")).toBe("a");
  });

  it("begin anew under their own id, as when the response to their join was lost", () => {
    const first = join("a", instance);
    const again = join("a", instance);
    expect([epochOf(again), given(again)]).toEqual([epochOf(first), given(first)]);
  });

  it("do not get a name while they stay, only as they join", () => {
    join("a");
    expect(errorOf(beat("a", 1, instance))).toBe("UNKNOWN_MEMBER_ID");
    expect(group().staticMembers.size).toBe(0);
    expect(errorOf(beat("a", 1))).toBe("NONE");
    expect(errorOf(join("a", instance))).toBe("NONE");
    expect(group().staticMembers.get("one")).toBe("a");
  });

  it("have to join again once they have left", () => {
    join("a", instance);
    beat("a", -2, instance);
    expect(errorOf(beat("a", 1, instance))).toBe("FENCED_MEMBER_EPOCH");
    expect(errorOf(beat("a2", 1, instance))).toBe("FENCED_INSTANCE_ID");
    expect(errorOf(join("a", instance))).toBe("NONE");
  });

  it("lose their place when they do not come back in time, or an administrator removes them", () => {
    join("a", instance);
    join("b");
    beat("a", -2, instance);
    for (let second = 0; second < 46; second++) {
      driver.advance(1_000);
      beat("b", 2);
    }
    expect(group().staticMembers.has("one")).toBe(false);
    expect([...group().members.get("b")!.assigned.values()][0]?.size).toBe(6);
    join("c", instance);
    expect(driver.leave([{ memberId: "", groupInstanceId: "one" }, { memberId: "zz" }])).toEqual([
      "NONE", "UNKNOWN_MEMBER_ID",
    ]);
    expect(group().members.size).toBe(1);
  });
});

describe("the two protocols", () => {
  it("do not mix", () => {
    join("a");
    expect(driver.join().outcome).toBe("INCONSISTENT_GROUP_PROTOCOL");
    expect(driver.heartbeat("a", 1)).toBe("UNKNOWN_MEMBER_ID");
    expect(driver.sync("a", 1).outcome).toBe("UNKNOWN_MEMBER_ID");
    const classic = new ShardDriver();
    const { memberId } = classic.enter();
    classic.advance(0);
    driver = classic;
    expect(errorOf(join("b"))).toBe("GROUP_ID_NOT_FOUND");
    expect(classic.heartbeat(memberId, 1)).toBe("NONE");
  });

  it("take over a group that is empty, with its offsets, in both directions", () => {
    const { memberId } = driver.enter();
    driver.advance(0);
    driver.sync(memberId, 1, {});
    driver.commitOffset(7, { memberId, generation: 1 });
    driver.leave([{ memberId }]);
    expect(epochOf(join("a"))).toBe(1);
    expect(driver.offset()).toBe(7);
    driver.failover();
    expect(epochOf(beat("a", 1))).toBe(1);
    beat("a", -1);
    const again = driver.enter();
    driver.advance(0);
    expect(response(again.join).generationId).toBe(1);
    expect(driver.offset()).toBe(7);
    driver.failover();
    expect(driver.offset()).toBe(7);
    expect(driver.shard.groups.get("group")?.type).toBe("classic");
  });
});

describe("a coordinator that moves", () => {
  it("[R17] has told nobody what the next one does not know", () => {
    join("a");
    driver.holds = true;
    const second = join("b");
    const first = beat("a", 1, owning(0, 1, 2, 3, 4, 5));
    driver.failover();
    driver.holds = false;
    expect([errorOf(first), errorOf(second)]).toEqual(["NOT_COORDINATOR", "NOT_COORDINATOR"]);
    expect(epochOf(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))).toBe(1);
    expect(epochOf(join("b"))).toBe(2);
  });

  it("lets members carry on where they were, in the middle of a hand-over", () => {
    join("a");
    join("b");
    const kept = given(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))!;
    driver.failover();
    expect(epochOf(beat("a", 1, owning(0, 1, 2, 3, 4, 5)))).toBe(1);
    expect(given(beat("b", 2))).toBeNull();
    driver.failover();
    beat("a", 1, owning(...kept));
    driver.failover();
    expect(given(beat("b", 2))).toHaveLength(3);
    driver.advance(44_000);
    expect(errorOf(beat("a", 2))).toBe("NONE");
  });
});
