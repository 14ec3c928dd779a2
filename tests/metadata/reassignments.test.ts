import { describe, expect, test } from "vitest";
import { incrementalAlterConfigs } from "../../src/protocol/apis/44-incremental-alter-configs.ts";
import { alterPartitionReassignments } from "../../src/protocol/apis/45-alter-partition-reassignments.ts";
import { listPartitionReassignments } from "../../src/protocol/apis/46-list-partition-reassignments.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { TOPIC_RESOURCE } from "../../src/metadata/image.ts";
import { ControllerDriver, newDirectory, TestBroker } from "./controller-driver.ts";

const TOPIC = "quakes";
const MINUTE_MS = 60_000;

/** A topic with its replicas on the first brokers, as its creator has assigned them. */
class Cluster {
  readonly driver = new ControllerDriver();
  readonly tabs: TestBroker[];

  constructor(brokers: number, replicas: readonly number[]) {
    this.tabs = Array.from({ length: brokers }, (_, index) => TestBroker.start(this.driver, newDirectory(index + 1)));
    const assignments = [{ partitionIndex: 0, brokerIds: [...replicas] }];
    const { errorCode } = this.driver.createTopic(TOPIC, -1, { assignments });
    expect(errorName(errorCode)).toBe("NONE");
  }

  get partition() {
    return this.driver.partition(TOPIC);
  }

  tab(id: number): TestBroker {
    return this.tabs.find((tab) => tab.id === id)!;
  }

  move(replicas: readonly number[] | null, more: { topic?: string; partition?: number; keepFactor?: boolean } = {}) {
    const { responses } = this.driver.ask(this.driver.open(), alterPartitionReassignments, 1, {
      allowReplicationFactorChange: more.keepFactor !== true,
      topics: [{ name: more.topic ?? TOPIC, partitions: [{ partitionIndex: more.partition ?? 0, replicas }] }],
    });
    return errorName(responses[0]!.partitions[0]!.errorCode);
  }

  list(topics: { name: string; partitionIndexes: number[] }[] | null = null) {
    return this.driver.ask(this.driver.open(), listPartitionReassignments, 0, { topics }).topics;
  }

  /** The leader proposes an ISR, as it does when a follower has caught up. */
  inSync(isr: readonly number[]): void {
    const { topics } = this.tab(this.partition.leader).proposeIsr(this.partition, isr);
    expect(errorName(topics[0]!.partitions[0]!.errorCode)).toBe("NONE");
  }

  /** Time passes for brokers that are there. */
  advance(ms: number, gone: readonly number[] = []): void {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.driver.advance(1_000);
      for (const tab of this.tabs) if (!gone.includes(tab.id)) tab.heartbeat();
    }
  }
}

describe("AlterPartitionReassignments", () => {
  test("adds the new replicas, and lets the old ones go when all that stay are in sync", () => {
    const cluster = new Cluster(5, [1, 2, 3]);
    const before = cluster.partition;
    expect(cluster.move([4, 5, 1])).toBe("NONE");
    expect(cluster.partition).toMatchObject({
      replicas: [4, 5, 1, 2, 3],
      addingReplicas: [4, 5],
      removingReplicas: [2, 3],
      isr: [1, 2, 3],
      leader: 1,
      leaderEpoch: before.leaderEpoch,
    });
    cluster.inSync([1, 2, 3, 4]);
    expect(cluster.partition).toMatchObject({
      replicas: [4, 5, 1, 2, 3],
      addingReplicas: [5],
      removingReplicas: [2, 3],
    });
    cluster.inSync([1, 2, 3, 4, 5]);
    expect(cluster.partition).toMatchObject({
      replicas: [4, 5, 1],
      addingReplicas: [],
      removingReplicas: [],
      reassignedFrom: [],
      leader: 1,
    });
    expect([...cluster.partition.isr].sort()).toEqual([1, 4, 5]);
    // Those that went must not be heard any more.
    expect(cluster.partition.leaderEpoch).toBe(before.leaderEpoch + 1);
    expect(cluster.list()).toEqual([]);
  });

  test("moves the leadership when the leader goes", () => {
    const cluster = new Cluster(4, [1, 2]);
    cluster.move([3, 4]);
    cluster.inSync([1, 2, 3, 4]);
    expect(cluster.partition).toMatchObject({ replicas: [3, 4], isr: [3, 4], leader: 3 });
  });

  test("waits for a replica that stays, but is not in sync", () => {
    const cluster = new Cluster(4, [1, 2, 3]);
    cluster.inSync([1, 3]);
    cluster.move([1, 2, 4]);
    cluster.inSync([1, 3, 4]);
    expect(cluster.partition.replicas).toEqual([1, 2, 4, 3]);
    cluster.inSync([1, 3, 4, 2]);
    expect(cluster.partition.replicas).toEqual([1, 2, 4]);
  });

  test("is told as it is under way, of the partitions asked for", () => {
    const cluster = new Cluster(5, [1, 2, 3]);
    cluster.move([4, 5, 1]);
    cluster.inSync([1, 2, 3, 4]);
    const move = { addingReplicas: [4, 5], removingReplicas: [2, 3] };
    const told = { name: TOPIC, partitions: [expect.objectContaining(move)] };
    expect(cluster.list()).toEqual([told]);
    expect(cluster.list([{ name: TOPIC, partitionIndexes: [0] }])).toEqual([told]);
    expect(cluster.list([{ name: TOPIC, partitionIndexes: [1] }])).toEqual([]);
    expect(cluster.list([{ name: "no such topic", partitionIndexes: [0] }])).toEqual([]);
  });

  test("changes the order of replicas, and their number downwards, at once", () => {
    const cluster = new Cluster(3, [1, 2, 3]);
    expect(cluster.move([3, 1, 2])).toBe("NONE");
    expect(cluster.partition).toMatchObject({ replicas: [3, 1, 2], leader: 1, reassignedFrom: [] });
    expect(cluster.move([2])).toBe("NONE");
    expect(cluster.partition).toMatchObject({ replicas: [2], isr: [2], leader: 2, reassignedFrom: [] });
  });

  test("is cancelled with null, back to where the first of several began", () => {
    const cluster = new Cluster(5, [1, 2, 3]);
    cluster.move([4, 5, 1]);
    cluster.inSync([1, 2, 3, 4]);
    expect(cluster.move([2, 3, 5])).toBe("NONE");
    // What had caught up stays until the end; what had not goes at once.
    expect(cluster.partition).toMatchObject({
      replicas: [2, 3, 5, 4, 1],
      addingReplicas: [5],
      removingReplicas: [4, 1],
    });
    expect(cluster.move(null)).toBe("NONE");
    expect(cluster.partition).toMatchObject({
      replicas: [1, 2, 3],
      isr: [1, 2, 3],
      addingReplicas: [],
      removingReplicas: [],
      reassignedFrom: [],
      replicationFactor: 0,
    });
    expect(cluster.move(null)).toBe("NO_REASSIGNMENT_IN_PROGRESS");
  });

  test("is not cancelled while the only complete copies are new ones", () => {
    const cluster = new Cluster(5, [1, 2, 3]);
    cluster.move([4, 5]);
    cluster.inSync([1, 4]);
    expect(cluster.move(null)).toBe("INVALID_REPLICA_ASSIGNMENT");
    expect(cluster.partition.replicas).toEqual([4, 5, 1, 2, 3]);
    cluster.inSync([1, 4, 2]);
    expect(cluster.move(null)).toBe("NONE");
    expect(cluster.partition).toMatchObject({ replicas: [1, 2, 3], isr: [1, 2] });
  });

  test.each([
    ["an unknown topic", [1], { topic: "no such topic" }, "UNKNOWN_TOPIC_OR_PARTITION"],
    ["an unknown partition", [1], { partition: 7 }, "UNKNOWN_TOPIC_OR_PARTITION"],
    ["no replicas", [], {}, "INVALID_REPLICA_ASSIGNMENT"],
    ["one broker twice", [1, 1], {}, "INVALID_REPLICA_ASSIGNMENT"],
    ["an unknown broker", [1, 77], {}, "INVALID_REPLICA_ASSIGNMENT"],
    ["a negative broker", [-1], {}, "INVALID_REPLICA_ASSIGNMENT"],
    ["another number of replicas where that is forbidden", [1], { keepFactor: true }, "INVALID_REPLICATION_FACTOR"],
    ["nothing to cancel", null, {}, "NO_REASSIGNMENT_IN_PROGRESS"],
  ])("refuses %s", (_what, replicas, more, error) => {
    const cluster = new Cluster(3, [1, 2]);
    const before = cluster.driver.image.endOffset;
    expect(cluster.move(replicas, more)).toBe(error);
    expect(cluster.driver.image.endOffset).toBe(before);
  });

  test("refuses a partition that is named twice", () => {
    const { driver } = new Cluster(3, [1, 2]);
    const partition = { partitionIndex: 0, replicas: [2, 3] };
    const { responses } = driver.ask(driver.open(), alterPartitionReassignments, 0, {
      topics: [{ name: TOPIC, partitions: [partition, partition] }],
    });
    for (const { errorCode } of responses[0]!.partitions) expect(errorName(errorCode)).toBe("INVALID_REQUEST");
    expect(driver.partition(TOPIC).replicas).toEqual([1, 2]);
  });

  test("survives a restart of the controller, on its way and after", () => {
    const cluster = new Cluster(4, [1, 2]);
    cluster.move([3, 4, 1]);
    expect(cluster.driver.replayed().topicNamed(TOPIC)!.partitions[0]).toEqual(cluster.partition);
    cluster.inSync([1, 2, 3, 4]);
    expect(cluster.partition.replicationFactor).toBe(3);
    expect(cluster.driver.replayed().topicNamed(TOPIC)!.partitions[0]).toEqual(cluster.partition);
  });
});

describe("healing", () => {
  test("does not undo a reassignment, while it lasts or afterwards", () => {
    const cluster = new Cluster(5, [1, 2, 3]);
    cluster.move([4, 5]);
    cluster.advance(2 * MINUTE_MS);
    expect(cluster.partition).toMatchObject({ replicas: [4, 5, 1, 2, 3], addingReplicas: [4, 5] });
    cluster.inSync([1, 2, 3, 4, 5]);
    cluster.advance(2 * MINUTE_MS);
    expect(cluster.partition).toMatchObject({ replicas: [4, 5], isr: [4, 5], leader: 4 });
  });

  test("keeps to the order that was asked for, and brings the preferred leader back", () => {
    const cluster = new Cluster(3, [1, 2, 3]);
    cluster.move([3, 2, 1]);
    cluster.advance(10_000);
    expect(cluster.partition).toMatchObject({ replicas: [3, 2, 1], leader: 3 });
  });

  test("replaces a lost replica of what was asked for, by the number that was asked for", () => {
    const cluster = new Cluster(4, [1, 2, 3]);
    cluster.move([3, 4]);
    cluster.inSync([1, 2, 3, 4]);
    cluster.advance(2 * MINUTE_MS, [4]);
    expect(cluster.partition.isr).toEqual([3]);
    expect(cluster.partition.replicas).toHaveLength(3);
    expect(cluster.partition.addingReplicas).toHaveLength(1);
    cluster.inSync([3, ...cluster.partition.addingReplicas]);
    cluster.advance(10_000, [4]);
    expect(cluster.partition.replicas).toHaveLength(2);
    expect(cluster.partition.replicas).not.toContain(4);
  });

  test("goes back to the replicas from before when a new one is lost on the way", () => {
    const cluster = new Cluster(4, [1, 2, 3]);
    cluster.move([1, 2, 4]);
    cluster.advance(30_000, [4]);
    expect(cluster.partition.replicas).toEqual([1, 2, 4, 3]);
    cluster.advance(MINUTE_MS, [4]);
    expect(cluster.partition).toMatchObject({ replicas: [1, 2, 3], isr: [1, 2, 3], reassignedFrom: [] });
    expect(cluster.list()).toEqual([]);
  });

  test("ends a reassignment that can come neither to its end nor back, and loses no copy by it", () => {
    const cluster = new Cluster(4, [1, 2]);
    cluster.move([1, 3, 4]);
    cluster.inSync([1, 2, 3]);
    cluster.advance(2 * MINUTE_MS, [1]);
    expect(cluster.move(null)).toBe("NO_REASSIGNMENT_IN_PROGRESS");
    // Two, as its creator wanted; both of them hold every committed record.
    expect(cluster.partition).toMatchObject({ replicas: [3, 2], addingReplicas: [], removingReplicas: [], isr: [2, 3] });
  });

  test("follows the topic again when somebody sets its replication factor", () => {
    const cluster = new Cluster(4, [1, 2, 3]);
    const setFactor = () => {
      const configs = [{ name: "replication.factor", configOperation: 0, value: "4" }];
      const response = cluster.driver.ask(cluster.driver.open(), incrementalAlterConfigs, 1, {
        resources: [{ resourceType: TOPIC_RESOURCE, resourceName: TOPIC, configs }],
        validateOnly: false,
      });
      return errorName(response.responses[0]!.errorCode);
    };
    // The second time it is what the topic had before.
    for (let time = 0; time < 2; time++) {
      cluster.move([1, 2]);
      expect(cluster.partition).toMatchObject({ replicas: [1, 2], replicationFactor: 2 });
      expect(setFactor()).toBe("NONE");
      expect(cluster.partition.replicationFactor).toBe(0);
      cluster.advance(5_000);
      expect([...cluster.partition.replicas].sort()).toEqual([1, 2, 3, 4]);
      cluster.inSync([1, 2, 3, 4]);
    }
    // What is being moved would forget it when it has arrived.
    cluster.move([1, 2]);
    cluster.move([1, 2, 3]);
    expect(cluster.list()).not.toEqual([]);
    expect(setFactor()).toBe("REASSIGNMENT_IN_PROGRESS");
  });
});
