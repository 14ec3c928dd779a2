import { afterEach, describe, expect, test } from "vitest";
import { PartitionAssigners } from "../../src/client/assigners/partition-assigners.ts";
import type { Consumer } from "../../src/client/consumer.ts";
import type { ConsumerConfig, ConsumerRunConfig } from "../../src/client/consumer-types.ts";
import type { KafkaClient } from "../../src/client/kafka.ts";
import type { Producer } from "../../src/client/producer.ts";
import { defaultCoordinatorConfig } from "../../src/coordinator/coordinator-config.ts";
import { OFFSETS_TOPIC } from "../../src/coordinator/group-partition.ts";
import { LiveCluster, pause } from "./live-cluster.ts";

/** Groups of real consumers, coordinated by real brokers. */

const PARTITIONS = 6;
const SESSION_TIMEOUT_MS = 1000;

let cluster: LiveCluster;
let producer: Producer;
const consumers: Consumer[] = [];

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.disconnect()));
  await producer?.disconnect();
  await cluster.stop();
});

/** A cluster with topic t of six partitions. */
async function start(brokers: number, partitions = PARTITIONS): Promise<KafkaClient> {
  cluster = new LiveCluster({
    offsetsTopicPartitions: 1,
    coordinator: { ...defaultCoordinatorConfig, groupInitialRebalanceDelayMs: 0, groupMinSessionTimeoutMs: 100 },
  });
  await cluster.start(brokers);
  const kafka = cluster.kafka();
  await using admin = kafka.admin();
  await admin.connect();
  const replicationFactor = Math.min(3, brokers);
  await admin.createTopics({ topics: [{ topic: "t", numPartitions: partitions, replicationFactor }] });
  producer = kafka.producer();
  await producer.connect();
  return kafka;
}

interface Seen {
  readonly value: number;
  readonly partition: number;
  readonly offset: string;
  readonly at: number;
}

/** A member that notes what it reads, and when. */
class Member {
  readonly consumer: Consumer;
  readonly seen: Seen[] = [];
  /** What it was assigned, each time. */
  readonly joins: number[][] = [];

  readonly tab = cluster.tab();

  constructor(config: ConsumerConfig = {}) {
    this.consumer = this.tab.kafka.consumer({
      groupId: "g",
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: 5000,
      heartbeatInterval: 100,
      ...config,
    });
    consumers.push(this.consumer);
    this.consumer.on<{ memberAssignment: Record<string, number[]> }>(
      this.consumer.events.GROUP_JOIN,
      ({ payload }) => void this.joins.push(payload.memberAssignment["t"] ?? []),
    );
  }

  async run(config: ConsumerRunConfig = {}): Promise<this> {
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: ["t"], fromBeginning: true });
    await this.consumer.run({
      eachMessage: ({ message, partition }) => {
        const value = Number(message.value!.toString());
        this.seen.push({ value, partition, offset: message.offset, at: performance.now() });
      },
      ...config,
    });
    return this;
  }

  get partitions(): number[] {
    return this.consumer.positions().map(({ partition }) => partition).sort();
  }
}

async function balanced(...members: readonly Member[]): Promise<void> {
  const all = () => members.flatMap(({ partitions }) => partitions).sort();
  await expect.poll(all, { timeout: 8000, interval: 5 }).toEqual(Array.from({ length: PARTITIONS }, (_, index) => index));
  expect(Math.max(...members.map(({ partitions }) => partitions.length))).toBe(Math.ceil(PARTITIONS / members.length));
}

async function produce(from: number, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, index) => ({
    partition: (from + index) % PARTITIONS,
    value: String(from + index),
  }));
  await producer.send({ topic: "t", messages });
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
const valuesOf = (...members: readonly Member[]) =>
  members.flatMap(({ seen }) => seen.map(({ value }) => value)).sort((left, right) => left - right);

async function coordinatorOf(kafka: KafkaClient): Promise<number> {
  await using admin = kafka.admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [OFFSETS_TOPIC] });
  return topics[0]!.partitions[0]!.leader;
}

function kill(nodeId: number): void {
  cluster.brokers.find(({ running }) => running.status().brokerId === nodeId)!.kill();
}

describe("members share the partitions", () => {
  test("two members, then three: everything once, and each a fair part", { timeout: 20_000 }, async () => {
    await start(3);
    const first = await new Member().run();
    expect(first.partitions).toEqual(range(0, PARTITIONS));
    const second = await new Member().run();
    await balanced(first, second);
    await produce(0, 60);
    await expect.poll(() => valuesOf(first, second), { timeout: 5000 }).toEqual(range(0, 60));
    const third = await new Member().run();
    await balanced(first, second, third);
    await produce(60, 60);
    await expect.poll(() => valuesOf(first, second, third), { timeout: 5000 }).toEqual(range(0, 120));
    expect(third.seen.length).toBe(20);
  });
});
