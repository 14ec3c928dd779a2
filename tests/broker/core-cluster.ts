import { Broker } from "../../src/broker/broker.ts";
import { defaultBrokerConfig } from "../../src/broker/broker-config.ts";
import type { BrokerConfig } from "../../src/broker/broker-config.ts";
import type { BrokerEffect } from "../../src/broker/effects.ts";
import type { BrokerEvent } from "../../src/broker/events.ts";
import type { WantedCodecs } from "../../src/broker/recompression.ts";
import { newIdentity } from "../../src/broker/storage-identity.ts";
import type { StorageIdentity } from "../../src/broker/storage-identity.ts";
import { coalesceAppends } from "../../src/log/coalesce-appends.ts";
import { Controller } from "../../src/metadata/controller.ts";
import type { ControllerConfig } from "../../src/metadata/controller-config.ts";
import type { ControllerEffect, ControllerEvent } from "../../src/metadata/controller.ts";
import { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import { decodeCorrelationId, decodeResponse, encodeRequest } from "../../src/protocol/envelope.ts";
import type { Api, RequestInit, Response } from "../../src/protocol/schema.ts";
import { recompress } from "../../src/runtime/recompressed-batches.ts";

type WriteEffect = Extract<BrokerEffect, { type: "write" }>;

/**
 * Real brokers and a real controller in one thread, with a clock that stands still until it is advanced. Messages arrive
 * at once and in order, disks write when asked to: the schedules here are made by hand, one fault at a time.
 */
export class CoreCluster {
  nowMs = 1_000;
  /** What the server's time of day is ahead of `nowMs` by. */
  wallOffsetMs = 1_700_000_000_000;
  readonly log: string[] = [];
  readonly controller: Controller;
  readonly #queue: (() => void)[] = [];
  readonly #ends = new Map<number, (frame: Uint8Array) => void>();
  readonly brokers: CoreBroker[] = [];
  #nextConnection = 1;

  constructor(config: Partial<ControllerConfig> = {}) {
    this.controller = new Controller({
      config,
      clusterId: "8a0a2a7e-13ee-4f0a-9a53-1f3b9a2c7f01",
      controllerEpoch: 1,
      seed: "controller",
      snapshot: undefined,
      log: [],
      nowMs: this.nowMs,
    });
  }

  /** Adds a tab with an empty disk, each in a profile of its own. */
  start(name: string, identity = numberedIdentity(this.brokers.length + 1)): CoreBroker {
    const broker = new CoreBroker(this, name, identity);
    this.brokers.push(broker);
    broker.start();
    return broker;
  }

  /** Starts a tab of each name, and waits until all of them are running brokers. */
  startRunning(...names: readonly string[]): CoreBroker[] {
    const tabs = names.map((name) => this.start(name));
    this.until(() => tabs.every(({ core }) => core.state === "running"), `${names.length} running brokers`);
    return tabs;
  }

  enqueue(work: () => void): void {
    this.#queue.push(work);
  }

  /** Lets everything happen that is due now. */
  settle(): void {
    for (let turns = 0, work = this.#queue.shift(); work !== undefined; work = this.#queue.shift()) {
      if (++turns > 200_000) throw new Error("the cluster does not come to rest");
      work();
    }
  }

  /** Moves the clock, from one due time to the next. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    this.settle();
    while (true) {
      const live = this.brokers.filter((broker) => broker.running);
      const due = Math.min(
        this.controller.wakeAtMs ?? Number.POSITIVE_INFINITY,
        ...live.map((broker) => (broker.frozen ? Number.POSITIVE_INFINITY : broker.core.wakeAtMs)),
      );
      if (due > endMs) break;
      this.nowMs = Math.max(this.nowMs, due);
      if ((this.controller.wakeAtMs ?? Number.POSITIVE_INFINITY) <= this.nowMs) this.toController({ type: "woken" });
      for (const broker of live) {
        if (!broker.frozen && broker.core.wakeAtMs <= this.nowMs) broker.handle({ type: "woken" });
      }
      this.settle();
    }
    this.nowMs = endMs;
  }

  /** Advances until `condition` holds; fails after `limitMs`. */
  until(condition: () => boolean, what: string, limitMs = 10_000): void {
    const endMs = this.nowMs + limitMs;
    this.settle();
    while (!condition()) {
      if (this.nowMs >= endMs) throw new Error(`${what} did not come within ${limitMs} ms\n${this.log.slice(-30).join("\n")}`);
      this.advance(5);
    }
  }

  connection(): number {
    return this.#nextConnection++;
  }

  /** Registers who receives what the controller sends on a connection. */
  attach(connectionId: number, receive: (frame: Uint8Array) => void): void {
    this.#ends.set(connectionId, receive);
    this.toController({ type: "connection-opened", connectionId });
  }

  detach(connectionId: number): void {
    if (this.#ends.delete(connectionId)) this.toController({ type: "connection-closed", connectionId });
  }

  toController(event: ControllerEvent): void {
    for (const effect of this.controller.handle(event, this.nowMs, this.nowMs + this.wallOffsetMs)) this.#onController(effect);
  }

  #onController(effect: ControllerEffect): void {
    switch (effect.type) {
      case "send": {
        const { connectionId, frame } = effect;
        return this.enqueue(() => this.#ends.get(connectionId)?.(frame));
      }
      case "append": {
        const { endOffset } = effect;
        return this.enqueue(() => this.toController({ type: "appended", endOffset }));
      }
      case "close-connection":
        throw new Error(`the controller closed a connection: ${effect.reason}`);
      case "log":
        this.log.push(`${this.nowMs} controller: ${effect.message}`);
        return;
      case "save-snapshot":
        return;
    }
  }

  /** A request to the controller from a client of its own. */
  askController<A extends Api>(api: A, version: number, body: RequestInit<A>): Response<A> {
    const connectionId = this.connection();
    let answer: Uint8Array | undefined;
    this.attach(connectionId, (frame) => (answer = frame));
    const frame = encodeRequest(api, version, { correlationId: 7, clientId: "test" }, body);
    this.enqueue(() => this.toController({ type: "request", connectionId, frame }));
    this.until(() => answer !== undefined, `an answer to ${api.name}`);
    this.detach(connectionId);
    return decodeResponse(api, version, answer!).body as Response<A>;
  }
}

/** One tab: a core, its disk, and its ends of connections. */
export class CoreBroker {
  core!: Broker;
  disk = StoredLogs.empty;
  identity: StorageIdentity;
  running = false;
  frozen = false;
  /** Set to make writes wait: then they become durable by `flush`. */
  slowDisk = false;
  /** What its time of day is ahead of the cluster's `nowMs` by. */
  wallOffsetMs = 1_700_000_000_000;
  /** What differs from the defaults, from the next start on. */
  config: Partial<BrokerConfig> = {};
  /** All that its cores have asked to be written, in order, durable or not. */
  readonly writes: WriteEffect[] = [];
  readonly peer: string;
  readonly #cluster: CoreCluster;
  readonly name: string;
  #starts = 0;
  #controllerConnection: number | undefined;
  #backlog: BrokerEvent[] = [];
  readonly #held: (() => void)[] = [];
  readonly #wanted: WantedCodecs[] = [];
  #pendingWrites: WriteEffect[] = [];
  /** The other end of each connection here, by its id. */
  readonly #connections = new Map<number, { frame(frame: Uint8Array): void; closed(reason: string): void }>();
  readonly #links = new Map<number, { to: CoreBroker; connectionId: number }>();

  constructor(cluster: CoreCluster, name: string, identity: StorageIdentity) {
    this.#cluster = cluster;
    this.name = name;
    this.peer = `peer-${name}`;
    this.identity = identity;
  }

  get nodeId(): number {
    return this.core.nodeId;
  }

  start(): void {
    this.running = true;
    this.frozen = false;
    this.#backlog = [];
    this.core = new Broker({
      identity: this.identity,
      listeners: [{ name: "TAB", host: this.peer, port: 1 }],
      rack: `profile-${this.name}`,
      seed: `${this.name}-${++this.#starts}`,
      config: { ...defaultBrokerConfig, ...this.config },
      nowMs: this.#cluster.nowMs,
      wallOffsetMs: this.wallOffsetMs,
    });
    for (const stored of this.disk.load()) this.core.restore(stored);
    this.connectController();
  }

  connectController(): void {
    const connectionId = this.#cluster.connection();
    this.#controllerConnection = connectionId;
    this.#cluster.attach(connectionId, (frame) => this.handle({ type: "controller-frame", frame }));
    this.handle({ type: "controller-opened" });
  }

  disconnectController(): void {
    if (this.#controllerConnection !== undefined) this.#cluster.detach(this.#controllerConnection);
    this.#controllerConnection = undefined;
    this.handle({ type: "controller-closed" });
  }

  /** The tab dies at once: what was not on disk is gone, and both ends of its sockets close. */
  kill(): void {
    this.running = false;
    if (this.#controllerConnection !== undefined) this.#cluster.detach(this.#controllerConnection);
    this.#controllerConnection = undefined;
    this.#held.length = 0;
    this.#wanted.length = 0;
    this.#pendingWrites = [];
    for (const { to, connectionId } of this.#links.values()) to.handle({ type: "connection-closed", connectionId });
    this.#links.clear();
    for (const { closed } of this.#connections.values()) closed("the tab died");
    this.#connections.clear();
  }

  /** Nothing runs in the tab, but its sockets stay open and fill up. */
  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    this.frozen = false;
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const event of backlog) this.handle(event);
  }

  /** Clears the site's data: the next start is a new, empty directory. */
  wipe(): void {
    this.disk = StoredLogs.empty;
    this.identity = numberedIdentity(1_000 + this.#cluster.connection());
  }

  flush(): void {
    for (const work of this.#held.splice(0)) this.#cluster.enqueue(work);
  }

  /** Compresses what waits for it, as the runtime would. */
  async compress(): Promise<void> {
    this.#cluster.settle();
    for (let wanted = this.#wanted.shift(); wanted !== undefined; wanted = this.#wanted.shift()) {
      this.handle({ type: "recompressed", batches: await recompress(wanted) });
    }
    this.#cluster.settle();
  }

  handle(event: BrokerEvent): void {
    if (!this.running) return;
    if (this.frozen) {
      this.#backlog.push(event);
      return;
    }
    for (const effect of this.core.handle(event, this.#cluster.nowMs, this.wallOffsetMs)) this.#execute(effect);
    this.#commit();
  }

  /** A client's connection to this broker; answers are collected in order. */
  connect(listener = "TAB"): TestClient {
    const connectionId = this.#cluster.connection();
    const client = new TestClient(this.#cluster, (frame) => {
      this.#cluster.enqueue(() => this.handle({ type: "connection-frame", connectionId, frame }));
    });
    this.#connections.set(connectionId, {
      frame: (frame) => client.received(frame),
      closed: (reason) => (client.closedBecause = reason),
    });
    this.handle({ type: "connection-opened", connectionId, listener });
    return client;
  }

  #execute(effect: BrokerEffect): void {
    const cluster = this.#cluster;
    switch (effect.type) {
      case "send": {
        const { connectionId, frame } = effect;
        return cluster.enqueue(() => this.#connections.get(connectionId)?.frame(frame));
      }
      case "close-connection": {
        this.#connections.get(effect.connectionId)?.closed(effect.reason);
        this.#connections.delete(effect.connectionId);
        return;
      }
      case "hold-connection":
        return;
      case "dial":
        return cluster.enqueue(() => this.#dial(effect.linkId, effect.host));
      case "link-send": {
        const link = this.#links.get(effect.linkId);
        const { frame } = effect;
        return cluster.enqueue(() => link?.to.handle({ type: "connection-frame", connectionId: link.connectionId, frame }));
      }
      case "close-link": {
        const link = this.#links.get(effect.linkId);
        this.#links.delete(effect.linkId);
        if (link === undefined) return;
        link.to.#connections.delete(link.connectionId);
        return link.to.handle({ type: "connection-closed", connectionId: link.connectionId });
      }
      case "controller-send": {
        const { frame } = effect;
        const connectionId = this.#controllerConnection;
        if (connectionId === undefined) return;
        return cluster.enqueue(() => cluster.toController({ type: "request", connectionId, frame }));
      }
      case "write":
        this.writes.push(effect);
        this.#pendingWrites.push(effect);
        return;
      case "read": {
        const chunks = this.disk.read(effect.key, effect.fromOffset, effect.maxBytes);
        return cluster.enqueue(() => this.handle({ type: "read", readId: effect.readId, chunks }));
      }
      case "recompress":
        this.#wanted.push(effect.wanted);
        return;
      case "save-identity":
        this.identity = effect.identity;
        return cluster.enqueue(() => this.handle({ type: "identity-saved" }));
      case "log":
        cluster.log.push(`${cluster.nowMs} ${this.name}: ${effect.message}`);
        return;
      case "stopped":
        return cluster.enqueue(() => this.kill());
    }
  }

  #commit(): void {
    if (this.#pendingWrites.length === 0) return;
    const writes = this.#pendingWrites;
    this.#pendingWrites = [];
    const operations = coalesceAppends(writes.flatMap((write) => write.operations));
    const starts = this.#starts;
    const work = () => {
      if (!this.running || this.#starts !== starts) return;
      this.disk = this.disk.apply(operations);
      this.handle({ type: "written", writeIds: writes.map(({ writeId }) => writeId), operations });
    };
    if (this.slowDisk) this.#held.push(work);
    else this.#cluster.enqueue(work);
  }

  #dial(linkId: number, host: string): void {
    const to = this.#cluster.brokers.find(({ peer, running }) => peer === host && running);
    if (to === undefined) return this.handle({ type: "link-closed", linkId, reason: "no such tab" });
    const connectionId = this.#cluster.connection();
    this.#links.set(linkId, { to, connectionId });
    to.#connections.set(connectionId, {
      frame: (frame) => this.handle({ type: "link-frame", linkId, frame }),
      closed: (reason) => {
        if (this.#links.delete(linkId)) this.handle({ type: "link-closed", linkId, reason });
      },
    });
    to.handle({ type: "connection-opened", connectionId, listener: "TAB" });
    this.handle({ type: "link-opened", linkId });
  }
}

/** A client on one connection. */
export class TestClient {
  closedBecause: string | undefined;
  readonly frames: Uint8Array[] = [];
  readonly #cluster: CoreCluster;
  readonly #send: (frame: Uint8Array) => void;
  #nextId = 1;

  constructor(cluster: CoreCluster, send: (frame: Uint8Array) => void) {
    this.#cluster = cluster;
    this.#send = send;
  }

  received(frame: Uint8Array): void {
    this.frames.push(frame);
  }

  sendRaw(frame: Uint8Array): void {
    this.#send(frame);
  }

  /** Sends without waiting; the answer, if any by now, is what the returned function gives. */
  send<A extends Api>(api: A, version: number, body: RequestInit<A>): () => Response<A> | undefined {
    const correlationId = this.#nextId++;
    this.#send(encodeRequest(api, version, { correlationId, clientId: "test" }, body));
    return () => {
      const frame = this.frames.find((candidate) => decodeCorrelationId(candidate) === correlationId);
      return frame === undefined ? undefined : (decodeResponse(api, version, frame).body as Response<A>);
    };
  }

  ask<A extends Api>(api: A, version: number, body: RequestInit<A>, limitMs?: number): Response<A> {
    const answer = this.send(api, version, body);
    this.#cluster.until(() => answer() !== undefined, `an answer to ${api.name}`, limitMs);
    return answer()!;
  }
}

function numberedIdentity(number: number): StorageIdentity {
  return newIdentity(`d0000000-0000-4000-8000-${String(number).padStart(12, "0")}`, "strict");
}
