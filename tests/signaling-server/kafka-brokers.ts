import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import type { MetadataResponse } from "../../src/protocol/apis/03-metadata.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { batches, encodeBatch, recordsSection } from "../../src/protocol/record-batch.ts";
import type { BatchInit } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import type { Limits } from "../../signaling-server/limits.ts";
import { startServer } from "../../signaling-server/server.ts";
import type { RunningServer } from "../../signaling-server/server.ts";
import { KafkaClient, freePorts } from "./kafka-client.ts";
import { NodeTab } from "./node-tab.ts";

export interface KafkaBrokers {
  readonly server: RunningServer;
  readonly bootstrapPort: number;
  readonly tabs: readonly NodeTab[];
  portOf(brokerId: number): number;
  stop(): Promise<void>;
}

/** A real server with a Kafka listener, and real brokers behind it. */
export async function startKafkaBrokers(count: number, limits: Partial<Limits> = {}): Promise<KafkaBrokers> {
  const bootstrapPort = await freePorts();
  const dataDir = await mkdtemp(join(tmpdir(), "tabstream-signaling-"));
  const server = await startServer({
    port: 0,
    host: "127.0.0.1",
    dataDir,
    staticRoot: join(dataDir, "no-pages"),
    log: () => {},
    limits,
    kafka: { port: bootstrapPort, host: "127.0.0.1", advertisedHost: "127.0.0.1", cluster: "tabstream" },
  });
  const tabs: NodeTab[] = [];
  for (let index = 0; index < count; index++) tabs.push(await NodeTab.start(server.url, "tabstream"));
  return {
    server,
    bootstrapPort,
    tabs,
    portOf: (brokerId) => bootstrapPort + 1 + brokerId,
    async stop() {
      await Promise.all(tabs.map((tab) => tab.stop()));
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The same, for one test. */
export async function kafkaBrokers(count: number): Promise<KafkaBrokers> {
  const brokers = await startKafkaBrokers(count);
  onTestFinished(() => brokers.stop());
  return brokers;
}

/** Creates a topic through whichever broker `client` talks to, and waits until everybody can produce to it. */
export async function createTopic(client: KafkaClient, name: string, configs: Record<string, string> = {}) {
  const { topics } = await client.ask(createTopics, 4, {
    topics: [
      {
        name,
        numPartitions: 1,
        replicationFactor: -1,
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      },
    ],
    timeoutMs: 10_000,
  });
  const error = errorName(topics[0]!.errorCode);
  if (error !== "NONE") throw new Error(`creating ${name}: ${error}, ${topics[0]!.errorMessage}`);
  return await leaderOf(client, name);
}

/** The leader of a topic's one partition, once there is one. */
export async function leaderOf(client: KafkaClient, name: string): Promise<number> {
  for (;;) {
    const partition = (await describeTopic(client, name))?.partitions[0];
    if (partition !== undefined && partition.leaderId >= 0) return partition.leaderId;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

type TopicMetadata = MetadataResponse["topics"][number];

async function describeTopic(client: KafkaClient, name: string): Promise<TopicMetadata | undefined> {
  const { topics } = await client.ask(metadata, 9, { topics: [{ name }], allowAutoTopicCreation: false });
  return topics[0];
}

export function batchOf(values: readonly string[], init: Partial<BatchInit> = {}): Uint8Array {
  const timestamp = 1_700_000_000_000;
  return encodeBatch(
    values.map((value, offset) => ({ offset, timestamp, key: null, value: Buffer.from(value), headers: [] })),
    init,
  );
}

export function produceRequest(topic: string, records: Uint8Array, acks = -1) {
  return { acks, timeoutMs: 10_000, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] };
}

/** Returns the error and the offset that the records got. */
export async function produced(client: KafkaClient, topic: string, records: Uint8Array, version = 7) {
  const { responses } = await client.ask(produce, version, produceRequest(topic, records));
  const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!;
  return { error: errorName(errorCode), baseOffset };
}

export function fetchRequest(topic: string, fetchOffset: number, maxWaitMs = 0) {
  return {
    maxWaitMs,
    minBytes: 1,
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }] }],
  };
}

/** The values from `offset` on, once the first is there. */
export async function consumed(client: KafkaClient, topic: string, offset = 0): Promise<string[]> {
  const { responses } = await client.ask(fetch, 11, fetchRequest(topic, offset, 5_000));
  const { records } = responses[0]!.partitions[0]!;
  return [...batches(records ?? new Uint8Array(0), "ignored")].flatMap(({ header, bytes }) =>
    decodeRecords(recordsSection(bytes), header).map(({ value }) => Buffer.from(value!).toString()),
  );
}
