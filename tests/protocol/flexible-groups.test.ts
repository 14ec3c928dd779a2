import { expect, test } from "vitest";

import { offsetCommit } from "../../src/protocol/apis/08-offset-commit.ts";
import { offsetFetch } from "../../src/protocol/apis/09-offset-fetch.ts";
import { findCoordinator } from "../../src/protocol/apis/10-find-coordinator.ts";
import { joinGroup } from "../../src/protocol/apis/11-join-group.ts";
import { leaveGroup } from "../../src/protocol/apis/13-leave-group.ts";
import { syncGroup } from "../../src/protocol/apis/14-sync-group.ts";
import { listGroups } from "../../src/protocol/apis/16-list-groups.ts";
import { consumerGroupDescribe } from "../../src/protocol/apis/69-consumer-group-describe.ts";
import { consumerGroupHeartbeat } from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import { decodeMessage, encodeMessage } from "../../src/protocol/envelope.ts";
import type { Message } from "../../src/protocol/schema.ts";

/**
 * Bodies of flexible versions, which KafkaJS does not speak, written out by hand from Kafka's message definitions: a
 * compact string, array or bytes begins with its length plus one, and each struct ends with a tag buffer, `00`.
 */
function expectBytes<Init>(message: Message<unknown, Init>, version: number, body: NoInfer<Init>, hex: string): void {
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  expect(encodeMessage(message, version, body)).toEqual(bytes);
  expect(decodeMessage(message, version, bytes)).toMatchObject(body as object);
}

const TOPIC_ID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const topicId = TOPIC_ID.replaceAll("-", "");

test("OffsetCommit v9", () => {
  const partition = { partitionIndex: 1, committedOffset: 5, committedLeaderEpoch: 2, committedMetadata: "n" };
  expectBytes(
    offsetCommit.request,
    9,
    {
      groupId: "g",
      generationIdOrMemberEpoch: 3,
      memberId: "m",
      groupInstanceId: null,
      topics: [{ name: "t", partitions: [partition] }],
    },
    "0267 00000003 026d 00 02 0274 02 00000001 0000000000000005 00000002 026e 00 00 00",
  );
  const topics = [{ name: "t", partitions: [{ partitionIndex: 1, errorCode: 113 }] }];
  expectBytes(offsetCommit.response, 9, { topics }, "00000000 02 0274 02 00000001 0071 00 00 00");
});

test("OffsetFetch v9", () => {
  expectBytes(
    offsetFetch.request,
    9,
    {
      groups: [
        { groupId: "g", memberId: "m", memberEpoch: 4, topics: [{ name: "t", partitionIndexes: [1] }] },
        { groupId: "h", topics: null },
      ],
      requireStable: true,
    },
    "03 0267 026d 00000004 02 0274 02 00000001 00 00 0268 00 ffffffff 00 00 01 00",
  );
  const partition = { partitionIndex: 1, committedOffset: 5, committedLeaderEpoch: 2, metadata: "", errorCode: 0 };
  expectBytes(
    offsetFetch.response,
    9,
    { groups: [{ groupId: "g", topics: [{ name: "t", partitions: [partition] }], errorCode: 0 }] },
    "00000000 02 0267 02 0274 02 00000001 0000000000000005 00000002 01 0000 00 00 0000 00 00",
  );
});

test("FindCoordinator v3, with one key, and v4, with several", () => {
  expectBytes(findCoordinator.request, 3, { key: "g", keyType: 0 }, "0267 00 00");
  expectBytes(findCoordinator.request, 4, { keyType: 0, coordinatorKeys: ["g", "h"] }, "00 03 0267 0268 00");
  const coordinator = { nodeId: 4, host: "h", port: 9092, errorCode: 0, errorMessage: null };
  expectBytes(findCoordinator.response, 3, coordinator, "00000000 0000 00 00000004 0268 00002384 00");
  expectBytes(
    findCoordinator.response,
    4,
    { coordinators: [{ key: "g", ...coordinator }] },
    "00000000 02 0267 00000004 0268 00002384 0000 00 00 00",
  );
});

test("JoinGroup v9", () => {
  expectBytes(
    joinGroup.request,
    9,
    {
      groupId: "g",
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      memberId: "",
      groupInstanceId: "i",
      protocolType: "consumer",
      protocols: [{ name: "r", metadata: Uint8Array.of(9) }],
      reason: null,
    },
    "0267 00007530 0000ea60 01 0269 09636f6e73756d6572 02 0272 0209 00 00 00",
  );
  expectBytes(
    joinGroup.response,
    9,
    {
      errorCode: 0,
      generationId: 3,
      protocolType: "p",
      protocolName: "r",
      leader: "m",
      skipAssignment: true,
      memberId: "m",
      members: [{ memberId: "m", groupInstanceId: "i", metadata: Uint8Array.of(9) }],
    },
    "00000000 0000 00000003 0270 0272 026d 01 026d 02 026d 0269 0209 00 00",
  );
});

test("LeaveGroup v5", () => {
  const member = { memberId: "m", groupInstanceId: null };
  expectBytes(
    leaveGroup.request,
    5,
    { groupId: "g", members: [{ ...member, reason: "r" }] },
    "0267 02 026d 00 0272 00 00",
  );
  const response = { errorCode: 0, members: [{ ...member, errorCode: 25 }] };
  expectBytes(leaveGroup.response, 5, response, "00000000 0000 02 026d 00 0019 00 00");
});

test("SyncGroup v5", () => {
  const assignment = Uint8Array.of(9);
  const protocol = { protocolType: "p", protocolName: "r" };
  expectBytes(
    syncGroup.request,
    5,
    { groupId: "g", generationId: 3, memberId: "m", ...protocol, assignments: [{ memberId: "m", assignment }] },
    "0267 00000003 026d 00 0270 0272 02 026d 0209 00 00",
  );
  expectBytes(syncGroup.response, 5, { errorCode: 0, ...protocol, assignment }, "00000000 0000 0270 0272 0209 00");
});

test("ListGroups v5", () => {
  expectBytes(listGroups.request, 5, { statesFilter: ["s"], typesFilter: [] }, "02 0273 01 00");
  const groups = [{ groupId: "g", protocolType: "p", groupState: "s", groupType: "t" }];
  expectBytes(listGroups.response, 5, { errorCode: 0, groups }, "00000000 0000 02 0267 0270 0273 0274 00 00");
});

test("ConsumerGroupHeartbeat v1", () => {
  const topicPartitions = [{ topicId: TOPIC_ID, partitions: [1, 2] }];
  const partitionsHex = `02 ${topicId} 03 00000001 00000002 00`;
  expectBytes(
    consumerGroupHeartbeat.request,
    1,
    {
      groupId: "g",
      memberId: "m",
      memberEpoch: 0,
      rebalanceTimeoutMs: 5,
      subscribedTopicNames: ["t"],
      topicPartitions,
    },
    `0267 026d 00000000 00 00 00000005 02 0274 00 00 ${partitionsHex} 00`,
  );
  const response = { errorCode: 0, memberEpoch: 1, heartbeatIntervalMs: 5000 };
  expectBytes(
    consumerGroupHeartbeat.response,
    1,
    { ...response, memberId: "m", assignment: { topicPartitions } },
    `00000000 0000 00 026d 00000001 00001388 01 ${partitionsHex} 00 00`,
  );
  expectBytes(
    consumerGroupHeartbeat.response,
    1,
    { ...response, assignment: null },
    "00000000 0000 00 00 00000001 00001388 ff 00",
  );
});

test("ConsumerGroupDescribe v1", () => {
  const assignment = { topicPartitions: [{ topicId: TOPIC_ID, topicName: "t", partitions: [1] }] };
  const group = { errorCode: 0, groupId: "g", groupState: "s", groupEpoch: 2, assignmentEpoch: 1, assignorName: "u" };
  const member = { memberId: "m", rackId: "r", memberEpoch: 2, clientId: "c", clientHost: "h", memberType: 1 };
  const described = { ...member, subscribedTopicNames: ["t"], assignment, targetAssignment: { topicPartitions: [] } };
  expectBytes(
    consumerGroupDescribe.response,
    1,
    { groups: [{ ...group, members: [described] }] },
    "00000000 02 0000 00 0267 0273 00000002 00000001 0275 02 " +
      "026d 00 0272 00000002 0263 0268 02 0274 00 " +
      `02 ${topicId} 0274 02 00000001 00 00 01 00 01 00 80000000 00 00`,
  );
});
