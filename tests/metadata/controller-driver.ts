import { brokerHeartbeat } from "../../src/protocol/apis/63-broker-heartbeat.ts";
import type { BrokerHeartbeatResponse } from "../../src/protocol/apis/63-broker-heartbeat.ts";
import { alterPartition } from "../../src/protocol/apis/56-alter-partition.ts";
import type { AlterPartitionResponse } from "../../src/protocol/apis/56-alter-partition.ts";
import { brokerRegistration } from "../../src/protocol/apis/62-broker-registration.ts";
import type {
  BrokerRegistrationRequestInit,
  BrokerRegistrationResponse,
} from "../../src/protocol/apis/62-broker-registration.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import type { CreateTopicsRequestInit, CreateTopicsResponse } from "../../src/protocol/apis/19-create-topics.ts";
import { decodeCorrelationId, decodeResponse, encodeRequest } from "../../src/protocol/envelope.ts";
import type { Api, RequestInit, Response } from "../../src/protocol/schema.ts";
import { Controller } from "../../src/metadata/controller.ts";
import type { ControllerEffect, ControllerEvent } from "../../src/metadata/controller.ts";
import type { ControllerConfig } from "../../src/metadata/controller-config.ts";
import type { ClusterImage } from "../../src/metadata/image.ts";
import { replay } from "../../src/metadata/metadata-batch.ts";
import type { MetadataSnapshot } from "../../src/metadata/metadata-batch.ts";
import type { Partition } from "../../src/metadata/partition.ts";

export const CLUSTER_ID = "c1057e2a-0000-4000-8000-000000000001";

/** A uuid that tells its number, for directories and the like. */
export function uuidOf(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}

/** Runs a controller with a store in memory. Appends are durable at once unless `holdAppends` is set. */
export class ControllerDriver {
  nowMs = 1_000;
  holdAppends = false;
  controller: Controller;
  readonly closed = new Map<number, string>();
  readonly logged: string[] = [];
  /** What is on the disk. */
  snapshot: MetadataSnapshot | undefined;
  log: { baseOffset: number; endOffset: number; batch: Uint8Array }[] = [];
  readonly appends: { baseOffset: number; endOffset: number; batch: Uint8Array }[] = [];
  #config: Partial<ControllerConfig>;
  readonly #received = new Map<number, Uint8Array[]>();
  #epoch = 0;
  #nextConnectionId = 1;
  #nextCorrelationId = 1;

  constructor(config: Partial<ControllerConfig> = {}) {
    this.#config = config;
    this.controller = this.#start();
  }

  get image(): ClusterImage {
    return this.controller.image;
  }

  /** The process dies and comes back: what was not durable is gone, as are all connections. */
  restart(config = this.#config): void {
    this.#config = config;
    this.appends.length = 0;
    this.#received.clear();
    this.controller = this.#start();
    this.wake();
  }

  open(): number {
    const connectionId = this.#nextConnectionId++;
    this.#received.set(connectionId, []);
    this.handle({ type: "connection-opened", connectionId });
    return connectionId;
  }

  close(connectionId: number): void {
    this.handle({ type: "connection-closed", connectionId });
  }

  /** Sends a request; returns its correlation id, by which `answer` finds the response. */
  send<A extends Api>(connectionId: number, api: A, version: number, body: RequestInit<A>): number {
    const correlationId = this.#nextCorrelationId++;
    const frame = encodeRequest(api, version, { correlationId, clientId: "test" }, body);
    this.handle({ type: "request", connectionId, frame });
    return correlationId;
  }

  answer<A extends Api>(connectionId: number, api: A, version: number, correlationId: number): Response<A> | undefined {
    const frames = this.#received.get(connectionId) ?? [];
    const frame = frames.find((candidate) => decodeCorrelationId(candidate) === correlationId);
    return frame === undefined ? undefined : (decodeResponse(api, version, frame).body as Response<A>);
  }

  /** Sends a request and returns its response, which must be there at once. */
  ask<A extends Api>(connectionId: number, api: A, version: number, body: RequestInit<A>): Response<A> {
    const response = this.answer(connectionId, api, version, this.send(connectionId, api, version, body));
    if (response === undefined) throw new Error(`${api.name} got no answer`);
    return response;
  }

  createTopic(
    name: string,
    numPartitions: number,
    more: Partial<CreateTopicsRequestInit["topics"][number]> = {},
  ): CreateTopicsResponse["topics"][number] {
    const topic = { name, numPartitions, replicationFactor: -1, ...more };
    const { topics } = this.ask(this.open(), createTopics, 7, { topics: [topic] });
    return topics[0]!;
  }

  partition(topic: string, index = 0): Partition {
    const found = this.image.topicNamed(topic)?.partitions[index];
    if (found === undefined) throw new Error(`there is no ${topic}-${index}`);
    return found;
  }

  /** Time passes, with everything done that becomes due meanwhile. */
  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (let due = this.controller.wakeAtMs; due !== undefined && due <= untilMs; due = this.controller.wakeAtMs) {
      this.nowMs = Math.max(this.nowMs, due);
      this.wake();
    }
    this.nowMs = untilMs;
  }

  wake(): void {
    this.handle({ type: "woken" });
  }

  /** The oldest append reaches the disk. */
  completeAppend(): void {
    const append = this.appends.shift();
    if (append === undefined) throw new Error("no append is on its way");
    this.log.push(append);
    this.handle({ type: "appended", endOffset: append.endOffset });
  }

  handle(event: ControllerEvent): readonly ControllerEffect[] {
    const effects = this.controller.handle(event, this.nowMs, 1_700_000_000_000 + this.nowMs);
    for (const effect of effects) this.#run(effect);
    if (!this.holdAppends) while (this.appends.length > 0) this.completeAppend();
    return effects;
  }

  /** The image that a restart would start from. */
  replayed(): ClusterImage {
    return replay(this.snapshot, this.log);
  }

  #run(effect: ControllerEffect): void {
    switch (effect.type) {
      case "send":
        this.#received.get(effect.connectionId)?.push(effect.frame.slice());
        return;
      case "close-connection":
        this.closed.set(effect.connectionId, effect.reason);
        return;
      case "append":
        this.appends.push(effect);
        return;
      case "save-snapshot":
        this.snapshot = { endOffset: effect.endOffset, epoch: effect.epoch, records: effect.records };
        this.log = this.log.filter(({ endOffset }) => endOffset > effect.endOffset);
        return;
      case "log":
        this.logged.push(`${effect.level}: ${effect.message}`);
    }
  }

  #start(): Controller {
    const controllerEpoch = ++this.#epoch;
    return new Controller({
      clusterId: CLUSTER_ID,
      controllerEpoch,
      seed: `seed ${controllerEpoch}`,
      snapshot: this.snapshot,
      log: this.log,
      config: this.#config,
      nowMs: this.nowMs,
    });
  }
}

/** What a tab's storage directory remembers. Copy it for a cloned profile. */
export interface Directory {
  directoryId: string;
  brokerId: number;
  generation: number;
  nonce: string | null;
  pendingNonce: string | null;
  durability: "strict" | "relaxed";
}

export function newDirectory(number: number, durability: "strict" | "relaxed" = "strict"): Directory {
  return { directoryId: uuidOf(number), brokerId: -1, generation: 0, nonce: null, pendingNonce: null, durability };
}

let nextNonce = 1;

/** A broker as the controller sees it: registers, confirms, beats, and forgets nothing of its directory. */
export class TestBroker {
  readonly driver: ControllerDriver;
  readonly directory: Directory;
  readonly rack: string | null;
  connectionId: number;
  incarnationId = uuidOf(0xf00000 + nextNonce++);
  brokerEpoch = -1;

  constructor(driver: ControllerDriver, directory: Directory, rack: string | null = null) {
    this.driver = driver;
    this.directory = directory;
    this.rack = rack;
    this.connectionId = driver.open();
  }

  /** A broker that is unfenced, as it is some moments after its tab was opened. */
  static start(driver: ControllerDriver, directory: Directory, rack: string | null = null): TestBroker {
    const broker = new TestBroker(driver, directory, rack);
    broker.join();
    return broker;
  }

  get id(): number {
    return this.directory.brokerId;
  }

  get registration() {
    return this.driver.image.brokers.get(this.id);
  }

  join(): void {
    const response = this.register();
    if (response.errorCode !== 0) throw new Error(`registration failed with ${response.errorCode}`);
    this.store(response);
    if (this.heartbeat().isFenced) throw new Error("the broker is still fenced");
  }

  register(more: Partial<BrokerRegistrationRequestInit> = {}): BrokerRegistrationResponse {
    const { directory } = this;
    directory.pendingNonce ??= `nonce-${nextNonce++}`;
    return this.driver.ask(this.connectionId, brokerRegistration, 4, {
      brokerId: directory.brokerId,
      clusterId: "",
      incarnationId: this.incarnationId,
      listeners: [{ name: "TAB", host: `peer-of-${directory.directoryId}`, port: 0, securityProtocol: 0 }],
      rack: this.rack,
      logDirs: [directory.directoryId],
      generation: directory.generation,
      nonce: directory.nonce,
      pendingNonce: directory.pendingNonce,
      durability: directory.durability,
      ...more,
    });
  }

  /** Writes down what a registration granted. */
  store({ brokerId, brokerEpoch, generation }: BrokerRegistrationResponse): void {
    this.brokerEpoch = brokerEpoch;
    Object.assign(this.directory, { brokerId, generation, nonce: this.directory.pendingNonce, pendingNonce: null });
  }

  heartbeat(
    more: {
      wantFence?: boolean;
      wantShutDown?: boolean;
      metadataOffset?: number;
      epoch?: number;
      offlineLogDirs?: readonly string[];
    } = {},
  ) {
    return this.driver.ask(this.connectionId, brokerHeartbeat, 1, {
      brokerId: this.id,
      brokerEpoch: more.epoch ?? this.brokerEpoch,
      currentMetadataOffset: more.metadataOffset ?? this.driver.image.endOffset - 1,
      wantFence: more.wantFence ?? false,
      wantShutDown: more.wantShutDown ?? false,
      offlineLogDirs: more.offlineLogDirs ?? [],
      confirmedGeneration: this.directory.generation,
    }) as BrokerHeartbeatResponse;
  }

  /** The tab goes away: its socket closes. */
  die(): void {
    this.driver.close(this.connectionId);
  }

  /** The tab comes back with its storage. */
  restart(): void {
    this.connectionId = this.driver.open();
    this.incarnationId = uuidOf(0xf00000 + nextNonce++);
    this.join();
  }

  /** Proposes an ISR for a partition that it leads, or thinks it does. */
  proposeIsr(
    partition: Partition,
    isr: readonly number[],
    more: { epochs?: ReadonlyMap<number, number>; leaderEpoch?: number; partitionEpoch?: number } = {},
  ): AlterPartitionResponse {
    const epochOf = (node: number) => more.epochs?.get(node) ?? this.driver.image.brokers.get(node)?.brokerEpoch ?? 0;
    return this.driver.ask(this.connectionId, alterPartition, 3, {
      brokerId: this.id,
      brokerEpoch: this.brokerEpoch,
      topics: [
        {
          topicId: partition.topicId,
          partitions: [
            {
              partitionIndex: partition.partitionIndex,
              leaderEpoch: more.leaderEpoch ?? partition.leaderEpoch,
              partitionEpoch: more.partitionEpoch ?? partition.partitionEpoch,
              newIsrWithEpochs: isr.map((brokerId) => ({ brokerId, brokerEpoch: epochOf(brokerId) })),
            },
          ],
        },
      ],
    });
  }
}

/** Every leader's followers have caught up: all active replicas join the ISR. */
export function catchUp(driver: ControllerDriver, brokers: readonly TestBroker[]): void {
  for (const { partitions } of driver.image.topics.values()) {
    for (const { partitionIndex, topicId } of partitions) {
      const partition = driver.image.partition(topicId, partitionIndex)!;
      const leader = brokers.find(({ id }) => id === partition.leader);
      const isr = partition.replicas.filter((node) => driver.image.isActive(node));
      if (leader !== undefined && isr.length > partition.isr.length) leader.proposeIsr(partition, isr);
    }
  }
}
