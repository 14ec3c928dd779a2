import { afterEach, describe, expect, test } from "vitest";
import type { Admin } from "../../src/client/admin.ts";
import type { ClusterView } from "../../src/client/cluster-view.ts";
import { KafkaJSTopicMetadataNotLoaded } from "../../src/client/errors.ts";
import { encodeBatch } from "../../src/protocol/record-batch.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";

/** What the controller itself decides is tested against the real one, in live-cluster.test.ts. */

const admins: Admin[] = [];

afterEach(async () => {
  await Promise.all(admins.splice(0).map((admin) => admin.disconnect()));
});

async function connected(cluster: ScriptedCluster): Promise<Admin> {
  const admin = cluster.kafka({ requestTimeout: 2000 }).admin();
  admins.push(admin);
  await admin.connect();
  return admin;
}

function fill(cluster: ScriptedCluster, name: string, partition: number, timestamps: readonly number[]): void {
  const records = timestamps.map((timestamp, offset) => ({ offset, timestamp, key: null, value: new Uint8Array(1) }));
  cluster.topics.get(name)!.partitions[partition]!.append(encodeBatch(records), 0);
}

describe("offsets", () => {
  test("both ends of every partition, from their leaders", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    const topic = cluster.createTopic("t", [1, 2]);
    fill(cluster, "t", 0, [10, 20, 30]);
    topic.partitions[0]!.logStartOffset = 1;
    const admin = await connected(cluster);
    expect(await admin.fetchTopicOffsets("t")).toEqual([
      { partition: 0, offset: "3", high: "3", low: "1" },
      { partition: 1, offset: "0", high: "0", low: "0" },
    ]);
  });

  test("by time: the first at or after it, or the end", async () => {
    const cluster = new ScriptedCluster();
    cluster.createTopic("t", [1, 1]);
    fill(cluster, "t", 0, [10, 20, 30]);
    fill(cluster, "t", 1, [5]);
    const admin = await connected(cluster);
    expect(await admin.fetchTopicOffsetsByTimestamp("t", 15)).toEqual([
      { partition: 0, offset: "1" },
      { partition: 1, offset: "1" },
    ]);
    expect(await admin.fetchTopicOffsetsByTimestamp("t")).toEqual([
      { partition: 0, offset: "3" },
      { partition: 1, offset: "1" },
    ]);
  });

  test("are asked for again where the leader has moved", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    cluster.createTopic("t", [1]);
    fill(cluster, "t", 0, [10]);
    const admin = await connected(cluster);
    let moved = false;
    cluster.judge = ({ api }) => {
      if (api === "ListOffsets" && !moved) {
        moved = true;
        cluster.elect("t", 0, 2);
      }
      return undefined;
    };
    expect(await admin.fetchTopicOffsets("t")).toMatchObject([{ high: "1" }]);
  });

  test("of a topic that does not exist are an error", async () => {
    const admin = await connected(new ScriptedCluster());
    await expect(admin.fetchTopicOffsets("none")).rejects.toThrow(KafkaJSTopicMetadataNotLoaded);
  });
});

describe("metadata", () => {
  test("lists and describes topics", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    cluster.createTopic("a", [1, -1]);
    cluster.createTopic("b", [2]);
    cluster.fence(2);
    const admin = await connected(cluster);
    expect(await admin.listTopics()).toEqual(["a", "b"]);
    const { topics } = await admin.fetchTopicMetadata({ topics: ["a"] });
    const partition = { replicas: [1, 2], isr: [1, 2], offlineReplicas: [2] };
    expect(topics).toEqual([
      {
        name: "a",
        partitions: [
          { ...partition, partitionId: 0, leader: 1, partitionErrorCode: 0 },
          { ...partition, partitionId: 1, leader: -1, partitionErrorCode: 5 },
        ],
      },
    ]);
    expect((await admin.fetchTopicMetadata()).topics).toHaveLength(2);
    await expect(admin.fetchTopicMetadata({ topics: ["none"] })).rejects.toThrow(/Topic none does not exist/);
  });

  test("describes the cluster by its live brokers", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    cluster.fence(2);
    const admin = await connected(cluster);
    expect(await admin.describeCluster()).toEqual({
      brokers: [{ nodeId: 1, host: "peer-1", port: 1 }],
      controller: null,
      clusterId: "scripted",
    });
  });

  test("watchCluster tells the state, and every change of it, as plain data", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    const admin = await connected(cluster);
    const views: ClusterView[] = [];
    const stop = admin.watchCluster((view) => views.push(structuredClone(view)));
    expect(views).toHaveLength(1);
    cluster.createTopic("t", [1], { "replication.factor": "3" });
    await expect.poll(() => views.at(-1)?.topics.length).toBe(1);
    cluster.elect("t", 0, 2);
    await expect.poll(() => views.at(-1)?.topics[0]?.partitions[0]?.leader).toBe(2);
    cluster.fence(1);
    await expect.poll(() => views.at(-1)?.brokers[0]?.fenced).toBe(true);
    cluster.setOnline(false);
    await expect.poll(() => views.at(-1)?.controllerConnected).toBe(false);
    expect(views.at(-1)).toEqual({
      clusterId: "scripted",
      controllerConnected: false,
      brokers: [
        { nodeId: 1, host: "peer-1", port: 1, rack: "rack-1", fenced: true },
        { nodeId: 2, host: "peer-2", port: 2, rack: "rack-2", fenced: false },
      ],
      topics: [
        {
          topicId: cluster.topics.get("t")!.topicId,
          name: "t",
          replicationFactor: 3,
          partitions: [
            {
              partitionIndex: 0,
              leader: 2,
              leaderEpoch: 1,
              replicas: [1, 2],
              isr: [1, 2],
              addingReplicas: [],
              offlineReplicas: [1],
            },
          ],
        },
      ],
    });
    const told = views.length;
    stop();
    cluster.setOnline(true);
    cluster.createTopic("u", [1]);
    await expect.poll(async () => (await admin.listTopics()).length).toBe(2);
    expect(views).toHaveLength(told);
  });

  test("a listener of watchCluster that fails is told of by the log, and harms nobody else", async () => {
    const cluster = new ScriptedCluster();
    const admin = await connected(cluster);
    admin.watchCluster(() => {
      throw new Error("at once");
    });
    admin.watchCluster(async () => {
      throw new Error("later");
    });
    const counts: number[] = [];
    admin.watchCluster(({ topics }) => counts.push(topics.length));
    for (const [index, name] of ["a", "b"].entries()) {
      cluster.createTopic(name, [1]);
      await expect.poll(() => counts.at(-1)).toBe(index + 1);
    }
    const errors = cluster.logged.filter(({ label }) => label === "ERROR").map(({ log }) => log);
    expect(errors.length).toBeGreaterThanOrEqual(6);
    expect(errors[0]).toMatchObject({ message: "A listener of watchCluster failed" });
    expect(new Set(errors.map(({ error }) => String(error)))).toEqual(new Set(["Error: at once", "Error: later"]));
    expect(cluster.logged.filter(({ label }) => label === "WARN")).toEqual([]);
  });
});

describe("createTopics", () => {
  test("does not wait for the leaders of a topic that was there already", async () => {
    const cluster = new ScriptedCluster();
    cluster.createTopic("t", [-1]);
    const admin = await connected(cluster);
    expect(await admin.createTopics({ topics: [{ topic: "t" }], timeout: 50 })).toBe(false);
  });
});

test("an offset that is none is refused", async () => {
  const cluster = new ScriptedCluster();
  cluster.createTopic("t", [1]);
  const admin = await connected(cluster);
  for (const offset of ["", " ", "x", "1.5", "-2"]) {
    const partitions = [{ partition: 0, offset }];
    const message = `Invalid offset ${offset} for partition 0 of topic t`;
    await expect(admin.setOffsets({ groupId: "g", topic: "t", partitions })).rejects.toThrow(message);
    const remedy = "the first to keep, or -1 to keep none";
    await expect(admin.deleteTopicRecords({ topic: "t", partitions })).rejects.toThrow(`${message}: ${remedy}`);
  }
  expect(cluster.seen.filter(({ nodeId }) => nodeId > 0)).toEqual([]);
});

describe("without the metadata server", () => {
  test("creating a topic waits for it", async () => {
    const cluster = new ScriptedCluster();
    const admin = await connected(cluster);
    cluster.setOnline(false);
    const created = admin.createTopics({ topics: [{ topic: "t", numPartitions: 2 }] });
    setTimeout(() => cluster.setOnline(true), 30);
    expect(await created).toBe(true);
    expect(cluster.topics.get("t")!.partitions).toHaveLength(2);
  });

  test("and fails when its time is over, saying what still works", async () => {
    const cluster = new ScriptedCluster();
    const admin = await connected(cluster);
    cluster.setOnline(false);
    await expect(admin.createTopics({ topics: [{ topic: "t" }], timeout: 40 })).rejects.toThrow(
      /metadata server could not be reached within \d+ ms.*still be produced and consumed/,
    );
    expect(await admin.listTopics()).toEqual([]);
  });
});

test("before connect, and after disconnect, it says so", async () => {
  const admin = new ScriptedCluster().kafka().admin();
  await expect(admin.listTopics()).rejects.toThrow(/call connect\(\) first/);
  expect(() => admin.watchCluster(() => {})).toThrow(/call connect\(\) first/);
  await admin.connect();
  await admin.disconnect();
  await expect(admin.fetchTopicOffsets("t")).rejects.toThrow(/call connect\(\) first/);
});
