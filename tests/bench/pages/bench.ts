import { CompressionTypes, Kafka } from "../../../src/index.ts";
import { produceBulk } from "./bulk-producer.ts";
import type { BulkOptions, BulkResult } from "./bulk-producer.ts";
import { consumeAll } from "./bulk-consumer.ts";
import type { ConsumeOptions } from "./bulk-consumer.ts";
import { GroupMember } from "./group-member.ts";
import type { MemberOptions, MemberReport } from "./group-member.ts";
import { measureLatencies } from "./latency.ts";
import type { LatencyOptions } from "./latency.ts";
import { RawLinks } from "./raw-links.ts";
import type { ChainOptions } from "./raw-chain.ts";
import type { CommitOptions } from "./raw.worker.ts";
import { produceSteadily } from "./steady-bytes.ts";
import type { SteadyOptions, SteadyResult } from "./steady-bytes.ts";

/** The page of the bench: what `tests/browser/pages/tab.ts` does, and the measurements. */
export interface BenchPage {
  createTopic(topic: string, shape: BenchTopic): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  produce(options: BulkOptions): Promise<BulkResult>;
  consume(options: ConsumeOptions): Promise<BulkResult>;
  latencies(options: LatencyOptions): Promise<number[]>;
  /** Milliseconds from the start of this page's navigation to the acknowledgement of one record. */
  firstAcknowledgement(topic: string): Promise<number>;
  /** Resolves with the number of records, all acknowledged. */
  produceSteadily(options: SteadyOptions): Promise<SteadyResult>;
  joinGroup(options: MemberOptions): Promise<void>;
  leaveGroup(): Promise<void>;
  /** Of the page's last membership, which may be over. */
  groupReport(): MemberReport;
  readonly raw: RawPage;
}

export interface BenchTopic {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly durability?: "strict" | "relaxed";
}

/** What the raw worker of this page does; see `raw.worker.ts`. */
export interface RawPage {
  offer(name: string): Promise<string>;
  answer(name: string, sdp: string): Promise<string>;
  accept(name: string, sdp: string): Promise<void>;
  send(name: string, totalBytes: number, messageBytes: number): Promise<number>;
  expect(name: string, totalBytes: number, messageBytes: number): Promise<void>;
  received(name: string): Promise<number>;
  forward(from: string, to: readonly string[]): Promise<void>;
  echo(name: string): Promise<void>;
  roundTrips(name: string, count: number): Promise<number[]>;
  lead(from: string, to: readonly string[]): Promise<void>;
  follow(name: string): Promise<void>;
  chain(name: string, options: ChainOptions): Promise<number[]>;
  commits(options: CommitOptions): Promise<number[]>;
}

declare global {
  interface Window {
    bench: BenchPage;
  }
}

const kafka = new Kafka({ brokers: [`${location.origin.replace("http", "ws")}/tests`] });
const admin = kafka.admin();
let links: RawLinks | undefined;
let member: GroupMember | undefined;

function raw(): RawLinks {
  return (links ??= new RawLinks());
}

window.bench = {
  async createTopic(topic, { partitions, replicationFactor, durability = "strict" }) {
    await admin.connect();
    const configEntries = [{ name: "durability", value: durability }];
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries }] });
  },
  async deleteTopic(topic) {
    await admin.connect();
    await admin.deleteTopics({ topics: [topic] });
  },
  produce: (options) => produceBulk(kafka, options),
  consume: (options) => consumeAll(kafka, options),
  latencies: (options) => measureLatencies(kafka, options),
  async firstAcknowledgement(topic) {
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: "first" }], compression: CompressionTypes.None });
    const elapsedMs = performance.now();
    await producer.disconnect();
    return elapsedMs;
  },
  produceSteadily: (options) => produceSteadily(kafka, options),
  async joinGroup(options) {
    member = new GroupMember(kafka, options);
    await member.start();
  },
  leaveGroup: async () => await member?.stop(),
  groupReport: () => member?.report() ?? { history: [], reads: [] },
  raw: {
    offer: (name) => raw().offer(name),
    answer: (name, sdp) => raw().answer(name, sdp),
    accept: (name, sdp) => raw().accept(name, sdp),
    send: (...options) => raw().worker.send(...options),
    expect: (...options) => raw().worker.expect(...options),
    received: (name) => raw().worker.received(name),
    forward: (...options) => raw().worker.forward(...options),
    echo: (name) => raw().worker.echo(name),
    roundTrips: (...options) => raw().worker.roundTrips(...options),
    lead: (...options) => raw().worker.lead(...options),
    follow: (name) => raw().worker.follow(name),
    chain: (...options) => raw().worker.chain(...options),
    commits: (options) => raw().worker.commits(options),
  },
};
