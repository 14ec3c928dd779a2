import { describe, expect, test } from "vitest";
import { decodeMetadataRecord, encodeMetadataRecord } from "../../src/protocol/metadata-records/registry.ts";
import type { MetadataRecordInit } from "../../src/protocol/metadata-records/registry.ts";
import { BROKER_RESOURCE, ClusterImage, TOPIC_RESOURCE } from "../../src/metadata/image.ts";
import { imageDiff } from "../../src/metadata/image-diff.ts";
import { uuidOf } from "./controller-driver.ts";

const topicId = uuidOf(1);
const directoryId = uuidOf(2);

const founding: MetadataRecordInit[] = [
  { type: "ClusterRecord", clusterId: "c" },
  {
    type: "RegisterBrokerRecord",
    brokerId: 1,
    incarnationId: uuidOf(3),
    brokerEpoch: 1,
    endPoints: [{ name: "TAB", host: "peer", port: 0, securityProtocol: 0 }],
    rack: "profile",
    logDirs: [directoryId],
  },
  {
    type: "StorageIdentityRecord",
    directoryId,
    brokerId: 1,
    generation: 1,
    nonce: "n",
    confirmed: true,
    durability: "strict",
  },
  { type: "TopicRecord", name: "quakes", topicId },
  {
    type: "PartitionRecord",
    partitionId: 0,
    topicId,
    replicas: [1, 2],
    isr: [1],
    addingReplicas: [2],
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
  },
  { type: "ConfigRecord", resourceType: TOPIC_RESOURCE, resourceName: "quakes", name: "retention.ms", value: "1" },
  { type: "ConfigRecord", resourceType: BROKER_RESOURCE, resourceName: "", name: "num.partitions", value: "2" },
  { type: "ProducerIdsRecord", brokerId: 1, brokerEpoch: 1, nextProducerId: 1000 },
];

/** Through bytes, as records come. */
function apply(image: ClusterImage, ...records: readonly MetadataRecordInit[]) {
  return records.map((record) => image.apply(decodeMetadataRecord(encodeMetadataRecord(record))));
}

function founded(...more: readonly MetadataRecordInit[]): ClusterImage {
  const image = new ClusterImage();
  apply(image, ...founding, ...more);
  return image;
}

const change = { type: "PartitionChangeRecord", partitionId: 0, topicId } as const;

describe("ClusterImage", () => {
  test("is what its records say", () => {
    const image = founded();
    expect(image.clusterId).toBe("c");
    expect(image.brokers.get(1)).toMatchObject({ directoryId, brokerEpoch: 1, fenced: true, rack: "profile" });
    expect(image.directories.get(directoryId)).toMatchObject({ generation: 1, nonce: "n", confirmed: true });
    expect(image.topicsByName.get("quakes")).toBe(topicId);
    expect(image.partition(topicId, 0)).toMatchObject({ replicas: [1, 2], addingReplicas: [2], leader: 1 });
    expect(image.configOf(TOPIC_RESOURCE, "quakes").get("retention.ms")).toBe("1");
    expect(image.nextProducerId).toBe(1000);
  });

  test("snapshots to records that make an equal image", () => {
    const image = founded({ ...change, isr: [1, 2], addingReplicas: [], eligibleLeaderReplicas: [2] });
    const again = new ClusterImage();
    apply(again, ...image.toRecords());
    expect(again).toEqual(image);
    expect(again.toRecords()).toEqual(image.toRecords());
  });

  test("[R1] a change of a partition counts its epoch up; one that names a leader is an election", () => {
    const image = founded({ ...change, isr: [1, 2], addingReplicas: [] });
    expect(image.partition(topicId, 0)).toMatchObject({ isr: [1, 2], leader: 1, leaderEpoch: 0, partitionEpoch: 1 });
    apply(image, { ...change, leader: 1 });
    expect(image.partition(topicId, 0)).toMatchObject({ leader: 1, leaderEpoch: 1, partitionEpoch: 2 });
    apply(image, { ...change, leader: -1 });
    expect(image.partition(topicId, 0)).toMatchObject({ leader: -1, leaderEpoch: 2, partitionEpoch: 3 });
  });

  test("keeps a partition the same object until it changes", () => {
    const image = founded();
    const before = image.partition(topicId, 0);
    apply(image, { type: "NoOpRecord" }, { type: "UnfenceBrokerRecord", id: 1, epoch: 1 });
    expect(image.partition(topicId, 0)).toBe(before);
    apply(image, { ...change, isr: [1, 2] });
    expect(image.partition(topicId, 0)).not.toBe(before);
  });

  test("fences and unfences by either kind of record, and registers anew in between", () => {
    const image = founded({ type: "UnfenceBrokerRecord", id: 1, epoch: 1 });
    expect(image.isActive(1)).toBe(true);
    apply(image, { type: "BrokerRegistrationChangeRecord", brokerId: 1, brokerEpoch: 1, inControlledShutdown: 1 });
    expect(image.isActive(1)).toBe(false);
    apply(image, { type: "FenceBrokerRecord", id: 1, epoch: 1 });
    expect(image.brokers.get(1)).toMatchObject({ fenced: true, inControlledShutdown: true });
    apply(image, founding[1]!, { type: "BrokerRegistrationChangeRecord", brokerId: 1, brokerEpoch: 1, fenced: -1 });
    expect(image.isActive(1)).toBe(true);
  });

  test("forgets a topic with its configuration, a broker with its directory, and a value that is taken back", () => {
    const image = founded(
      { type: "RemoveTopicRecord", topicId },
      { type: "UnregisterBrokerRecord", brokerId: 1, brokerEpoch: 1 },
      { type: "ConfigRecord", resourceType: BROKER_RESOURCE, resourceName: "", name: "num.partitions", value: null },
    );
    expect(image.topics.size + image.topicsByName.size + image.brokers.size + image.directories.size).toBe(0);
    expect(image.toRecords().map(({ type }) => type)).toEqual(["ClusterRecord", "ProducerIdsRecord"]);
  });

  test("tells what each record changed", () => {
    expect(apply(new ClusterImage(), ...founding)).toEqual([
      undefined,
      { kind: "broker", brokerId: 1 },
      undefined,
      { kind: "topic", topicId },
      { kind: "partition", topicId, partitionIndex: 0 },
      { kind: "config", resourceType: TOPIC_RESOURCE, resourceName: "quakes" },
      { kind: "config", resourceType: BROKER_RESOURCE, resourceName: "" },
      undefined,
    ]);
  });

  test.each<[string, MetadataRecordInit]>([
    ["another cluster", { type: "ClusterRecord", clusterId: "d" }],
    ["a change of a partition that does not exist", { ...change, partitionId: 7, leader: 1 }],
    ["a partition of no topic", { ...founding[4]!, topicId: uuidOf(9) } as MetadataRecordInit],
    ["a gap in the partitions", { ...founding[4]!, partitionId: 2 } as MetadataRecordInit],
    ["a leader that is not in sync", { ...change, leader: 2 }],
    ["the removal of no topic", { type: "RemoveTopicRecord", topicId: uuidOf(9) }],
    ["a broker that never registered", { type: "FenceBrokerRecord", id: 9, epoch: 1 }],
  ])("does not accept %s", (_, record) => {
    expect(() => founded(record)).toThrow("the metadata log breaks a rule");
  });
});

describe("imageDiff", () => {
  test("is empty between equal images", () => {
    expect(imageDiff(founded(), founded())).toEqual([]);
  });

  test("names what differs", () => {
    const other = uuidOf(8);
    const after = founded(
      { ...change, isr: [1, 2] },
      { type: "UnfenceBrokerRecord", id: 1, epoch: 1 },
      { type: "TopicRecord", name: "other", topicId: other },
      { ...founding[4]!, topicId: other } as MetadataRecordInit,
      { type: "ConfigRecord", resourceType: TOPIC_RESOURCE, resourceName: "quakes", name: "retention.ms", value: "2" },
    );
    expect(imageDiff(founded(), after)).toEqual([
      { kind: "broker", brokerId: 1 },
      { kind: "partition", topicId, partitionIndex: 0 },
      { kind: "topic", topicId: other },
      { kind: "partition", topicId: other, partitionIndex: 0 },
      { kind: "config", resourceType: TOPIC_RESOURCE, resourceName: "quakes" },
    ]);
    const emptied = imageDiff(after, new ClusterImage());
    expect(emptied.map(({ kind }) => kind)).toEqual(["broker", "topic", "topic", "config"]);
  });
});
