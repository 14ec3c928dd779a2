import { KafkaClient } from "../../src/client/kafka.ts";
import type { KafkaConfig } from "../../src/client/kafka.ts";
import { logLevel } from "../../src/client/logger.ts";
import type { LogEntry } from "../../src/client/logger.ts";
import { TAB_LISTENER } from "../../src/metadata/listener-names.ts";
import { encodeMetadataBatch, METADATA_TOPIC_ID } from "../../src/metadata/metadata-batch.ts";
import { browserClock } from "../../src/platform/browser/browser-clock.ts";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import type { ProduceRequest } from "../../src/protocol/apis/00-produce.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import type { FetchRequest } from "../../src/protocol/apis/01-fetch.ts";
import { listOffsets } from "../../src/protocol/apis/02-list-offsets.ts";
import type { ListOffsetsRequest } from "../../src/protocol/apis/02-list-offsets.ts";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { initProducerId } from "../../src/protocol/apis/22-init-producer-id.ts";
import { offsetForLeaderEpoch } from "../../src/protocol/apis/23-offset-for-leader-epoch.ts";
import type { OffsetForLeaderEpochRequest } from "../../src/protocol/apis/23-offset-for-leader-epoch.ts";
import { advertisedApiKeys, apis } from "../../src/protocol/apis/registry.ts";
import { decodeRequest, decodeRequestHeader, encodeResponse } from "../../src/protocol/envelope.ts";
import type { RequestHeader } from "../../src/protocol/envelope.ts";
import { errorCode } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import { encodeMetadataRecord } from "../../src/protocol/metadata-records/registry.ts";
import type { MetadataRecordInit } from "../../src/protocol/metadata-records/registry.ts";
import type { ClientPlatform } from "../../src/runtime/client-platform.ts";
import type { Connection } from "../../src/runtime/connection.ts";
import type { ControllerLink, ControllerLinkHandlers } from "../../src/runtime/controller-link.ts";
import { MemoryConnection } from "./memory-connection.ts";
import { ScriptedPartition } from "./scripted-partition.ts";

/** What happens to a request instead of the usual. */
export type Verdict =
  /** Every partition of the request is answered with this error, perhaps after a while, and nothing is done. */
  | { readonly kind: "error"; readonly error: ErrorName; readonly afterMs?: number }
  /** It is done, and the connection ends before the answer leaves. */
  | { readonly kind: "lose-response" }
  /** It is never read: the connection ends. */
  | { readonly kind: "lose-request" }
  /** It is neither done nor answered. */
  | { readonly kind: "stall" }
  | { readonly kind: "delay"; readonly ms: number }
  /** It is done as usual, and answered with other bytes. */
  | { readonly kind: "answer"; readonly change: (frame: Uint8Array) => Uint8Array };

export interface SeenRequest {
  readonly nodeId: number;
  readonly api: string;
  readonly body: unknown;
}

export interface ScriptedTopic {
  readonly topicId: string;
  readonly name: string;
  readonly partitions: ScriptedPartition[];
  readonly leaders: { leader: number; leaderEpoch: number }[];
}

/**
 * Brokers and a controller that speak the protocol through the real codecs, do what Kafka's rules say, and fail where a
 * test wishes. Replication is left out: all brokers share one log per partition, which whoever leads it serves.
 */
export class ScriptedCluster {
  readonly topics = new Map<string, ScriptedTopic>();
  readonly seen: SeenRequest[] = [];
  readonly logged: LogEntry[] = [];
  /** Asked about every request to a broker before it is done. */
  judge: (request: SeenRequest) => Verdict | undefined = () => undefined;
  /** Whether the metadata server can be reached. */
  online = true;
  /** What the controller answers to whoever asks for metadata. */
  metadataError: ErrorName = "NONE";
  dials = 0;
  nextProducerId = 1000;
  readonly #records: Uint8Array[] = [];
  readonly #links = new Set<ScriptedLink>();
  readonly #brokers = new Map<number, ScriptedBroker>();
  readonly #waiting = new Set<() => void>();
  #nextTopic = 1;

  constructor(brokerIds: readonly number[] = [1]) {
    this.write({ type: "ClusterRecord", clusterId: "scripted" });
    for (const id of brokerIds) this.addBroker(id);
  }

  kafka(config: Partial<KafkaConfig> = {}): KafkaClient {
    const logCreator = () => (entry: LogEntry) => void this.logged.push(entry);
    return new KafkaClient(
      { brokers: ["ws://scripted"], clientId: "test", logLevel: logLevel.DEBUG, logCreator, ...config },
      () => this.platform(),
    );
  }

  platform(): ClientPlatform {
    const link = new ScriptedLink(this);
    this.#links.add(link);
    const connections = new Set<Connection>();
    return {
      clock: browserClock,
      controller: link,
      dial: async ({ port }) => {
        this.dials++;
        const broker = this.#brokers.get(port);
        if (broker === undefined || broker.unreachable) throw new Error(`nothing listens at ${port}`);
        const [near, far] = MemoryConnection.pair();
        broker.accept(far);
        connections.add(near);
        return near;
      },
      randomUuid: () => crypto.randomUUID(),
      random: Math.random,
      close: () => {
        this.#links.delete(link);
        for (const connection of connections) connection.close("the platform closed");
      },
    };
  }

  broker(id: number): ScriptedBroker {
    return this.#brokers.get(id)!;
  }

  addBroker(id: number): void {
    this.#brokers.set(id, new ScriptedBroker(this, id));
    this.#register(id, false);
  }

  /** The controller takes the broker for dead. What it has open stays as it is. */
  fence(id: number): void {
    this.write({ type: "FenceBrokerRecord", id, epoch: id });
  }

  createTopic(name: string, leaders: readonly number[], config: Record<string, string> = {}): ScriptedTopic {
    const topicId = `00000000-0000-4000-8000-${String(this.#nextTopic++).padStart(12, "0")}`;
    const topic: ScriptedTopic = {
      topicId,
      name,
      partitions: leaders.map(() => new ScriptedPartition()),
      leaders: leaders.map((leader) => ({ leader, leaderEpoch: 0 })),
    };
    this.topics.set(name, topic);
    const replicas = [...this.#brokers.keys()];
    this.write(
      { type: "TopicRecord", name, topicId },
      ...leaders.map((leader, partitionId): MetadataRecordInit => ({
        type: "PartitionRecord",
        topicId,
        partitionId,
        replicas,
        isr: replicas,
        removingReplicas: [],
        addingReplicas: [],
        leader,
        leaderEpoch: 0,
        partitionEpoch: 0,
      })),
      ...Object.entries(config).map(([key, value]): MetadataRecordInit => ({
        type: "ConfigRecord",
        resourceType: 2,
        resourceName: name,
        name: key,
        value,
      })),
    );
    return topic;
  }

  addPartition(name: string, leader: number): void {
    const topic = this.topics.get(name)!;
    const partitionId = topic.partitions.length;
    topic.partitions.push(new ScriptedPartition());
    topic.leaders.push({ leader, leaderEpoch: 0 });
    const replicas = [...this.#brokers.keys()];
    this.write({
      type: "PartitionRecord",
      topicId: topic.topicId,
      partitionId,
      replicas,
      isr: replicas,
      removingReplicas: [],
      addingReplicas: [],
      leader,
      leaderEpoch: 0,
      partitionEpoch: 0,
    });
  }

  removeTopic(name: string): void {
    const { topicId } = this.topics.get(name)!;
    this.topics.delete(name);
    this.write({ type: "RemoveTopicRecord", topicId });
  }

  /** Elects another leader; -1 for none. */
  elect(name: string, partitionId: number, leader: number): void {
    const topic = this.topics.get(name)!;
    const leaderEpoch = topic.leaders[partitionId]!.leaderEpoch + 1;
    topic.leaders[partitionId] = { leader, leaderEpoch };
    this.write({ type: "PartitionChangeRecord", topicId: topic.topicId, partitionId, leader });
    this.wake();
  }

  write(...records: MetadataRecordInit[]): void {
    const offset = this.metadataEnd;
    this.#records.push(
      encodeMetadataBatch(
        offset,
        1,
        records.map((record) => encodeMetadataRecord(record)),
      ),
    );
    this.#counts.push(records.length);
    for (const link of this.#links) link.changed();
  }

  readonly #counts: number[] = [];

  get metadataEnd(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  metadataFrom(offset: number): Uint8Array {
    const found: Uint8Array[] = [];
    let at = 0;
    this.#counts.forEach((count, index) => {
      if (at >= offset) found.push(this.#records[index]!);
      at += count;
    });
    return Buffer.concat(found);
  }

  /** The metadata server goes away, or comes back. */
  setOnline(online: boolean): void {
    this.online = online;
    for (const link of this.#links) link.onlineChanged();
  }

  /** The metadata server refuses a socket. */
  refuse(reason: string): void {
    for (const link of this.#links) link.refused(reason);
  }

  /** Something was appended or elected: waiting fetches look again. */
  wake(): void {
    for (const resume of this.#waiting) resume();
  }

  changed(): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        this.#waiting.delete(resume);
        resolve();
      };
      this.#waiting.add(resume);
    });
  }

  requests(api: string): SeenRequest[] {
    return this.seen.filter((request) => request.api === api);
  }

  topicById(topicId: string): ScriptedTopic | undefined {
    return [...this.topics.values()].find((topic) => topic.topicId === topicId);
  }

  #register(brokerId: number, fenced: boolean): void {
    this.write({
      type: "RegisterBrokerRecord",
      brokerId,
      incarnationId: crypto.randomUUID(),
      brokerEpoch: this.metadataEnd,
      endPoints: [{ name: TAB_LISTENER, host: `peer-${brokerId}`, port: brokerId, securityProtocol: 0 }],
      rack: `rack-${brokerId}`,
      fenced,
      inControlledShutdown: false,
      logDirs: [crypto.randomUUID()],
    });
  }
}

/** The way to the metadata server. */
class ScriptedLink implements ControllerLink {
  readonly #cluster: ScriptedCluster;
  #handlers: ControllerLinkHandlers | undefined;
  #waiting: { header: RequestHeader; offset: number } | undefined;

  constructor(cluster: ScriptedCluster) {
    this.#cluster = cluster;
  }

  receive(handlers: ControllerLinkHandlers): void {
    this.#handlers = handlers;
    if (this.#cluster.online) this.onlineChanged();
  }

  onlineChanged(): void {
    if (this.#cluster.online) setImmediate(() => this.#handlers?.opened());
    else {
      this.#waiting = undefined;
      this.#handlers?.closed("the server went away");
    }
  }

  refused(reason: string): void {
    this.#handlers?.failed?.(reason);
  }

  send(frame: Uint8Array): void {
    if (!this.#cluster.online) return;
    const header = decodeRequestHeader(frame.slice());
    const api = apis.get(header.apiKey)!;
    const body = decodeRequest(api, header);
    this.#cluster.seen.push({ nodeId: -1, api: api.name, body });
    if (api === fetch) {
      this.#waiting = { header, offset: (body as FetchRequest).topics[0]!.partitions[0]!.fetchOffset };
      return this.changed();
    }
    if (api === createTopics)
      return this.#createTopics(header, body as { topics: { name: string; numPartitions: number }[] });
    throw new Error(`the scripted controller does not know ${api.name}`);
  }

  close(): void {
    this.#handlers = undefined;
  }

  changed(): void {
    const waiting = this.#waiting;
    const { metadataError } = this.#cluster;
    if (waiting === undefined || (waiting.offset >= this.#cluster.metadataEnd && metadataError === "NONE")) return;
    this.#waiting = undefined;
    const partition = {
      partitionIndex: 0,
      errorCode: errorCode(metadataError),
      highWatermark: this.#cluster.metadataEnd,
      currentLeader: { leaderId: 3000, leaderEpoch: 1 },
      records: this.#cluster.metadataFrom(waiting.offset),
    };
    const { apiVersion, correlationId } = waiting.header;
    this.#reply(
      encodeResponse(fetch, apiVersion, correlationId, {
        responses: [{ topicId: METADATA_TOPIC_ID, partitions: [partition] }],
      }),
    );
  }

  #createTopics(header: RequestHeader, body: { topics: { name: string; numPartitions: number }[] }): void {
    const topics = body.topics.map(({ name, numPartitions }) => {
      const known = this.#cluster.topics.has(name);
      if (!known)
        this.#cluster.createTopic(
          name,
          Array.from({ length: Math.max(1, numPartitions) }, () => 1),
        );
      return { name, errorCode: errorCode(known ? "TOPIC_ALREADY_EXISTS" : "NONE") };
    });
    this.#reply(encodeResponse(createTopics, header.apiVersion, header.correlationId, { topics }));
  }

  #reply(frame: Uint8Array): void {
    setImmediate(() => {
      if (this.#cluster.online) this.#handlers?.frame(frame.slice());
    });
  }
}

class ScriptedBroker {
  unreachable = false;
  readonly #cluster: ScriptedCluster;
  readonly #id: number;
  readonly #connections = new Set<MemoryConnection>();

  constructor(cluster: ScriptedCluster, id: number) {
    this.#cluster = cluster;
    this.#id = id;
  }

  accept(connection: MemoryConnection): void {
    this.#connections.add(connection);
    const queue: Uint8Array[] = [];
    let wake = () => {};
    let closed = false;
    connection.receive({
      frame: (frame) => {
        queue.push(frame);
        wake();
      },
      closed: () => {
        closed = true;
        this.#connections.delete(connection);
        wake();
      },
    });
    const serve = async () => {
      while (!closed) {
        const frame = queue.shift();
        if (frame === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else {
          const hurried = new Promise<void>((resolve) => (wake = resolve));
          await this.#serve(connection, frame, hurried, () => queue.length > 0 || closed);
        }
      }
    };
    void serve();
  }

  /** Ends every connection, as a tab that dies does. */
  hangUp(): void {
    for (const connection of this.#connections) connection.close("the tab died");
  }

  async #serve(connection: MemoryConnection, frame: Uint8Array, hurried: Promise<void>, isHurried: () => boolean) {
    const header = decodeRequestHeader(frame);
    const api = apis.get(header.apiKey)!;
    const body = decodeRequest(api, header);
    const request = { nodeId: this.#id, api: api.name, body };
    this.#cluster.seen.push(request);
    const verdict = this.#cluster.judge(request);
    if (verdict?.kind === "lose-request") return connection.close("lost on the way");
    if (verdict?.kind === "stall") return new Promise<void>(() => {});
    const delayMs = verdict?.kind === "delay" ? verdict.ms : verdict?.kind === "error" ? verdict.afterMs : undefined;
    if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const error = verdict?.kind === "error" ? verdict.error : undefined;
    const answer = await this.#answer(header, body, error, hurried, isHurried);
    if (verdict?.kind === "lose-response") return connection.close("lost on the way back");
    if (answer !== undefined) connection.send(verdict?.kind === "answer" ? verdict.change(answer) : answer);
  }

  async #answer(
    header: RequestHeader,
    body: unknown,
    error: ErrorName | undefined,
    hurried: Promise<void>,
    isHurried: () => boolean,
  ): Promise<Uint8Array | undefined> {
    const { apiKey, apiVersion: version, correlationId } = header;
    switch (apiKey) {
      case apiVersions.key:
        return encodeResponse(apiVersions, version, correlationId, { errorCode: 0, apiKeys: advertisedApiKeys });
      case initProducerId.key: {
        const producerId = error === undefined ? this.#cluster.nextProducerId++ : -1;
        const answer = {
          errorCode: errorCode(error ?? "NONE"),
          producerId,
          producerEpoch: error === undefined ? 0 : -1,
        };
        return encodeResponse(initProducerId, version, correlationId, answer);
      }
      case produce.key: {
        const request = body as ProduceRequest;
        const answer = this.#produce(request, error);
        return request.acks === 0 ? undefined : encodeResponse(produce, version, correlationId, answer);
      }
      case fetch.key:
        return encodeResponse(
          fetch,
          version,
          correlationId,
          await this.#fetch(body as FetchRequest, error, hurried, isHurried),
        );
      case listOffsets.key:
        return encodeResponse(
          listOffsets,
          version,
          correlationId,
          this.#listOffsets(body as ListOffsetsRequest, error),
        );
      case offsetForLeaderEpoch.key:
        return encodeResponse(
          offsetForLeaderEpoch,
          version,
          correlationId,
          this.#epochEnds(body as OffsetForLeaderEpochRequest),
        );
      default:
        throw new Error(`the scripted broker does not know API ${apiKey}`);
    }
  }

  #check(topic: ScriptedTopic | undefined, partition: number, leaderEpoch = -1): ErrorName {
    const leader = topic?.leaders[partition];
    if (leader === undefined) return "UNKNOWN_TOPIC_OR_PARTITION";
    if (leader.leader !== this.#id) return "NOT_LEADER_OR_FOLLOWER";
    if (leaderEpoch === -1 || leaderEpoch === leader.leaderEpoch) return "NONE";
    return leaderEpoch < leader.leaderEpoch ? "FENCED_LEADER_EPOCH" : "UNKNOWN_LEADER_EPOCH";
  }

  #produce(request: ProduceRequest, forced: ErrorName | undefined) {
    const responses = request.topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }) => {
        const topic = this.#cluster.topics.get(name);
        const error = forced ?? this.#check(topic, index);
        if (error !== "NONE") return { index, errorCode: errorCode(error), baseOffset: -1 };
        const result = topic!.partitions[index]!.append(records!, topic!.leaders[index]!.leaderEpoch);
        return {
          index,
          errorCode: errorCode(result.error),
          baseOffset: "baseOffset" in result ? result.baseOffset : -1,
        };
      }),
    }));
    this.#cluster.wake();
    return { responses };
  }

  async #fetch(request: FetchRequest, forced: ErrorName | undefined, hurried: Promise<void>, isHurried: () => boolean) {
    const deadline = performance.now() + request.maxWaitMs;
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      this.#cluster.wake();
    }, request.maxWaitMs);
    void hurried.then(() => this.#cluster.wake());
    try {
      for (;;) {
        const answer = this.#fetchNow(request, forced);
        const isWorthwhile = answer.responses.some(({ partitions }) =>
          partitions.some(
            ({ errorCode: code, records, divergingEpoch }) =>
              code !== 0 || records.length > 0 || divergingEpoch !== null,
          ),
        );
        if (isWorthwhile || over || isHurried() || performance.now() >= deadline) return answer;
        await this.#cluster.changed();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #fetchNow(request: FetchRequest, forced: ErrorName | undefined) {
    const responses = request.topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(
        ({ partition, fetchOffset, currentLeaderEpoch, lastFetchedEpoch, partitionMaxBytes }) => {
          const topic = this.#cluster.topicById(topicId);
          const log = topic?.partitions[partition];
          const error =
            forced ?? (topic === undefined ? "UNKNOWN_TOPIC_ID" : this.#check(topic, partition, currentLeaderEpoch));
          const none = {
            partitionIndex: partition,
            highWatermark: -1,
            divergingEpoch: null,
            records: new Uint8Array(0),
          };
          if (error !== "NONE" || log === undefined) return { ...none, errorCode: errorCode(error) };
          const known = { ...none, errorCode: 0, highWatermark: log.endOffset, logStartOffset: log.logStartOffset };
          const end = lastFetchedEpoch < 0 ? undefined : log.epochEnd(lastFetchedEpoch);
          if (end !== undefined && (end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset)) {
            return { ...known, divergingEpoch: end };
          }
          if (fetchOffset < log.logStartOffset || fetchOffset > log.endOffset) {
            return { ...known, errorCode: errorCode("OFFSET_OUT_OF_RANGE") };
          }
          return { ...known, records: log.read(fetchOffset, partitionMaxBytes) };
        },
      ),
    }));
    return { responses };
  }

  #listOffsets(request: ListOffsetsRequest, forced: ErrorName | undefined) {
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp, currentLeaderEpoch }) => {
          const topic = this.#cluster.topics.get(name);
          const error = forced ?? this.#check(topic, partitionIndex, currentLeaderEpoch);
          if (error !== "NONE") return { partitionIndex, errorCode: errorCode(error) };
          const log = topic!.partitions[partitionIndex]!;
          const found = log.records().find((record) => record.timestamp >= timestamp);
          const offset =
            timestamp === -2 ? log.logStartOffset : timestamp === -1 ? log.endOffset : (found?.offset ?? -1);
          return { partitionIndex, errorCode: 0, offset, timestamp: found?.timestamp ?? -1, leaderEpoch: 0 };
        }),
      })),
    };
  }

  #epochEnds(request: OffsetForLeaderEpochRequest) {
    return {
      throttleTimeMs: 0,
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, leaderEpoch }) => {
          const end = this.#cluster.topics.get(topic)!.partitions[partition]!.epochEnd(leaderEpoch);
          return { errorCode: 0, partition, leaderEpoch: end.epoch, endOffset: end.endOffset };
        }),
      })),
    };
  }
}
