import { fetch } from "../protocol/apis/01-fetch.ts";
import type { FetchRequest } from "../protocol/apis/01-fetch.ts";
import { apiVersions } from "../protocol/apis/18-api-versions.ts";
import { assert } from "../protocol/assert.ts";
import { encodeAnswer, encodeResponse } from "../protocol/envelope.ts";
import type { RequestHeader } from "../protocol/envelope.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { decodeMetadataRecord, encodeMetadataRecord } from "../protocol/metadata-records/registry.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { Api } from "../protocol/schema.ts";
import { BrokerSessions } from "./broker-sessions.ts";
import type { ConnectionId } from "./broker-sessions.ts";
import { controllerApiKeys } from "./controller-apis.ts";
import { defaultControllerConfig } from "./controller-config.ts";
import type { ControllerConfig } from "./controller-config.ts";
import { decodeControllerRequest } from "./controller-request.ts";
import { fence, forget } from "./controller-state.ts";
import type { ControllerState, LogLevel } from "./controller-state.ts";
import { fetchMetadata } from "./fetch-metadata.ts";
import type { ClusterImage } from "./image.ts";
import { correctKafkaEndpoints } from "./kafka-endpoint.ts";
import { balanceLeaders } from "./leader-balance.ts";
import { decodeMetadataBatches, encodeMetadataBatch, replay, takeSnapshot } from "./metadata-batch.ts";
import type { MetadataSnapshot } from "./metadata-batch.ts";
import { MetadataLog } from "./metadata-log.ts";
import { Random } from "./random.ts";
import { emptyBrokers, newestBrokerId } from "./registration.ts";
import { healReplicas, nextLossMs } from "./replica-healing.ts";

export type ControllerEvent =
  | { readonly type: "connection-opened"; readonly connectionId: ConnectionId }
  /** One whole frame, without its length prefix. */
  | { readonly type: "request"; readonly connectionId: ConnectionId; readonly frame: Uint8Array }
  | { readonly type: "connection-closed"; readonly connectionId: ConnectionId }
  /** Everything before `endOffset` is durable. */
  | { readonly type: "appended"; readonly endOffset: number }
  | { readonly type: "append-failed"; readonly error: string }
  /** It is `wakeAtMs` or later. */
  | { readonly type: "woken" };

export type ControllerEffect =
  | { readonly type: "send"; readonly connectionId: ConnectionId; readonly frame: Uint8Array }
  | { readonly type: "close-connection"; readonly connectionId: ConnectionId; readonly reason: string }
  /** Store one record batch behind all earlier ones, durably, then report `appended`. Several may be on their way. */
  | { readonly type: "append"; readonly baseOffset: number; readonly endOffset: number; readonly batch: Uint8Array }
  /** Store the snapshot; then batches that end at or before its `endOffset` may be deleted. Nobody waits for it. */
  | ({ readonly type: "save-snapshot" } & MetadataSnapshot)
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string };

export interface ControllerStart {
  /** Of the cluster to found, if the log is empty; else it must be the one in the log. */
  readonly clusterId: string;
  /** Higher than that of every controller that ran before on this log, and durable already. */
  readonly controllerEpoch: number;
  /** Differs from start to start, and is hard to guess where ids should be, such as a random uuid. */
  readonly seed: string;
  /** What is stored: the last snapshot, if there is one, and every batch after it. */
  readonly snapshot: MetadataSnapshot | undefined;
  readonly log: readonly { readonly baseOffset: number; readonly batch: Uint8Array }[];
  readonly config?: Partial<ControllerConfig>;
  readonly nowMs: number;
}

interface Connection {
  /** The size of its answers that wait for the disk. */
  waitingBytes: number;
}

interface WaitingResponse {
  readonly connectionId: ConnectionId;
  readonly frame: Uint8Array;
  /** The end of the log when the response was decided. */
  readonly endOffset: number;
}

interface WaitingFetch {
  readonly header: RequestHeader;
  readonly request: FetchRequest;
  readonly deadlineMs: number;
}

/**
 * The cluster's one controller, which stands where Kafka has KRaft or ZooKeeper. Every decision becomes records of the
 * metadata log: the image follows at once, so that the next decision builds on it, but nobody hears of a decision, in a
 * response or by following the log, before it is durable (R1). When an append fails the controller has told nobody
 * anything that is untrue, and stops.
 *
 * A stop of the process should not be reported as closed connections: brokers keep their leadership over a restart.
 */
export class Controller {
  readonly #config: ControllerConfig;
  readonly #controllerEpoch: number;
  readonly #clusterId: string;
  readonly #image: ClusterImage;
  readonly #log: MetadataLog;
  readonly #sessions: BrokerSessions;
  readonly #random: Random;
  readonly #connections = new Map<ConnectionId, Connection>();
  /** In the order of their end offsets; to open connections only. */
  #responses: WaitingResponse[] = [];
  /** At most one per connection. */
  readonly #fetches = new Map<ConnectionId, WaitingFetch>();
  /** No fetch has waited long enough before. The one that will have by then may be gone, which costs one look. */
  #fetchesDueMs = Number.POSITIVE_INFINITY;
  /** The durable end of the log when all fetches were gone through last. */
  #toldEndOffset = 0;
  /** When replicas and leaders are looked over next. */
  #healAtMs: number;
  #failure: string | undefined;
  #started = false;

  /** The decision at hand: its records, and the offset of the first. */
  #records: Uint8Array[] = [];
  #effects: ControllerEffect[] = [];

  constructor(start: ControllerStart) {
    const { snapshot, controllerEpoch, nowMs } = start;
    this.#config = { ...defaultControllerConfig, ...start.config };
    this.#controllerEpoch = controllerEpoch;
    this.#clusterId = start.clusterId;
    this.#image = replay(snapshot, start.log);
    this.#log = new MetadataLog(snapshot);
    for (const { batch } of start.log) {
      for (const { baseOffset, endOffset, epoch } of decodeMetadataBatches(batch)) {
        if (endOffset > this.#log.endOffset) this.#log.append({ baseOffset, endOffset, epoch, batch });
      }
    }
    this.#log.durable(this.#log.endOffset);
    const { clusterId, epoch } = this.#image;
    assert(clusterId === "" || clusterId === start.clusterId, `the log is that of the cluster ${clusterId}`);
    assert(controllerEpoch > epoch, `the log has seen controller epoch ${epoch}`);
    this.#sessions = new BrokerSessions(this.#image, this.#config.sessionTimeoutMs, nowMs);
    this.#random = new Random(start.seed);
    this.#healAtMs = nowMs;
  }

  /** The cluster as decided so far. For reading only. */
  get image(): ClusterImage {
    return this.#image;
  }

  /** Why the controller has stopped, if it has. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** When `woken` is due, if at all. */
  get wakeAtMs(): number | undefined {
    if (this.#failure !== undefined) return undefined;
    const next = Math.min(this.#healAtMs, this.#sessions.nextExpiryMs, this.#fetchesDueMs);
    return Number.isFinite(next) ? next : undefined;
  }

  handle(event: ControllerEvent, nowMs: number, wallMs: number): readonly ControllerEffect[] {
    this.#effects = [];
    if (this.#failure !== undefined) return [];
    const state = this.#stateAt(nowMs, wallMs);
    try {
      if (!this.#started) this.#begin(state);
      this.#on(event, state);
      if (this.#failure !== undefined) return this.#effects;
      if (nowMs >= this.#healAtMs) this.#heal(state);
      this.#decide();
      this.#tell(nowMs);
    } catch (error) {
      // The image may hold half a decision, so nothing more can be decided on it.
      this.#failure = `an invariant is broken: ${String(error)}`;
      throw error;
    }
    return this.#effects;
  }

  #stateAt(nowMs: number, wallMs: number): ControllerState {
    return {
      image: this.#image,
      sessions: this.#sessions,
      log: this.#log,
      random: this.#random,
      config: this.#config,
      controllerEpoch: this.#controllerEpoch,
      nowMs,
      wallMs: Math.round(wallMs),
      commit: (records) => this.#commit(records, nowMs),
      note: (level, message) => void this.#effects.push({ type: "log", level, message }),
    };
  }

  /** The first decision makes the new controller epoch part of the log. */
  #begin(state: ControllerState): void {
    this.#started = true;
    const isNew = this.#image.clusterId === "";
    state.commit([isNew ? { type: "ClusterRecord", clusterId: this.#clusterId } : { type: "NoOpRecord" }]);
    state.commit(correctKafkaEndpoints(state.image, state.config.kafkaListener));
    // Who is gone shows only after a session.
    this.#healAtMs = state.nowMs + this.#config.sessionTimeoutMs;
    const what = isNew ? "founds" : "leads";
    state.note("info", `controller epoch ${this.#controllerEpoch} ${what} cluster ${this.#clusterId}`);
  }

  #on(event: ControllerEvent, state: ControllerState): void {
    switch (event.type) {
      case "connection-opened":
        this.#connections.set(event.connectionId, { waitingBytes: 0 });
        return;
      case "connection-closed":
        return this.#onClosed(event.connectionId, state);
      case "request":
        return this.#onRequest(event.connectionId, event.frame, state);
      case "appended":
        return this.#log.durable(event.endOffset);
      case "append-failed":
        return this.#fail(event.error);
      case "woken":
        return this.#expireSessions(state);
    }
  }

  /** A tab that dies closes its socket, long before its session ends (B8). */
  #onClosed(connectionId: ConnectionId, state: ControllerState): void {
    this.#connections.delete(connectionId);
    this.#responses = this.#responses.filter((response) => response.connectionId !== connectionId);
    this.#fetches.delete(connectionId);
    for (const brokerId of this.#sessions.closed(connectionId)) {
      const broker = this.#image.brokers.get(brokerId);
      if (broker !== undefined && !broker.fenced) fence(state, broker, "its connection closed");
    }
  }

  #onRequest(connectionId: ConnectionId, frame: Uint8Array, state: ControllerState): void {
    // A request may still be on its way here while its connection is being closed.
    const connection = this.#connections.get(connectionId);
    if (connection === undefined) return;
    // Looked at before an answer is made, so that a single one may have any size.
    const { maxWaitingBytes } = this.#config;
    if (connection.waitingBytes > maxWaitingBytes) {
      const reason = `more than ${maxWaitingBytes} bytes of answers wait for the disk; let some come before asking on`;
      return this.#close(connectionId, reason, state);
    }
    const request = decodeControllerRequest(frame);
    switch (request.kind) {
      case "malformed":
        return this.#close(connectionId, request.reason, state);
      case "fetch":
        return this.#onFetch(connectionId, request.header, request.body, state);
      case "newer-api-versions":
        return this.#respond(connectionId, apiVersions, inVersion0(request.header), UNSUPPORTED_API_VERSIONS, state);
      case "served": {
        const { header, served, body } = request;
        const response = served.answer(state, body, { connectionId, version: header.apiVersion });
        return this.#respond(connectionId, served.api, header, response, state);
      }
    }
  }

  /** A fetch is answered when the log has something for it, or when another one follows on its connection. */
  #onFetch(connectionId: ConnectionId, header: RequestHeader, request: FetchRequest, state: ControllerState): void {
    this.#answerFetch(connectionId, true);
    const replicaId = request.replicaState?.replicaId ?? request.replicaId;
    const fetchOffset = request.topics[0]?.partitions[0]?.fetchOffset ?? 0;
    this.#sessions.applied(replicaId, connectionId, fetchOffset - 1);
    const waitMs = request.minBytes > 0 ? Math.min(Math.max(0, request.maxWaitMs), this.#config.maxFetchWaitMs) : 0;
    this.#fetches.set(connectionId, { header, request, deadlineMs: state.nowMs + waitMs });
    this.#answerFetch(connectionId, waitMs === 0);
  }

  #answerFetch(connectionId: ConnectionId, isWaitOver: boolean): void {
    const waiting = this.#fetches.get(connectionId);
    if (waiting === undefined) return;
    const { apiVersion, correlationId } = waiting.header;
    const source = {
      log: this.#log,
      clusterId: this.#clusterId,
      controllerEpoch: this.#controllerEpoch,
      maxFetchBytes: this.#config.maxFetchBytes,
    };
    const response = fetchMetadata(source, waiting.request, apiVersion, isWaitOver);
    if (response === undefined) {
      this.#fetchesDueMs = Math.min(this.#fetchesDueMs, waiting.deadlineMs);
      return;
    }
    this.#fetches.delete(connectionId);
    this.#effects.push({
      type: "send",
      connectionId,
      frame: encodeResponse(fetch, apiVersion, correlationId, response),
    });
  }

  /** Queues a response until everything that it may speak of is durable. */
  #respond(connectionId: ConnectionId, api: Api, header: RequestHeader, body: unknown, state: ControllerState): void {
    const frame = encodeAnswer(api, header.apiVersion, header.correlationId, body);
    if (typeof frame === "string") {
      state.note("error", frame);
      return this.#close(connectionId, "the answer cannot be written", state);
    }
    this.#responses.push({ connectionId, frame, endOffset: this.#image.endOffset });
    this.#connections.get(connectionId)!.waitingBytes += frame.length;
  }

  /** Only when woken: heartbeats that arrived while the process was held up must be heard first. */
  #expireSessions(state: ControllerState): void {
    for (const brokerId of this.#sessions.expired(state.nowMs)) {
      fence(state, this.#image.brokers.get(brokerId)!, "it was not heard for a session");
    }
  }

  /** Looks over replicas and leaders. Whatever it changes makes it look again soon, until nothing is left to do. */
  #heal(state: ControllerState): void {
    const { nowMs, image, sessions, config } = state;
    const goneSinceMs = (brokerId: number) => sessions.goneSinceMs(brokerId);
    // The same sum as that by which the next look is timed, to the last bit: a difference may fall short of it.
    const isGoneFor = (brokerId: number, ms: number) => {
      return !image.brokers.has(brokerId) || (goneSinceMs(brokerId) ?? Number.POSITIVE_INFINITY) + ms <= nowMs;
    };
    this.#healAtMs = nextLossMs(image, goneSinceMs, nowMs);
    for (const brokerId of image.brokers.keys()) {
      const forgottenAtMs = (goneSinceMs(brokerId) ?? Number.POSITIVE_INFINITY) + config.forgetBrokerAfterMs;
      if (forgottenAtMs > nowMs) this.#healAtMs = Math.min(this.#healAtMs, forgottenAtMs);
    }
    state.commit(healReplicas(image, { isGoneFor, maxAddingPerBroker: config.maxAddingPerBroker }));
    state.commit(
      balanceLeaders(image, config.maxLeaderMoves, (brokerId) => {
        const sinceMs = sessions.activeSinceMs(brokerId);
        if (sinceMs === undefined || !image.isActive(brokerId)) return false;
        const settledAtMs = sinceMs + config.leaderSettleMs;
        if (settledAtMs > nowMs) this.#healAtMs = Math.min(this.#healAtMs, settledAtMs);
        return settledAtMs <= nowMs;
      }),
    );
    const newest = newestBrokerId(image);
    const isGone = (brokerId: number) => brokerId !== newest && isGoneFor(brokerId, config.forgetBrokerAfterMs);
    for (const broker of emptyBrokers(image, isGone)) forget(state, broker, "it has been gone for long");
  }

  /** Applies records through their encoded form, so that a replay cannot differ. */
  #commit(records: readonly MetadataRecordInit[], nowMs: number): void {
    if (records.length === 0) return;
    for (const record of records) {
      const bytes = encodeMetadataRecord(record);
      this.#records.push(bytes);
      this.#image.apply(decodeMetadataRecord(bytes));
      this.#image.endOffset++;
    }
    this.#image.epoch = this.#controllerEpoch;
    this.#healAtMs = Math.min(this.#healAtMs, nowMs + this.#config.healDelayMs);
  }

  /** Sends what was decided to the disk, as one batch. */
  #decide(): void {
    if (this.#records.length === 0) return;
    const baseOffset = this.#log.endOffset;
    const batch = encodeMetadataBatch(baseOffset, this.#controllerEpoch, this.#records);
    const endOffset = baseOffset + this.#records.length;
    assert(endOffset === this.#image.endOffset, "image and log end alike");
    this.#records = [];
    this.#log.append({ baseOffset, endOffset, epoch: this.#controllerEpoch, batch });
    this.#effects.push({ type: "append", baseOffset, endOffset, batch });
  }

  /** Tells what has become durable, to those who asked and to those who follow the log. */
  #tell(nowMs: number): void {
    if (this.#failure !== undefined) return;
    const durable = this.#log.durableEndOffset;
    const ready = this.#responses.findIndex(({ endOffset }) => endOffset > durable);
    for (const { connectionId, frame } of this.#responses.splice(0, ready === -1 ? this.#responses.length : ready)) {
      this.#connections.get(connectionId)!.waitingBytes -= frame.length;
      this.#effects.push({ type: "send", connectionId, frame });
    }
    this.#answerFetches(nowMs);
    this.#snapshotIfDue();
  }

  /**
   * What waits is answered once more is durable, or its time is up, and by nothing else. To look at all of it after
   * every event would have an idle cluster cost the square of its brokers, by their heartbeats alone.
   */
  #answerFetches(nowMs: number): void {
    const { durableEndOffset } = this.#log;
    if (durableEndOffset === this.#toldEndOffset && nowMs < this.#fetchesDueMs) return;
    this.#toldEndOffset = durableEndOffset;
    this.#fetchesDueMs = Number.POSITIVE_INFINITY;
    for (const [connectionId, { deadlineMs }] of this.#fetches) this.#answerFetch(connectionId, deadlineMs <= nowMs);
  }

  /** The image may be ahead of the disk, a snapshot never. */
  #snapshotIfDue(): void {
    const { recordsSinceSnapshot, bytesSinceSnapshot, durableEndOffset, endOffset } = this.#log;
    const { snapshotRecords, snapshotBytes } = this.#config;
    if (durableEndOffset < endOffset) return;
    if (recordsSinceSnapshot < snapshotRecords && bytesSinceSnapshot < snapshotBytes) return;
    const snapshot = takeSnapshot(this.#image);
    this.#log.compact(snapshot);
    this.#effects.push({ type: "save-snapshot", ...snapshot });
  }

  #close(connectionId: ConnectionId, reason: string, state: ControllerState): void {
    this.#effects.push({ type: "close-connection", connectionId, reason });
    this.#onClosed(connectionId, state);
  }

  /** What was decided but not stored never happened; only a restart, from what is stored, can go on. */
  #fail(error: string): void {
    this.#failure = `the metadata log could not be written: ${error}`;
    this.#records = [];
    this.#effects.push({ type: "log", level: "error", message: this.#failure });
    for (const connectionId of this.#connections.keys()) {
      this.#effects.push({ type: "close-connection", connectionId, reason: this.#failure });
    }
  }
}

/** How a request is answered whose version is not known. */
function inVersion0(header: RequestHeader): RequestHeader {
  return { ...header, apiVersion: 0 };
}

/** The answer to ApiVersions in a version that is not known: its own range, in the layout of version 0 (KIP-511). */
const UNSUPPORTED_API_VERSIONS = {
  errorCode: errorCode("UNSUPPORTED_VERSION"),
  apiKeys: controllerApiKeys.filter(({ apiKey }) => apiKey === apiVersions.key),
};
