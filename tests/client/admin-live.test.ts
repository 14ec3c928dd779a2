import { afterEach, expect, test } from "vitest";
import type { Admin } from "../../src/client/admin.ts";
import type { KafkaClient } from "../../src/client/kafka.ts";
import { LiveCluster } from "./live-cluster.ts";

/** What the admin client has real brokers and a real controller do. */

let cluster: LiveCluster;
let kafka: KafkaClient;
let admin: Admin;

afterEach(async () => {
  await admin.disconnect();
  await cluster.stop();
});

async function start(brokers: number): Promise<void> {
  cluster = new LiveCluster();
  await cluster.start(brokers);
  kafka = cluster.kafka();
  admin = kafka.admin();
  await admin.connect();
}

async function fill(topic: string, counts: readonly number[]): Promise<void> {
  await using producer = kafka.producer();
  await producer.connect();
  const messages = counts.flatMap((count, partition) =>
    Array.from({ length: count }, () => ({ partition, value: "x" })),
  );
  await producer.send({ topic, messages });
}

const lows = async (topic: string) => (await admin.fetchTopicOffsets(topic)).map(({ low }) => low);

test("deleteTopicRecords: up to an offset, or all, and only in the partitions that are named", async () => {
  await start(2);
  await admin.createTopics({ topics: [{ topic: "t", numPartitions: 3, replicationFactor: 2 }] });
  await fill("t", [10, 10, 10]);
  await admin.deleteTopicRecords({
    topic: "t",
    partitions: [
      { partition: 0, offset: "4" },
      { partition: 1, offset: "-1" },
    ],
  });
  expect(await lows("t")).toEqual(["4", "10", "0"]);
});

test("deleteTopicRecords names what was refused; the rest is done", async () => {
  await start(1);
  await admin.createTopics({ topics: [{ topic: "t", numPartitions: 2 }] });
  await fill("t", [10, 10]);
  const partitions = [
    { partition: 0, offset: "11" },
    { partition: 1, offset: "3" },
  ];
  await expect(admin.deleteTopicRecords({ topic: "t", partitions })).rejects.toMatchObject({
    name: "KafkaJSDeleteTopicRecordsError",
    retriable: false,
    partitions: [{ partition: 0, offset: "11", error: { type: "OFFSET_OUT_OF_RANGE" } }],
  });
  expect(await lows("t")).toEqual(["0", "3"]);
  for (const offset of ["", "x", "-2", "1.5"]) {
    const nonsense = { topic: "t", partitions: [{ partition: 0, offset }] };
    await expect(admin.deleteTopicRecords(nonsense)).rejects.toThrow(/Invalid offset/);
  }
  await expect(admin.deleteTopicRecords({ topic: "none", partitions })).rejects.toThrow(/none does not exist/);
  await expect(admin.deleteTopicRecords({ topic: "t", partitions: [] })).rejects.toThrow(/No partitions/);
});

test("alterPartitionReassignments moves a partition with all that is in it", { timeout: 20_000 }, async () => {
  await start(3);
  const nodes = (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId).sort();
  const [first, second, third] = nodes as [number, number, number];
  await admin.createTopics({
    topics: [{ topic: "t", replicaAssignment: [{ partition: 0, replicas: [first, second] }] }],
  });
  await fill("t", [100]);
  const partitionAssignment = [{ partition: 0, replicas: [third, second] }];
  await admin.alterPartitionReassignments({ topics: [{ topic: "t", partitionAssignment }] });
  const partition = async () => (await admin.fetchTopicMetadata({ topics: ["t"] })).topics[0]!.partitions[0]!;
  await expect
    .poll(async () => [...(await partition()).isr].sort(), { timeout: 10_000 })
    .toEqual([second, third]);
  expect([...(await partition()).replicas].sort()).toEqual([second, third]);
  expect(await admin.listPartitionReassignments()).toEqual({ topics: [] });
  await expect.poll(async () => (await admin.fetchTopicOffsets("t"))[0]).toMatchObject({ high: "100", low: "0" });
});

test("a reassignment is listed while it lasts, and can be taken back", { timeout: 20_000 }, async () => {
  await start(3);
  const nodes = (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId).sort();
  const [first, second, third] = nodes as [number, number, number];
  await admin.createTopics({
    topics: [{ topic: "t", replicaAssignment: [{ partition: 0, replicas: [first, second] }] }],
  });
  // A broker that is away cannot catch up.
  cluster.brokers.find(({ running }) => running.status().brokerId === third)!.kill();
  await expect.poll(async () => (await admin.describeCluster()).brokers.length).toBe(2);
  const move = (replicas: number[] | null) =>
    admin.alterPartitionReassignments({ topics: [{ topic: "t", partitionAssignment: [{ partition: 0, replicas }] }] });
  await move([first, third]);
  expect(await admin.listPartitionReassignments({ topics: [{ topic: "t", partitions: [0] }] })).toMatchObject({
    topics: [{ topic: "t", partitions: [{ partitionIndex: 0, addingReplicas: [third], removingReplicas: [second] }] }],
  });
  await move(null);
  expect(await admin.listPartitionReassignments()).toEqual({ topics: [] });
});

test("a reassignment that cannot be is refused partition by partition", async () => {
  await start(1);
  await admin.createTopics({ topics: [{ topic: "t", numPartitions: 1 }] });
  const partitionAssignment = [
    { partition: 0, replicas: [99] },
    { partition: 5, replicas: [1] },
  ];
  const topics = [{ topic: "t", partitionAssignment }];
  await expect(admin.alterPartitionReassignments({ topics })).rejects.toMatchObject({
    name: "KafkaJSAggregateError",
    errors: [
      { name: "KafkaJSAlterPartitionReassignmentsError", topic: "t", partition: 0, type: "INVALID_REPLICA_ASSIGNMENT" },
      { name: "KafkaJSAlterPartitionReassignmentsError", partition: 5, type: "UNKNOWN_TOPIC_OR_PARTITION" },
    ],
  });
  await expect(admin.alterPartitionReassignments({ topics: [...topics, ...topics] })).rejects.toThrow(/named twice/);
});
