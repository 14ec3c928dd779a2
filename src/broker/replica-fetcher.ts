import { partitionKey } from "../log/stored-log.ts";
import { fetch } from "../protocol/apis/01-fetch.ts";
import type { FetchRequestInit, FetchResponse } from "../protocol/apis/01-fetch.ts";
import { decodeResponse, encodeRequest } from "../protocol/envelope.ts";
import { CorruptMessageError } from "../protocol/errors.ts";
import type { BrokerConfig } from "./broker-config.ts";
import type { BrokerEffect } from "./effects.ts";
import type { Replica } from "./replica.ts";

/** v17 names the follower's storage directory. */
const FETCH_VERSION = 17;
const MIN_BACKOFF_MS = 25;
const MAX_BACKOFF_MS = 1_000;
/** How long a partition rests that the leader refused: mostly until both have heard of the same election. */
const REFUSED_MS = 20;
/** One fetch waits at the leader; a second one, for partitions that came since, makes it answer. */
const MAX_OPEN_FETCHES = 2;
/** A follower's lag counts from the fetch that waits. Half of the time allowed must be left when records come. */
const LAG_PER_WAIT = 2;

type FetchedPartition = FetchResponse["responses"][number]["partitions"][number];

export interface FetcherContext {
  readonly config: BrokerConfig;
  readonly directoryId: string;
  effects(effect: BrokerEffect): void;
  nextLinkId(): number;
  /** This broker's id and the epoch it is registered under; undefined while it is not. */
  self(): { readonly nodeId: number; readonly brokerEpoch: number } | undefined;
  endpointOf(nodeId: number): { readonly host: string; readonly port: number } | undefined;
  /**
   * Hands over the leader's answer about one partition, asked for from `fetchOffset` in `leaderEpoch`. Says false when
   * the leader refused, so that asking again at once would be answered alike.
   */
  fetched(replica: Replica, leaderEpoch: number, fetchOffset: number, answer: FetchedPartition): boolean;
}

interface AskedPartition {
  readonly leaderEpoch: number;
  readonly fetchOffset: number;
}

interface OpenFetch {
  readonly correlationId: number;
  readonly asked: ReadonlyMap<string, AskedPartition>;
}

/**
 * Copies from one leader everything that this broker follows there, over one connection. It asks only while nothing of it
 * is being written here, because the offset asked for promises that all below it is durable (R7).
 */
export class ReplicaFetcher {
  readonly leaderId: number;
  readonly replicas = new Map<string, Replica>();
  readonly #context: FetcherContext;
  #link: { readonly id: number; readonly open: boolean } | undefined;
  #open: OpenFetch[] = [];
  /** A partition came that the open fetch does not ask for. */
  #unasked = false;
  /** When a partition that the leader refused may be asked for again. */
  readonly #refusedUntilMs = new Map<string, number>();
  #nextCorrelationId = 1;
  #backoffMs = MIN_BACKOFF_MS;
  #retryAtMs = 0;

  constructor(leaderId: number, context: FetcherContext) {
    this.leaderId = leaderId;
    this.#context = context;
  }

  get linkId(): number | undefined {
    return this.#link?.id;
  }

  get wakeAtMs(): number {
    if (this.replicas.size === 0) return Number.POSITIVE_INFINITY;
    if (this.#link === undefined) return this.#retryAtMs;
    let wakeAtMs = Number.POSITIVE_INFINITY;
    if (this.#link.open) for (const untilMs of this.#refusedUntilMs.values()) wakeAtMs = Math.min(wakeAtMs, untilMs);
    return wakeAtMs;
  }

  add(replica: Replica): void {
    this.replicas.set(replica.key, replica);
    this.#unasked = true;
  }

  remove(replica: Replica): void {
    this.replicas.delete(replica.key);
  }

  /** Something changed that may allow or need another fetch. */
  pump(nowMs: number): void {
    if (this.replicas.size === 0) return this.close("nothing is copied from here any more");
    if (this.#link === undefined) return this.#dial(nowMs);
    if (!this.#link.open) return;
    for (const [key, untilMs] of this.#refusedUntilMs) {
      if (untilMs > nowMs) continue;
      this.#refusedUntilMs.delete(key);
      this.#unasked = true;
    }
    if (this.#open.length > 0 && !(this.#unasked && this.#open.length < MAX_OPEN_FETCHES)) return;
    // What came with one answer is stored in one transaction; the next fetch follows it, for all partitions at once.
    for (const { writesInFlight } of this.replicas.values()) if (writesInFlight > 0) return;
    this.#fetch();
  }

  opened(nowMs: number): void {
    if (this.#link === undefined) return;
    this.#link = { id: this.#link.id, open: true };
    this.pump(nowMs);
  }

  closed(reason: string, nowMs: number): void {
    if (this.#link === undefined) return;
    this.#context.effects({
      type: "log",
      level: "info",
      message: `the connection to leader ${this.leaderId} ended: ${reason}`,
    });
    this.#forget(nowMs);
  }

  close(reason: string): void {
    if (this.#link !== undefined) this.#context.effects({ type: "close-link", linkId: this.#link.id, reason });
    this.#link = undefined;
    this.#open = [];
  }

  /** Ends the connection when the leader's answer cannot be read, or is none to the question. */
  received(frame: Uint8Array, nowMs: number): void {
    try {
      this.#answered(frame, nowMs);
    } catch (error) {
      if (!(error instanceof CorruptMessageError)) throw error;
      const reason = `the leader's answer cannot be read: ${error.message}`;
      const linkId = this.#link?.id;
      this.closed(reason, nowMs);
      if (linkId !== undefined) this.#context.effects({ type: "close-link", linkId, reason });
    }
  }

  #answered(frame: Uint8Array, nowMs: number): void {
    const { correlationId, body } = decodeResponse(fetch, FETCH_VERSION, frame);
    const asked = this.#open.shift();
    if (asked?.correlationId !== correlationId) throw new CorruptMessageError("it does not belong to the question");
    this.#backoffMs = MIN_BACKOFF_MS;
    for (const { topicId, partitions } of body.responses) {
      for (const partition of partitions) {
        const key = partitionKey(topicId, partition.partitionIndex);
        const request = asked.asked.get(key);
        const replica = this.replicas.get(key);
        // A partition may have moved to another leader since, or not have been asked for at all.
        if (request === undefined || replica === undefined) continue;
        const restMs = this.#takenOver(replica, request, partition);
        if (restMs > 0) this.#refusedUntilMs.set(key, nowMs + restMs);
        else if (partition.records !== null && partition.records.length > 0) this.#askLast(replica);
      }
    }
    this.pump(nowMs);
  }

  /** Says how long the partition is to rest. One whose answer makes no sense keeps nobody else waiting. */
  #takenOver(replica: Replica, { leaderEpoch, fetchOffset }: AskedPartition, answer: FetchedPartition): number {
    try {
      return this.#context.fetched(replica, leaderEpoch, fetchOffset, answer) ? 0 : REFUSED_MS;
    } catch (error) {
      if (!(error instanceof CorruptMessageError)) throw error;
      const name = `${replica.topicName}-${replica.log.partitionIndex}`;
      const message = `what leader ${this.leaderId} answered of ${name} cannot be copied: ${error.message}`;
      this.#context.effects({ type: "log", level: "warn", message });
      return MAX_BACKOFF_MS;
    }
  }

  /** An answer is filled in the order of the question, so those that lag most would have all of it. */
  #askLast(replica: Replica): void {
    this.replicas.delete(replica.key);
    this.replicas.set(replica.key, replica);
  }

  #forget(nowMs: number): void {
    this.#link = undefined;
    this.#open = [];
    this.#refusedUntilMs.clear();
    this.#retryAtMs = nowMs + this.#backoffMs;
    this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
  }

  #dial(nowMs: number): void {
    const endpoint = this.#context.endpointOf(this.leaderId);
    if (nowMs < this.#retryAtMs || endpoint === undefined || this.#context.self() === undefined) return;
    this.#link = { id: this.#context.nextLinkId(), open: false };
    this.#context.effects({ type: "dial", linkId: this.#link.id, ...endpoint });
  }

  #fetch(): void {
    const self = this.#context.self();
    if (self === undefined || this.#link === undefined) return;
    const { config, directoryId } = this.#context;
    const asked = new Map<string, AskedPartition>();
    const topics = new Map<string, FetchRequestInit["topics"][number]["partitions"][number][]>();
    // A leader proposes who may join when it is asked, so a replica that wants to join asks often.
    let inSync = true;
    for (const replica of this.replicas.values()) {
      const { role, log, key, assignment } = replica;
      if (role.kind !== "follower" || this.#refusedUntilMs.has(key)) continue;
      inSync &&= assignment?.isr.includes(self.nodeId) === true;
      asked.set(key, { leaderEpoch: role.leaderEpoch, fetchOffset: log.logEndOffset });
      const partitions = topics.get(log.topicId) ?? [];
      topics.set(log.topicId, partitions);
      partitions.push({
        partition: log.partitionIndex,
        currentLeaderEpoch: role.leaderEpoch,
        fetchOffset: log.logEndOffset,
        lastFetchedEpoch: log.epochs.latestEpoch,
        logStartOffset: log.logStartOffset,
        partitionMaxBytes: config.replicaFetchMaxBytes,
        replicaDirectoryId: directoryId,
      });
    }
    this.#unasked = false;
    if (asked.size === 0) return;
    const correlationId = this.#nextCorrelationId;
    this.#nextCorrelationId = correlationId === 0x7fffffff ? 1 : correlationId + 1;
    this.#open.push({ correlationId, asked });
    const request: FetchRequestInit = {
      replicaState: { replicaId: self.nodeId, replicaEpoch: self.brokerEpoch },
      maxWaitMs: inSync ? inSyncWaitMs(config) : config.replicaFetchWaitMaxMs,
      minBytes: 1,
      maxBytes: config.replicaFetchResponseMaxBytes,
      topics: [...topics].map(([topicId, partitions]) => ({ topicId, partitions })),
    };
    const frame = encodeRequest(fetch, FETCH_VERSION, { correlationId, clientId: `broker-${self.nodeId}` }, request);
    this.#context.effects({ type: "link-send", linkId: this.#link.id, frame });
  }
}

function inSyncWaitMs({ inSyncFetchWaitMaxMs, replicaLagTimeMaxMs }: BrokerConfig): number {
  return Math.min(inSyncFetchWaitMaxMs, Math.floor(replicaLagTimeMaxMs / LAG_PER_WAIT));
}
