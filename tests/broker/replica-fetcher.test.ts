import { beforeEach, describe, expect, it } from "vitest";
import { defaultBrokerConfig } from "../../src/broker/broker-config.ts";
import type { BrokerEffect } from "../../src/broker/effects.ts";
import { ReplicaFetcher } from "../../src/broker/replica-fetcher.ts";
import type { Replica } from "../../src/broker/replica.ts";
import { PartitionLog } from "../../src/log/partition-log.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import { topicConfig } from "../../src/metadata/topic-config.ts";

const LEADER = 2;

describe("ReplicaFetcher", () => {
  let effects: BrokerEffect[];
  let fetcher: ReplicaFetcher;

  beforeEach(() => {
    effects = [];
    let links = 0;
    fetcher = new ReplicaFetcher(LEADER, {
      config: defaultBrokerConfig,
      directoryId: "d0000000-0000-4000-8000-000000000001",
      effects: (effect) => void effects.push(effect),
      nextLinkId: () => ++links,
      self: () => ({ nodeId: 1, brokerEpoch: 5 }),
      endpointOf: () => ({ host: "leader", port: 1 }),
      fetched: () => true,
    });
    const log = PartitionLog.create("8a0a2a7e-13ee-4f0a-9a53-1f3b9a2c7f01", 0);
    const replica: Replica = {
      key: log.key,
      log,
      topicName: "quakes",
      config: topicConfig(new ClusterImage(), "quakes"),
      assignment: undefined,
      role: { kind: "follower", leaderId: LEADER, leaderEpoch: 0 },
      leaderHighWatermark: 0,
      writesInFlight: 0,
    };
    fetcher.add(replica);
  });

  const types = () => effects.splice(0).flatMap(({ type }) => (type === "log" ? [] : [type]));

  it.each([
    ["cannot be read", Uint8Array.of(0, 0, 0, 1)],
    ["belongs to another question", Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
  ])("rests ever longer before it asks again, if an answer %s", (_what, answer) => {
    let nowMs = 1_000;
    for (const restMs of [25, 50, 100]) {
      fetcher.pump(nowMs);
      expect(types()).toEqual(["dial"]);
      fetcher.opened(nowMs);
      expect(types()).toEqual(["link-send"]);
      fetcher.received(answer, nowMs);
      expect(types()).toEqual(["close-link"]);
      fetcher.pump(nowMs + restMs - 1);
      expect(types()).toEqual([]);
      expect(fetcher.wakeAtMs).toBe(nowMs + restMs);
      nowMs += restMs;
    }
  });
});
