import { beforeEach, describe, expect, it } from "vitest";
import { defaultBrokerConfig } from "../../src/broker/broker-config.ts";
import type { BrokerConfig } from "../../src/broker/broker-config.ts";
import type { BrokerEffect } from "../../src/broker/effects.ts";
import { ReplicaFetcher } from "../../src/broker/replica-fetcher.ts";
import type { FetcherContext } from "../../src/broker/replica-fetcher.ts";
import type { Replica } from "../../src/broker/replica.ts";
import { PartitionLog } from "../../src/log/partition-log.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import { topicConfig } from "../../src/metadata/topic-config.ts";
import type { Partition } from "../../src/metadata/partition.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import type { FetchRequest } from "../../src/protocol/apis/01-fetch.ts";
import { decodeRequest, decodeRequestHeader, encodeResponse } from "../../src/protocol/envelope.ts";
import { CorruptMessageError } from "../../src/protocol/errors.ts";

const FETCH_VERSION = 17;
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

  function following(
    assignments: readonly Partition[],
    config: Partial<BrokerConfig> = {},
    fetched: FetcherContext["fetched"] = () => true,
  ): ReplicaFetcher {
    let links = 0;
    const fetcher = new ReplicaFetcher(LEADER, {
      config: { ...defaultBrokerConfig, ...config },
      directoryId: "d0000000-0000-4000-8000-000000000001",
      effects: (effect) => void effects.push(effect),
      nextLinkId: () => ++links,
      self: () => ({ nodeId: SELF, brokerEpoch: 5 }),
      endpointOf: () => ({ host: "leader", port: 1 }),
      fetched,
    });
    for (const assignment of assignments) fetcher.add(replicaOf(assignment));
    return fetcher;
  }

  function replicaOf(assignment: Partition): Replica {
    const log = PartitionLog.create(assignment.topicId, assignment.partitionIndex);
    return {
      key: log.key,
      log,
      topicName: "quakes",
      config: topicConfig(new ClusterImage(), "quakes"),
      assignment,
      role: { kind: "follower", leaderId: LEADER, leaderEpoch: 0 },
      leaderHighWatermark: 0,
      writesInFlight: 0,
    };
  }

  /** The next question that was sent. */
  function asked(): { readonly correlationId: number; readonly request: FetchRequest } {
    const [frame] = effects.splice(0).flatMap((effect) => (effect.type === "link-send" ? [effect.frame] : []));
    const header = decodeRequestHeader(frame!);
    return { correlationId: header.correlationId, request: decodeRequest(fetch, header) };
  }

  const logged = () => effects.flatMap((effect) => (effect.type === "log" ? [effect.message] : []));

  const types = () => effects.splice(0).flatMap(({ type }) => (type === "log" ? [] : [type]));

  it.each([
    ["cannot be read", Uint8Array.of(0, 0, 0, 1)],
    ["belongs to another question", Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
  ])("rests ever longer before it asks again, if an answer %s", (_what, answer) => {
    const fetcher = following([partition]);
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
    const fetcher = following([assignment], config);
    fetcher.pump(1_000);
    fetcher.opened(1_000);
    expect(asked().request.maxWaitMs).toBe(waitMs);
  });

  it("asks last for what it just got, so that no partition fills every answer", () => {
    const partitions = [0, 1, 2, 3].map((partitionIndex) => ({ ...partition, partitionIndex }));
    const fetcher = following(partitions);
    fetcher.pump(1_000);
    fetcher.opened(1_000);
    const orders = [[1, 0], [0], [3, 2]].map((filled) => {
      const { correlationId, request } = asked();
      fetcher.received(answer(correlationId, filled), 1_000);
      return request.topics[0]!.partitions.map(({ partition: index }) => index);
    });
    expect([...orders, asked().request.topics[0]!.partitions.map(({ partition: index }) => index)]).toEqual([
      [0, 1, 2, 3],
      [2, 3, 1, 0],
      [2, 3, 1, 0],
      [1, 0, 3, 2],
    ]);
  });

  it("sets a partition aside whose answer cannot be copied, and goes on with the others", () => {
    const taken: number[] = [];
    const partitions = [0, 1].map((partitionIndex) => ({ ...partition, partitionIndex }));
    const fetcher = following(partitions, {}, (_replica, _leaderEpoch, _fetchOffset, { partitionIndex }) => {
      if (partitionIndex === 0) throw new CorruptMessageError("a batch is missing");
      taken.push(partitionIndex);
      return true;
    });
    const asksFor = () => asked().request.topics[0]!.partitions.map(({ partition: index }) => index);
    fetcher.pump(1_000);
    fetcher.opened(1_000);
    fetcher.received(answer(asked().correlationId, [0, 1]), 1_000);
    expect(taken).toEqual([1]);
    expect(logged()).toEqual(["what leader 2 answered of quakes-0 cannot be copied: a batch is missing"]);
    expect(asksFor()).toEqual([1]);
    expect(fetcher.wakeAtMs).toBe(2_000);
    fetcher.pump(2_000);
    expect(asksFor()).toEqual([0, 1]);
  });

  function answer(correlationId: number, filled: readonly number[]): Uint8Array {
    const responses = [
      {
        topicId: partition.topicId,
        partitions: filled.map((partitionIndex) => ({
          partitionIndex,
          errorCode: 0,
          highWatermark: 1,
          records: new Uint8Array(1),
        })),
      },
    ];
    return encodeResponse(fetch, FETCH_VERSION, correlationId, { responses });
  }
});
