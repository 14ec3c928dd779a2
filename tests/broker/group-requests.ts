import { OFFSETS_TOPIC, partitionForGroup } from "../../src/coordinator/group-partition.ts";
import { offsetCommit } from "../../src/protocol/apis/08-offset-commit.ts";
import { offsetFetch } from "../../src/protocol/apis/09-offset-fetch.ts";
import { findCoordinator } from "../../src/protocol/apis/10-find-coordinator.ts";
import { joinGroup } from "../../src/protocol/apis/11-join-group.ts";
import type { JoinGroupRequestInit } from "../../src/protocol/apis/11-join-group.ts";
import { heartbeat } from "../../src/protocol/apis/12-heartbeat.ts";
import { syncGroup } from "../../src/protocol/apis/14-sync-group.ts";
import { encodeSubscription } from "../../src/protocol/consumer-protocol.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import type { CoreBroker, CoreCluster, TestClient } from "./core-cluster.ts";
import { leaderOf } from "./core-requests.ts";

/** Requests of members of the group "group", as the tests of the broker make them. */

export const GROUP = "group";
const text = (value: string) => Uint8Array.from(value, (character) => character.charCodeAt(0));

/** The tab that coordinates the group, once it knows that itself. The first call has the internal topic made. */
export function coordinatorOf(cluster: CoreCluster, groupId = GROUP): CoreBroker {
  const asked = cluster.brokers.find(({ running, frozen }) => running && !frozen)!;
  cluster.until(() => {
    if (cluster.controller.image.topicNamed(OFFSETS_TOPIC) !== undefined) return true;
    asked.connect().ask(findCoordinator, 4, { keyType: 0, coordinatorKeys: [groupId] });
    return false;
  }, "the internal topic");
  return leaderOf(cluster, OFFSETS_TOPIC, offsetsPartition(cluster, groupId));
}

export function offsetsPartition(cluster: CoreCluster, groupId = GROUP): number {
  return partitionForGroup(groupId, cluster.controller.image.topicNamed(OFFSETS_TOPIC)!.partitions.length);
}

export function sendCommit(client: TestClient, offset: number, { memberId = "", generation = -1, partition = 0 } = {}) {
  const answer = client.send(offsetCommit, 8, {
    groupId: GROUP,
    generationIdOrMemberEpoch: generation,
    memberId,
    topics: [
      {
        name: "quakes",
        partitions: [{ partitionIndex: partition, committedOffset: offset, committedMetadata: `at ${offset}` }],
      },
    ],
  });
  return (): ErrorName | undefined => {
    const code = answer()?.topics[0]?.partitions[0]?.errorCode;
    return code === undefined ? undefined : errorName(code);
  };
}

/** Commits, and waits for the answer. */
export function committed(
  cluster: CoreCluster,
  client: TestClient,
  offset: number,
  options?: Parameters<typeof sendCommit>[2],
): ErrorName {
  const answer = sendCommit(client, offset, options);
  cluster.until(() => answer() !== undefined, "the answer to a commit");
  return answer()!;
}

/** The committed offset, or the error of the group. */
export function fetched(client: TestClient, partition = 0): number | ErrorName {
  const { groups } = client.ask(offsetFetch, 8, {
    groups: [{ groupId: GROUP, topics: [{ name: "quakes", partitionIndexes: [partition] }] }],
  });
  const group = groups[0]!;
  return group.errorCode === 0 ? group.topics[0]!.partitions[0]!.committedOffset : errorName(group.errorCode);
}

/** Asks until the coordinator has loaded the group. */
export function untilFetched(cluster: CoreCluster, client: TestClient, partition = 0): number {
  let offset: number | ErrorName = "NONE";
  cluster.until(() => {
    offset = fetched(client, partition);
    if (typeof offset === "string" && offset !== "COORDINATOR_LOAD_IN_PROGRESS") throw new Error(offset);
    return typeof offset === "number";
  }, "the committed offset");
  return offset as unknown as number;
}

export function sendJoin(client: TestClient, request: Partial<JoinGroupRequestInit> = {}) {
  return client.send(joinGroup, 9, {
    groupId: GROUP,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 30_000,
    memberId: "",
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: encodeSubscription({ topics: ["quakes"] }) }],
    ...request,
  });
}

/** A member id to join with. */
export function newMemberId(cluster: CoreCluster, client: TestClient): string {
  const answer = sendJoin(client);
  cluster.until(() => answer() !== undefined, "a member id");
  if (errorName(answer()!.errorCode) !== "MEMBER_ID_REQUIRED") throw new Error(errorName(answer()!.errorCode));
  return answer()!.memberId;
}

export function sendSync(
  client: TestClient,
  memberId: string,
  generationId: number,
  assignments: Record<string, string> = {},
) {
  return client.send(syncGroup, 5, {
    groupId: GROUP,
    generationId,
    memberId,
    protocolType: "consumer",
    protocolName: "range",
    assignments: Object.entries(assignments).map(([id, value]) => ({ memberId: id, assignment: text(value) })),
  });
}

export function heartbeatError(client: TestClient, memberId: string, generationId: number): ErrorName {
  return errorName(client.ask(heartbeat, 4, { groupId: GROUP, generationId, memberId }).errorCode);
}

export interface StableGroup {
  readonly leader: string;
  readonly follower: string;
  readonly generation: number;
}

/** Two members in one generation, each on a connection of its own. */
export function stableGroup(cluster: CoreCluster, coordinator: CoreBroker): StableGroup {
  const clients = [coordinator.connect(), coordinator.connect()] as const;
  const ids = clients.map((client) => newMemberId(cluster, client)) as [string, string];
  const joins = clients.map((client, at) => sendJoin(client, { memberId: ids[at]! }));
  cluster.until(() => joins.every((answer) => answer() !== undefined), "both joins");
  const { leader, generationId: generation } = joins[0]!()!;
  const follower = ids.find((id) => id !== leader)!;
  const at = ids.indexOf(leader);
  const syncs = [
    sendSync(clients[at]!, leader, generation, { [leader]: "leader's", [follower]: "follower's" }),
    sendSync(clients[1 - at]!, follower, generation),
  ];
  cluster.until(() => syncs.every((answer) => answer() !== undefined), "both assignments");
  if (syncs.some((answer) => answer()!.errorCode !== 0)) throw new Error("the group did not become stable");
  return { leader, follower, generation };
}
