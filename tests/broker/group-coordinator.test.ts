import { beforeEach, describe, expect, it } from "vitest";
import { OFFSETS_TOPIC } from "../../src/coordinator/group-partition.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { offsetCommit } from "../../src/protocol/apis/08-offset-commit.ts";
import { offsetFetch } from "../../src/protocol/apis/09-offset-fetch.ts";
import { findCoordinator } from "../../src/protocol/apis/10-find-coordinator.ts";
import { leaveGroup } from "../../src/protocol/apis/13-leave-group.ts";
import { describeGroups } from "../../src/protocol/apis/15-describe-groups.ts";
import { listGroups } from "../../src/protocol/apis/16-list-groups.ts";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { deleteTopics } from "../../src/protocol/apis/20-delete-topics.ts";
import { createPartitions } from "../../src/protocol/apis/37-create-partitions.ts";
import { deleteGroups } from "../../src/protocol/apis/42-delete-groups.ts";
import { offsetDelete } from "../../src/protocol/apis/47-offset-delete.ts";
import { consumerGroupHeartbeat } from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import { consumerGroupDescribe } from "../../src/protocol/apis/69-consumer-group-describe.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { CoreBroker, CoreCluster } from "./core-cluster.ts";
import { createTopic, deleteTopic, produced, threeTabs, untilInSync } from "./core-requests.ts";
import {
  GROUP,
  committed,
  coordinatorOf,
  fetched,
  heartbeatError,
  newMemberId,
  offsetsPartition,
  sendCommit,
  sendJoin,
  sendSync,
  stableGroup,
  untilFetched,
} from "./group-requests.ts";

let cluster: CoreCluster;
let tabs: CoreBroker[];

beforeEach(() => {
  ({ cluster, tabs } = threeTabs("quakes", { partitions: 6 }));
});

/** The coordinator of the group, with all three replicas in sync. */
function readyCoordinator(): CoreBroker {
  const coordinator = coordinatorOf(cluster);
  untilInSync(cluster, OFFSETS_TOPIC, 3, offsetsPartition(cluster));
  return coordinator;
}

const others = (tab: CoreBroker) => tabs.filter((other) => other !== tab);

describe("a group that one request names again and again", () => {
  it("is described, and its offsets are told, once", () => {
    const client = readyCoordinator().connect();
    const groups = [GROUP, GROUP, GROUP];
    expect(client.ask(describeGroups, 5, { groups }).groups.map(({ groupId }) => groupId)).toEqual([GROUP]);
    const { groups: described } = client.ask(consumerGroupDescribe, 1, { groupIds: groups });
    expect(described.map(({ groupId }) => groupId)).toEqual([GROUP]);
    const asked = groups.map((groupId) => ({ groupId, topics: null }));
    const { groups: told } = client.ask(offsetFetch, 8, { groups: asked });
    expect(told.map(({ errorCode }) => errorName(errorCode))).toEqual(["NONE", "INVALID_REQUEST", "INVALID_REQUEST"]);
  });
});

describe("the internal topic", () => {
  it("is made when a coordinator is first asked for, compacted and with a target of three replicas", () => {
    const client = tabs[0]!.connect();
    const first = client.ask(findCoordinator, 4, { keyType: 0, coordinatorKeys: [GROUP] }).coordinators[0]!;
    expect(errorName(first.errorCode)).toBe("COORDINATOR_NOT_AVAILABLE");
    cluster.until(() => cluster.controller.image.topicNamed(OFFSETS_TOPIC) !== undefined, "the topic");
    const topic = cluster.controller.image.topicNamed(OFFSETS_TOPIC)!;
    expect(topic.partitions).toHaveLength(8);
    expect(topic.partitions[0]!.replicas).toHaveLength(3);
    expect(cluster.controller.image.configOf(2, OFFSETS_TOPIC).get("cleanup.policy")).toBe("compact");
    cluster.advance(100);
    const { topics } = client.ask(metadata, 12, { topics: [{ name: OFFSETS_TOPIC }], allowAutoTopicCreation: false });
    expect(topics[0]).toMatchObject({ isInternal: true, errorCode: 0 });
  });

  it("is found alike by every tab, with the endpoint of the coordinator", () => {
    const coordinator = readyCoordinator();
    for (const tab of tabs) {
      const { coordinators } = tab.connect().ask(findCoordinator, 5, { keyType: 0, coordinatorKeys: [GROUP] });
      const found = { nodeId: coordinator.nodeId, host: coordinator.peer, errorCode: 0 };
      expect(coordinators).toMatchObject([{ key: GROUP, ...found }]);
      const older = tab.connect().ask(findCoordinator, 2, { key: GROUP });
      expect(older).toMatchObject(found);
    }
    const transactional = tabs[0]!.connect().ask(findCoordinator, 2, { key: GROUP, keyType: 1 });
    expect(errorName(transactional.errorCode)).toBe("TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
  });

  it("takes no records from clients, is not deleted, and keeps its number of partitions", () => {
    const client = readyCoordinator().connect();
    const partition = offsetsPartition(cluster);
    expect(produced(cluster, client, OFFSETS_TOPIC, ["forged"], { partition }).error).toBe("INVALID_TOPIC_EXCEPTION");
    const deleted = client.ask(deleteTopics, 6, { topics: [{ name: OFFSETS_TOPIC }], timeoutMs: 1_000 });
    expect(errorName(deleted.responses[0]!.errorCode)).toBe("INVALID_TOPIC_EXCEPTION");
    const grown = client.ask(createPartitions, 3, {
      topics: [{ name: OFFSETS_TOPIC, count: 16, assignments: null }],
      timeoutMs: 1_000,
      validateOnly: false,
    });
    expect(errorName(grown.results[0]!.errorCode)).toBe("INVALID_TOPIC_EXCEPTION");
  });

  it("offers clients the versions that every known client understands", () => {
    const { apiKeys } = tabs[0]!.connect().ask(apiVersions, 3, { clientSoftwareName: "t", clientSoftwareVersion: "1" });
    const offered = apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]);
    expect(Object.fromEntries(offered)).toMatchObject({
      8: [2, 9], 9: [1, 9], 10: [0, 5], 11: [0, 9], 12: [0, 4], 13: [0, 5], 14: [0, 5], 15: [0, 5], 16: [0, 5],
      42: [0, 2], 47: [0, 0], 68: [0, 1], 69: [0, 1],
    });
  });
});

describe("a group", () => {
  it("is answered NOT_COORDINATOR by every other tab", () => {
    const coordinator = readyCoordinator();
    for (const tab of others(coordinator)) {
      const client = tab.connect();
      expect(fetched(client)).toBe("NOT_COORDINATOR");
      expect(committed(cluster, client, 5)).toBe("NOT_COORDINATOR");
      expect(heartbeatError(client, "somebody", 1)).toBe("NOT_COORDINATOR");
    }
  });

  it("joins, is assigned, beats, commits, and is described and listed", () => {
    const coordinator = readyCoordinator();
    const { leader, follower, generation } = stableGroup(cluster, coordinator);
    const client = coordinator.connect();
    expect(heartbeatError(client, leader, generation)).toBe("NONE");
    expect(committed(cluster, client, 42, { memberId: follower, generation })).toBe("NONE");
    expect(fetched(client)).toBe(42);
    const { groups } = client.ask(describeGroups, 5, { groups: [GROUP, "other"] });
    expect(groups[0]).toMatchObject({ groupState: "Stable", protocolData: "range", members: [{}, {}] });
    const listed = client.ask(listGroups, 5, {});
    expect(listed.groups).toEqual([
      { groupId: GROUP, protocolType: "consumer", groupState: "Stable", groupType: "classic" },
    ]);
    const refused = client.ask(deleteGroups, 2, { groupsNames: [GROUP] });
    expect(errorName(refused.results[0]!.errorCode)).toBe("NON_EMPTY_GROUP");
  });

  it("answers offsets in the versions of old and new clients", () => {
    const client = readyCoordinator().connect();
    expect(committed(cluster, client, 9, { partition: 2 })).toBe("NONE");
    for (const version of [1, 4, 7]) {
      const { topics } = client.ask(offsetFetch, version, {
        groupId: GROUP,
        topics: [{ name: "quakes", partitionIndexes: [2, 3] }],
      });
      expect(topics[0]!.partitions).toMatchObject([
        { partitionIndex: 2, committedOffset: 9, metadata: "at 9", errorCode: 0 },
        { partitionIndex: 3, committedOffset: -1, metadata: "", errorCode: 0 },
      ]);
    }
    const all = client.ask(offsetFetch, 9, { groups: [{ groupId: GROUP, topics: null }] });
    expect(all.groups[0]!.topics[0]!.partitions).toHaveLength(1);
    const notHere = others(coordinatorOf(cluster))[0]!.connect();
    const first = notHere.ask(offsetFetch, 1, { groupId: GROUP, topics: [{ name: "quakes", partitionIndexes: [2] }] });
    expect(errorName(first.topics[0]!.partitions[0]!.errorCode)).toBe("NOT_COORDINATOR");
  });

  it("gives up offsets and itself when told to", () => {
    const client = readyCoordinator().connect();
    committed(cluster, client, 7);
    committed(cluster, client, 8, { partition: 1 });
    const topics = [{ name: "quakes", partitions: [{ partitionIndex: 0 }] }];
    expect(client.ask(offsetDelete, 0, { groupId: GROUP, topics })).toMatchObject({ errorCode: 0 });
    expect([fetched(client), fetched(client, 1)]).toEqual([-1, 8]);
    expect(client.ask(deleteGroups, 2, { groupsNames: [GROUP] }).results).toMatchObject([{ errorCode: 0 }]);
    expect(fetched(client, 1)).toBe(-1);
    const again = client.ask(deleteGroups, 2, { groupsNames: [GROUP] });
    expect(errorName(again.results[0]!.errorCode)).toBe("GROUP_ID_NOT_FOUND");
  });

  it("forgets offsets of topics that are deleted", () => {
    const coordinator = readyCoordinator();
    const client = coordinator.connect();
    committed(cluster, client, 7);
    deleteTopic(cluster, "quakes");
    cluster.until(() => fetched(client) === -1, "the end of the offset");
  });

  it("works by KIP-848 as well, and sees topics grow", () => {
    const client = readyCoordinator().connect();
    const beat = (memberEpoch: number, more = {}) =>
      client.ask(consumerGroupHeartbeat, 1, { groupId: GROUP, memberId: "m1", memberEpoch, ...more });
    const joined = beat(0, { rebalanceTimeoutMs: 10_000, subscribedTopicNames: ["quakes"], topicPartitions: [] });
    expect(joined).toMatchObject({ errorCode: 0, memberEpoch: 1 });
    const { topicId } = cluster.controller.image.topicNamed("quakes")!;
    expect(joined.assignment!.topicPartitions).toEqual([{ topicId, partitions: [0, 1, 2, 3, 4, 5] }]);
    cluster.askController(createPartitions, 3, {
      topics: [{ name: "quakes", count: 8, assignments: null }],
      timeoutMs: 1_000,
      validateOnly: false,
    });
    cluster.advance(100);
    const grown = beat(1);
    expect(grown).toMatchObject({ memberEpoch: 2 });
    expect(grown.assignment!.topicPartitions[0]!.partitions).toHaveLength(8);
    const { groups } = client.ask(consumerGroupDescribe, 1, { groupIds: [GROUP] });
    const members = [{ memberId: "m1", memberType: 1 }];
    expect(groups[0]).toMatchObject({ groupState: "Stable", groupEpoch: 2, members });
    const classic = sendJoin(client);
    cluster.until(() => classic() !== undefined, "the answer to a join");
    expect(errorName(classic()!.errorCode)).toBe("INCONSISTENT_GROUP_PROTOCOL");
  });
});

describe("commits", () => {
  it("[R17] are answered only once followers have them, and not at all if too few are in sync", () => {
    const coordinator = readyCoordinator();
    const client = coordinator.connect();
    for (const tab of others(coordinator)) tab.slowDisk = true;
    const answer = sendCommit(client, 5);
    cluster.advance(300);
    expect(answer()).toBeUndefined();
    for (const tab of others(coordinator)) {
      tab.slowDisk = false;
      tab.flush();
    }
    cluster.until(() => answer() !== undefined, "the answer");
    expect(answer()).toBe("NONE");
    for (const tab of others(coordinator)) tab.kill();
    untilInSync(cluster, OFFSETS_TOPIC, 1, offsetsPartition(cluster));
    cluster.advance(100);
    expect(committed(cluster, client, 6)).toBe("COORDINATOR_NOT_AVAILABLE");
  });

  it("[R17] hold up answers that tell of them, and no others", () => {
    const coordinator = readyCoordinator();
    const { leader, follower, generation } = stableGroup(cluster, coordinator);
    const committing = coordinator.connect();
    const member = { memberId: leader, generation };
    expect(committed(cluster, committing, 4, member)).toBe("NONE");
    for (const tab of others(coordinator)) tab.slowDisk = true;
    const commit = sendCommit(committing, 5, member);
    cluster.advance(100);
    const client = coordinator.connect();
    expect(heartbeatError(client, leader, generation)).toBe("NONE");
    expect(fetched(client, 1)).toBe(-1);
    const topics = (partitionIndexes: number[] | null) =>
      partitionIndexes === null ? null : [{ name: "quakes", partitionIndexes }];
    const told = [topics([1, 0]), topics(null)].map((wanted) =>
      coordinator.connect().send(offsetFetch, 8, { groups: [{ groupId: GROUP, topics: wanted }] }),
    );
    cluster.advance(100);
    expect([commit(), ...told.map((answer) => answer())]).toEqual([undefined, undefined, undefined]);
    for (const tab of others(coordinator)) {
      tab.slowDisk = false;
      tab.flush();
    }
    cluster.until(() => told.every((answer) => answer() !== undefined), "the offsets");
    const offsets = told.map((answer) =>
      answer()!.groups[0]!.topics[0]!.partitions.find(({ partitionIndex }) => partitionIndex === 0)!.committedOffset,
    );
    expect([commit(), ...offsets]).toEqual(["NONE", 5, 5]);
    // That the group is empty is not committed yet, and whoever asks about the group has to wait for that.
    for (const tab of others(coordinator)) tab.slowDisk = true;
    const leaving = coordinator.connect();
    const left = leaving.send(leaveGroup, 4, { groupId: GROUP, members: [{ memberId: leader }, { memberId: follower }] });
    cluster.advance(100);
    const rejoining = sendJoin(coordinator.connect());
    cluster.advance(100);
    expect([left(), rejoining()]).toEqual([undefined, undefined]);
    for (const tab of others(coordinator)) {
      tab.slowDisk = false;
      tab.flush();
    }
    cluster.until(() => rejoining() !== undefined, "the answer to a join");
    expect(left()!.members.map(({ errorCode }) => errorCode)).toEqual([0, 0]);
  });

  it("wait for more replicas without anybody's session ending meanwhile", () => {
    const coordinator = readyCoordinator();
    const { leader, follower, generation } = stableGroup(cluster, coordinator);
    for (const tab of others(coordinator)) tab.kill();
    untilInSync(cluster, OFFSETS_TOPIC, 1, offsetsPartition(cluster));
    cluster.advance(20_000);
    for (const tab of others(coordinator)) tab.start();
    untilInSync(cluster, OFFSETS_TOPIC, 3, offsetsPartition(cluster));
    expect(coordinatorOf(cluster)).toBe(coordinator);
    cluster.advance(9_000);
    const client = coordinator.connect();
    expect(heartbeatError(client, leader, generation)).toBe("NONE");
    cluster.advance(2_000);
    expect(heartbeatError(client, leader, generation)).toBe("REBALANCE_IN_PROGRESS");
    expect(heartbeatError(client, follower, generation)).toBe("UNKNOWN_MEMBER_ID");
  });

  it("are refused alone where a partition does not exist or the metadata is too long", () => {
    const client = readyCoordinator().connect();
    const partition = (partitionIndex: number, committedMetadata: string) => ({
      partitionIndex,
      committedOffset: 1,
      committedMetadata,
    });
    const { topics } = client.ask(offsetCommit, 8, {
      groupId: GROUP,
      topics: [{ name: "quakes", partitions: [partition(0, ""), partition(1, "x".repeat(4_097)), partition(6, "")] }],
    });
    expect(topics[0]!.partitions.map(({ errorCode }) => errorName(errorCode))).toEqual([
      "NONE", "OFFSET_METADATA_TOO_LARGE", "UNKNOWN_TOPIC_OR_PARTITION",
    ]);
  });
});

describe("a coordinator that dies", () => {
  it("during a rebalance leaves the last complete generation, and its members carry on", () => {
    const coordinator = readyCoordinator();
    const { leader, follower, generation } = stableGroup(cluster, coordinator);
    const third = coordinator.connect();
    sendJoin(third, { memberId: newMemberId(cluster, third) });
    sendJoin(coordinator.connect(), { memberId: leader });
    cluster.advance(100);
    coordinator.kill();
    const next = coordinatorOf(cluster);
    expect(next).not.toBe(coordinator);
    untilFetched(cluster, next.connect());
    for (const member of [leader, follower]) expect(heartbeatError(next.connect(), member, generation)).toBe("NONE");
    expect(committed(cluster, next.connect(), 3, { memberId: leader, generation })).toBe("NONE");
  });

  it("during the leader's sync has handed out no assignment that the next one lacks", () => {
    const coordinator = readyCoordinator();
    const client = coordinator.connect();
    const memberId = newMemberId(cluster, client);
    const join = sendJoin(client, { memberId });
    cluster.until(() => join() !== undefined, "the join");
    for (const tab of others(coordinator)) tab.slowDisk = true;
    const sync = sendSync(client, memberId, join()!.generationId, { [memberId]: "all" });
    cluster.advance(200);
    expect(sync()).toBeUndefined();
    coordinator.kill();
    for (const tab of others(coordinator)) {
      tab.slowDisk = false;
      tab.flush();
    }
    const next = coordinatorOf(cluster).connect();
    untilFetched(cluster, next);
    // Whether the record got through or not, nobody was told; with it the member carries on, without it joins again.
    expect(["NONE", "UNKNOWN_MEMBER_ID"]).toContain(heartbeatError(next, memberId, join()!.generationId));
  });

  it("during a commit loses no offset that was acknowledged, and none goes back", () => {
    let acknowledged = -1;
    for (let round = 1; round <= 3; round++) {
      const coordinator = readyCoordinator();
      const client = coordinator.connect();
      const before = untilFetched(cluster, client);
      expect(before).toBeGreaterThanOrEqual(acknowledged);
      for (let offset = before + 1; offset < before + 5; offset++) {
        expect(committed(cluster, client, offset)).toBe("NONE");
        acknowledged = offset;
      }
      const last = sendCommit(client, acknowledged + 1);
      coordinator.kill();
      expect(last()).toBeUndefined();
      const next = coordinatorOf(cluster).connect();
      const after = untilFetched(cluster, next);
      expect([acknowledged, acknowledged + 1]).toContain(after);
      acknowledged = after;
      coordinator.start();
      cluster.until(() => coordinator.core.state === "running", "the tab to be back");
    }
  });

  it("while it loads is followed by one that loads all of it", () => {
    const coordinator = readyCoordinator();
    const client = coordinator.connect();
    for (let offset = 1; offset <= 20; offset++) committed(cluster, client, offset);
    coordinator.kill();
    const second = coordinatorOf(cluster);
    // Not committed yet what was there before, the second one is still loading.
    second.kill();
    coordinator.start();
    second.start();
    const third = coordinatorOf(cluster);
    expect(untilFetched(cluster, third.connect())).toBe(20);
  });

  it("[R14] answers COORDINATOR_LOAD_IN_PROGRESS until what it loaded is committed, where members understand that", () => {
    const coordinator = readyCoordinator();
    committed(cluster, coordinator.connect(), 5);
    cluster.advance(100);
    const { replicas } = cluster.controller.image.topicNamed(OFFSETS_TOPIC)!.partitions[offsetsPartition(cluster)]!;
    const [next, last] = replicas
      .filter((nodeId) => nodeId !== coordinator.nodeId)
      .map((nodeId) => tabs.find((tab) => tab.nodeId === nodeId)!) as [CoreBroker, CoreBroker];
    last.slowDisk = true;
    const unanswered = sendCommit(coordinator.connect(), 6);
    cluster.advance(50);
    coordinator.kill();
    expect(coordinatorOf(cluster)).toBe(next);
    cluster.advance(300);
    expect(fetched(next.connect())).toBe("COORDINATOR_LOAD_IN_PROGRESS");
    expect(committed(cluster, next.connect(), 7)).toBe("COORDINATOR_LOAD_IN_PROGRESS");
    const listed = next.connect().ask(listGroups, 5, {});
    expect(errorName(listed.errorCode)).toBe("COORDINATOR_LOAD_IN_PROGRESS");
    expect(heartbeatError(next.connect(), "somebody", 1)).toBe("NONE");
    const sync = sendSync(next.connect(), "somebody", 1);
    cluster.settle();
    expect(errorName(sync()!.errorCode)).toBe("REBALANCE_IN_PROGRESS");
    last.slowDisk = false;
    last.flush();
    expect(unanswered()).toBeUndefined();
    expect(untilFetched(cluster, next.connect())).toBe(6);
  });

  it("[R5] because its tab is reloaded while it alone is in sync tells the offsets again", () => {
    const coordinator = readyCoordinator();
    expect(committed(cluster, coordinator.connect(), 5)).toBe("NONE");
    for (const tab of others(coordinator)) tab.kill();
    untilInSync(cluster, OFFSETS_TOPIC, 1, offsetsPartition(cluster));
    cluster.advance(100);
    coordinator.kill();
    coordinator.start();
    expect(coordinatorOf(cluster)).toBe(coordinator);
    expect(untilFetched(cluster, coordinator.connect())).toBe(5);
  });

  it.each(["is gone", "was made anew"])("forgets offsets of a topic that %s by the time it has loaded", (what) => {
    const coordinator = readyCoordinator();
    expect(committed(cluster, coordinator.connect(), 5)).toBe("NONE");
    cluster.advance(100);
    const next = () => coordinatorOf(cluster);
    coordinator.kill();
    deleteTopic(cluster, "quakes");
    if (what !== "is gone") createTopic(cluster, "quakes", { partitions: 6 });
    expect(untilFetched(cluster, next().connect())).toBe(-1);
    // And they stay forgotten for the one after it.
    next().kill();
    coordinator.start();
    expect(untilFetched(cluster, next().connect())).toBe(-1);
  });

  it("is told to those who wait when it lives on but no longer leads", () => {
    const coordinator = readyCoordinator();
    stableGroup(cluster, coordinator);
    const third = coordinator.connect();
    const join = sendJoin(third, { memberId: newMemberId(cluster, third) });
    cluster.advance(50);
    expect(join()).toBeUndefined();
    coordinator.handle({ type: "time-gap", gapMs: 60_000 });
    cluster.until(() => join() !== undefined, "an answer to who waits");
    expect(errorName(join()!.errorCode)).toBe("NOT_COORDINATOR");
  });

  it("loads from disk what is not in memory any more, across restarts of all tabs", () => {
    const coordinator = readyCoordinator();
    const client = coordinator.connect();
    // Larger than what is kept of a log's tail in memory.
    const committedMetadata = "x".repeat(4_096);
    for (let offset = 1; offset <= 12; offset++) {
      const partitions = Array.from({ length: 6 }, (_, partitionIndex) => ({
        partitionIndex,
        committedOffset: offset,
        committedMetadata,
      }));
      // One request, many batches: the same partitions come again and again.
      const topics = Array.from({ length: 30 }, () => ({ name: "quakes", partitions }));
      client.ask(offsetCommit, 8, { groupId: GROUP, topics });
    }
    cluster.advance(500);
    let reads = 0;
    for (const tab of tabs) tab.kill();
    for (const tab of tabs) {
      const handle = tab.handle.bind(tab);
      tab.handle = (event) => {
        if (event.type === "read") reads++;
        handle(event);
      };
      tab.start();
    }
    cluster.until(() => tabs.every(({ core }) => core.state === "running"), "three running brokers");
    expect(untilFetched(cluster, coordinatorOf(cluster).connect())).toBe(12);
    expect(reads).toBeGreaterThan(5);
  });
});
