import { brokerHeartbeat } from "../protocol/apis/63-broker-heartbeat.ts";
import type { BrokerHeartbeatResponse } from "../protocol/apis/63-broker-heartbeat.ts";
import { brokerRegistration } from "../protocol/apis/62-broker-registration.ts";
import type { BrokerRegistrationResponse } from "../protocol/apis/62-broker-registration.ts";
import { assert } from "../protocol/assert.ts";
import { errorMessage, errorName } from "../protocol/error-codes.ts";
import type { BrokerConfig } from "./broker-config.ts";
import type { ControllerRequests } from "./controller-requests.ts";
import type { BrokerEffect } from "./effects.ts";
import type { StorageIdentity } from "./storage-identity.ts";

export interface BrokerListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/**
 * Where this broker stands with the controller (reliability rules R11, R12; KIP-631).
 *
 *     unregistered ──save a pending nonce──▶ preparing ──stored──▶ registering
 *     registering ──granted──▶ storing ──generation stored──▶ confirming ──heartbeat: unfenced──▶ running
 *     running ──fenced, stale epoch, or a gap in its own time──▶ unregistered
 *     running ──closing──▶ leaving ──heartbeat: should shut down──▶ left
 *     running ──damage──▶ giving-up ──heartbeat: others have it all──▶ refused
 *     storing, with damage found at the start ──generation stored──▶ giving-up
 *
 * A broken link does not end `running`: leaders go on without the controller, and a heartbeat with the same epoch
 * resumes the session. `refused` is final for this storage; the platform goes on with another directory.
 */
type State =
  | { readonly kind: "unregistered"; readonly retryAtMs: number }
  | { readonly kind: "preparing" }
  | { readonly kind: "registering" }
  | { readonly kind: "storing"; readonly brokerEpoch: number }
  | { readonly kind: "confirming"; readonly brokerEpoch: number }
  | { readonly kind: "running"; readonly brokerEpoch: number }
  | { readonly kind: "leaving"; readonly brokerEpoch: number }
  | { readonly kind: "left" }
  | { readonly kind: "giving-up" }
  | { readonly kind: "refused"; readonly reason: string };

/** What was found, and who wants to know what becomes of it. */
interface Damage {
  readonly message: string;
  readonly decided: (reason: string) => void;
}

const RETRY_MS = 250;
/** A full cluster has room again when a tab of it is closed that holds nothing. */
const FULL_RETRY_MS = 10_000;
/** A server that was restored from an old disk is ended by people. */
const BEHIND_RETRY_MS = 5_000;
/** While the broker waits to be unfenced, or to be let go. */
const EAGER_HEARTBEAT_MS = 25;
const REGISTRATION_VERSION = 4;
const HEARTBEAT_VERSION = 1;

/** What a registration needs from the broker around it. */
export interface RegistrationContext {
  readonly requests: ControllerRequests;
  readonly config: BrokerConfig;
  readonly listeners: readonly BrokerListener[];
  readonly rack: string;
  effects(effect: BrokerEffect): void;
  /** The server has just said what time of day it is, in milliseconds since 1970. */
  timeOfDay(wallMs: number): void;
  /** A fresh UUID from the broker's own generator. */
  uuid(): string;
  /** End of the metadata that was applied, and the cluster it belongs to. */
  metadata(): { readonly clusterId: string | undefined; readonly endOffset: number };
  /** The newest metadata that was ever seen by this storage, which may be more than was applied since the start. */
  seenMetadata(): { readonly epoch: number; readonly endOffset: number };
}

export class Registration {
  readonly #context: RegistrationContext;
  readonly #incarnationId: string;
  #identity: StorageIdentity;
  #state: State = { kind: "unregistered", retryAtMs: 0 };
  #heartbeatAtMs = 0;
  #heartbeatOpen = false;
  /** How many identities are on their way to the disk. They arrive in order. */
  #saving = 0;
  #heardMs = Number.NEGATIVE_INFINITY;
  /** Why the last attempt did not succeed, for people. */
  #trouble: string | undefined;
  #damage: Damage | undefined;

  constructor(context: RegistrationContext, identity: StorageIdentity) {
    this.#context = context;
    this.#identity = identity;
    this.#incarnationId = context.uuid();
  }

  get identity(): StorageIdentity {
    return this.#identity;
  }

  get kind(): State["kind"] {
    return this.#state.kind;
  }

  get trouble(): string | undefined {
    return this.#state.kind === "refused" ? this.#state.reason : this.#trouble;
  }

  /** The epoch under which this broker may serve, or undefined while it may not. */
  get brokerEpoch(): number | undefined {
    return this.#state.kind === "running" || this.#state.kind === "leaving" ? this.#state.brokerEpoch : undefined;
  }

  /** When the last heartbeat was sent that the controller has answered. */
  get heardMs(): number {
    return this.#heardMs;
  }

  get wakeAtMs(): number {
    if (!this.#context.requests.connected) return Number.POSITIVE_INFINITY;
    switch (this.#state.kind) {
      case "unregistered":
        return this.#state.retryAtMs;
      case "confirming":
      case "running":
      case "leaving":
        return this.#heartbeatOpen ? Number.POSITIVE_INFINITY : this.#heartbeatAtMs;
      default:
        return Number.POSITIVE_INFINITY;
    }
  }

  /** The link to the controller opened, or time passed. */
  proceed(nowMs: number): void {
    if (!this.#context.requests.connected) return;
    if (this.#state.kind === "unregistered" && nowMs >= this.#state.retryAtMs) this.#prepare(nowMs);
    else if (nowMs >= this.#heartbeatAtMs) this.#heartbeat(nowMs);
  }

  /** The link to the controller is gone. What was asked is asked again once it is back. */
  disconnected(nowMs: number): void {
    this.#heartbeatAtMs = nowMs;
    if (this.#state.kind === "registering") this.#state = { kind: "unregistered", retryAtMs: nowMs };
  }

  /** The broker can no longer be sure that it is still registered: it must not serve until it is again. */
  lose(reason: string, nowMs: number): void {
    if (this.brokerEpoch === undefined && this.#state.kind !== "confirming") return;
    this.#trouble = reason;
    this.#state = { kind: "unregistered", retryAtMs: nowMs };
    this.#context.effects({ type: "log", level: "warn", message: `registering anew: ${reason}` });
    this.proceed(nowMs);
  }

  /** Asks the controller to move leadership away (controlled shutdown). Without a controller there is nobody to ask. */
  leave(nowMs: number): void {
    const brokerEpoch = this.brokerEpoch;
    if (brokerEpoch === undefined || !this.#context.requests.connected) {
      this.#state = { kind: "left" };
      return;
    }
    this.#state = { kind: "leaving", brokerEpoch };
    this.#heartbeatOpen = false;
    this.#heartbeat(nowMs);
  }

  /**
   * This storage was found damaged: nothing of it is served any more. It is given up if the controller says that others
   * have all that it has, and whoever opens it next then has to know that too. Calls back with what to tell people. The
   * controller is asked once the broker is registered, before it can be unfenced.
   */
  giveUp(message: string, decided: (reason: string) => void): void {
    if (this.#damage !== undefined) return;
    this.#trouble = message;
    this.#damage = { message, decided };
    const state = this.#state;
    if ("brokerEpoch" in state && state.kind !== "storing") this.#reportDamage(this.#damage, state.brokerEpoch);
  }

  #reportDamage({ message, decided }: Damage, brokerEpoch: number): void {
    this.#state = { kind: "giving-up" };
    const { brokerId, directoryId } = this.#identity;
    this.#context.requests.ask(
      brokerHeartbeat,
      HEARTBEAT_VERSION,
      {
        brokerId,
        brokerEpoch,
        currentMetadataOffset: this.#context.metadata().endOffset - 1,
        wantFence: false,
        wantShutDown: false,
        offlineLogDirs: [directoryId],
      },
      ({ errorCode }) => {
        if (errorName(errorCode) !== "KAFKA_STORAGE_ERROR") return decided(message);
        this.#save({ ...this.#identity, damage: message });
        decided(this.refuse(message));
      },
      () => decided(message),
    );
  }

  refuse(damage: string): string {
    const reason = `this storage is damaged and kept as it is; the tab starts over with an empty one: ${damage}`;
    this.#state = { kind: "refused", reason };
    return reason;
  }

  identitySaved(nowMs: number): void {
    if (--this.#saving > 0) return;
    if (this.#state.kind === "preparing") this.#register(nowMs);
    else if (this.#state.kind === "storing") {
      const { brokerEpoch } = this.#state;
      if (this.#damage !== undefined) return this.#reportDamage(this.#damage, brokerEpoch);
      this.#state = { kind: "confirming", brokerEpoch };
      this.#heartbeatOpen = false;
      this.#heartbeat(nowMs);
    }
  }

  #prepare(nowMs: number): void {
    // A nonce that is pending already, from an attempt that was cut short, must be presented again.
    const pendingNonce = this.#identity.pendingNonce ?? this.#context.uuid();
    this.#state = { kind: "preparing" };
    if (pendingNonce === this.#identity.pendingNonce) return this.#register(nowMs);
    this.#save({ ...this.#identity, pendingNonce, ...this.#newestSeen() });
  }

  /** R19: what the controller must not be behind, when this storage is opened again. */
  #newestSeen(): Pick<StorageIdentity, "metadataEpoch" | "metadataOffset"> {
    const { epoch, endOffset } = this.#context.seenMetadata();
    const { metadataEpoch, metadataOffset } = this.#identity;
    return { metadataEpoch: Math.max(epoch, metadataEpoch), metadataOffset: Math.max(endOffset, metadataOffset) };
  }

  #save(identity: StorageIdentity): void {
    this.#identity = identity;
    this.#saving++;
    this.#context.effects({ type: "save-identity", identity });
  }

  #register(nowMs: number): void {
    const { brokerId, clusterId, directoryId, generation, nonce, pendingNonce, durability } = this.#identity;
    assert(pendingNonce !== undefined, "a registration presents a nonce that is stored");
    const { listeners, rack } = this.#context;
    this.#state = { kind: "registering" };
    this.#context.requests.ask(
      brokerRegistration,
      REGISTRATION_VERSION,
      {
        brokerId,
        clusterId: clusterId ?? this.#context.metadata().clusterId ?? "",
        incarnationId: this.#incarnationId,
        listeners: listeners.map((listener) => ({ ...listener, securityProtocol: 0 })),
        rack,
        logDirs: [directoryId],
        generation,
        nonce: nonce ?? null,
        pendingNonce,
        durability,
        ...this.#newestSeen(),
      },
      (response) => this.#registered(response, nowMs),
      () => this.disconnected(nowMs),
    );
  }

  #registered(response: BrokerRegistrationResponse, nowMs: number): void {
    if (this.#state.kind !== "registering") return;
    const error = errorName(response.errorCode);
    switch (error) {
      case "NONE": {
        this.#state = { kind: "storing", brokerEpoch: response.brokerEpoch };
        const { pendingNonce } = this.#identity;
        const { metadataEpoch, metadataOffset } = this.#newestSeen();
        return this.#save({
          ...this.#identity,
          metadataEpoch,
          // The broker epoch is the offset of the record that grants it.
          metadataOffset: Math.max(metadataOffset, response.brokerEpoch + 1),
          brokerId: response.brokerId,
          clusterId: this.#identity.clusterId ?? this.#context.metadata().clusterId,
          generation: response.generation,
          nonce: pendingNonce,
          pendingNonce: undefined,
        });
      }
      // The answer of a controller that does not know all that was decided says nothing about this storage.
      case "OFFSET_OUT_OF_RANGE":
        this.#trouble =
          "the server knows less than this tab has seen, as if it were restored from an old disk: " +
          "this storage is kept, and waits for a server that has the metadata whole";
        this.#state = { kind: "unregistered", retryAtMs: nowMs + BEHIND_RETRY_MS };
        return;
      // The old epoch of this storage is not fenced yet, or the controller is not ready: both pass.
      case "DUPLICATE_BROKER_REGISTRATION":
      case "NOT_CONTROLLER":
      case "REQUEST_TIMED_OUT":
        this.#trouble = `the controller does not register this broker yet: ${errorMessage(error)}`;
        this.#state = { kind: "unregistered", retryAtMs: nowMs + RETRY_MS };
        return;
      // Another storage would be refused like this one.
      case "POLICY_VIOLATION":
        this.#trouble = "the cluster has as many brokers as it takes; close tabs of it, and this one takes the next place";
        this.#state = { kind: "unregistered", retryAtMs: nowMs + FULL_RETRY_MS };
        return;
      default: {
        const reason = refusal(error);
        this.#state = { kind: "refused", reason };
        this.#context.effects({ type: "log", level: "error", message: reason });
      }
    }
  }

  #heartbeat(nowMs: number): void {
    const state = this.#state;
    if (state.kind !== "confirming" && state.kind !== "running" && state.kind !== "leaving") return;
    if (this.#heartbeatOpen) return;
    this.#heartbeatOpen = true;
    this.#heartbeatAtMs =
      nowMs + (state.kind === "running" ? this.#context.config.heartbeatIntervalMs : EAGER_HEARTBEAT_MS);
    this.#context.requests.ask(
      brokerHeartbeat,
      HEARTBEAT_VERSION,
      {
        brokerId: this.#identity.brokerId,
        brokerEpoch: state.brokerEpoch,
        currentMetadataOffset: this.#context.metadata().endOffset - 1,
        wantFence: false,
        wantShutDown: state.kind === "leaving",
        confirmedGeneration: this.#identity.generation,
      },
      (response) => this.#heartbeatAnswered(response, state.brokerEpoch, nowMs),
      () => (this.#heartbeatOpen = false),
    );
  }

  #heartbeatAnswered(response: BrokerHeartbeatResponse, brokerEpoch: number, nowMs: number): void {
    this.#heartbeatOpen = false;
    this.#heardMs = nowMs;
    if (response.wallMs >= 0) this.#context.timeOfDay(response.wallMs);
    const state = this.#state;
    // An answer to an earlier registration says nothing about this one.
    if (!("brokerEpoch" in state) || state.brokerEpoch !== brokerEpoch || state.kind === "storing") return;
    const error = errorName(response.errorCode);
    if (error !== "NONE") return this.lose(`the controller refused a heartbeat: ${error}`, nowMs);
    if (state.kind === "leaving") {
      if (response.shouldShutDown) this.#state = { kind: "left" };
    } else if (state.kind === "confirming") {
      if (!response.isFenced) {
        this.#trouble = undefined;
        this.#state = { kind: "running", brokerEpoch };
        this.#noteSeen();
      }
    } else if (response.isFenced) {
      this.lose("the controller fenced this broker", nowMs);
    } else {
      this.#noteSeen();
    }
  }

  /**
   * R19: a server may be restored from a backup that is younger than the registration. Who runs has applied the metadata,
   * and knows its cluster by then.
   */
  #noteSeen(): void {
    const clusterId = this.#identity.clusterId ?? this.#context.metadata().clusterId;
    const seen = this.#newestSeen();
    const { metadataEpoch, metadataOffset } = this.#identity;
    const isNews = seen.metadataEpoch > metadataEpoch || seen.metadataOffset > metadataOffset;
    if (isNews || clusterId !== this.#identity.clusterId) this.#save({ ...this.#identity, clusterId, ...seen });
  }
}

function refusal(error: ReturnType<typeof errorName>): string {
  switch (error) {
    case "INCONSISTENT_CLUSTER_ID":
      return "this storage belongs to another cluster than the server runs; it is kept for that one";
    case "INVALID_REGISTRATION":
    case "BROKER_ID_NOT_REGISTERED":
      return "this storage is a copy, or an older state, of one the cluster knows; the tab starts over with an empty one";
    default:
      return `the controller refuses this broker: ${error}, ${errorMessage(error)}`;
  }
}
