import { beforeEach, describe, expect, it } from "vitest";
import { partitionKey } from "../../src/log/stored-log.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { alterConfigs } from "../../src/protocol/apis/33-alter-configs.ts";
import { describeLogDirs } from "../../src/protocol/apis/35-describe-log-dirs.ts";
import { electLeaders } from "../../src/protocol/apis/43-elect-leaders.ts";
import { alterPartitionReassignments } from "../../src/protocol/apis/45-alter-partition-reassignments.ts";
import { listPartitionReassignments } from "../../src/protocol/apis/46-list-partition-reassignments.ts";
import { describeProducers } from "../../src/protocol/apis/61-describe-producers.ts";
import { listConfigResources } from "../../src/protocol/apis/74-list-config-resources.ts";
import { describeTopicPartitions } from "../../src/protocol/apis/75-describe-topic-partitions.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { CoreBroker } from "./core-cluster.ts";
import { consumed, createTopic, leaderOf, produced, untilInSync } from "./core-requests.ts";

const TOPIC = "quakes";

/** Requests of administrators, to whichever broker they are connected. */
describe("administration", () => {
  let cluster: CoreCluster;
  let tabs: CoreBroker[];

  beforeEach(() => {
    cluster = new CoreCluster();
    tabs = cluster.startRunning("a", "b", "c", "d");
    createTopic(cluster, TOPIC, { replicationFactor: 2 });
    untilInSync(cluster, TOPIC, 2);
  });

  const partition = () => cluster.controller.image.topicNamed(TOPIC)!.partitions[0]!;
  const leader = () => leaderOf(cluster, TOPIC);
  const tabOf = (nodeId: number) => tabs.find((tab) => tab.nodeId === nodeId)!;
  const key = () => partitionKey(partition().topicId, 0);

  /** The brokers that hold the partition, and those that do not. */
  const placed = () => {
    const held = [...partition().replicas];
    return { held, free: tabs.map(({ nodeId }) => nodeId).filter((nodeId) => !held.includes(nodeId)) };
  };

  const reassign = (replicas: number[] | null) => {
    const { responses } = tabs[0]!.connect().ask(alterPartitionReassignments, 0, {
      topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, replicas }] }],
    });
    return errorName(responses[0]!.partitions[0]!.errorCode);
  };

  const reassignments = () => tabs[0]!.connect().ask(listPartitionReassignments, 0, { topics: null }).topics;

  describe("a reassignment", () => {
    it("moves a partition with its records to other tabs, and its leadership last", () => {
      for (let round = 0; round < 20; round++) produced(cluster, leader().connect(), TOPIC, [`record ${round}`]);
      const { held, free } = placed();
      expect(reassign(free)).toBe("NONE");
      cluster.until(() => partition().replicas.length === 2 && !partition().replicas.includes(held[0]!), "the move");
      expect(partition()).toMatchObject({ replicas: free, leader: free[0] });
      expect([...partition().isr].sort()).toEqual([...free].sort());
      expect(consumed(leader().connect(), TOPIC).values).toHaveLength(20);
      expect(produced(cluster, leader().connect(), TOPIC, ["one more"])).toEqual({ error: "NONE", baseOffset: 20 });
      expect(reassignments()).toEqual([]);
      cluster.advance(120_000);
      expect(partition().replicas).toEqual(free);
    });

    it("keeps the old replicas until the new ones have stored everything, and can be taken back until then", () => {
      produced(cluster, leader().connect(), TOPIC, ["before"]);
      const { held, free } = placed();
      for (const nodeId of free) tabOf(nodeId).slowDisk = true;
      expect(reassign(free)).toBe("NONE");
      cluster.advance(2_000);
      expect(reassignments()).toEqual([
        {
          name: TOPIC,
          partitions: [
            {
              partitionIndex: 0,
              replicas: [...free, ...held],
              addingReplicas: free,
              removingReplicas: held,
            },
          ],
        },
      ]);
      expect(produced(cluster, leader().connect(), TOPIC, ["meanwhile"]).error).toBe("NONE");
      expect(reassign(null)).toBe("NONE");
      for (const nodeId of free) {
        tabOf(nodeId).slowDisk = false;
        tabOf(nodeId).flush();
      }
      cluster.advance(2_000);
      expect(partition()).toMatchObject({ replicas: held, removingReplicas: [] });
      expect([...partition().isr].sort()).toEqual([...held].sort());
      expect(consumed(leader().connect(), TOPIC).values).toEqual(["before", "meanwhile"]);
      expect(reassign(null)).toBe("NO_REASSIGNMENT_IN_PROGRESS");
    });

    it("loses nothing when the leader dies in the middle of it", () => {
      const { held, free } = placed();
      for (let round = 0; round < 5; round++) produced(cluster, leader().connect(), TOPIC, [`record ${round}`]);
      tabOf(free[1]!).slowDisk = true;
      reassign(free);
      cluster.until(() => partition().isr.includes(free[0]!), "the first of the new replicas");
      leader().kill();
      tabOf(free[1]!).slowDisk = false;
      tabOf(free[1]!).flush();
      cluster.until(() => !partition().replicas.includes(held[0]!), "the move");
      expect(partition().replicas).toEqual(free);
      expect(consumed(leader().connect(), TOPIC).values).toHaveLength(5);
    });
  });

  it("ElectLeaders brings the preferred leader back", () => {
    const [preferred] = partition().replicas;
    const elect = () => {
      const { replicaElectionResults } = tabs[3]!.connect().ask(electLeaders, 1, {
        electionType: 0,
        topicPartitions: [{ topic: TOPIC, partitions: [0] }],
      });
      return errorName(replicaElectionResults[0]!.partitionResult[0]!.errorCode);
    };
    expect(elect()).toBe("ELECTION_NOT_NEEDED");
    tabOf(preferred!).disconnectController();
    cluster.until(() => partition().leader !== preferred, "another leader");
    expect(elect()).toBe("PREFERRED_LEADER_NOT_AVAILABLE");
    tabOf(preferred!).connectController();
    cluster.until(() => partition().isr.length === 2, "the former leader in the ISR");
    if (partition().leader !== preferred) expect(elect()).toBe("NONE");
    expect(partition().leader).toBe(preferred);
    cluster.until(() => leader().nodeId === preferred, "the preferred leader");
  });

  it("AlterConfigs is passed on, in every version", () => {
    for (const [at, version] of [0, 1, 2].entries()) {
      const configs = [{ name: "retention.ms", value: String(1_000 + at) }];
      const { responses } = tabs[at]!.connect().ask(alterConfigs, version, {
        resources: [{ resourceType: 2, resourceName: TOPIC, configs }],
        validateOnly: false,
      });
      expect(errorName(responses[0]!.errorCode)).toBe("NONE");
      expect(cluster.controller.image.configOf(2, TOPIC).get("retention.ms")).toBe(String(1_000 + at));
    }
  });

  describe("DescribeLogDirs", () => {
    const logDirs = (tab: CoreBroker, topics: { topic: string; partitions: number[] }[] | null = null) => {
      const { errorCode, results } = tab.connect().ask(describeLogDirs, 4, { topics });
      expect(errorName(errorCode)).toBe("NONE");
      expect(results).toHaveLength(1);
      return results[0]!;
    };

    it("tells the size of each copy in a tab's directory", () => {
      produced(cluster, leader().connect(), TOPIC, ["x".repeat(1_000)]);
      cluster.advance(100);
      const { held, free } = placed();
      for (const nodeId of held) {
        const stored = tabOf(nodeId).disk.read(key(), 0, Number.POSITIVE_INFINITY);
        const partitionSize = stored.reduce((sum, { bytes }) => sum + bytes.length, 0);
        expect(partitionSize).toBeGreaterThan(1_000);
        expect(logDirs(tabOf(nodeId))).toMatchObject({
          errorCode: 0,
          logDir: `indexeddb:${tabOf(nodeId).identity.directoryId}`,
          topics: [
            { name: TOPIC, partitions: [{ partitionIndex: 0, partitionSize, offsetLag: 0, isFutureKey: false }] },
          ],
          totalBytes: -1,
          usableBytes: -1,
        });
      }
      expect(logDirs(tabOf(free[0]!)).topics).toEqual([]);
    });

    it("tells what it was asked for, of what is there", () => {
      createTopic(cluster, "waves", { partitions: 2, replicationFactor: 4 });
      const names = (topics: { topic: string; partitions: number[] }[]) =>
        logDirs(leader(), topics).topics.map(({ name, partitions }) => [
          name,
          ...partitions.map(({ partitionIndex }) => partitionIndex),
        ]);
      cluster.advance(100);
      const none = { topic: "none", partitions: [0] };
      expect(names([{ topic: "waves", partitions: [1, 7] }, none])).toEqual([["waves", 1]]);
      expect(names([])).toEqual([]);
    });

    it("tells how far a follower is behind", () => {
      createTopic(cluster, "waves", { replicationFactor: 2, configs: { "min.insync.replicas": "1" } });
      untilInSync(cluster, "waves", 2);
      const first = leaderOf(cluster, "waves");
      const { replicas } = cluster.controller.image.topicNamed("waves")!.partitions[0]!;
      const follower = tabOf(replicas.find((nodeId) => nodeId !== first.nodeId)!);
      const lag = () => logDirs(follower, [{ topic: "waves", partitions: [0] }]).topics[0]!.partitions[0]!.offsetLag;
      expect(lag()).toBe(0);
      follower.kill();
      untilInSync(cluster, "waves", 1);
      produced(cluster, first.connect(), "waves", ["one", "two", "three"]);
      follower.slowDisk = true;
      follower.start();
      cluster.until(() => follower.core.state === "running", "the follower");
      cluster.advance(200);
      expect(lag()).toBe(3);
      follower.slowDisk = false;
      follower.flush();
      untilInSync(cluster, "waves", 2);
      expect(lag()).toBe(0);
    });

    it("tells the room there is, once the platform has measured it", () => {
      tabs[0]!.handle({ type: "storage-measured", totalBytes: 1_000, usableBytes: 600 });
      expect(logDirs(tabs[0]!)).toMatchObject({ totalBytes: 1_000, usableBytes: 600 });
    });
  });

  it("DescribeProducers tells who writes to a partition", () => {
    const producer = { producerId: 7, producerEpoch: 2, baseSequence: 0 };
    produced(cluster, leader().connect(), TOPIC, ["one", "two"], producer);
    const describe = (tab: CoreBroker, topic = TOPIC) => {
      const { topics } = tab.connect().ask(describeProducers, 0, { topics: [{ name: topic, partitionIndexes: [0] }] });
      const { errorCode, activeProducers } = topics[0]!.partitions[0]!;
      return { error: errorName(errorCode), activeProducers };
    };
    expect(describe(leader())).toEqual({
      error: "NONE",
      activeProducers: [
        {
          producerId: 7,
          producerEpoch: 2,
          lastSequence: 1,
          lastTimestamp: expect.any(Number),
          coordinatorEpoch: -1,
          currentTxnStartOffset: -1,
        },
      ],
    });
    expect(describe(tabOf(placed().free[0]!)).error).toBe("NOT_LEADER_OR_FOLLOWER");
    expect(describe(leader(), "none").error).toBe("UNKNOWN_TOPIC_OR_PARTITION");
  });

  it("ListConfigResources names what can be configured", () => {
    const list = (resourceTypes: number[], version = 1) => {
      const answer = tabs[0]!.connect().ask(listConfigResources, version, { resourceTypes });
      const names = answer.configResources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`);
      return [errorName(answer.errorCode), ...names];
    };
    expect(list([])).toEqual(["NONE", `2 ${TOPIC}`, "4 1", "4 2", "4 3", "4 4"]);
    expect(list([2])).toEqual(["NONE", `2 ${TOPIC}`]);
    expect(list([16, 32])).toEqual(["NONE"]);
    expect(list([77])).toEqual(["UNSUPPORTED_VERSION"]);
    expect(list([], 0)).toEqual(["NONE"]);
  });

  describe("DescribeTopicPartitions", () => {
    type Cursor = { readonly topicName: string; readonly partitionIndex: number } | null;

    const describe = (topics: string[], limit = 2_000, cursor: Cursor = null) =>
      tabs[0]!.connect().ask(describeTopicPartitions, 0, {
        topics: topics.map((name) => ({ name })),
        responsePartitionLimit: limit,
        cursor,
      });

    it("says what Metadata says, and who may be elected", () => {
      leader().kill();
      tabs = tabs.filter(({ running }) => running);
      cluster.until(() => partition().eligibleLeaderReplicas.length === 1, "an ELR");
      cluster.advance(50);
      const { topics, nextCursor } = describe([TOPIC, "none"]);
      expect(nextCursor).toBeNull();
      const asked = { topics: [{ name: TOPIC }] };
      const [same] = tabs[0]!.connect().ask(metadata, 12, asked).topics;
      expect(topics.map(({ name, errorCode }) => [name, errorName(errorCode)])).toEqual([
        ["none", "UNKNOWN_TOPIC_OR_PARTITION"],
        [TOPIC, "NONE"],
      ]);
      const [described] = topics[1]!.partitions;
      expect(described).toMatchObject({ ...same!.partitions[0], lastKnownElr: [] });
      expect(described!.eligibleLeaderReplicas).toEqual(partition().eligibleLeaderReplicas);
    });

    it("goes on page by page, through all topics in order", () => {
      createTopic(cluster, "waves", { partitions: 5, replicationFactor: 1 });
      createTopic(cluster, "alps", { partitions: 3, replicationFactor: 1 });
      cluster.advance(50);
      const seen: string[] = [];
      let cursor: Cursor = null;
      for (let pages = 0; pages < 20; pages++) {
        const page: ReturnType<typeof describe> = describe([], 2, cursor);
        const told = page.topics.flatMap(({ name, partitions }) =>
          partitions.map(({ partitionIndex }) => `${name}-${partitionIndex}`),
        );
        expect(told.length).toBeLessThanOrEqual(2);
        seen.push(...told);
        cursor = page.nextCursor;
        if (cursor === null) break;
      }
      const all = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}-${index}`);
      expect(seen).toEqual([...all("alps", 3), `${TOPIC}-0`, ...all("waves", 5)]);
    });

    it("makes progress whatever the limit and the cursor are", () => {
      expect(describe([], 0).topics[0]!.partitions).toHaveLength(1);
      expect(describe([], -5, { topicName: "", partitionIndex: -7 }).topics[0]!.partitions).toHaveLength(1);
      expect(describe([], 10, { topicName: TOPIC, partitionIndex: 99 }).topics[0]!.partitions).toEqual([]);
      expect(describe([], 10, { topicName: "zzz", partitionIndex: 0 }).topics).toEqual([]);
    });
  });
});
