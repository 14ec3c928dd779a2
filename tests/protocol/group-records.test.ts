import { describe, expect, test } from "vitest";

import { CorruptMessageError, UnsupportedVersionError } from "../../src/protocol/errors.ts";
import { decodeGroupRecord, encodeGroupRecord, groupRecordSchemas } from "../../src/protocol/group-records/registry.ts";
import type { GroupRecordInit } from "../../src/protocol/group-records/registry.ts";
import { ZERO_UUID } from "../../src/protocol/uuid.ts";

const TOPIC_ID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const topicId = TOPIC_ID.replaceAll("-", "");

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

const offsetKey = { group: "g", topic: "t", partition: 1 } as const;
const groupPartitions = [{ topicId: TOPIC_ID, partitions: [1] }];
const partitionsHex = `02 ${topicId} 02 00000001 00`;

interface RecordCase {
  readonly record: GroupRecordInit;
  readonly key: string;
  readonly value: string;
}

/** Written out by hand from Kafka's definitions: the version in two bytes, then the fields. */
const cases: readonly RecordCase[] = [
  {
    record: {
      type: "OffsetCommit",
      key: offsetKey,
      value: { offset: 5, leaderEpoch: 2, metadata: "n", commitTimestamp: 9 },
    },
    key: "0001 000167 000174 00000001",
    value: "0003 0000000000000005 00000002 00016e 0000000000000009",
  },
  {
    record: {
      type: "OffsetCommit",
      key: offsetKey,
      value: { offset: 5, metadata: "", commitTimestamp: 9, expireTimestamp: 10 },
    },
    key: "0001 000167 000174 00000001",
    value: "0001 0000000000000005 0000 0000000000000009 000000000000000a",
  },
  {
    record: {
      type: "OffsetCommit",
      key: offsetKey,
      value: { offset: 5, leaderEpoch: 2, metadata: "n", commitTimestamp: 9, topicId: TOPIC_ID },
    },
    key: "0001 000167 000174 00000001",
    value: `0004 0000000000000005 00000002 026e 0000000000000009 01 00 10 ${topicId}`,
  },
  {
    record: {
      type: "GroupMetadata",
      key: { group: "g" },
      value: {
        protocolType: "p",
        generation: 3,
        protocol: "r",
        leader: "m",
        currentStateTimestamp: 9,
        members: [
          {
            memberId: "m",
            groupInstanceId: "i",
            clientId: "c",
            clientHost: "h",
            rebalanceTimeout: 6,
            sessionTimeout: 7,
            subscription: Uint8Array.of(1),
            assignment: Uint8Array.of(2, 3),
          },
        ],
      },
    },
    key: "0002 000167",
    value:
      "0003 000170 00000003 000172 00016d 0000000000000009 00000001 " +
      "00016d 000169 000163 000168 00000006 00000007 0000000101 000000020203",
  },
  {
    record: { type: "ConsumerGroupMetadata", key: { groupId: "g" }, value: { epoch: 3, metadataHash: 7 } },
    key: "0003 000167",
    value: "0000 00000003 01 00 08 0000000000000007",
  },
  {
    record: {
      type: "ConsumerGroupPartitionMetadata",
      key: { groupId: "g" },
      value: { topics: [{ topicId: TOPIC_ID, topicName: "t", numPartitions: 4 }] },
    },
    key: "0004 000167",
    value: `0000 02 ${topicId} 0274 00000004 01 00 00`,
  },
  {
    record: {
      type: "ConsumerGroupMemberMetadata",
      key: { groupId: "g", memberId: "m" },
      value: {
        instanceId: null,
        rackId: "r",
        clientId: "c",
        clientHost: "h",
        subscribedTopicNames: ["t"],
        subscribedTopicRegex: null,
        rebalanceTimeoutMs: 6,
        serverAssignor: "u",
        classicMemberMetadata: {
          sessionTimeoutMs: 7,
          supportedProtocols: [{ name: "p", metadata: Uint8Array.of(9) }],
        },
      },
    },
    key: "0005 000167 00016d",
    // The tagged struct can be null, hence the byte 01 before its fields.
    value: "0000 00 0272 0263 0268 02 0274 00 00000006 0275 01 00 0c 01 00000007 02 0270 0209 00 00",
  },
  {
    record: { type: "ConsumerGroupTargetAssignmentMetadata", key: { groupId: "g" }, value: { assignmentEpoch: 3 } },
    key: "0006 000167",
    value: "0000 00000003 00",
  },
  {
    record: {
      type: "ConsumerGroupTargetAssignmentMember",
      key: { groupId: "g", memberId: "m" },
      value: { topicPartitions: groupPartitions },
    },
    key: "0007 000167 00016d",
    value: `0000 ${partitionsHex} 00`,
  },
  {
    record: {
      type: "ConsumerGroupCurrentMemberAssignment",
      key: { groupId: "g", memberId: "m" },
      value: {
        memberEpoch: 3,
        previousMemberEpoch: 2,
        state: 1,
        assignedPartitions: groupPartitions,
        partitionsPendingRevocation: [],
      },
    },
    key: "0008 000167 00016d",
    value: `0000 00000003 00000002 01 ${partitionsHex} 01 00`,
  },
  {
    record: {
      type: "ConsumerGroupRegularExpression",
      key: { groupId: "g", regularExpression: "t.*" },
      value: { topics: ["t"], version: 8, timestamp: 9 },
    },
    key: "0010 000167 0003742e2a",
    value: "0000 02 0274 0000000000000008 0000000000000009 00",
  },
];

describe("a group record", () => {
  test.each(cases)("of kind $record.type has Kafka's bytes", ({ record, key, value }) => {
    const encoded = encodeGroupRecord(record);
    expect(encoded).toEqual({ key: bytesOf(key), value: bytesOf(value) });
    expect(decodeGroupRecord(encoded.key, encoded.value)).toMatchObject(record);
  });

  test("is written here in every kind", () => {
    expect(new Set(cases.map(({ record }) => record.type))).toEqual(new Set(groupRecordSchemas.keys()));
  });

  test.each(cases)("of kind $record.type can be a tombstone", ({ record, key }) => {
    const tombstone = { ...record, value: null };
    expect(encodeGroupRecord(tombstone)).toEqual({ key: bytesOf(key), value: null });
    expect(decodeGroupRecord(bytesOf(key), null)).toEqual(tombstone);
  });

  test("of an older Kafka is read, with the fallbacks of what it lacks", () => {
    const key = bytesOf("0000 000167 000174 00000001");
    expect(decodeGroupRecord(key, bytesOf("0000 0000000000000005 00016e 0000000000000009"))).toEqual({
      type: "OffsetCommit",
      key: offsetKey,
      value: {
        offset: 5,
        leaderEpoch: -1,
        metadata: "n",
        commitTimestamp: 9,
        expireTimestamp: -1,
        topicId: ZERO_UUID,
      },
    });
    const value = bytesOf("0000 000170 00000003 000172 ffff 00000001 00016d 000163 000168 00000007 00000000 00000000");
    expect(decodeGroupRecord(bytesOf("0002 000167"), value)?.value).toMatchObject({
      leader: null,
      currentStateTimestamp: -1,
      members: [{ memberId: "m", groupInstanceId: null, rebalanceTimeout: -1, sessionTimeout: 7 }],
    });
  });

  test("of a newer Kafka is left alone: kinds and tags that are not known", () => {
    expect(decodeGroupRecord(bytesOf("0009 000167"), bytesOf("0000 00"))).toBeUndefined();
    expect(decodeGroupRecord(bytesOf("ffff"), null)).toBeUndefined();
    const tagged = bytesOf("0000 00000003 01 05 02 abcd");
    expect(decodeGroupRecord(bytesOf("0003 000167"), tagged)?.value).toEqual({ epoch: 3, metadataHash: 0 });
  });

  test("that is malformed is refused", () => {
    const decode = (key: string, value: string) => () => decodeGroupRecord(bytesOf(key), bytesOf(value));
    expect(() => decodeGroupRecord(null, null)).toThrow("a record of a group has no key");
    expect(decode("00", "")).toThrow(CorruptMessageError);
    expect(decode("0002 7fff67", "")).toThrow(CorruptMessageError);
    expect(decode("0002 000167 00", "")).toThrow("1 bytes follow the end");
    expect(decode("0003 000167", "00")).toThrow(CorruptMessageError);
    expect(decode("0003 000167", "0000 00000003 00 00")).toThrow("1 bytes follow the end");
    expect(decode("0002 000167", "0003 000170 00000003 000172 00016d 0000000000000009 7fffffff")).toThrow(
      "an array announces 2147483647 elements",
    );
    expect(decode("0003 000167", "0001 00000003 00")).toThrow(UnsupportedVersionError);
  });
});
