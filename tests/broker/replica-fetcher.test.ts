import { beforeEach, describe, expect, it } from "vitest";
import { defaultBrokerConfig } from "../../src/broker/broker-config.ts";
import type { BrokerConfig } from "../../src/broker/broker-config.ts";
import type { BrokerEffect } from "../../src/broker/effects.ts";
import { ReplicaFetcher } from "../../src/broker/replica-fetcher.ts";
import type { Replica } from "../../src/broker/replica.ts";
import { PartitionLog } from "../../src/log/partition-log.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import { topicConfig } from "../../src/metadata/topic-config.ts";
import type { Partition } from "../../src/metadata/partition.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { decodeRequest, decodeRequestHeader } from "../../src/protocol/envelope.ts";

const LEADER = 2;
const SELF = 1;
const partition: Partition = {
  topicId: "8a0a2a7e-13ee-4f0a-9a53-1f3b9a2c7f01",
  partitionIndex: 0,
  replicas: [LEADER, SELF],
  addingReplicas: [],
  removingReplicas: [],
  reassignedFrom: [],
  replicationFactor: 0,
  isr: [LEADER, SELF],
  eligibleLeaderReplicas: [],
  lastKnownElr: [],
  leader: LEADER,
  leaderEpoch: 0,
  partitionEpoch: 0,
};

describe("ReplicaFetcher", () => {
  let effects: BrokerEffect[];

  beforeEach(() => {
    effects = [];
  });

  function following(assignment: Partition, config: Partial<BrokerConfig> = {}): ReplicaFetcher {
    let links = 0;
    const fetcher = new ReplicaFetcher(LEADER, {
      config: { ...defaultBrokerConfig, ...config },
      directoryId: "d0000000-0000-4000-8000-000000000001",
      effects: (effect) => void effects.push(effect),
      nextLinkId: () => ++links,
      self: () => ({ nodeId: SELF, brokerEpoch: 5 }),
      endpointOf: () => ({ host: "leader", port: 1 }),
      fetched: () => true,
    });
    const log = PartitionLog.create(assignment.topicId, assignment.partitionIndex);
    const replica: Replica = {
      key: log.key,
      log,
      topicName: "quakes",
      config: topicConfig(new ClusterImage(), "quakes"),
      assignment,
      role: { kind: "follower", leaderId: LEADER, leaderEpoch: 0 },
      leaderHighWatermark: 0,
      writesInFlight: 0,
    };
    fetcher.add(replica);
    return fetcher;
  }

  const types = () => effects.splice(0).flatMap(({ type }) => (type === "log" ? [] : [type]));

  it.each([
    ["cannot be read", Uint8Array.of(0, 0, 0, 1)],
    ["belongs to another question", Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
  ])("rests ever longer before it asks again, if an answer %s", (_what, answer) => {
    const fetcher = following(partition);
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

  it.each([
    ["five seconds in sync", partition, {}, 5_000],
    ["half of the lag that is allowed, if that is less", partition, { replicaLagTimeMaxMs: 3_000 }, 1_500],
    ["half a second to join", { ...partition, isr: [LEADER] }, {}, 500],
  ])("lets a fetch wait for %s", (_how, assignment, config, waitMs) => {
    const fetcher = following(assignment, config);
    fetcher.pump(1_000);
    fetcher.opened(1_000);
    const [frame] = effects.flatMap((effect) => (effect.type === "link-send" ? [effect.frame] : []));
    expect(decodeRequest(fetch, decodeRequestHeader(frame!)).maxWaitMs).toBe(waitMs);
  });
});
