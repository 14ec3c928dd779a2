import type { ConnectionEnd, NodeName } from "../../src/platform/simulated/network.ts";
import type { Chance } from "../../src/platform/simulated/chance.ts";
import type { VirtualTime } from "../../src/platform/simulated/virtual-time.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { decodeCorrelationId, decodeResponse, encodeRequest } from "../../src/protocol/envelope.ts";
import type { Api, RequestInit, Response } from "../../src/protocol/schema.ts";
import { ZERO_UUID } from "../../src/protocol/uuid.ts";
import { documentedError } from "./documented-errors.ts";

/** One end of a connection, as far as a client uses it. */
export type ClientEnd = Pick<ConnectionEnd, "send" | "close" | "receive">;

/** What a scripted client is told about the place it lives in. */
export interface ClientContext {
  readonly time: Pick<VirtualTime, "nowUs" | "nowMs" | "after" | "at">;
  readonly network: {
    dial(from: NodeName, to: NodeName, opened: (end: ClientEnd) => void, failed: (reason: string) => void): void;
  };
  /** Tabs that may be asked for metadata, as a server would name them. */
  bootstrap(): readonly NodeName[];
  resolve(peer: string): NodeName | undefined;
  /** The leader epoch that the controller decided last, for whoever judges what a client was told; -1 if none was. */
  decidedEpoch(topic: string, partition: number): number;
  /** Where the controller has a broker, for the same. */
  registeredPeer(nodeId: number): string | undefined;
}

export interface PartitionLeader {
  readonly nodeId: number;
  readonly leaderEpoch: number;
}

interface Pending {
  readonly dueUs: number;
  answered(frame: Uint8Array): void;
  lost(): void;
}

/** A client that hears nothing for so long gives its connection up. */
const REQUEST_TIMEOUT_MS = 8_000;
const REFRESH_MS = 100;
const BACKOFF_MS = [40, 1_000] as const;

/** How long a client waits after so many failures in a row, as Kafka's do (KIP-580). */
export function backoffMs(failures: number): number {
  return Math.min(BACKOFF_MS[0] * 2 ** Math.min(failures, 10), BACKOFF_MS[1]);
}

/** A scripted client's connections to brokers, and what it knows of who leads. */
export class BrokerLinks {
  readonly #node: NodeName;
  readonly #context: ClientContext;
  readonly #chance: Chance;
  readonly #topic: string;
  readonly #links = new Map<NodeName, BrokerLink>();
  readonly #peers = new Map<number, string>();
  /** Of the topic as it was made last, as far as known. */
  topicId = ZERO_UUID;
  partitionCount = 0;
  readonly #formerIds = new Set<string>();
  /** The leader of each partition, as far as known. */
  readonly leaders = new Map<number, PartitionLeader>();
  #refreshing = false;
  #refreshAgainUs = 0;
  #closed = false;

  constructor(node: NodeName, topic: string, context: ClientContext, chance: Chance) {
    this.#node = node;
    this.#topic = topic;
    this.#context = context;
    this.#chance = chance;
  }

  /** Asks any broker who leads what; at most every `REFRESH_MS`. */
  refresh(): void {
    const { time } = this.#context;
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    time.after(Math.max(0, (this.#refreshAgainUs - time.nowUs) / 1000), () => this.#askMetadata());
  }

  /** Asks a broker by its node id. Exactly one of the two is called, later. */
  ask<A extends Api>(
    nodeId: number,
    api: A,
    version: number,
    body: RequestInit<A>,
    answered: (response: Response<A>) => void,
    lost: () => void,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): void {
    const to = this.#context.resolve(this.peerOf(nodeId) ?? "");
    if (to === undefined) return this.#context.time.after(5, lost);
    this.#link(to).ask(api, version, body, answered, lost, timeoutMs);
  }

  /** Where a broker is asked. A broker that is behind may have told of the page that had its storage before. */
  peerOf(nodeId: number): string | undefined {
    return this.#peers.get(nodeId);
  }

  /** Somebody else than the metadata has told where a broker is. */
  learn(nodeId: number, peer: string): void {
    this.#peers.set(nodeId, peer);
  }

  /** Asks any tab. */
  askAnybody<A extends Api>(
    api: A,
    version: number,
    body: RequestInit<A>,
    answered: (response: Response<A>) => void,
    lost: () => void,
  ): void {
    const tabs = this.#context.bootstrap();
    if (tabs.length === 0) return this.#context.time.after(100, lost);
    this.#link(this.#chance.pick(tabs)).ask(api, version, body, answered, lost);
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
  }

  #link(to: NodeName): BrokerLink {
    const known = this.#links.get(to);
    if (known?.isOver === false) return known;
    const link = new BrokerLink(this.#node, to, this.#context);
    this.#links.set(to, link);
    return link;
  }

  #askMetadata(): void {
    const over = () => {
      this.#refreshing = false;
      this.#refreshAgainUs = this.#context.time.nowUs + REFRESH_MS * 1000;
    };
    const body = { topics: [{ name: this.#topic }], allowAutoTopicCreation: false };
    this.askAnybody(
      metadata,
      12,
      body,
      (response) => {
        over();
        for (const { nodeId, host } of response.brokers) this.#peers.set(nodeId, host);
        const [topic] = response.topics;
        if (topic === undefined || documentedError(metadata, topic.errorCode) !== "NONE") return;
        this.#learnTopic(topic);
      },
      over,
    );
  }

  #learnTopic({ topicId, partitions }: Response<typeof metadata>["topics"][number]): void {
    // A broker that is behind may still tell of the topic that was deleted.
    if (this.#formerIds.has(topicId)) return;
    if (topicId !== this.topicId) {
      this.#formerIds.add(this.topicId);
      this.topicId = topicId;
      this.partitionCount = 0;
      this.leaders.clear();
    }
    this.partitionCount = Math.max(this.partitionCount, partitions.length);
    for (const { partitionIndex, leaderId, leaderEpoch } of partitions) {
      const known = this.leaders.get(partitionIndex);
      if (leaderEpoch < (known?.leaderEpoch ?? -1)) continue;
      this.leaders.set(partitionIndex, { nodeId: leaderId, leaderEpoch });
    }
  }
}

/** One connection, from the dial to its end. */
class BrokerLink {
  isOver = false;
  #end: ClientEnd | undefined;
  #unsent: Uint8Array[] = [];
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #timedForUs = Number.POSITIVE_INFINITY;
  readonly #time: ClientContext["time"];

  constructor(from: NodeName, to: NodeName, { network, time }: ClientContext) {
    this.#time = time;
    network.dial(
      from,
      to,
      (end) => {
        if (this.isOver) return end.close("no longer needed");
        this.#end = end;
        for (const frame of this.#unsent.splice(0)) end.send(frame);
        end.receive({
          frame: (frame) => this.#received(frame),
          closed: () => this.#finish(),
        });
      },
      () => this.#finish(),
    );
  }

  ask<A extends Api>(
    api: A,
    version: number,
    body: RequestInit<A>,
    answered: (response: Response<A>) => void,
    lost: () => void,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): void {
    const correlationId = this.#nextId++;
    const frame = encodeRequest(api, version, { correlationId, clientId: "simulated" }, body);
    const dueUs = this.#time.nowUs + timeoutMs * 1000;
    this.#pending.set(correlationId, {
      dueUs,
      answered: (response) => answered(decodeResponse(api, version, response).body as Response<A>),
      lost,
    });
    if (this.#end === undefined) this.#unsent.push(frame);
    else this.#end.send(frame);
    this.#timeFor(dueUs);
  }

  /** One timer for all that is asked: most requests are answered long before they are due. */
  #timeFor(dueUs: number): void {
    if (dueUs >= this.#timedForUs) return;
    this.#timedForUs = dueUs;
    this.#time.at(dueUs, () => {
      if (this.#timedForUs !== dueUs || this.isOver) return;
      this.#timedForUs = Number.POSITIVE_INFINITY;
      let nextUs = Number.POSITIVE_INFINITY;
      for (const pending of this.#pending.values()) nextUs = Math.min(nextUs, pending.dueUs);
      if (nextUs <= dueUs) this.close();
      else if (nextUs < Number.POSITIVE_INFINITY) this.#timeFor(nextUs);
    });
  }

  close(): void {
    this.#end?.close("the client gave up");
    this.#finish();
  }

  #received(frame: Uint8Array): void {
    const correlationId = decodeCorrelationId(frame);
    const pending = this.#pending.get(correlationId);
    this.#pending.delete(correlationId);
    if (pending === undefined) throw new Error(`a broker answers request ${correlationId}, which is not open`);
    pending.answered(frame);
  }

  #finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { lost } of pending) lost();
  }
}
