import { beforeEach, describe, expect, it } from "vitest";
import { partitionKey } from "../../src/log/stored-log.ts";
import type { Chunk } from "../../src/log/stored-log.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { batch, lead } from "../log/batch-builder.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { CoreBroker } from "./core-cluster.ts";
import { consumed, createTopic, leaderOf, produced, sendProduce, threeTabs, untilInSync } from "./core-requests.ts";

function chunksOf(tab: CoreBroker): Chunk[] {
  const { topicId, partitionIndex } = tab.disk.load()[0]!.metadata;
  return tab.disk.read(partitionKey(topicId, partitionIndex), 0, Number.POSITIVE_INFINITY);
}

function damage({ bytes }: Chunk): void {
  bytes[bytes.length - 1]! ^= 1;
}

it("a broker that finds the cluster full waits for its turn, with the storage that it has", () => {
  const cluster = new CoreCluster({ maxBrokers: 1 });
  cluster.startRunning("first");
  const late = cluster.start("late");
  cluster.advance(60_000);
  expect(late.core.state).toBe("fenced");
  expect(late.core.status().reason).toContain("as many brokers as it takes");
  expect(cluster.log.filter((line) => line.includes("a registration is refused")).length).toBeLessThan(10);
});

describe("a broker whose storage fails", () => {
  let cluster: CoreCluster;
  let tabs: CoreBroker[];
  let leader: CoreBroker;

  beforeEach(() => {
    ({ cluster, tabs } = threeTabs("quakes"));
    leader = leaderOf(cluster, "quakes");
    for (let round = 0; round < 5; round++) produced(cluster, leader.connect(), "quakes", [`record ${round}`]);
  });

  it("[R20] acknowledges nothing from then on, and says why", () => {
    leader.slowDisk = true;
    const pending = [-1, 1].map((acks) => sendProduce(leader.connect(), "quakes", ["unlucky"], { acks }));
    cluster.settle();
    leader.handle({ type: "storage-failed", reason: "QuotaExceededError: the disk is full" });
    expect(leader.core.state).toBe("failed");
    expect(leader.core.status().reason).toContain("disk is full");
    cluster.settle();
    expect(pending.map((outcome) => outcome()?.error)).toEqual(["NOT_LEADER_OR_FOLLOWER", "NOT_LEADER_OR_FOLLOWER"]);
    expect(leader.running).toBe(false);
    // What was not acknowledged may have reached the followers, and then it is committed after all.
    const next = leaderOf(cluster, "quakes");
    cluster.until(() => consumed(next.connect(), "quakes").values.length >= 5, "what was acknowledged");
    expect(consumed(next.connect(), "quakes").values.slice(0, 5)).toEqual(
      Array.from({ length: 5 }, (_, round) => `record ${round}`),
    );
  });

  it("[R20] never serves a log whose end is damaged, and gives its storage up where others have it all", () => {
    leader.kill();
    cluster.advance(1_000);
    damage(chunksOf(leader)[2]!);
    const { disk } = leader;
    const states: string[] = [];
    leader.start();
    expect(leader.core.status().reason).toContain(disk.load()[0]!.metadata.topicId);
    cluster.until(() => states.push(leader.core.state) > 0 && !leader.running, "the end of the broker");
    expect(states).not.toContain("running");
    expect(leader.core.state).toBe("refused");
    expect(leader.identity.damage).toContain("the batch at offset 2");
    expect(leader.disk).toBe(disk);
    const [partition] = cluster.controller.image.topicNamed("quakes")!.partitions;
    expect([...partition!.isr, ...partition!.eligibleLeaderReplicas]).not.toContain(leader.nodeId);
  });

  it("[R20] keeps a log whose end is damaged as it is while nobody else is there who has it all", () => {
    for (const tab of tabs) if (tab !== leader) tab.kill();
    cluster.advance(1_000);
    leader.kill();
    cluster.advance(1_000);
    damage(chunksOf(leader)[2]!);
    const { disk } = leader;
    for (let start = 0; start < 2; start++) {
      leader.start();
      cluster.until(() => !leader.running, "the end of the broker");
      expect(leader.core.state).toBe("failed");
      expect(leader.core.status().reason).toContain("the batch at offset 2");
      expect(leader.identity.damage).toBeUndefined();
    }
    expect(leader.disk).toBe(disk);
  });

  /** Damages the first record, which has left the cache in memory, so that reading it goes to the disk. */
  const damageFirst = () => {
    const large = "x".repeat(900_000);
    for (let round = 0; round < 6; round++) produced(cluster, leader.connect(), "quakes", [large]);
    damage(chunksOf(leader)[0]!);
  };

  const readFirst = (version = 12) => {
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }];
    const asked = { maxWaitMs: 0, minBytes: 1, topics: [{ topic: "quakes", partitions }] };
    return leader.connect().ask(fetch, version, asked).responses[0]!.partitions[0];
  };

  it("[R20] serves no damaged batch from disk, and gives its storage up when it meets one that others have", () => {
    damageFirst();
    expect(readFirst()).toMatchObject({ errorCode: 56, records: new Uint8Array(0) });
    expect(leader.core.state).toBe("refused");
    expect(leader.core.status().reason).toContain("the batch at offset 0");
    cluster.settle();
    expect(leader.running).toBe(false);
    // Whoever opens it next passes it over too, though all that is read at a start is intact.
    leader.start();
    cluster.advance(1_000);
    expect(leader.core.state).toBe("refused");
    expect(consumed(leaderOf(cluster, "quakes").connect(), "quakes").values[0]).toBe("record 0");
  });

  it.each([
    [5, "NOT_LEADER_OR_FOLLOWER"],
    [6, "KAFKA_STORAGE_ERROR"],
  ])("[R20] tells of a damaged batch in version %i by an error that its clients know: %s", (version, error) => {
    damageFirst();
    expect(errorName(readFirst(version)!.errorCode)).toBe(error);
  });

  it("[R20] keeps a damaged storage that is the only one there to hold everything", () => {
    damageFirst();
    for (const tab of tabs) if (tab !== leader) tab.kill();
    cluster.advance(1_000);
    readFirst();
    expect(leader.core.state).toBe("failed");
    cluster.settle();
    expect(leader.identity.damage).toBeUndefined();
  });

  it("reads from disk what is no longer in memory", () => {
    const large = "x".repeat(900_000);
    for (let round = 0; round < 6; round++) produced(cluster, leader.connect(), "quakes", [large]);
    expect(consumed(leader.connect(), "quakes").values.slice(0, 5)).toEqual(
      Array.from({ length: 5 }, (_, round) => `record ${round}`),
    );
  });

  it("[R19] refuses a server whose metadata is older than what it has seen", () => {
    const follower = tabs.find((tab) => tab !== leader)!;
    follower.kill();
    follower.identity = { ...follower.identity, metadataOffset: 1_000_000 };
    follower.start();
    cluster.advance(3_000);
    expect(follower.core.state).not.toBe("running");
    expect(follower.core.status().reason).toContain("1000000");
    follower.kill();
    follower.start();
    cluster.advance(3_000);
    expect(follower.core.state).not.toBe("running");
    expect(follower.identity.metadataOffset).toBe(1_000_000);
  });

  it("[R19] notes how far the metadata was when it was registered", () => {
    const { metadataOffset, metadataEpoch } = leader.identity;
    leader.kill();
    leader.start();
    cluster.advance(3_000);
    expect(leader.core.state).toBe("running");
    expect(leader.identity.metadataOffset).toBeGreaterThan(metadataOffset);
    expect(leader.identity.metadataOffset).toBeLessThanOrEqual(cluster.controller.image.endOffset);
    expect(leader.identity.metadataEpoch).toBe(Math.max(metadataEpoch, 1));
  });
});

describe("what a storage knows of its cluster", () => {
  it("[R19] goes on with what was decided since it was registered", () => {
    const cluster = new CoreCluster();
    const [tab] = cluster.startRunning("a") as [CoreBroker];
    createTopic(cluster, "quakes", { partitions: 12 });
    cluster.advance(3_000);
    expect(tab.identity.metadataOffset).toBe(cluster.controller.image.endOffset);
  });

  it("is the cluster's id, also where the snapshot comes after the registration", () => {
    const cluster = new CoreCluster({ snapshotRecords: 5 });
    cluster.startRunning("a");
    createTopic(cluster, "quakes", { partitions: 12 });
    const [late] = cluster.startRunning("b") as [CoreBroker];
    cluster.settle();
    expect(late.identity.clusterId).toBe(cluster.controller.image.clusterId);
  });
});

describe("a broker of many busy partitions", () => {
  it("keeps of them in memory what one broker may, however many there are", () => {
    const cluster = new CoreCluster();
    const [tab] = cluster.startRunning("a") as [CoreBroker];
    createTopic(cluster, "quakes", { partitions: 12 });
    leaderOf(cluster, "quakes", 11);
    const large = batch({ valueBytes: 1_000_000 });
    let heldBytes = 0;
    for (const { log } of tab.core.replicas()) for (let round = 0; round < 3; round++) lead(log, 0, large.slice());
    for (const { log } of tab.core.replicas()) {
      for (let offset = 0; offset < 3; offset++) {
        const found = log.read(offset, 1, log.logEndOffset);
        if (found.kind === "bytes") heldBytes += found.bytes.length;
      }
    }
    expect(heldBytes).toBeGreaterThan(30 * 1024 * 1024);
    expect(heldBytes).toBeLessThanOrEqual(32 * 1024 * 1024);
  });
});

describe("two brokers that meet damage in one moment", () => {
  it("[R20] do not both give up what nobody else has", () => {
    const cluster = new CoreCluster();
    const tabs = cluster.startRunning("a", "b");
    createTopic(cluster, "quakes", { partitions: 2 });
    const large = "x".repeat(900_000);
    const readers = [0, 1].map((partition) => {
      untilInSync(cluster, "quakes", 2, partition);
      const leader = leaderOf(cluster, "quakes", partition);
      for (let round = 0; round < 6; round++) produced(cluster, leader.connect(), "quakes", [large], { partition });
      const { metadata } = leader.disk.load().find((log) => log.metadata.partitionIndex === partition)!;
      damage(leader.disk.read(partitionKey(metadata.topicId, partition), 0, 1)[0]!);
      return { leader, client: leader.connect(), partition };
    });
    expect(new Set(readers.map(({ leader }) => leader)).size).toBe(2);
    for (const { client, partition } of readers) {
      const partitions = [{ partition, fetchOffset: 0, partitionMaxBytes: 1_000 }];
      client.send(fetch, 12, { maxWaitMs: 0, minBytes: 1, topics: [{ topic: "quakes", partitions }] });
    }
    cluster.advance(1_000);
    expect(tabs.map(({ core }) => core.state).sort()).toEqual(["failed", "refused"]);
    const kept = tabs.find(({ core }) => core.state === "failed")!;
    expect(kept.identity.damage).toBeUndefined();
    const { partitions } = cluster.controller.image.topicNamed("quakes")!;
    expect(partitions.map(({ isr }) => isr)).toEqual([[kept.nodeId], [kept.nodeId]]);
  });
});

describe("a copied storage directory", () => {
  it("[R11] [R12] is refused while the original lives and afterwards, and harms nothing", () => {
    const cluster = new CoreCluster();
    const original = cluster.start("original");
    cluster.until(() => original.core.state === "running", "the original running");
    const [disk, identity] = [original.disk, original.identity];
    original.kill();
    original.start();
    cluster.until(() => original.core.state === "running", "the original running again");
    const copy = cluster.start("copy", identity);
    copy.disk = disk;
    cluster.until(() => copy.core.state === "refused", "the refusal");
    expect(copy.core.status().reason).toContain("copy");
    expect(original.core.state).toBe("running");
  });
});

describe("a controller whose answers cannot be read", () => {
  it("is asked again, so that the broker goes on following the metadata", () => {
    const cluster = new CoreCluster();
    const tab = cluster.start("a");
    cluster.until(() => tab.core.state === "running", "a running broker");
    // A correlation id and nothing else, for every request that may be open.
    for (let id = 1; id < 200; id++) tab.handle({ type: "controller-frame", frame: Uint8Array.of(0, 0, 0, id) });
    expect(tab.core.status().reason).toContain("cannot be read");
    createTopic(cluster, "quakes");
    expect(leaderOf(cluster, "quakes")).toBe(tab);
    cluster.advance(10_000);
    expect(tab.core.state).toBe("running");
  });
});

describe("a fetch of what only the disk has", () => {
  it("takes no more from there than it may hold, however little of each partition it asks for", () => {
    const cluster = new CoreCluster();
    const [tab] = cluster.startRunning("a") as [CoreBroker];
    const partitions = Array.from({ length: 6 }, (_, partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1 }));
    createTopic(cluster, "quakes", { partitions: partitions.length });
    for (const { partition } of partitions) produced(cluster, tab.connect(), "quakes", ["x".repeat(250_000)], { partition });
    tab.kill();
    // A start reads nothing below the snapshots of the producers.
    tab.disk = tab.disk.apply(
      tab.disk.load().map(({ metadata }) => ({
        type: "put-metadata",
        key: partitionKey(metadata.topicId, metadata.partitionIndex),
        metadata: { ...metadata, producerSnapshot: { offset: 1, producers: [] } },
      })),
    );
    tab.start();
    leaderOf(cluster, "quakes", 5);
    const asked = { maxWaitMs: 0, minBytes: 1, maxBytes: 300_000, topics: [{ topic: "quakes", partitions }] };
    const answers = tab.connect().ask(fetch, 12, asked).responses[0]!.partitions;
    expect(answers.map(({ records }) => records!.length > 0)).toEqual([true, true, false, false, false, false]);
  });
});
