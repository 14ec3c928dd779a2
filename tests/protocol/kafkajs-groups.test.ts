import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";

import { offsetCommit } from "../../src/protocol/apis/08-offset-commit.ts";
import { offsetFetch } from "../../src/protocol/apis/09-offset-fetch.ts";
import { findCoordinator, TRANSACTION_COORDINATOR } from "../../src/protocol/apis/10-find-coordinator.ts";
import { joinGroup } from "../../src/protocol/apis/11-join-group.ts";
import { heartbeat } from "../../src/protocol/apis/12-heartbeat.ts";
import { leaveGroup } from "../../src/protocol/apis/13-leave-group.ts";
import { syncGroup } from "../../src/protocol/apis/14-sync-group.ts";
import { describeGroups } from "../../src/protocol/apis/15-describe-groups.ts";
import { listGroups } from "../../src/protocol/apis/16-list-groups.ts";
import { deleteGroups } from "../../src/protocol/apis/42-delete-groups.ts";
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from "../../src/protocol/consumer-protocol.ts";
import { encodeResponse } from "../../src/protocol/envelope.ts";
import { decodeWithKafkaJs, eachVersion, expectSameRequest, versions } from "./kafkajs.ts";
import type { RequestCase } from "./kafkajs.ts";

const { MemberMetadata, MemberAssignment } = createRequire(import.meta.url)("kafkajs").AssignerProtocol as {
  MemberMetadata: { encode(value: object): Buffer; decode(bytes: Buffer): object };
  MemberAssignment: { encode(value: object): Buffer; decode(bytes: Buffer): object };
};

const requestCases: readonly RequestCase[] = [
  {
    api: offsetCommit,
    versions: versions(2, 5),
    options: {
      groupId: "g",
      groupGenerationId: 3,
      memberId: "m",
      retentionTime: 2 ** 40,
      topics: [
        {
          topic: "t",
          partitions: [
            { partition: 1, offset: 2 ** 41, metadata: "note" },
            { partition: 2, offset: 0 },
          ],
        },
      ],
    },
    fields: {
      2: {
        groupId: "g",
        generationIdOrMemberEpoch: 3,
        memberId: "m",
        topics: [
          {
            name: "t",
            partitions: [
              { partitionIndex: 1, committedOffset: 2 ** 41, committedMetadata: "note" },
              { partitionIndex: 2, committedOffset: 0, committedMetadata: null },
            ],
          },
        ],
      },
      5: { retentionTimeMs: -1 },
    },
  },
  {
    api: offsetFetch,
    versions: versions(1, 4),
    options: { groupId: "g", topics: [{ topic: "t", partitions: [{ partition: 1 }, { partition: 2 }] }] },
    fields: { 1: { groupId: "g", topics: [{ name: "t", partitionIndexes: [1, 2] }] } },
  },
  {
    api: offsetFetch,
    versions: versions(3, 4),
    options: { groupId: "g", topics: [] },
    fields: { 3: { topics: null } },
  },
  { api: findCoordinator, versions: [0], options: { groupId: "g" }, fields: { 0: { key: "g", keyType: 0 } } },
  {
    api: findCoordinator,
    versions: versions(1, 2),
    options: { coordinatorKey: "x", coordinatorType: TRANSACTION_COORDINATOR },
    fields: { 1: { key: "x", keyType: 1 } },
  },
  {
    api: joinGroup,
    versions: versions(0, 5),
    options: {
      groupId: "g",
      sessionTimeout: 30_000,
      rebalanceTimeout: 60_000,
      memberId: "m",
      groupInstanceId: "i",
      protocolType: "consumer",
      groupProtocols: [
        { name: "range", metadata: Buffer.from("a") },
        { name: "roundrobin", metadata: Buffer.from("bc") },
      ],
    },
    fields: {
      0: {
        groupId: "g",
        sessionTimeoutMs: 30_000,
        memberId: "m",
        protocolType: "consumer",
        protocols: [
          { name: "range", metadata: Uint8Array.of(0x61) },
          { name: "roundrobin", metadata: Uint8Array.of(0x62, 0x63) },
        ],
      },
      1: { rebalanceTimeoutMs: 60_000 },
      5: { groupInstanceId: "i" },
    },
  },
  {
    api: heartbeat,
    versions: versions(0, 3),
    options: { groupId: "g", groupGenerationId: 3, memberId: "m", groupInstanceId: "i" },
    fields: { 0: { groupId: "g", generationId: 3, memberId: "m" }, 3: { groupInstanceId: "i" } },
  },
  {
    api: leaveGroup,
    versions: versions(0, 2),
    options: { groupId: "g", memberId: "m" },
    fields: { 0: { groupId: "g", memberId: "m", members: [] } },
  },
  {
    api: leaveGroup,
    versions: [3],
    options: { groupId: "g", members: [{ memberId: "m" }, { memberId: "", groupInstanceId: "i" }] },
    fields: {
      3: {
        groupId: "g",
        members: [
          { memberId: "m", groupInstanceId: null },
          { memberId: "", groupInstanceId: "i" },
        ],
      },
    },
  },
  {
    api: syncGroup,
    versions: versions(0, 3),
    options: {
      groupId: "g",
      generationId: 3,
      memberId: "m",
      groupInstanceId: "i",
      groupAssignment: [{ memberId: "n", memberAssignment: Buffer.from("a") }],
    },
    fields: {
      0: {
        groupId: "g",
        generationId: 3,
        memberId: "m",
        assignments: [{ memberId: "n", assignment: Uint8Array.of(0x61) }],
      },
      3: { groupInstanceId: "i" },
    },
  },
  {
    api: describeGroups,
    versions: versions(0, 2),
    options: { groupIds: ["g", "h"] },
    fields: { 0: { groups: ["g", "h"], includeAuthorizedOperations: false } },
  },
  { api: listGroups, versions: versions(0, 2), options: {}, fields: { 0: { statesFilter: [], typesFilter: [] } } },
  { api: deleteGroups, versions: versions(0, 1), options: ["g", "h"], fields: { 0: { groupsNames: ["g", "h"] } } },
];

describe("a request of KafkaJS is decoded, and encoded to the same bytes", () => {
  test.each(eachVersion(requestCases))("$name v$version", expectSameRequest);
});

/** Where KafkaJS puts the throttle time of a response, from the versions on that have one and that only report it. */
function throttle(version: number, first: number, onlyReported: number): object {
  if (version < first) return {};
  return version < onlyReported ? { throttleTime: 9 } : { throttleTime: 0, clientSideThrottleTime: 9 };
}

describe("KafkaJS reads a response", () => {
  test.each(versions(2, 5))("to OffsetCommit v%i", async (version) => {
    const partitions = [{ partitionIndex: 1, errorCode: 22 }];
    const bytes = encodeResponse(offsetCommit, version, 7, { throttleTimeMs: 9, topics: [{ name: "t", partitions }] });
    expect(await decodeWithKafkaJs("offsetCommit", version, bytes)).toEqual({
      responses: [{ topic: "t", partitions: [{ partition: 1, errorCode: 22 }] }],
      ...throttle(version, 3, 4),
    });
  });

  test.each(versions(1, 4))("to OffsetFetch v%i", async (version) => {
    const partitions = [
      { partitionIndex: 1, committedOffset: 2 ** 41, metadata: "note", errorCode: 0 },
      { partitionIndex: 2, committedOffset: -1, metadata: null, errorCode: 3 },
    ];
    const topics = [{ name: "t", partitions }];
    const bytes = encodeResponse(offsetFetch, version, 7, { throttleTimeMs: 9, topics, errorCode: 15 });
    expect(await decodeWithKafkaJs("offsetFetch", version, bytes)).toEqual({
      responses: [
        {
          topic: "t",
          partitions: [
            { partition: 1, offset: `${2 ** 41}`, metadata: "note", errorCode: 0 },
            { partition: 2, offset: "-1", metadata: null, errorCode: 3 },
          ],
        },
      ],
      ...(version < 2 ? {} : { errorCode: 15 }),
      ...throttle(version, 3, 4),
    });
  });

  test.each(versions(0, 2))("to FindCoordinator v%i", async (version) => {
    const coordinator = { nodeId: 4, host: "h", port: 9092 };
    const bytes = encodeResponse(findCoordinator, version, 7, {
      throttleTimeMs: 9,
      errorCode: 15,
      errorMessage: "wait",
      ...coordinator,
    });
    expect(await decodeWithKafkaJs("findCoordinator", version, bytes)).toEqual({
      errorCode: 15,
      coordinator,
      ...(version < 1 ? {} : { errorMessage: "wait" }),
      ...throttle(version, 1, 2),
    });
  });

  test.each(versions(0, 5))("to JoinGroup v%i", async (version) => {
    const bytes = encodeResponse(joinGroup, version, 7, {
      throttleTimeMs: 9,
      errorCode: 0,
      generationId: 3,
      protocolName: "range",
      leader: "m",
      memberId: "m",
      members: [{ memberId: "m", groupInstanceId: "i", metadata: Uint8Array.of(0x61) }],
    });
    expect(await decodeWithKafkaJs("joinGroup", version, bytes)).toEqual({
      errorCode: 0,
      generationId: 3,
      groupProtocol: "range",
      leaderId: "m",
      memberId: "m",
      members: [
        { memberId: "m", memberMetadata: Buffer.from("a"), ...(version < 5 ? {} : { groupInstanceId: "i" }) },
      ],
      ...throttle(version, 2, 3),
    });
  });

  test.each(versions(0, 3))("to Heartbeat v%i", async (version) => {
    const bytes = encodeResponse(heartbeat, version, 7, { throttleTimeMs: 9, errorCode: 27 });
    const read = await decodeWithKafkaJs("heartbeat", version, bytes);
    expect(read).toEqual({ errorCode: 27, ...throttle(version, 1, 2) });
  });

  test.each(versions(0, 3))("to LeaveGroup v%i", async (version) => {
    const members = [{ memberId: "m", groupInstanceId: null, errorCode: 25 }];
    const bytes = encodeResponse(leaveGroup, version, 7, { throttleTimeMs: 9, errorCode: 0, members });
    expect(await decodeWithKafkaJs("leaveGroup", version, bytes)).toEqual({
      errorCode: 0,
      ...(version < 3 ? {} : { members }),
      ...throttle(version, 1, 2),
    });
  });

  test.each(versions(0, 3))("to SyncGroup v%i", async (version) => {
    const assignment = Uint8Array.of(0x61);
    const bytes = encodeResponse(syncGroup, version, 7, { throttleTimeMs: 9, errorCode: 0, assignment });
    expect(await decodeWithKafkaJs("syncGroup", version, bytes)).toEqual({
      errorCode: 0,
      memberAssignment: Buffer.from("a"),
      ...throttle(version, 1, 2),
    });
  });

  test.each(versions(0, 2))("to DescribeGroups v%i", async (version) => {
    const member = { memberId: "m", clientId: "c", clientHost: "/h" };
    const group = { errorCode: 0, groupId: "g", protocolType: "consumer" };
    const bytes = encodeResponse(describeGroups, version, 7, {
      throttleTimeMs: 9,
      groups: [
        {
          ...group,
          groupState: "Stable",
          protocolData: "range",
          members: [{ ...member, memberMetadata: Uint8Array.of(0x61), memberAssignment: Uint8Array.of(0x62) }],
        },
      ],
    });
    expect(await decodeWithKafkaJs("describeGroups", version, bytes)).toEqual({
      groups: [
        {
          ...group,
          state: "Stable",
          protocol: "range",
          members: [{ ...member, memberMetadata: Buffer.from("a"), memberAssignment: Buffer.from("b") }],
        },
      ],
      ...throttle(version, 1, 2),
    });
  });

  test.each(versions(0, 2))("to ListGroups v%i", async (version) => {
    const groups = [{ groupId: "g", protocolType: "consumer" }];
    const bytes = encodeResponse(listGroups, version, 7, { throttleTimeMs: 9, errorCode: 14, groups });
    expect(await decodeWithKafkaJs("listGroups", version, bytes)).toEqual({
      errorCode: 14,
      groups,
      ...throttle(version, 1, 2),
    });
  });

  test.each(versions(0, 1))("to DeleteGroups v%i", async (version) => {
    const results = [{ groupId: "g", errorCode: 68 }];
    const bytes = encodeResponse(deleteGroups, version, 7, { throttleTimeMs: 9, results });
    expect(await decodeWithKafkaJs("deleteGroups", version, bytes)).toMatchObject({ throttleTimeMs: 9, results });
  });
});

describe("the consumer protocol of KafkaJS", () => {
  test("subscribes with the same bytes", () => {
    const theirs = MemberMetadata.encode({ version: 0, topics: ["a", "b"], userData: Buffer.from("u") });
    const read = decodeSubscription(theirs);
    expect(read).toMatchObject({ version: 0, topics: ["a", "b"], ownedPartitions: [], generationId: -1, rackId: null });
    expect(Buffer.from(encodeSubscription(read, 0))).toEqual(theirs);
    expect(MemberMetadata.decode(Buffer.from(encodeSubscription({ topics: ["a"], rackId: "r" })))).toEqual({
      version: 3,
      topics: ["a"],
      userData: null,
    });
  });

  test("assigns with the same bytes", () => {
    const theirs = MemberAssignment.encode({ version: 1, assignment: { a: [0, 2], b: [1] } });
    const read = decodeAssignment(theirs);
    expect(read).toMatchObject({
      version: 1,
      assignedPartitions: [
        { topic: "a", partitions: [0, 2] },
        { topic: "b", partitions: [1] },
      ],
    });
    expect(Buffer.from(encodeAssignment(read, 1))).toEqual(theirs);
    expect(MemberAssignment.decode(Buffer.from(encodeAssignment(read)))).toEqual({
      version: 3,
      assignment: { a: [0, 2], b: [1] },
      userData: Buffer.alloc(0),
    });
  });
});
