import { randomUUID } from "node:crypto";
import { Controller } from "../src/metadata/controller.ts";
import type { ControllerEffect, ControllerEvent } from "../src/metadata/controller.ts";
import type { ControllerConfig } from "../src/metadata/controller-config.ts";
import type { ClusterImage } from "../src/metadata/image.ts";
import type { LogLevel } from "../src/runtime/broker-platform.ts";
import type { MetadataStore } from "./metadata-store/metadata-store.ts";

/** The way back to one tab. */
export interface ControllerConnection {
  send(frame: Uint8Array): void;
  close(reason: string): void;
}

export interface ControllerHostOptions {
  readonly cluster: string;
  readonly store: MetadataStore;
  readonly config: Partial<ControllerConfig>;
  readonly log: (level: LogLevel, message: string) => void;
  /** Called once, when the cluster cannot go on. Its connections are the caller's to close. */
  readonly failed: (reason: string) => void;
  readonly committed: (seconds: number) => void;
  /** Something was decided: the image has changed. */
  readonly decided: () => void;
}

type AppendEffect = Extract<ControllerEffect, { readonly type: "append" }>;

/** `setTimeout` takes no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs the controller of one cluster: hands it events one by one, and does what it answers, in order. What it appends
 * is on the disk before it hears of it, so before anybody else does (R1). Appends that come up in one turn of the event
 * loop, or while another write is under way, share a write.
 */
export class ControllerHost {
  readonly #options: ControllerHostOptions;
  readonly #controller: Controller;
  readonly #connections = new Map<number, ControllerConnection>();
  #nextConnectionId = 1;
  readonly #mailbox: ControllerEvent[] = [];
  #draining = false;
  #over = false;

  #unwritten: AppendEffect[] = [];
  #writeScheduled = false;
  /** Settles, never rejecting, after every write so far. */
  #writes: Promise<void> = Promise.resolve();
  #writesUnderWay = 0;

  #timer: NodeJS.Timeout | undefined;
  #timerAtMs: number | undefined;

  /** Reads the cluster from the store. Rejects when it cannot be read or its controller epoch cannot be raised. */
  static async open(options: ControllerHostOptions): Promise<ControllerHost> {
    const { store, cluster, config } = options;
    const stored = await store.open(cluster);
    const controller = new Controller({ ...stored, config, seed: randomUUID(), nowMs: performance.now() });
    return new ControllerHost(options, controller);
  }

  private constructor(options: ControllerHostOptions, controller: Controller) {
    this.#options = options;
    this.#controller = controller;
    this.#dispatch({ type: "woken" });
  }

  /** The cluster as decided so far. For reading only. */
  get image(): ClusterImage {
    return this.#controller.image;
  }

  get logEndOffset(): number {
    return this.#controller.image.endOffset;
  }

  /** Whether everything decided is on the disk. */
  get isSettled(): boolean {
    return this.#unwritten.length === 0 && this.#writesUnderWay === 0;
  }

  /** Returns the id for the calls below. */
  connect(connection: ControllerConnection): number {
    const connectionId = this.#nextConnectionId++;
    this.#connections.set(connectionId, connection);
    this.#dispatch({ type: "connection-opened", connectionId });
    return connectionId;
  }

  /** A whole Kafka frame, without a length prefix. */
  request(connectionId: number, frame: Uint8Array): void {
    this.#dispatch({ type: "request", connectionId, frame });
  }

  disconnect(connectionId: number): void {
    if (this.#connections.delete(connectionId)) this.#dispatch({ type: "connection-closed", connectionId });
  }

  /**
   * Hears and says nothing more: connections that close from now on are no broker's death, so brokers keep what they
   * lead over a restart. Resolves when the write under way is over.
   */
  stop(): Promise<void> {
    this.#over = true;
    clearTimeout(this.#timer);
    return this.#writes;
  }

  #dispatch(event: ControllerEvent): void {
    if (this.#over) return;
    this.#mailbox.push(event);
    if (this.#draining) return;
    this.#draining = true;
    const { endOffset } = this.image;
    try {
      for (let next = this.#mailbox.shift(); next !== undefined && !this.#over; next = this.#mailbox.shift()) {
        for (const effect of this.#controller.handle(next, performance.now(), Date.now())) this.#execute(effect);
      }
    } catch (error) {
      // A broken invariant, or stored metadata that contradicts itself: going on could harm the cluster's data.
      this.#fail(error);
    } finally {
      this.#draining = false;
    }
    if (this.image.endOffset !== endOffset) this.#options.decided();
    this.#setTimer();
  }

  #execute(effect: ControllerEffect): void {
    const { store, cluster, log } = this.#options;
    switch (effect.type) {
      case "send":
        return this.#connections.get(effect.connectionId)?.send(effect.frame);
      case "close-connection": {
        const connection = this.#connections.get(effect.connectionId);
        this.#connections.delete(effect.connectionId);
        return connection?.close(effect.reason);
      }
      case "append":
        this.#unwritten.push(effect);
        if (this.#writeScheduled) return;
        this.#writeScheduled = true;
        // Requests that wait in other sockets are read first, so that their decisions go along.
        setImmediate(() => this.#enqueue(() => this.#writeAppends()));
        return;
      case "save-snapshot": {
        const { endOffset, epoch, records } = effect;
        return this.#enqueue(() => store.saveSnapshot(cluster, { endOffset, epoch, records }));
      }
      case "log":
        return log(effect.level, effect.message);
    }
  }

  #enqueue(write: () => Promise<void>): void {
    this.#writesUnderWay++;
    this.#writes = this.#writes
      .then(() => (this.#over ? undefined : write()))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#writesUnderWay--);
  }

  async #writeAppends(): Promise<void> {
    const batches = this.#unwritten;
    const last = batches.at(-1);
    this.#unwritten = [];
    this.#writeScheduled = false;
    if (last === undefined) return;
    const { store, cluster, committed } = this.#options;
    const startedMs = performance.now();
    await store.append(cluster, batches);
    committed((performance.now() - startedMs) / 1000);
    this.#dispatch({ type: "appended", endOffset: last.endOffset });
  }

  #setTimer(): void {
    const { wakeAtMs } = this.#controller;
    if (this.#over || wakeAtMs === this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = wakeAtMs;
    if (wakeAtMs === undefined) return;
    const delayMs = Math.min(Math.max(0, wakeAtMs - performance.now()), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#timerAtMs = undefined;
      // What arrived before is heard before: a process that was stopped for a while must not fence brokers whose
      // heartbeats wait in its sockets.
      setImmediate(() => this.#dispatch({ type: "woken" }));
    }, delayMs);
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#options.failed(error instanceof Error ? error.message : String(error));
  }
}
