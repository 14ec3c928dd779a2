import { expect } from "vitest";
import type { Consumer } from "../../src/client/consumer.ts";
import type { ConsumerConfig, ConsumerRunConfig } from "../../src/client/consumer-types.ts";
import type { KafkaClient } from "../../src/client/kafka.ts";
import type { Producer } from "../../src/client/producer.ts";
import { defaultCoordinatorConfig } from "../../src/coordinator/coordinator-config.ts";
import type { CoordinatorConfig } from "../../src/coordinator/coordinator-config.ts";
import { OFFSETS_TOPIC } from "../../src/coordinator/group-partition.ts";
import { LiveCluster, pause } from "./live-cluster.ts";

export const PARTITIONS = 6;
export const SESSION_TIMEOUT_MS = 1000;

export let cluster: LiveCluster;
export let producer: Producer;
const allMembers: Member[] = [];

/** Ends what a test has started. */
export async function stopAll(): Promise<void> {
  const closing = allMembers.splice(0).filter(({ tab }) => tab.alive);
  await Promise.all(closing.map(({ consumer }) => consumer.disconnect()));
  await producer?.disconnect();
  await cluster.stop();
}

/** A cluster with topic t of six partitions. */
export async function start(
  brokers: number,
  partitions = PARTITIONS,
  coordinator: Partial<CoordinatorConfig> = {},
): Promise<KafkaClient> {
  cluster = new LiveCluster({
    offsetsTopicPartitions: 1,
    coordinator: {
      ...defaultCoordinatorConfig,
      groupInitialRebalanceDelayMs: 0,
      groupMinSessionTimeoutMs: 100,
      groupConsumerSessionTimeoutMs: SESSION_TIMEOUT_MS,
      groupConsumerHeartbeatIntervalMs: 100,
      ...coordinator,
    },
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

export interface Seen {
  readonly value: number;
  readonly partition: number;
  readonly offset: string;
  readonly at: number;
}

/** A member that notes what it reads, and when. */
export class Member {
  readonly consumer: Consumer;
  readonly seen: Seen[] = [];
  /** What it was assigned, each time. */
  readonly joins: number[][] = [];

  readonly tab = cluster.tab();

  constructor(config: ConsumerConfig = {}) {
    // By the other protocol it is the coordinator that says how long a session is.
    const timings = { sessionTimeout: SESSION_TIMEOUT_MS, heartbeatInterval: 100 };
    this.consumer = this.tab.kafka.consumer({
      groupId: "g",
      rebalanceTimeout: 5000,
      ...(config.groupProtocol === "consumer" ? {} : timings),
      ...config,
    });
    allMembers.push(this);
    this.consumer.on<{ memberAssignment: Record<string, number[]> }>(
      this.consumer.events.GROUP_JOIN,
      ({ payload }) => void this.joins.push(payload.memberAssignment["t"] ?? []),
    );
  }

  async run(config: ConsumerRunConfig = {}): Promise<this> {
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: ["t"], fromBeginning: true });
    const eachMessage: ConsumerRunConfig["eachMessage"] = ({ message, partition }) => {
      this.seen.push(seenOf(partition, message));
    };
    await this.consumer.run({ ...(config.eachBatch === undefined ? { eachMessage } : {}), ...config });
    return this;
  }

  get partitions(): number[] {
    return this.consumer.positions().map(({ partition }) => partition).sort();
  }
}

export async function balanced(...members: readonly Member[]): Promise<void> {
  const all = () => [
    members.flatMap(({ partitions }) => partitions).sort(),
    Math.max(...members.map(({ partitions }) => partitions.length)),
  ];
  await expect
    .poll(all, { timeout: 8000, interval: 5 })
    .toEqual([range(0, PARTITIONS), Math.ceil(PARTITIONS / members.length)]);
}

export async function produce(from: number, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, index) => ({
    partition: (from + index) % PARTITIONS,
    value: String(from + index),
  }));
  await producer.send({ topic: "t", messages });
}

/** Members come and leave, while more is produced all the time; between them they have to read each message once. */
export async function comeAndGoUnderLoad(newMember: () => Member): Promise<void> {
  const all = [await newMember().run()];
  const present = [...all];
  let count = 0;
  const sent: Promise<void>[] = [];
  const timer = setInterval(() => {
    sent.push(produce(count, 6));
    count += 6;
  }, 10);
  for (let step = 0; step < 12; step++) {
    const leaves = present.length > 3 || (present.length > 1 && step % 3 === 2);
    if (leaves) {
      await present.shift()!.consumer.disconnect();
    } else {
      const member = newMember();
      all.push(member);
      present.push(member);
      // Some joins are still under way when the next step is taken.
      if (step % 2 === 0) await member.run();
      else void member.run();
    }
    await pause(step % 4 === 0 ? 0 : 120);
  }
  clearInterval(timer);
  await Promise.all(sent);
  await balanced(...present);
  await expect.poll(() => valuesOf(...all).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count);
  expect(valuesOf(...all)).toEqual(range(0, count));
}

/** Ten messages for one partition. */
export const ten = () => Array.from({ length: 10 }, (_, value) => ({ partition: 0, value: `${value}` }));

export const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
export const valuesOf = (...members: readonly Member[]) =>
  members.flatMap(({ seen }) => seen.map(({ value }) => value)).sort((left, right) => left - right);

export function longestGap(times: readonly number[], from: number, until: number): number {
  const during = [from, ...times.filter((at) => at > from && at < until), until];
  return Math.max(...during.slice(1).map((at, position) => at - during[position]!));
}

export const seenOf = (partition: number, { value, offset }: { value: Uint8Array | null; offset: string }): Seen => ({
  value: Number(String(value)),
  partition,
  offset,
  at: performance.now(),
});

/** What the group has committed of each partition of t. */
export async function committed(groupId: string): Promise<string[]> {
  await using admin = cluster.kafka().admin();
  await admin.connect();
  const [topic] = await admin.fetchOffsets({ groupId, topics: ["t"] });
  return topic!.partitions.map(({ offset }) => offset);
}

export async function coordinatorOf(kafka: KafkaClient): Promise<number> {
  await using admin = kafka.admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [OFFSETS_TOPIC] });
  return topics[0]!.partitions[0]!.leader;
}

export function kill(nodeId: number): void {
  cluster.brokers.find(({ running }) => running.status().brokerId === nodeId)!.kill();
}
