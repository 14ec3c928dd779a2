import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CoordinatorShard } from "../../src/coordinator/coordinator-shard.ts";
import { encodeSubscription } from "../../src/protocol/consumer-protocol.ts";
import { decodeGroupRecord } from "../../src/protocol/group-records/registry.ts";
import { durableState } from "./durable-state.ts";
import { ShardDriver } from "./shard-driver.ts";

type Step =
  | { readonly kind: "join" | "sync" | "leave" | "beat"; readonly group: number; readonly member: number }
  | { readonly kind: "commit"; readonly group: number; readonly member: number; readonly partition: number }
  | { readonly kind: `consumer-${"join" | "beat" | "leave"}`; readonly group: number; readonly member: number }
  | { readonly kind: "delete"; readonly group: number }
  | { readonly kind: "grow" }
  | { readonly kind: "advance"; readonly ms: number };

const group = fc.nat(1);
const member = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("join", "sync", "leave", "beat"), group, member }),
  fc.record({ kind: fc.constant("commit"), group, member, partition: fc.nat(5) }),
  fc.record({ kind: fc.constantFrom("consumer-join", "consumer-beat", "consumer-leave"), group, member }),
  fc.record({ kind: fc.constant("delete"), group }),
  fc.record({ kind: fc.constant("grow") }),
  fc.record({ kind: fc.constant("advance"), ms: fc.constantFrom(0, 101, 5_000, 40_000, 3_600_000, 400_000_000) }),
) as fc.Arbitrary<Step>;

/** What clients remember: the id and generation, or epoch and partitions, that they last heard of. */
interface Remembered {
  memberId: string;
  generation: number;
  epoch: number;
  owned: { topicId: string; partitions: readonly number[] }[];
}

function run(driver: ShardDriver, steps: readonly Step[]): void {
  const known = new Map<string, Remembered>();
  const remembered = (at: { readonly group: number; readonly member: number }): Remembered => {
    const key = `${at.group}/${at.member}`;
    const one = known.get(key) ?? { memberId: "", generation: -1, epoch: 0, owned: [] };
    known.set(key, one);
    return one;
  };
  for (const taken of steps) {
    if (taken.kind === "advance") driver.advance(taken.ms);
    else if (taken.kind === "grow") driver.createTopic("quakes", driver.topics.get("quakes")!.partitionCount + 1);
    else if (taken.kind === "delete") {
      driver.ask<never>((reply) => driver.shard.deleteGroup(`g${taken.group}`, driver.nowMs, reply));
    } else act(driver, taken, remembered(taken));
  }
}

function act(driver: ShardDriver, taken: Extract<Step, { readonly member: number }>, one: Remembered): void {
  const groupId = `g${taken.group}`;
  const protocols = [{ name: "range", metadata: encodeSubscription({ topics: ["quakes"] }) }];
  const { memberId, generation: generationId, epoch: memberEpoch } = one;
  switch (taken.kind) {
    case "join": {
      const groupInstanceId = taken.member === 0 ? "static" : null;
      const named = groupInstanceId === null ? memberId : "";
      const first = driver.join({ groupId, memberId: named, groupInstanceId, protocols });
      if (first.outcome === "UNKNOWN_MEMBER_ID") one.memberId = "";
      if (typeof first.outcome === "object") {
        one.memberId = first.outcome.memberId;
        one.generation = first.outcome.generationId ?? -1;
      }
      return;
    }
    case "sync": {
      const found = driver.shard.groups.get(groupId);
      const current = found?.type === "classic" ? found.generationId : generationId;
      const assignments = [{ memberId, assignment: Uint8Array.of(taken.member) }];
      const names = { protocolType: "consumer", protocolName: null, groupInstanceId: null };
      const request = { groupId, generationId: current, memberId, ...names, assignments };
      driver.ask((reply) => driver.shard.syncGroup(request, driver.nowMs, reply));
      one.generation = current;
      return;
    }
    case "leave": {
      const members = [{ memberId, groupInstanceId: null, reason: null }];
      const client = { clientId: "", clientHost: "", version: 5 };
      driver.ask((reply) => driver.shard.leaveGroup({ groupId, memberId: "", members }, client, driver.nowMs, reply));
      return;
    }
    case "beat":
      driver.heartbeat(memberId, generationId, null, groupId);
      return;
    case "commit": {
      const epoch = memberEpoch > 0 ? memberEpoch : generationId;
      driver.commitOffset(driver.nowMs, { groupId, memberId, generation: epoch, partition: taken.partition });
      return;
    }
    default: {
      const leaving = taken.kind === "consumer-leave";
      const joins = taken.kind === "consumer-join" || memberEpoch === 0;
      const own = `m${taken.member}`;
      const { outcome } = driver.consumerHeartbeat({
        groupId,
        memberId: own,
        memberEpoch: leaving ? -1 : joins ? 0 : memberEpoch,
        // Another one now and then, so that what a member says of itself is stored again.
        rebalanceTimeoutMs: 10_000 + (driver.nowMs % 2),
        subscribedTopicNames: ["quakes"],
        topicPartitions: joins ? [] : one.owned,
      });
      const isOk = typeof outcome === "object" && outcome.errorCode === 0;
      one.memberId = own;
      one.epoch = isOk && !leaving ? outcome.memberEpoch : 0;
      if (isOk && outcome.assignment != null) one.owned = [...outcome.assignment.topicPartitions];
    }
  }
}

function replayed(log: ShardDriver["log"], driver: ShardDriver): CoordinatorShard {
  const topics = { version: 0, named: (name: string) => driver.topics.get(name), nameOf: () => undefined };
  const shard = new CoordinatorShard({ topics, uuid: () => "", wallMs: (nowMs) => nowMs });
  for (const { key, value } of log) shard.load(decodeGroupRecord(key, value)!);
  return shard;
}

/** As compaction leaves a log: the last record of each key alone, and no tombstones at last. */
function compacted(log: ShardDriver["log"], keepTombstones: boolean): ShardDriver["log"] {
  const last = new Map(log.map((record, at) => [record.key.join(), at]));
  return log.filter(({ key, value }, at) => last.get(key.join()) === at && (keepTombstones || value !== null));
}

describe("replaying", () => {
  it("gives the state that was decided on, from the log as it is and compacted", () => {
    let records = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
        const driver = new ShardDriver({ groupMaxSize: 3 });
        run(driver, steps);
        records += driver.log.length;
        const decided = durableState(driver.shard);
        expect(durableState(replayed(driver.log, driver))).toEqual(decided);
        expect(durableState(replayed(compacted(driver.log, true), driver))).toEqual(decided);
        expect(durableState(replayed(compacted(driver.log, false), driver))).toEqual(decided);
      }),
      { numRuns: 200 },
    );
    expect(records).toBeGreaterThan(1_000);
  }, 30_000);

  it("gives it from what was compacted halfway, too", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), fc.nat(100), (steps, percent) => {
        const driver = new ShardDriver({ groupMaxSize: 3 });
        run(driver, steps);
        const cut = Math.floor((driver.log.length * percent) / 100);
        const log = [...compacted(driver.log.slice(0, cut), true), ...driver.log.slice(cut)];
        expect(durableState(replayed(log, driver))).toEqual(durableState(driver.shard));
      }),
      { numRuns: 200 },
    );
  }, 30_000);
});
