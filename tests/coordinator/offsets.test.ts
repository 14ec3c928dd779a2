import { beforeEach, describe, expect, it } from "vitest";
import { encodeSubscription } from "../../src/protocol/consumer-protocol.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import type { GroupOffsets } from "../../src/coordinator/offset-fetch.ts";
import type { OffsetDeleteResponseInit } from "../../src/protocol/apis/47-offset-delete.ts";
import { ShardDriver, commitError, response } from "./shard-driver.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
let driver: ShardDriver;

beforeEach(() => {
  driver = new ShardDriver();
});

/** A stable group of one member that subscribes to the topics. */
function subscribed(...topics: string[]): { memberId: string; generation: number } {
  const protocols = [{ name: "range", metadata: encodeSubscription({ topics }) }];
  const { memberId, join } = driver.enter({ protocols, sessionTimeoutMs: 1_800_000 });
  driver.advance(0);
  const generation = response(join).generationId!;
  response(driver.sync(memberId, generation, {}));
  return { memberId, generation };
}

function deleteOffset(topic = "quakes", partition = 0, groupId = "group"): ErrorName {
  const outcome = driver.answer<OffsetDeleteResponseInit>((reply) =>
    driver.shard.deleteOffsets(
      { groupId, topics: [{ name: topic, partitions: [{ partitionIndex: partition }] }] },
      driver.nowMs,
      reply,
    ),
  );
  return typeof outcome === "string" ? outcome : errorName(outcome.topics[0]!.partitions[0]!.errorCode);
}

const deleteGroup = (groupId = "group") =>
  driver.answer((reply) => driver.shard.deleteGroup(groupId, driver.nowMs, reply));

describe("committed offsets", () => {
  it("are kept per group, topic and partition, with metadata; the last one counts", () => {
    driver.commitOffset(5, { metadata: "first" });
    driver.commitOffset(3, { metadata: "second" });
    driver.commitOffset(9, { partition: 1 });
    driver.commitOffset(7, { groupId: "other" });
    expect([driver.offset(), driver.offset("quakes", 1), driver.offset("quakes", 0, "other")]).toEqual([3, 9, 7]);
    expect([driver.offset("quakes", 2), driver.offset("quakes", 0, "none")]).toEqual([-1, -1]);
    const request = { groupId: "group", memberId: null, memberEpoch: -1, topics: null };
    const all = driver.answer((reply) => driver.shard.fetchOffsets(request, driver.nowMs, reply));
    const partitions = [{ metadata: "second", committedLeaderEpoch: 3 }, { committedOffset: 9 }];
    expect(all).toMatchObject({ topics: [{ name: "quakes", partitions }] });
  });

  it("are told once in an answer, however often a request names a partition", () => {
    driver.commitOffset(5, { metadata: "m".repeat(4_000) });
    const topics = [
      { name: "quakes", partitionIndexes: [0, 0, 1] },
      { name: "quakes", partitionIndexes: [0] },
    ];
    const fetching = { groupId: "group", memberId: null, memberEpoch: -1, topics };
    const fetched = driver.answer<GroupOffsets>((reply) => driver.shard.fetchOffsets(fetching, driver.nowMs, reply));
    if (typeof fetched === "string") throw new Error(fetched);
    const told = fetched.topics.flatMap(({ partitions }) =>
      partitions.map(({ committedOffset, metadata, errorCode }) => [
        committedOffset,
        metadata?.length,
        errorName(errorCode),
      ]),
    );
    const refused = [-1, 0, "INVALID_REQUEST"];
    expect(told).toEqual([[5, 4_000, "NONE"], refused, [-1, 0, "NONE"], refused]);
  });

  it("[R17] are answered only when committed, and gone if they were not", () => {
    driver.commitOffset(5);
    driver.holds = true;
    const commit = driver.commitOffset(6);
    expect(commit.outcome).toBeUndefined();
    driver.failover();
    expect(commit.outcome).toBe("NOT_COORDINATOR");
    driver.holds = false;
    expect(driver.offset()).toBe(5);
  });

  it("are refused alone for a partition that does not exist or metadata that is too long", () => {
    expect(commitError(driver.commitOffset(1, { topic: "none" }))).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(commitError(driver.commitOffset(1, { partition: 6 }))).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(commitError(driver.commitOffset(1, { partition: -1 }))).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(commitError(driver.commitOffset(1, { metadata: "x".repeat(4_097) }))).toBe("OFFSET_METADATA_TOO_LARGE");
    expect(driver.shard.groups.size).toBe(0);
    expect(commitError(driver.commitOffset(1, { metadata: "x".repeat(4_096) }))).toBe("NONE");
  });

  it("are refused for generations of groups that do not exist, and ids beyond all bounds", () => {
    expect(commitError(driver.commitOffset(1, { generation: 4, version: 8 }))).toBe("ILLEGAL_GENERATION");
    expect(commitError(driver.commitOffset(1, { generation: 4, version: 9 }))).toBe("GROUP_ID_NOT_FOUND");
    expect(commitError(driver.commitOffset(1, { groupId: "g".repeat(10_000) }))).toBe("INVALID_GROUP_ID");
    expect(commitError(driver.commitOffset(1, { groupId: "" }))).toBe("NONE");
  });

  it("are bounded by the number of groups", () => {
    driver = new ShardDriver({ maxGroups: 2 });
    for (const [groupId, error] of [["a", "NONE"], ["b", "NONE"], ["c", "POLICY_VIOLATION"], ["a", "NONE"]] as const) {
      expect(commitError(driver.commitOffset(1, { groupId }))).toBe(error);
    }
    expect(driver.join({ groupId: "d" }).outcome).toBe("POLICY_VIOLATION");
  });

  it("are bounded by what they take, but for those that only go on", () => {
    driver = new ShardDriver({ maxOffsetsBytes: 1_000 });
    const commit = (offset: number, more: Parameters<ShardDriver["commitOffset"]>[1] = {}) =>
      commitError(driver.commitOffset(offset, more));
    expect([0, 1, 2, 3].map((partition) => commit(1, { groupId: `g${partition}`, partition }))).toEqual([
      "NONE", "NONE", "NONE", "INVALID_COMMIT_OFFSET_SIZE",
    ]);
    expect(commit(2, { groupId: "g0", metadata: "x".repeat(200) })).toBe("NONE");
    expect(commit(2, { groupId: "g1", partition: 1, metadata: "x".repeat(100) })).toBe("INVALID_COMMIT_OFFSET_SIZE");
    driver.failover();
    expect(commit(1, { groupId: "g3", partition: 3 })).toBe("INVALID_COMMIT_OFFSET_SIZE");
    expect(commit(3, { groupId: "g0", metadata: "y".repeat(200) })).toBe("NONE");
    deleteGroup("g1");
    expect(commit(1, { groupId: "g3", partition: 3 })).toBe("NONE");
  });

  it("go with their topic", () => {
    driver.createTopic("other", 1);
    driver.commitOffset(5);
    driver.commitOffset(6, { topic: "other" });
    driver.deleteTopic("quakes");
    driver.createTopic("quakes", 6);
    expect([driver.offset(), driver.offset("other")]).toEqual([-1, 6]);
    driver.failover();
    expect([driver.offset(), driver.offset("other")]).toEqual([-1, 6]);
  });

  it.each(["deleted", "made anew"])("go with their topic when it was %s while nobody coordinated", (what) => {
    driver.createTopic("other", 1);
    driver.commitOffset(5);
    driver.commitOffset(6, { topic: "other" });
    driver.topics.delete("quakes");
    if (what === "made anew") driver.createTopic("quakes", 6);
    driver.failover();
    driver.createTopic("quakes", 6);
    expect([driver.offset(), driver.offset("other")]).toEqual([-1, 6]);
    driver.commitOffset(7);
    driver.failover();
    expect([driver.offset(), driver.offset("other")]).toEqual([7, 6]);
  });
});

describe("deleting", () => {
  it("refuses offsets of topics that a member subscribes to", () => {
    driver.createTopic("other", 1);
    const { memberId, generation } = subscribed("quakes");
    driver.commitOffset(5, { memberId, generation });
    driver.commitOffset(6, { memberId, generation, topic: "other" });
    expect(deleteOffset()).toBe("GROUP_SUBSCRIBED_TO_TOPIC");
    expect(deleteOffset("other")).toBe("NONE");
    expect([driver.offset(), driver.offset("other")]).toEqual([5, -1]);
    expect(deleteOffset("quakes", 9)).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(deleteOffset("quakes", 0, "none")).toBe("GROUP_ID_NOT_FOUND");
    expect(deleteOffset("quakes", 0, "")).toBe("INVALID_GROUP_ID");
    driver.leave([{ memberId }]);
    expect(deleteOffset()).toBe("NONE");
  });

  it("takes nothing from a group whose subscriptions cannot be read, or which is no consumers'", () => {
    const { memberId } = driver.enter();
    driver.advance(0);
    driver.sync(memberId, 1, {});
    driver.commitOffset(5, { memberId, generation: 1 });
    expect(deleteOffset()).toBe("GROUP_SUBSCRIBED_TO_TOPIC");
    driver = new ShardDriver();
    driver.enter({ protocolType: "connect" });
    driver.advance(0);
    expect(deleteOffset()).toBe("NON_EMPTY_GROUP");
  });

  it("takes a group without members, with its offsets, for good", () => {
    const { memberId, generation } = subscribed("quakes");
    driver.commitOffset(5, { memberId, generation });
    expect(deleteGroup()).toBe("NON_EMPTY_GROUP");
    driver.leave([{ memberId }]);
    expect(deleteGroup()).toBe("NONE");
    expect(deleteGroup()).toBe("GROUP_ID_NOT_FOUND");
    driver.failover();
    expect([driver.shard.groups.size, driver.offset()]).toEqual([0, -1]);
  });
});

describe("expiry (KIP-211)", () => {
  it("takes the offsets of a group, and the group, when it has been empty for seven days", () => {
    const { memberId, generation } = subscribed("quakes");
    driver.commitOffset(5, { memberId, generation });
    for (let day = 0; day < 9; day++) {
      for (let beat = 0; beat < 96; beat++) {
        driver.advance(DAY_MS / 96);
        expect(driver.heartbeat(memberId, generation)).toBe("NONE");
      }
    }
    expect(driver.offset()).toBe(5);
    driver.leave([{ memberId }]);
    driver.advance(7 * DAY_MS - 600_000);
    expect(driver.offset()).toBe(5);
    driver.advance(2 * 600_000);
    expect([driver.offset(), driver.shard.groups.size]).toEqual([-1, 0]);
    driver.failover();
    expect([driver.offset(), driver.shard.groups.size]).toEqual([-1, 0]);
  });

  it("goes by the last commit where there never was a member", () => {
    driver.commitOffset(5);
    driver.advance(6 * DAY_MS);
    driver.commitOffset(6, { partition: 1 });
    driver.advance(2 * DAY_MS);
    expect([driver.offset(), driver.offset("quakes", 1)]).toEqual([-1, 6]);
    driver.advance(6 * DAY_MS);
    expect(driver.shard.groups.size).toBe(0);
  });

  it("counts from when the group became empty, across coordinators", () => {
    const { memberId, generation } = subscribed("quakes");
    driver.commitOffset(5, { memberId, generation });
    driver.leave([{ memberId }]);
    driver.advance(4 * DAY_MS);
    driver.failover();
    driver.advance(2.9 * DAY_MS);
    expect(driver.offset()).toBe(5);
    driver.advance(0.2 * DAY_MS);
    expect(driver.offset()).toBe(-1);
  });

  it("are kept for as long as there are numbers for, when a client asks for longer", () => {
    driver.commitOffset(5, { retentionTimeMs: Number.MAX_SAFE_INTEGER, version: 4 });
    driver.advance(365 * DAY_MS);
    driver.failover();
    expect(driver.offset()).toBe(5);
  });

  it("goes by the wish of old clients", () => {
    driver.commitOffset(5, { retentionTimeMs: 60_000, version: 4 });
    driver.commitOffset(6, { partition: 1, version: 4 });
    driver.advance(700_000);
    expect([driver.offset(), driver.offset("quakes", 1)]).toEqual([-1, 6]);
  });

  it("takes offsets of topics that a stable group no longer subscribes to", () => {
    driver.createTopic("other", 1);
    const { memberId, generation } = subscribed("quakes");
    driver.commitOffset(5, { memberId, generation });
    driver.commitOffset(6, { memberId, generation, topic: "other" });
    for (let beat = 0; beat < 8 * 96; beat++) {
      driver.advance(DAY_MS / 96);
      driver.heartbeat(memberId, generation);
    }
    expect([driver.offset(), driver.offset("other")]).toEqual([5, -1]);
  });
});
