import { Kafka } from "../../../src/index.ts";
import type { BrokerStatus } from "../../../src/index.ts";
import { RecordingConsumer } from "./recording-consumer.ts";
import type { ConsumerOptions, ConsumerReport } from "./recording-consumer.ts";
import { SteadyProducer } from "./steady-producer.ts";
import type { ProducerOptions, ProducerReport } from "./steady-producer.ts";

/**
 * The page of the browser tests. It is a client, and with `?broker` a broker too.
 * What the tests ask of it they ask through `window.testTab`.
 */
export interface TestTab {
  /** Every status that the broker has told, oldest first; `atMs` is milliseconds since 1970. */
  readonly statuses: readonly { readonly atMs: number; readonly status: BrokerStatus }[];
  createTopic(shape: TopicShape): Promise<void>;
  /** By partition index; empty for a topic not heard of. Node ids are broker ids; a leader of -1 means none. */
  partitions(topic: string): Promise<PartitionState[]>;
  /** Writes that many records of random bytes, and waits until all replicas have them. */
  fill(ballast: Ballast): Promise<void>;
  startProducer(options: ProducerOptions): Promise<void>;
  /** What the producer has done so far; it goes on. */
  producerReport(process: string): ProducerReport;
  stopProducer(process: string): Promise<ProducerReport>;
  startConsumer(options: ConsumerOptions): Promise<void>;
  stopConsumer(process: string): Promise<ConsumerReport>;
  /** Reads a topic from its beginning to its present end. */
  readAll(options: ConsumerOptions): Promise<ConsumerReport>;
}

export interface TopicShape {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
}

export interface Ballast {
  readonly topic: string;
  readonly records: number;
  readonly recordBytes: number;
}

export interface PartitionState {
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

declare global {
  interface Window {
    testTab: TestTab;
  }
}

const FINAL_READ_TIMEOUT_MS = 30_000;

const parameters = new URLSearchParams(location.search);
const kafka = new Kafka({ brokers: [`${location.origin.replace("http", "ws")}/tests`] });
const admin = kafka.admin();
const connected = admin.connect();
const statuses: { atMs: number; status: BrokerStatus }[] = [];
const producers = new Map<string, SteadyProducer>();
const consumers = new Map<string, RecordingConsumer>();

window.testTab = {
  statuses,
  async createTopic({ topic, partitions, replicationFactor }) {
    await connected;
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor }] });
  },
  async partitions(topic) {
    await connected;
    // Another client of this page may have made the topic, and this one not have heard of it yet.
    const { topics } = await admin.fetchTopicMetadata();
    const found = topics.find(({ name }) => name === topic)?.partitions ?? [];
    return found
      .toSorted((a, b) => a.partitionId - b.partitionId)
      .map(({ leader, replicas, isr }) => ({ leader, replicas, isr }));
  },
  async fill({ topic, records, recordBytes }) {
    const producer = kafka.producer();
    await producer.connect();
    const messages = Array.from({ length: records }, () => ({
      value: crypto.getRandomValues(new Uint8Array(recordBytes)),
    }));
    await producer.send({ topic, messages });
    await producer.disconnect();
  },
  async startProducer(options) {
    const producer = new SteadyProducer(kafka, options);
    producers.set(options.process, producer);
    await producer.start();
  },
  producerReport: (process) => named(producers, process).report(),
  stopProducer: (process) => named(producers, process).stop(),
  async startConsumer(options) {
    const consumer = new RecordingConsumer(kafka, options);
    consumers.set(options.process, consumer);
    await consumer.start();
  },
  stopConsumer: (process) => named(consumers, process).stop(),
  async readAll(options) {
    await connected;
    const ends = await admin.fetchTopicOffsets(options.topic);
    const byPartition = ends.toSorted((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
    const consumer = new RecordingConsumer(kafka, options);
    await consumer.start();
    await consumer.reach(byPartition, FINAL_READ_TIMEOUT_MS);
    return await consumer.stop();
  },
};

if (parameters.has("broker")) {
  const tab = await kafka.broker();
  const note = (status: BrokerStatus) =>
    void statuses.push({ atMs: performance.timeOrigin + performance.now(), status });
  note(tab.status());
  tab.onStatus(note);
}

function named<Value>(values: ReadonlyMap<string, Value>, process: string): Value {
  const value = values.get(process);
  if (value === undefined) throw new Error(`nothing here is called ${process}`);
  return value;
}
