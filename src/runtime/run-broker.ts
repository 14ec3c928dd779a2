import { Broker } from "../broker/broker.ts";
import { defaultBrokerConfig } from "../broker/broker-config.ts";
import type { BrokerConfig } from "../broker/broker-config.ts";
import type { BrokerStatus } from "../broker/broker-status.ts";
import type { BrokerEffect } from "../broker/effects.ts";
import type { BrokerEvent } from "../broker/events.ts";
import { coalesceAppends } from "../log/coalesce-appends.ts";
import type { BrokerPlatform } from "./broker-platform.ts";
import type { Connection } from "./connection.ts";
import { openSections } from "./opened-sections.ts";
import { RareWarnings } from "./rare-warnings.ts";
import { promptCodecs } from "./prompt-codecs.ts";
import { recompress } from "./recompressed-batches.ts";
import type { Workplace } from "./recompressed-batches.ts";

export interface BrokerOptions {
  readonly config?: Partial<BrokerConfig>;
}

export interface RunningBroker {
  status(): BrokerStatus;
  /** Calls back on every change of state, and a few times a second while records move. Returns the way to stop it. */
  onStatus(listener: (status: BrokerStatus) => void): () => void;
  /** Hands leadership over, then stops. Resolves at the latest after `STOP_TIMEOUT_MS`. */
  stop(): Promise<void>;
}

const STATUS_INTERVAL_MS = 250;
const STORAGE_INTERVAL_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const CODEC_STRETCH_MS = 20;
/** The largest answer to a fetch has half of it. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

/**
 * Runs the broker core on a platform. One event, then all its effects, then the next event: the core is never entered
 * twice, and nothing else touches it. What fails outside becomes an event.
 */
export function runBroker(platform: BrokerPlatform, options: BrokerOptions = {}): RunningBroker {
  return new BrokerLoop(platform, options);
}

class BrokerLoop implements RunningBroker {
  readonly #platform: BrokerPlatform;
  readonly #config: BrokerConfig;
  #broker: Broker | undefined;
  /** Why there is no broker core although the store was read, or could not be. */
  #failure: string | undefined;
  readonly #mailbox: BrokerEvent[] = [];
  #draining = false;

  readonly #connections = new Map<number, Connection>();
  #nextConnectionId = 1;
  readonly #links = new Map<number, Connection | "dialling">();

  /** Writes that wait for the transaction in flight; they share the next one (group commit). */
  #pendingWrites: Extract<BrokerEffect, { readonly type: "write" }>[] = [];
  #writing = false;

  readonly #codecs: Workplace;
  /** When codecs gave way to others last. */
  #breathedMs = Number.NEGATIVE_INFINITY;

  #cancelMeasuring: (() => void) | undefined;
  #cancelWake: (() => void) | undefined;
  #armedForMs = Number.POSITIVE_INFINITY;

  readonly #statusListeners = new Set<(status: BrokerStatus) => void>();
  #cancelStatus: (() => void) | undefined;
  #publishedState: string | undefined;
  #stopped: (() => void) | undefined;
  #over = false;

  constructor(platform: BrokerPlatform, options: BrokerOptions) {
    this.#platform = platform;
    this.#config = { ...defaultBrokerConfig, ...options.config };
    this.#codecs = { breathe: () => this.#breathe(), loadCodec: promptCodecs(platform.clock) };
    void this.#start();
  }

  async #start(): Promise<void> {
    const { store, identity, listeners, rack } = this.#platform;
    try {
      const broker = new Broker({
        identity,
        listeners: listeners.map(({ name, endpoint }) => ({ name, ...endpoint })),
        rack,
        seed: this.#platform.randomUuid(),
        config: this.#config,
        nowMs: this.#platform.clock.now(),
        wallOffsetMs: this.#platform.clock.wallNow() - this.#platform.clock.now(),
      });
      for await (const stored of store.load()) broker.restore(stored);
      this.#broker = broker;
    } catch (cause) {
      this.#failure = `the stored logs could not be read: ${describe(cause)}`;
      this.#platform.log("error", this.#failure);
      this.#publish();
      return;
    }
    this.#platform.listen((connection, listener) => this.#accept(connection, listener));
    this.#platform.onLifecycle((event) => {
      if (event.type === "storage-lost") this.#dispatch({ type: "storage-failed", reason: event.reason });
      else this.#dispatch(event);
    });
    const warnings = new RareWarnings(this.#platform.clock, (message) => this.#platform.log("warn", message));
    const troubled = (reason: string) => warnings.warn(`the metadata server cannot be reached: ${reason}`);
    this.#platform.controller.receive({
      opened: () => this.#dispatch({ type: "controller-opened" }),
      frame: (frame) => this.#dispatch({ type: "controller-frame", frame }),
      closed: (reason) => {
        if (!this.#over) troubled(reason);
        this.#dispatch({ type: "controller-closed" });
      },
      failed: troubled,
    });
    this.#dispatch({ type: "woken" });
    void this.#measureStorage();
  }

  /** For those who ask how much room there is. Nothing is decided by it, so an old figure, or none, will do. */
  async #measureStorage(): Promise<void> {
    if (this.#platform.measureStorage === undefined) return;
    try {
      this.#dispatch({ type: "storage-measured", ...(await this.#platform.measureStorage()) });
    } catch (cause) {
      this.#platform.log("debug", `the storage could not be measured: ${describe(cause)}`);
    }
    if (this.#over) return;
    this.#cancelMeasuring = this.#platform.clock.setTimer(STORAGE_INTERVAL_MS, () => void this.#measureStorage());
  }

  status(): BrokerStatus {
    if (this.#broker !== undefined) return this.#broker.status();
    const { brokerId, directoryId } = this.#platform.identity;
    return {
      state: this.#failure === undefined ? "starting" : "failed",
      brokerId,
      directoryId,
      rack: this.#platform.rack,
      reason: this.#failure,
      controllerConnected: false,
      partitions: [],
      storedBytes: 0,
      replicatedBytes: 0,
    };
  }

  onStatus(listener: (status: BrokerStatus) => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#platform.clock.setTimer(STOP_TIMEOUT_MS, () => this.#finish());
      this.#stopped = () => {
        cancel();
        resolve();
      };
      if (this.#broker === undefined || this.#over) this.#finish();
      else this.#dispatch({ type: "closing" });
    });
  }

  #dispatch(event: BrokerEvent): void {
    this.#mailbox.push(event);
    if (!this.#draining) this.#drain();
  }

  #drain(): void {
    const broker = this.#broker;
    if (broker === undefined || this.#over) return;
    const { clock } = this.#platform;
    this.#draining = true;
    try {
      for (let event = this.#mailbox.shift(); event !== undefined; event = this.#mailbox.shift()) {
        const nowMs = clock.now();
        for (const effect of broker.handle(event, nowMs, clock.wallNow() - nowMs)) this.#execute(effect);
      }
    } catch (cause) {
      // A broken invariant: going on could harm data, so this broker is over. Its replicas elsewhere go on.
      this.#platform.log("error", `the broker stops because of a defect: ${describe(cause)}`);
      this.#failure = `the broker stopped because of a defect: ${describe(cause)}`;
      this.#broker = undefined;
      this.#finish();
      return;
    } finally {
      this.#draining = false;
    }
    this.#commit();
    this.#arm(broker.wakeAtMs);
    this.#scheduleStatus();
  }

  #execute(effect: BrokerEffect): void {
    switch (effect.type) {
      case "send":
        return this.#answer(effect.connectionId, effect.frame);
      case "close-connection":
        return this.#connections.get(effect.connectionId)?.close(effect.reason);
      case "hold-connection":
        return this.#connections.get(effect.connectionId)?.hold?.(effect.held);
      case "dial":
        return this.#dial(effect.linkId, effect.host, effect.port);
      case "link-send": {
        const link = this.#links.get(effect.linkId);
        if (link !== undefined && link !== "dialling") link.send(effect.frame);
        return;
      }
      case "close-link": {
        const link = this.#links.get(effect.linkId);
        this.#links.delete(effect.linkId);
        if (link !== undefined && link !== "dialling") link.close(effect.reason);
        return;
      }
      case "controller-send":
        return this.#platform.controller.send(effect.frame);
      case "write":
        this.#pendingWrites.push(effect);
        return;
      case "read":
        this.#read(effect).then(
          (event) => this.#dispatch(event),
          (cause: unknown) => this.#storageFailed("reading the log", cause),
        );
        return;
      case "recompress":
        void recompress(effect.wanted, this.#codecs).then((batches) =>
          this.#dispatch({ type: "recompressed", batches }),
        );
        return;
      case "save-identity":
        this.#platform.saveIdentity(effect.identity).then(
          () => this.#dispatch({ type: "identity-saved" }),
          (cause: unknown) => this.#storageFailed("saving the storage identity", cause),
        );
        return;
      case "log":
        return this.#platform.log(effect.level, effect.message);
      case "stopped":
        return this.#finish();
    }
  }

  /** While codecs are at work nothing else is: no heartbeat, no follower. They give way after each stretch. */
  #breathe(): Promise<void> | undefined {
    const { clock } = this.#platform;
    if (clock.now() - this.#breathedMs < CODEC_STRETCH_MS) return undefined;
    return new Promise((resolve) => {
      clock.setTimer(0, () => {
        this.#breathedMs = clock.now();
        resolve();
      });
    });
  }

  async #read(effect: Extract<BrokerEffect, { readonly type: "read" }>): Promise<BrokerEvent> {
    const { readId, key, fromOffset, maxBytes } = effect;
    const chunks = await this.#platform.store.read(key, fromOffset, maxBytes);
    if (effect.opened !== true) return { type: "read", readId, chunks };
    return { type: "read", readId, chunks, opened: await openSections(chunks) };
  }

  #commit(): void {
    if (this.#writing || this.#pendingWrites.length === 0) return;
    const writes = this.#pendingWrites;
    this.#pendingWrites = [];
    this.#writing = true;
    const operations = coalesceAppends(writes.flatMap((write) => write.operations));
    const durability = writes.some((write) => write.durability === "strict") ? "strict" : "relaxed";
    this.#platform.store.write(operations, durability).then(
      () => {
        this.#writing = false;
        this.#dispatch({ type: "written", writeIds: writes.map(({ writeId }) => writeId), operations });
      },
      // `#writing` stays set: after a failed write nothing may be stored behind the gap.
      (cause: unknown) => this.#storageFailed("writing the log", cause),
    );
  }

  #storageFailed(doing: string, cause: unknown): void {
    this.#dispatch({ type: "storage-failed", reason: `${doing} failed: ${describe(cause)}` });
  }

  #accept(connection: Connection, listener: string): void {
    const connectionId = this.#nextConnectionId++;
    this.#connections.set(connectionId, connection);
    this.#dispatch({ type: "connection-opened", connectionId, listener, remoteAddress: connection.remoteAddress });
    connection.receive({
      frame: (frame) => this.#dispatch({ type: "connection-frame", connectionId, frame }),
      closed: () => {
        this.#connections.delete(connectionId);
        this.#dispatch({ type: "connection-closed", connectionId });
      },
    });
  }

  /** A client that asks for more than it reads would have this tab hold all of it. */
  #answer(connectionId: number, frame: Uint8Array): void {
    const connection = this.#connections.get(connectionId);
    connection?.send(frame);
    if (connection === undefined || connection.queuedBytes <= MAX_UNREAD_BYTES) return;
    const reason = `more than ${MAX_UNREAD_BYTES} bytes of answers wait to be read`;
    this.#platform.log("warn", `closing connection ${connectionId}: ${reason}`);
    connection.close(reason);
  }

  #dial(linkId: number, host: string, port: number): void {
    this.#links.set(linkId, "dialling");
    this.#platform.dial({ host, port }).then(
      (connection) => {
        // The broker may have given the link up while it was dialled.
        if (!this.#links.has(linkId)) return connection.close("no longer needed");
        this.#links.set(linkId, connection);
        this.#dispatch({ type: "link-opened", linkId });
        connection.receive({
          frame: (frame) => this.#dispatch({ type: "link-frame", linkId, frame }),
          closed: (reason) => {
            if (this.#links.delete(linkId)) this.#dispatch({ type: "link-closed", linkId, reason });
          },
        });
      },
      (cause: unknown) => {
        if (this.#links.delete(linkId)) this.#dispatch({ type: "link-closed", linkId, reason: describe(cause) });
      },
    );
  }

  #arm(wakeAtMs: number): void {
    if (wakeAtMs === this.#armedForMs) return;
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    this.#armedForMs = wakeAtMs;
    if (!Number.isFinite(wakeAtMs)) return;
    this.#cancelWake = this.#platform.clock.setTimer(Math.max(0, wakeAtMs - this.#platform.clock.now()), () => {
      this.#armedForMs = Number.POSITIVE_INFINITY;
      this.#dispatch({ type: "woken" });
    });
  }

  #scheduleStatus(): void {
    if (this.#statusListeners.size === 0) return;
    if (this.#broker?.state !== this.#publishedState) return this.#publish();
    this.#cancelStatus ??= this.#platform.clock.setTimer(STATUS_INTERVAL_MS, () => this.#publish());
  }

  #publish(): void {
    this.#cancelStatus?.();
    this.#cancelStatus = undefined;
    const status = this.status();
    this.#publishedState = status.state;
    for (const listener of this.#statusListeners) listener(status);
  }

  #finish(): void {
    if (!this.#over) {
      this.#over = true;
      this.#cancelWake?.();
      this.#cancelMeasuring?.();
      this.#publish();
      for (const connection of this.#connections.values()) connection.close("the broker stopped");
      for (const link of this.#links.values()) if (link !== "dialling") link.close("the broker stopped");
      this.#links.clear();
      this.#platform.controller.close();
      this.#platform.store.close();
    }
    this.#stopped?.();
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
