import { describe, expect, test } from "vitest";
import type { MetadataRecordInit } from "../../src/protocol/metadata-records/registry.ts";
import { decodeMetadataRecord, encodeMetadataRecord } from "../../src/protocol/metadata-records/registry.ts";
import { ClusterImage, TOPIC_RESOURCE } from "../../src/metadata/image.ts";
import { balanceLeaders } from "../../src/metadata/leader-balance.ts";
import type { Partition } from "../../src/metadata/partition.ts";
import { partitionRecord } from "../../src/metadata/partition-records.ts";
import { healReplicas } from "../../src/metadata/replica-healing.ts";
import { uuidOf } from "./controller-driver.ts";

const topicId = uuidOf(1);

interface Setting {
  /** By node id: is the broker there? */
  readonly brokers: Record<number, boolean>;
  readonly racks?: Record<number, string>;
  readonly partitions: Partial<Partition>[];
  readonly configs?: Record<string, string>;
}

function imageOf({ brokers, racks = {}, partitions, configs = {} }: Setting): ClusterImage {
  const image = new ClusterImage();
  const records: MetadataRecordInit[] = [
    ...Object.entries(brokers).map(([id, isThere]): MetadataRecordInit => ({
      type: "RegisterBrokerRecord",
      brokerId: Number(id),
      incarnationId: uuidOf(100 + Number(id)),
      brokerEpoch: Number(id),
      endPoints: [],
      rack: racks[Number(id)] ?? null,
      fenced: !isThere,
      logDirs: [uuidOf(Number(id))],
    })),
    { type: "TopicRecord", name: "quakes", topicId },
    ...Object.entries(configs).map(([name, value]): MetadataRecordInit => ({
      type: "ConfigRecord",
      resourceType: TOPIC_RESOURCE,
      resourceName: "quakes",
      name,
      value,
    })),
    ...partitions.map((partition, partitionIndex) => {
      const isr = partition.isr ?? partition.replicas!;
      return partitionRecord({
        topicId,
        partitionIndex,
        replicas: [],
        addingReplicas: [],
        removingReplicas: [],
        isr,
        eligibleLeaderReplicas: [],
        lastKnownElr: [],
        reassignedFrom: [],
        replicationFactor: 0,
        leader: isr[0]!,
        leaderEpoch: 0,
        partitionEpoch: 0,
        ...partition,
      });
    }),
  ];
  apply(image, records);
  return image;
}

function apply(image: ClusterImage, records: readonly MetadataRecordInit[]): void {
  for (const record of records) image.apply(decodeMetadataRecord(encodeMetadataRecord(record)));
}

/** The partition after healing, where who is away has been so for an hour. */
function healed(setting: Setting, goneForMs = 3_600_000, maxAddingPerBroker = 10): Partition {
  const image = imageOf(setting);
  const healing = {
    isGoneFor: (node: number, ms: number) => !image.isActive(node) && goneForMs >= ms,
    maxAddingPerBroker,
  };
  apply(image, healReplicas(image, healing));
  return image.partition(topicId, 0)!;
}

describe("replicas", () => {
  test("are added up to the target, to new racks first", () => {
    const setting = { brokers: { 1: true, 2: true, 3: true, 4: true }, racks: { 1: "a", 2: "a", 3: "b", 4: "c" } };
    const { replicas, addingReplicas, isr } = healed({ ...setting, partitions: [{ replicas: [1] }] });
    expect([replicas, addingReplicas, isr]).toEqual([[1, 3, 4], [3, 4], [1]]);
  });

  test("are not added to brokers that are away, nor while nobody leads", () => {
    expect(healed({ brokers: { 1: true, 2: false }, partitions: [{ replicas: [1] }] }).replicas).toEqual([1]);
    const orphan = { replicas: [1], leader: -1 };
    expect(healed({ brokers: { 1: false, 2: true }, partitions: [orphan] }).replicas).toEqual([1]);
  });

  test("are added a few at a time to one broker", () => {
    const image = imageOf({ brokers: { 1: true, 2: true }, partitions: [1, 2, 3].map(() => ({ replicas: [1] })) });
    apply(image, healReplicas(image, { isGoneFor: () => false, maxAddingPerBroker: 2 }));
    expect([...image.partitions()].map(({ addingReplicas }) => addingReplicas.length)).toEqual([1, 1, 0]);
  });

  test("are replaced once their broker is away for long", () => {
    const brokers = { 1: true, 2: true, 3: false, 4: true };
    const setting = { brokers, partitions: [{ replicas: [1, 2, 3], isr: [1, 2] }] };
    expect(healed(setting, 59_999).replicas).toEqual([1, 2, 3]);
    expect(healed(setting, 60_000)).toMatchObject({ replicas: [1, 2, 4], addingReplicas: [4], leaderEpoch: 1 });
    const patient = { ...setting, configs: { "replica.replacement.delay.ms": "7200000" } };
    expect(healed(patient).replicas).toEqual([1, 2, 3]);
  });

  test("are given up when nobody can replace them", () => {
    const setting = { brokers: { 1: true, 2: true, 3: false }, partitions: [{ replicas: [1, 2, 3], isr: [1, 2] }] };
    expect(healed(setting)).toMatchObject({ replicas: [1, 2], addingReplicas: [] });
  });

  test("are not given up below a minimum that somebody chose", () => {
    const setting = { brokers: { 1: true, 2: true, 3: false }, partitions: [{ replicas: [1, 2, 3], isr: [1, 2] }] };
    const kept = healed({ ...setting, configs: { "min.insync.replicas": "3" } });
    expect(kept.replicas).toEqual([1, 2, 3]);
  });

  test("[R10] are never given up while they are in the ISR or ELR, but others join them", () => {
    const partitions = [{ replicas: [1, 2], isr: [1], eligibleLeaderReplicas: [2] }];
    const configs = { "replication.factor": "2" };
    expect(healed({ brokers: { 1: true, 2: false }, partitions, configs }).replicas).toEqual([1, 2]);
    expect(healed({ brokers: { 1: true, 2: false, 3: true }, partitions, configs })).toMatchObject({
      replicas: [1, 2, 3],
      addingReplicas: [3],
    });
  });

  test("that were still being added are given up without a thought for the minimum", () => {
    const partitions = [{ replicas: [1, 2], isr: [1], addingReplicas: [2] }];
    const configs = { "min.insync.replicas": "2" };
    expect(healed({ brokers: { 1: true, 2: false }, partitions, configs })).toMatchObject({
      replicas: [1],
      addingReplicas: [],
    });
  });

  test("beyond a lowered target are let go one by one, never the leader, and never below the minimum", () => {
    const brokers = { 1: true, 2: true, 3: true };
    const configs = { "replication.factor": "1", "min.insync.replicas": "2" };
    const once = healed({ brokers, partitions: [{ replicas: [1, 2, 3] }], configs });
    expect(once.replicas).toHaveLength(2);
    expect(once).toMatchObject({ leader: 1, leaderEpoch: 1 });
    expect(healed({ brokers, partitions: [{ replicas: [1, 2] }], configs }).replicas).toEqual([1, 2]);
  });

  test("beyond a lowered target go from the same rack first, and out of sync ones before all others", () => {
    const brokers = { 1: true, 2: true, 3: true };
    const configs = { "replication.factor": "2", "min.insync.replicas": "1" };
    const racks = { 1: "a", 2: "b", 3: "a" };
    const left = (isr: number[]) =>
      healed({ brokers, racks, partitions: [{ replicas: [1, 2, 3], isr }], configs }).replicas;
    expect(left([1, 2, 3])).toEqual([1, 2]);
    expect(left([1, 3])).toEqual([1, 3]);
  });
});

describe("leaders", () => {
  function balanced(setting: Setting, maxMoves = 100, mayLead: (node: number) => boolean = () => true) {
    const image = imageOf(setting);
    apply(image, balanceLeaders(image, maxMoves, (node) => image.isActive(node) && mayLead(node)));
    return [...image.partitions()];
  }
  const brokers = { 1: true, 2: true, 3: true };
  const crowded: Setting = { brokers, partitions: Array.from({ length: 6 }, () => ({ replicas: [1, 2, 3] })) };

  test("spread evenly over those in sync, who become the preferred ones", () => {
    const partitions = balanced(crowded);
    expect(partitions.map(({ leader }) => leader).sort()).toEqual([1, 1, 2, 2, 3, 3]);
    expect(partitions.every(({ leader, replicas }) => replicas[0] === leader)).toBe(true);
    expect(partitions.filter(({ leader }) => leader !== 1).every(({ leaderEpoch }) => leaderEpoch === 1)).toBe(true);
  });

  test("move at most as often as allowed at one time", () => {
    expect(balanced(crowded, 1).filter(({ leader }) => leader !== 1)).toHaveLength(1);
  });

  test("stay when a move would not make it more even", () => {
    const even = { brokers, partitions: [{ replicas: [1, 2] }, { replicas: [1, 2] }, { replicas: [2, 1] }] };
    expect(balanced(even).map(({ leaderEpoch }) => leaderEpoch)).toEqual([0, 0, 0]);
  });

  test("move only to replicas in sync whose brokers may lead, and not while replicas are added", () => {
    const lagging = { replicas: [1, 2, 3], isr: [1, 3] };
    const leaders = (partition: Partial<Partition>, mayLead?: (node: number) => boolean) =>
      balanced({ brokers, partitions: [partition, partition, partition] }, 100, mayLead).map(({ leader }) => leader);
    expect(leaders(lagging)).toEqual([3, 1, 1]);
    expect(leaders(lagging, (node) => node !== 3)).toEqual([1, 1, 1]);
    expect(leaders({ ...lagging, addingReplicas: [2] })).toEqual([1, 1, 1]);
  });
});
