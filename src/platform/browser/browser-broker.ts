import type { BrokerStatus } from "../../broker/broker-status.ts";
import type { StorageVolume } from "../../broker/events.ts";
import { TAB_LISTENER } from "../../metadata/listener-names.ts";
import { assert } from "../../protocol/assert.ts";
import type { BrokerPlatform, LifecycleEvent, LogLevel } from "../../runtime/broker-platform.ts";
import type { Connection } from "../../runtime/connection.ts";
import type { RunningBroker } from "../../runtime/run-broker.ts";
import { runBroker } from "../../runtime/run-broker.ts";
import type { BrokerControl, BrokerWorkerEvent, BrokerWorkerOptions, StartedBroker } from "./broker-control.ts";
import { browserClock } from "./browser-clock.ts";
import type { Signaling } from "./controller-socket.ts";
import { ControllerSocket } from "./controller-socket.ts";
import { openIndexedDbLogStore } from "./indexed-db-log-store.ts";
import { LinkPaths } from "./link-paths.ts";
import type { ToPage, ToWorker } from "./link-port.ts";
import { MessagePortConnection } from "./message-port-connection.ts";
import { PageLinks } from "./page-links.ts";
import { profileRack } from "./profile.ts";
import { randomUuid } from "./random-uuid.ts";
import { clusterUrl, relayUrl } from "./server-address.ts";
import type { StorageDirectory } from "./storage-directory.ts";
import { openStorageDirectory } from "./storage-directory.ts";
import { TabDialer } from "./tab-dialer.ts";
import { watchTimeGaps } from "./time-gap.ts";

/**
 * A broker in a worker: its storage directory, its socket to the server, and the connections that other tabs and its
 * own page open to it, put together as the platform that `runBroker` needs.
 */
export class BrowserBroker implements BrokerControl {
  readonly #connections = new Mailbox<[Connection, string]>();
  readonly #lifecycle = new Mailbox<[LifecycleEvent]>();
  #running: RunningBroker | undefined;
  #told: string | undefined;
  #closeNetwork: () => void = () => {};
  #release: () => void = () => {};
  /** What the storage was last told that it is. */
  #saved: Promise<void> = Promise.resolve();

  async start(options: BrokerWorkerOptions, links: MessagePort, events: MessagePort): Promise<StartedBroker> {
    assert(this.#running === undefined, "a worker runs one broker");
    const directory = await openStorageDirectory({
      cluster: options.cluster,
      durability: options.durability,
      hint: options.directoryHint,
      latest: options.latestDirectory,
      refused: options.refusedDirectories,
      lost: (reason) => this.#lifecycle.post({ type: "storage-lost", reason }),
      unusable: (cause) => log("error", cause.message),
    });
    this.#release = directory.release;
    try {
      const platform = await this.#platform(options, directory, links, events);
      this.#running = runBroker(platform, options.broker);
    } catch (cause) {
      this.#end();
      throw cause;
    }
    this.#running.onStatus((status) => {
      this.#tell(events, status);
      if (status.state === "stopped") this.#end();
      // The lock stays: no other tab is to meet the same storage while this page shows what is wrong with it.
      if (status.state === "failed") this.#closeNetwork();
    });
    return { status: this.#running.status(), isStandIn: directory.isStandIn };
  }

  /** The page is not woken for what it knows. */
  #tell(events: MessagePort, status: BrokerStatus): void {
    const json = JSON.stringify(status);
    if (json === this.#told) return;
    this.#told = json;
    post(events, { type: "status", status });
  }

  async shutdown(): Promise<void> {
    await this.#running?.stop();
    // The page ends this worker next; a storage that was given up for its damage has to know of it by then.
    await this.#saved.catch(() => {});
    this.#end();
  }

  async #platform(
    options: BrokerWorkerOptions,
    directory: StorageDirectory,
    links: MessagePort,
    events: MessagePort,
  ): Promise<BrokerPlatform> {
    const store = await openIndexedDbLogStore(directory.database, options.durability);
    const rack = await profileRack();
    const network = this.#openNetwork(options, links, events);
    const stopWatch = watchTimeGaps((gapMs) => this.#lifecycle.post({ type: "time-gap", gapMs }));
    this.#closeNetwork = () => {
      stopWatch();
      network.close();
    };
    return {
      clock: browserClock,
      store,
      identity: directory.identity,
      saveIdentity: (identity) => (this.#saved = directory.saveIdentity(identity)),
      controller: network.socket,
      dial: ({ host }) => network.dialer.dial(host, TAB_LISTENER),
      listen: (accept) => this.#connections.attach(accept),
      listeners: [{ name: TAB_LISTENER, endpoint: { host: options.peer, port: 0 } }],
      rack,
      onLifecycle: (handler) => this.#lifecycle.attach(handler),
      measureStorage,
      randomUuid,
      log,
    };
  }

  #openNetwork(options: BrokerWorkerOptions, links: MessagePort, events: MessagePort) {
    let open = true;
    const accept = (connection: Connection, listener: string) => {
      if (open) this.#connections.post(connection, listener);
      else connection.close("the broker has stopped");
    };
    const postToPage = (message: ToPage) => links.postMessage(message);
    const paths = new LinkPaths(() => post(events, { type: "paths", paths: paths.list() }));
    const pageLinks = new PageLinks(postToPage, accept, paths);
    const onSignaling = (message: Signaling) => {
      if (message.type !== "relay") postToPage(message);
      dialer.onSignaling(message);
    };
    const onConnected = (connected: boolean) => postToPage({ type: "server", connected });
    const socket = new ControllerSocket(clusterUrl(options, options), onSignaling, onConnected);
    const dialer = new TabDialer({
      dialDirect: options.direct ? (peer, listener) => pageLinks.dial(peer, listener) : undefined,
      relayUrl: (relayId) => relayUrl(options, relayId),
      serverConnected: () => socket.connected,
      signal: (message) => socket.signal(message),
      accept,
      // All that a broker dials for is to fetch from leaders.
      redials: true,
      paths,
    });
    links.onmessage = ({ data }: MessageEvent<ToWorker>) => {
      if (data.type === "signal") socket.signal(data);
      else if (data.type === "local") accept(new MessagePortConnection(data.port), TAB_LISTENER);
      else if (data.type === "lifecycle") this.#lifecycle.post(data.event);
      else pageLinks.onMessage(data);
    };
    return {
      socket,
      dialer,
      close() {
        open = false;
        socket.close();
        dialer.close("the broker stopped");
      },
    };
  }

  #end(): void {
    this.#closeNetwork();
    this.#release();
  }
}

/** What the browser grants all pages of this site together, and what is left of that. */
async function measureStorage(): Promise<StorageVolume> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  return { totalBytes: quota, usableBytes: Math.max(0, quota - usage) };
}

/** Keeps what arrives until somebody attaches to it: tabs may dial while the broker is still reading its logs. */
class Mailbox<T extends unknown[]> {
  #waiting: T[] = [];
  #handler: ((...message: T) => void) | undefined;

  post(...message: T): void {
    if (this.#handler === undefined) this.#waiting.push(message);
    else this.#handler(...message);
  }

  attach(handler: (...message: T) => void): void {
    this.#handler = handler;
    for (const message of this.#waiting.splice(0)) handler(...message);
  }
}

function post(events: MessagePort, event: BrokerWorkerEvent): void {
  events.postMessage(event);
}

function log(level: LogLevel, message: string): void {
  console[level](`tabstream broker: ${message}`);
}
