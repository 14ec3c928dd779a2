import { describe, expect, test } from "vitest";
import { decodeMetadataRecord, encodeMetadataRecord } from "../../src/protocol/metadata-records/registry.ts";

const TOPIC_ID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";

describe("metadata records", () => {
  test("carry KRaft's frame: frame version, key, version, fields", () => {
    const bytes = encodeMetadataRecord({ type: "TopicRecord", name: "t", topicId: TOPIC_ID });
    const uuid = Buffer.from(TOPIC_ID.replaceAll("-", ""), "hex");
    expect(Buffer.from(bytes)).toEqual(Buffer.concat([Buffer.from([1, 2, 0, 2, 0x74]), uuid, Buffer.from([0])]));
  });

  test("tell their kind and fill in fallbacks", () => {
    const bytes = encodeMetadataRecord({ type: "PartitionChangeRecord", partitionId: 3, topicId: TOPIC_ID, isr: [1] });
    expect(decodeMetadataRecord(bytes)).toEqual({
      type: "PartitionChangeRecord",
      partitionId: 3,
      topicId: TOPIC_ID,
      isr: [1],
      leader: -2,
      replicas: null,
      removingReplicas: null,
      reassignedFrom: null,
      replicationFactor: -1,
      addingReplicas: null,
      leaderRecoveryState: -1,
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
      directories: null,
    });
  });

  test("of an unknown kind, frame or version are refused", () => {
    expect(() => decodeMetadataRecord(Uint8Array.of(1, 99, 0, 0))).toThrow("no metadata record has the key 99");
    expect(() => decodeMetadataRecord(Uint8Array.of(2, 2, 0, 0))).toThrow("metadata record frame version 2");
    expect(() => decodeMetadataRecord(Uint8Array.of(1, 2, 9, 0))).toThrow("TopicRecord version 9");
    expect(() => decodeMetadataRecord(Uint8Array.of())).toThrow("1 bytes are due");
  });
});
