import { partitionKey } from "../../src/log/stored-log.ts";
import type { PartitionKey } from "../../src/log/stored-log.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import type { ProduceResponse } from "../../src/protocol/apis/00-produce.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { deleteTopics } from "../../src/protocol/apis/20-delete-topics.ts";
import { deleteRecords } from "../../src/protocol/apis/21-delete-records.ts";
import { incrementalAlterConfigs } from "../../src/protocol/apis/44-incremental-alter-configs.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import { batches, encodeBatch, recordsSection } from "../../src/protocol/record-batch.ts";
import type { BatchInit } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { CoreBroker, TestClient } from "./core-cluster.ts";

/** Requests as the tests of the broker make them, to one partition with text for values. */

export function batchOf(values: readonly string[], init: Partial<BatchInit> = {}): Uint8Array {
  const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
  return encodeBatch(
    values.map((value, at) => ({ offset: at, timestamp: 1_700_000_000_000, key: null, value: bytes(value), headers: [] })),
    init,
  );
}

export interface ProduceOptions extends Partial<BatchInit> {
  readonly acks?: number;
  readonly timeoutMs?: number;
  readonly partition?: number;
}

export function sendProduce(client: TestClient, topic: string, values: readonly string[], options: ProduceOptions = {}) {
  const { acks = -1, timeoutMs = 30_000, partition = 0, ...init } = options;
  const answer = client.send(produce, 9, {
    acks,
    timeoutMs,
    topicData: [{ name: topic, partitionData: [{ index: partition, records: batchOf(values, init) }] }],
  });
  return () => outcomeOf(answer());
}

export interface ProduceOutcome {
  readonly error: ErrorName;
  readonly baseOffset: number;
}

function outcomeOf(response: ProduceResponse | undefined): ProduceOutcome | undefined {
  const partition = response?.responses[0]?.partitionResponses[0];
  if (partition === undefined) return undefined;
  return { error: errorName(partition.errorCode), baseOffset: partition.baseOffset };
}

export function produced(
  cluster: CoreCluster,
  client: TestClient,
  topic: string,
  values: readonly string[],
  options?: ProduceOptions,
): ProduceOutcome {
  const outcome = sendProduce(client, topic, values, options);
  cluster.until(() => outcome() !== undefined, "a produce response");
  return outcome()!;
}

/** Everything a consumer can read from `offset` on, and the error if there is one. */
export function consumed(
  client: TestClient,
  topic: string,
  offset = 0,
  { partition = 0, currentLeaderEpoch = -1, lastFetchedEpoch = -1, maxWaitMs = 0 } = {},
) {
  const { responses } = client.ask(fetch, 12, {
    maxWaitMs,
    minBytes: 1,
    topics: [
      {
        topic,
        partitions: [
          { partition, currentLeaderEpoch, lastFetchedEpoch, fetchOffset: offset, partitionMaxBytes: 1_000_000 },
        ],
      },
    ],
  });
  const answer = responses[0]!.partitions[0]!;
  return {
    error: errorName(answer.errorCode),
    highWatermark: answer.highWatermark,
    divergingEpoch: answer.divergingEpoch,
    values: valuesOf(answer.records ?? new Uint8Array(0)),
  };
}

export function valuesOf(records: Uint8Array): string[] {
  return [...batches(records)].flatMap(({ header, bytes }) =>
    decodeRecords(recordsSection(bytes), header).map(({ value }) => Buffer.from(value!).toString("latin1")),
  );
}

export interface TopicOptions {
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

/** Three running tabs, and a topic whose first partition all of them hold in sync. */
export function threeTabs(topic: string, options?: TopicOptions): { cluster: CoreCluster; tabs: CoreBroker[] } {
  const cluster = new CoreCluster();
  const tabs = cluster.startRunning("a", "b", "c");
  createTopic(cluster, topic, options);
  untilInSync(cluster, topic, 3);
  return { cluster, tabs };
}

export function createTopic(
  cluster: CoreCluster,
  name: string,
  { partitions = 1, replicationFactor = 3, configs = {} }: TopicOptions = {},
): void {
  const { topics } = cluster.askController(createTopics, 7, {
    topics: [
      {
        name,
        numPartitions: partitions,
        replicationFactor,
        assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      },
    ],
    timeoutMs: 5_000,
    validateOnly: false,
  });
  if (topics[0]?.errorCode !== 0) throw new Error(`creating ${name}: ${topics[0]?.errorMessage}`);
}

export function deleteTopic(cluster: CoreCluster, name: string): void {
  const { responses } = cluster.askController(deleteTopics, 6, { topics: [{ name }], timeoutMs: 1_000 });
  if (responses[0]?.errorCode !== 0) throw new Error(`deleting ${name}: ${responses[0]?.errorMessage}`);
}

/** Deletes what lies below `offset`, or all that is committed if that is -1. */
export function deleteRecordsBefore(client: TestClient, topic: string, offset: number): void {
  const { topics } = client.ask(deleteRecords, 2, {
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }],
    timeoutMs: 30_000,
  });
  const code = topics[0]!.partitions[0]!.errorCode;
  if (code !== 0) throw new Error(`deleting records of ${topic}: ${errorName(code)}`);
}

const SET = 0;
const DELETE = 1;
const TOPIC_RESOURCE = 2;

/** Has a client of some broker change a configuration of a topic; null takes it back to its default. */
export function alterTopic(cluster: CoreCluster, topic: string, name: string, value: string | null): void {
  const configs = [{ name, configOperation: value === null ? DELETE : SET, value }];
  const resources = [{ resourceType: TOPIC_RESOURCE, resourceName: topic, configs }];
  const client = cluster.brokers.find(({ running }) => running)!.connect();
  const { responses } = client.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false });
  if (responses[0]?.errorCode !== 0) throw new Error(`altering ${name}: ${responses[0]?.errorMessage}`);
  // The metadata reaches every tab; nothing else is waited for.
  cluster.advance(50);
}

/** By what name tabs keep a partition's log. */
export function logKey(cluster: CoreCluster, topic: string, partition = 0): PartitionKey {
  return partitionKey(cluster.controller.image.topicNamed(topic)!.topicId, partition);
}

/** The broker that leads the partition, once it knows that itself. */
export function leaderOf(cluster: CoreCluster, topic: string, partition = 0): CoreBroker {
  const found = () =>
    cluster.brokers.find((broker) => {
      if (!broker.running || broker.frozen) return false;
      const replica = broker.core.leaderOf(topic, partition);
      return "state" in replica && replica.state.leaderEpoch === epochOf(cluster, topic, partition);
    });
  cluster.until(() => found() !== undefined, `a leader of ${topic}-${partition}`);
  return found()!;
}

function epochOf(cluster: CoreCluster, topic: string, partition: number): number | undefined {
  return cluster.controller.image.topicNamed(topic)?.partitions[partition]?.leaderEpoch;
}

/** Waits until so many replicas are in sync, as the controller has it. */
export function untilInSync(cluster: CoreCluster, topic: string, count: number, partition = 0): void {
  const isr = () => cluster.controller.image.topicNamed(topic)?.partitions[partition]?.isr.length;
  cluster.until(() => isr() === count, `an ISR of ${count}`);
}
