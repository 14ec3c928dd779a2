import { WebSocket } from "ws";
import { newIdentity } from "../../src/broker/storage-identity.ts";
import { TAB_LISTENER } from "../../src/metadata/listener-names.ts";
import { browserClock } from "../../src/platform/browser/browser-clock.ts";
import { LinkPaths } from "../../src/platform/browser/link-paths.ts";
import { ControllerSocket } from "../../src/platform/browser/controller-socket.ts";
import { clusterUrl, relayUrl } from "../../src/platform/browser/server-address.ts";
import { TabDialer } from "../../src/platform/browser/tab-dialer.ts";
import { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import type { BrokerPlatform } from "../../src/runtime/broker-platform.ts";
import type { Connection } from "../../src/runtime/connection.ts";
import type { LogStore } from "../../src/runtime/log-store.ts";
import { runBroker } from "../../src/runtime/run-broker.ts";
import type { RunningBroker } from "../../src/runtime/run-broker.ts";

// What the sockets of a worker are made of.
Object.assign(globalThis, { WebSocket, addEventListener: () => {}, removeEventListener: () => {} });

/**
 * A broker in Node, behind the sockets of a real tab: only the disk is a stand-in, and other tabs are reached through
 * the relay.
 */
export class NodeTab {
  readonly running: RunningBroker;
  readonly logged: string[] = [];
  readonly #socket: ControllerSocket;
  readonly #dialer: TabDialer;
  readonly #connections: Connection[] = [];
  #accept: ((connection: Connection, listener: string) => void) | undefined;

  /** Starts a broker and waits until it serves. */
  static async start(serverUrl: string, cluster: string): Promise<NodeTab> {
    const tab = new NodeTab(serverUrl, cluster);
    while (tab.running.status().state !== "running") await new Promise((resolve) => setTimeout(resolve, 10));
    return tab;
  }

  constructor(serverUrl: string, cluster: string) {
    const address = { serverUrl, cluster };
    const peer = crypto.randomUUID();
    this.#socket = new ControllerSocket(clusterUrl(address, { peer, key: crypto.randomUUID() }), (message) => {
      this.#dialer.onSignaling(message);
    });
    this.#dialer = new TabDialer({
      dialDirect: undefined,
      relayUrl: (relayId) => relayUrl(address, relayId),
      serverConnected: () => this.#socket.connected,
      signal: (message) => this.#socket.signal(message),
      accept: (connection, listener) => this.accept(connection, listener),
      redials: true,
      paths: new LinkPaths(),
    });
    this.running = runBroker(this.#platform(peer));
  }

  get brokerId(): number {
    return this.running.status().brokerId;
  }

  /** Serves a connection that came some other way. */
  accept(connection: Connection, listener: string): void {
    this.#connections.push(connection);
    this.#accept?.(connection, listener);
  }

  /** The tab dies: nothing of it is heard any more. */
  kill(): void {
    this.#socket.close();
    this.#dialer.close("the tab died");
    for (const connection of this.#connections) connection.close("the tab died");
  }

  async stop(): Promise<void> {
    await this.running.stop();
    this.kill();
  }

  #platform(peer: string): BrokerPlatform {
    let disk = StoredLogs.empty;
    const store: LogStore = {
      async *load() {
        yield* disk.load();
      },
      write: async (operations) => {
        await new Promise((resolve) => setImmediate(resolve));
        disk = disk.apply(operations);
      },
      read: async (key, fromOffset, maxBytes) => disk.read(key, fromOffset, maxBytes),
      close: () => {},
    };
    return {
      clock: browserClock,
      store,
      identity: newIdentity(crypto.randomUUID(), "strict"),
      saveIdentity: async () => {},
      controller: this.#socket,
      dial: async ({ host }) => this.#dialer.dial(host, TAB_LISTENER),
      listen: (accept) => (this.#accept = accept),
      listeners: [{ name: TAB_LISTENER, endpoint: { host: peer, port: 0 } }],
      rack: `profile of ${peer}`,
      onLifecycle: () => {},
      randomUuid: () => crypto.randomUUID(),
      log: (level, message) => void this.logged.push(`${level} ${message}`),
    };
  }
}
