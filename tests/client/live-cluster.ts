import type { BrokerConfig } from "../../src/broker/broker-config.ts";
import { newIdentity } from "../../src/broker/storage-identity.ts";
import type { StorageIdentity } from "../../src/broker/storage-identity.ts";
import type { ControllerConfig } from "../../src/metadata/controller-config.ts";
import { Controller } from "../../src/metadata/controller.ts";
import type { ControllerEvent } from "../../src/metadata/controller.ts";
import { KafkaClient } from "../../src/client/kafka.ts";
import type { KafkaConfig } from "../../src/client/kafka.ts";
import { logLevel } from "../../src/client/logger.ts";
import { TAB_LISTENER } from "../../src/metadata/listener-names.ts";
import { browserClock } from "../../src/platform/browser/browser-clock.ts";
import { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import type { BrokerPlatform } from "../../src/runtime/broker-platform.ts";
import type { ClientPlatform, PageWatcher } from "../../src/runtime/client-platform.ts";
import type { Connection, Endpoint } from "../../src/runtime/connection.ts";
import type { ControllerLink, ControllerLinkHandlers } from "../../src/runtime/controller-link.ts";
import type { LogStore } from "../../src/runtime/log-store.ts";
import { runBroker } from "../../src/runtime/run-broker.ts";
import type { RunningBroker } from "../../src/runtime/run-broker.ts";
import { MemoryConnection } from "./memory-connection.ts";

/** A real controller and real brokers in one process: only the network and the disks are stand-ins. */
export class LiveCluster {
  readonly config: Partial<BrokerConfig>;
  readonly brokers: LiveBroker[] = [];
  readonly #controller: Controller;
  readonly #links = new Map<number, LiveLink>();
  #nextConnectionId = 1;
  #cancelWake: () => void = () => {};

  /** `config` is that of the brokers. */
  constructor(config: Partial<BrokerConfig> = {}, controllerConfig: Partial<ControllerConfig> = {}) {
    this.config = config;
    this.#controller = new Controller({
      config: controllerConfig,
      clusterId: crypto.randomUUID(),
      controllerEpoch: 1,
      seed: crypto.randomUUID(),
      snapshot: undefined,
      log: [],
      nowMs: browserClock.now(),
    });
  }

  /** Starts brokers, each in a profile of its own, and waits until they serve. */
  async start(count: number): Promise<void> {
    for (let index = 0; index < count; index++) this.brokers.push(new LiveBroker(this, this.brokers.length + 1));
    while (this.brokers.some(({ running }) => running.status().state !== "running")) await pause(10);
  }

  kafka(config: Partial<KafkaConfig> = {}): KafkaClient {
    return this.tab(config).kafka;
  }

  /** A client in a tab of its own, which can die. */
  tab(config: Partial<KafkaConfig> = {}): LiveTab {
    return new LiveTab(this, config);
  }

  link(): ControllerLink {
    const id = this.#nextConnectionId++;
    const link = new LiveLink(
      (frame) => this.#toController({ type: "request", connectionId: id, frame }),
      () => {
        if (this.#links.delete(id)) this.#toController({ type: "connection-closed", connectionId: id });
      },
    );
    this.#links.set(id, link);
    this.#toController({ type: "connection-opened", connectionId: id });
    return link;
  }

  async dial({ host }: Endpoint): Promise<Connection> {
    const broker = this.brokers.find(({ peer, alive }) => peer === host && alive);
    if (broker === undefined) throw new Error(`no tab ${host}`);
    const [near, far] = MemoryConnection.pair();
    broker.accept(far);
    return near;
  }

  async stop(): Promise<void> {
    await Promise.all(this.brokers.filter(({ alive }) => alive).map(({ running }) => running.stop()));
    this.#cancelWake();
  }

  #toController(event: ControllerEvent): void {
    for (const effect of this.#controller.handle(event, browserClock.now(), browserClock.wallNow())) {
      if (effect.type === "send") {
        const { connectionId, frame } = effect;
        setImmediate(() => this.#links.get(connectionId)?.deliver(frame));
      } else if (effect.type === "append") {
        const { endOffset } = effect;
        setImmediate(() => this.#toController({ type: "appended", endOffset }));
      }
    }
    this.#cancelWake();
    const { wakeAtMs } = this.#controller;
    if (wakeAtMs === undefined || !Number.isFinite(wakeAtMs)) return;
    this.#cancelWake = browserClock.setTimer(Math.max(0, wakeAtMs - browserClock.now()), () => this.#toController({ type: "woken" }));
  }
}

/** A tab with a client in it. */
export class LiveTab {
  readonly kafka: KafkaClient;
  readonly #connections: MemoryConnection[] = [];
  /** When it woke from its last sleep, of `performance.now()`. */
  wokeAt = 0;
  alive = true;
  #link: ControllerLink | undefined;
  #thawed: (() => void)[] | undefined;
  readonly #watchers = new Set<PageWatcher>();

  constructor(cluster: LiveCluster, config: Partial<KafkaConfig>) {
    this.kafka = new KafkaClient({ brokers: ["ws://live"], logLevel: logLevel.NOTHING, ...config }, () =>
      this.#platform(cluster),
    );
  }

  /** The tab dies: nothing of it is heard any more. */
  kill(): void {
    this.alive = false;
    this.#link?.close();
    for (const connection of this.#connections) connection.close("the tab died");
  }

  /** The user closes the tab: it has the rest of this task, and is gone. */
  close(): void {
    for (const { closing } of this.#watchers) closing();
    setImmediate(() => this.kill());
  }

  /** The user leaves the page and comes back to it; meanwhile it lies in the back/forward cache. */
  async leaveFor(ms: number): Promise<void> {
    for (const { closing } of this.#watchers) closing();
    await new Promise((resolve) => setImmediate(resolve));
    await this.freeze(ms);
    for (const { returned } of this.#watchers) returned();
  }

  /** The tab goes to the background: its timers wait, and what arrives does not. */
  hide(): void {
    this.#thawed = [];
  }

  /** The tab sleeps: its timers and what arrives for it wait. Which of them it finds first when it wakes is open. */
  async freeze(ms: number, first: "network" | "timers" = "network"): Promise<void> {
    this.#thawed = [];
    for (const connection of this.#connections) connection.hold();
    await pause(ms);
    const late = this.#thawed;
    this.#thawed = undefined;
    this.wokeAt = performance.now();
    if (first === "timers") {
      for (const run of late) run();
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const connection of this.#connections) connection.release();
    if (first === "network") for (const run of late) run();
  }

  #platform(cluster: LiveCluster): ClientPlatform {
    const controller = cluster.link();
    this.#link = controller;
    return {
      clock: {
        ...browserClock,
        setTimer: (delayMs, callback) =>
          browserClock.setTimer(delayMs, () => {
            if (this.#thawed === undefined) callback();
            else this.#thawed.push(callback);
          }),
      },
      controller,
      dial: async (endpoint) => {
        if (!this.alive) throw new Error("the tab is dead");
        const connection = (await cluster.dial(endpoint)) as MemoryConnection;
        this.#connections.push(connection);
        return connection;
      },
      randomUuid: () => crypto.randomUUID(),
      random: Math.random,
      watchPage: (watcher) => {
        this.#watchers.add(watcher);
        return () => this.#watchers.delete(watcher);
      },
      close: () => controller.close(),
    };
  }
}

class LiveLink implements ControllerLink {
  readonly #send: (frame: Uint8Array) => void;
  readonly #ended: () => void;
  #handlers: ControllerLinkHandlers | undefined;
  #closed = false;

  constructor(send: (frame: Uint8Array) => void, ended: () => void) {
    this.#send = send;
    this.#ended = ended;
  }

  receive(handlers: ControllerLinkHandlers): void {
    this.#handlers = handlers;
    setImmediate(() => handlers.opened());
  }

  send(frame: Uint8Array): void {
    const copy = frame.slice();
    setImmediate(() => {
      if (!this.#closed) this.#send(copy);
    });
  }

  deliver(frame: Uint8Array): void {
    if (!this.#closed) this.#handlers?.frame(frame.slice());
  }

  close(): void {
    this.#closed = true;
    this.#ended();
  }
}

export class LiveBroker {
  readonly peer: string;
  readonly #cluster: LiveCluster;
  readonly #number: number;
  #disk = StoredLogs.empty;
  #identity: StorageIdentity = newIdentity(crypto.randomUUID(), "strict");
  #tab: LiveBrokerTab;

  constructor(cluster: LiveCluster, number: number) {
    this.peer = `peer-${number}`;
    this.#cluster = cluster;
    this.#number = number;
    this.#tab = this.#open();
  }

  get running(): RunningBroker {
    return this.#tab.running!;
  }

  get alive(): boolean {
    return this.#tab.alive;
  }

  accept(connection: MemoryConnection, listener = TAB_LISTENER): void {
    this.#tab.connections.push(connection);
    this.#tab.accept!(connection, listener);
  }

  /** The tab dies: nothing of it is heard any more. */
  kill(): void {
    this.#tab.alive = false;
    this.#tab.link.close();
    for (const connection of this.#tab.connections) connection.close("the tab died");
    void this.running.stop();
  }

  /** A new tab opens on the disk of the one that died. */
  revive(): void {
    this.#tab = this.#open();
  }

  #open(): LiveBrokerTab {
    const link = this.#cluster.link();
    const tab: LiveBrokerTab = { alive: true, link, connections: [], running: undefined, accept: undefined };
    tab.running = runBroker(this.#platform(tab), { config: this.#cluster.config });
    return tab;
  }

  #platform(tab: LiveBrokerTab): BrokerPlatform {
    const logs = this.#disk.load();
    const store: LogStore = {
      async *load() {
        yield* logs;
      },
      write: async (operations) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (tab.alive) this.#disk = this.#disk.apply(operations);
      },
      read: async (key, fromOffset, maxBytes) => this.#disk.read(key, fromOffset, maxBytes),
      close: () => {},
    };
    return {
      clock: browserClock,
      store,
      identity: this.#identity,
      saveIdentity: async (identity) => {
        if (tab.alive) this.#identity = identity;
      },
      controller: tab.link,
      dial: async (endpoint) => {
        if (!tab.alive) throw new Error("the tab is dead");
        const connection = (await this.#cluster.dial(endpoint)) as MemoryConnection;
        tab.connections.push(connection);
        return connection;
      },
      listen: (accept) => (tab.accept = accept),
      listeners: [{ name: TAB_LISTENER, endpoint: { host: this.peer, port: 1 } }],
      rack: `profile-${this.#number}`,
      onLifecycle: () => {},
      randomUuid: () => crypto.randomUUID(),
      log: () => {},
    };
  }
}

/** One life of a broker's tab. */
interface LiveBrokerTab {
  alive: boolean;
  running: RunningBroker | undefined;
  readonly link: ControllerLink;
  readonly connections: MemoryConnection[];
  accept: ((connection: Connection, listener: string) => void) | undefined;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
