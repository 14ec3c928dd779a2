import { describe, expect, it } from "vitest";
import { topicPartitionsOf } from "../../src/coordinator/assignment.ts";
import { ShardDriver, response, text } from "./shard-driver.ts";

const MEMBERS = 50;
const PARTITIONS = 100;

describe("fifty members over a hundred partitions", () => {
  it("settle in one rebalance by the classic protocol, when they come together", () => {
    const driver = new ShardDriver({ groupInitialRebalanceDelayMs: 3_000 });
    driver.createTopic("quakes", PARTITIONS);
    const entered = Array.from({ length: MEMBERS }, () => driver.enter());
    driver.advance(6_000);
    const joins = entered.map(({ join }) => response(join));
    expect(new Set(joins.map(({ generationId }) => generationId))).toEqual(new Set([1]));
    const leader = joins.find(({ memberId, leader: id }) => memberId === id)!;
    expect(leader.members).toHaveLength(MEMBERS);
    const assignments = Object.fromEntries(leader.members.map(({ memberId }, at) => [memberId, `part ${at}`]));
    const syncs = joins.map(({ memberId }) =>
      driver.sync(memberId, 1, memberId === leader.memberId ? assignments : {}),
    );
    const parts = syncs.map((sync) => text(response(sync).assignment));
    expect(new Set(parts).size).toBe(MEMBERS);
    expect(driver.log).toHaveLength(1);
  });

  it("settle within a few heartbeats by KIP-848, and move only what a newcomer gets", () => {
    const driver = new ShardDriver();
    driver.createTopic("quakes", PARTITIONS);
    const epochs = new Map(Array.from({ length: MEMBERS }, (_, at) => [`m${at}`, 0]));
    const owned = new Map<string, { topicId: string; partitions: readonly number[] }[]>();
    const round = () => {
      for (const [memberId, memberEpoch] of epochs) {
        const answer = response(
          driver.consumerHeartbeat({
            memberId,
            memberEpoch,
            rebalanceTimeoutMs: 30_000,
            subscribedTopicNames: ["quakes"],
            topicPartitions: owned.get(memberId) ?? [],
          }),
        );
        epochs.set(memberId, answer.memberEpoch);
        if (answer.assignment != null) owned.set(memberId, [...answer.assignment.topicPartitions]);
      }
      const { groups } = driver.shard;
      const group = groups.get("group");
      if (group?.type !== "consumer") throw new Error("no consumer group");
      return group;
    };
    let rounds = 0;
    while (round().state !== "Stable") expect(++rounds).toBeLessThan(10);
    for (const { assigned } of round().members.values()) {
      expect(topicPartitionsOf(assigned)[0]?.partitions).toHaveLength(PARTITIONS / MEMBERS);
    }
    const before = new Map([...owned].map(([memberId, topics]) => [memberId, topics[0]!.partitions]));
    epochs.set("newcomer", 0);
    while (round().state !== "Stable") expect(++rounds).toBeLessThan(20);
    const kept = [...before].flatMap(([memberId, partitions]) =>
      partitions.filter((partition) => owned.get(memberId)?.[0]?.partitions.includes(partition)),
    );
    expect(kept).toHaveLength(PARTITIONS - 1);
  });
});
