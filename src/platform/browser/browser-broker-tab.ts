import { type Remote, transfer, wrap } from "comlink";
import type { BrokerStatus } from "../../broker/broker-status.ts";
import type { Durability } from "../../broker/storage-identity.ts";
import type { LifecycleEvent } from "../../runtime/broker-platform.ts";
import type { Connection } from "../../runtime/connection.ts";
import type { BrokerOptions } from "../../runtime/run-broker.ts";
import type { BrokerControl, BrokerWorkerEvent, BrokerWorkerGreeting } from "./broker-control.ts";
import { DirectoryHint } from "./directory-hint.ts";
import type { LinkPath } from "./link-paths.ts";
import type { ToWorker } from "./link-port.ts";
import { addLocalBroker } from "./local-brokers.ts";
import { MessagePortConnection } from "./message-port-connection.ts";
import { persistStorage } from "./profile.ts";
import { randomUuid } from "./random-uuid.ts";
import { watchTabLifecycle } from "./tab-lifecycle.ts";
import { WorkerLinks } from "./worker-links.ts";

export interface BrokerTabOptions {
  /** Of the metadata server: `http(s)://…` or `ws(s)://…`. */
  readonly serverUrl: string;
  readonly cluster: string;
  /** What an acknowledgement promises: `strict`, the default, survives a power cut; `relaxed` is faster. */
  readonly durability?: Durability;
  /** STUN and TURN servers; none by default, which is enough within one network. */
  readonly iceServers?: readonly RTCIceServer[];
  /** Never links tabs directly. */
  readonly relayOnly?: boolean;
  readonly broker?: BrokerOptions;
}

/** A tab that is a broker, as its page sees it. */
export interface BrokerTab {
  /** The address under which other tabs dial this one. */
  readonly peer: string;
  status(): BrokerStatus;
  /** Calls back on every change of status; returns what ends that. */
  onStatus(listener: (status: BrokerStatus) => void): () => void;
  /** A Kafka connection from the page to its own broker. */
  openLocal(onClosed?: () => void): Promise<Connection>;
  /** Which way the connections with other tabs take. */
  linkPaths(): readonly LinkPath[];
  /** Whether the browser keeps this site's data when the disk runs low; asked once per profile. */
  readonly persisted: Promise<boolean>;
  /** Hands leadership over, then stops. */
  stop(): Promise<void>;
  /** Ends the broker at once and tells nobody, as a crash of its worker would: for demonstrations and tests. */
  crash(): void;
}

/** A comlink call never settles when the worker has died. */
const STOP_TIMEOUT_MS = 6000;

/** Starts a broker in a worker of this page. Resolves once it has its storage; it joins the cluster by itself. */
export async function startBrokerTab(options: BrokerTabOptions): Promise<BrokerTab> {
  const tab = new BrowserBrokerTab(options);
  await tab.start();
  return tab;
}

class BrowserBrokerTab implements BrokerTab {
  readonly #options: BrokerTabOptions;
  readonly #listeners = new Set<(status: BrokerStatus) => void>();
  readonly #key = randomUuid();
  readonly peer = randomUuid();
  readonly persisted: Promise<boolean>;
  readonly #hint: DirectoryHint;
  #unwatch: () => void = () => {};
  #session: Session | undefined;
  /** One after the other: a page has one broker at a time. */
  #restarts: Promise<void> = Promise.resolve();
  /** Whether it was stopped for good. */
  #over = false;
  #refusedDirectories: readonly string[] = [];
  #status: BrokerStatus = STARTING;

  constructor(options: BrokerTabOptions) {
    this.#options = options;
    this.#hint = new DirectoryHint(options.cluster);
    this.persisted = persistStorage().catch(() => false);
  }

  async start(): Promise<void> {
    this.#unwatch = watchTabLifecycle({
      closing: () => {
        this.#remember();
        this.#tell({ type: "closing" });
      },
      resumed: (gapMs) => this.#tell({ type: "time-gap", gapMs }),
      returned: () => this.#restart(),
    });
    try {
      await this.#startSession();
    } catch (cause) {
      this.#unwatch();
      throw cause;
    }
  }

  status(): BrokerStatus {
    return this.#status;
  }

  onStatus(listener: (status: BrokerStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async openLocal(onClosed?: () => void): Promise<Connection> {
    if (this.#session === undefined) throw new Error("the broker of this tab has stopped");
    return this.#session.openLocal(onClosed);
  }

  linkPaths(): readonly LinkPath[] {
    return this.#session?.paths ?? [];
  }

  async stop(): Promise<void> {
    this.#over = true;
    this.#unwatch();
    await this.#endSession();
  }

  crash(): void {
    this.#over = true;
    this.#unwatch();
    this.#session?.end();
    this.#session = undefined;
    this.#setStatus({ ...this.#status, state: "stopped", reason: "its worker was ended without a goodbye" });
  }

  #tell(event: LifecycleEvent): void {
    this.#session?.post({ type: "lifecycle", event });
  }

  #restart(): void {
    this.#restarts = this.#restarts.then(async () => {
      await this.#endSession();
      if (!this.#over) await this.#startSession().catch((cause: Error) => this.#fail(cause.message));
    });
  }

  async #startSession(): Promise<void> {
    const { serverUrl, cluster, durability = "strict", iceServers = [], broker = {} } = this.#options;
    const direct = this.#options.relayOnly !== true && "RTCPeerConnection" in globalThis;
    const session = new Session({ serverUrl, cluster, peer: this.peer }, iceServers, direct, {
      status: (status) => this.#setStatus(status),
      failed: (reason) => this.#fail(reason),
    });
    this.#session = session;
    try {
      const status = await session.start({
        serverUrl,
        cluster,
        peer: this.peer,
        key: this.#key,
        durability,
        directoryHint: this.#hint.own,
        latestDirectory: this.#hint.latest,
        refusedDirectories: this.#refusedDirectories,
        direct,
        broker,
      });
      this.#remember();
      if (this.#status === STARTING || this.#status.state === "stopped") this.#setStatus(status);
    } catch (cause) {
      session.end();
      this.#session = undefined;
      throw cause;
    }
  }

  /** When it starts and when it ends: of several tabs, the last that closes holds what the others may lack. */
  #remember(): void {
    const directoryId = this.#session?.directoryId;
    if (directoryId !== undefined) this.#hint.write(directoryId);
  }

  async #endSession(): Promise<void> {
    const session = this.#session;
    this.#remember();
    this.#session = undefined;
    if (session === undefined) return;
    await Promise.race([session.control.shutdown(), new Promise((resolve) => setTimeout(resolve, STOP_TIMEOUT_MS))]);
    session.end();
    this.#setStatus({ ...this.#status, state: "stopped" });
  }

  #fail(reason: string): void {
    this.#session?.end();
    this.#session = undefined;
    this.#setStatus({ ...this.#status, state: "failed", reason });
  }

  #setStatus(status: BrokerStatus): void {
    this.#status = status;
    if (status.state === "refused" && !this.#refusedDirectories.includes(status.directoryId)) {
      this.#refusedDirectories = [...this.#refusedDirectories, status.directoryId];
      this.#restart();
    }
    for (const listener of this.#listeners) listener(status);
  }
}

interface SessionHandlers {
  readonly status: (status: BrokerStatus) => void;
  readonly failed: (reason: string) => void;
}

/** One worker with its ports. */
class Session {
  readonly control: Remote<BrokerControl>;
  /** To be remembered, once it has started. */
  directoryId: string | undefined;
  paths: readonly LinkPath[] = [];
  readonly #worker: Worker;
  readonly #links: WorkerLinks;
  readonly #linksPort = new MessageChannel();
  readonly #events = new MessageChannel();
  readonly #locals = new Set<Connection>();
  readonly #removeLocal: () => void;
  readonly #failure: Promise<never>;

  constructor(
    address: { readonly serverUrl: string; readonly cluster: string; readonly peer: string },
    iceServers: readonly RTCIceServer[],
    direct: boolean,
    handlers: SessionHandlers,
  ) {
    this.#worker = new Worker(new URL("../../broker.worker.ts", import.meta.url), { type: "module" });
    const control = new MessageChannel();
    const greeting: BrokerWorkerGreeting = { control: control.port2 };
    this.#worker.postMessage(greeting, [control.port2]);
    this.control = wrap<BrokerControl>(control.port1);
    this.#failure = new Promise((_resolve, reject) => {
      this.#worker.onerror = (event) => {
        const reason = `the broker's worker failed: ${event.message ?? "it could not be loaded"}; reload the page`;
        reject(new Error(reason));
        handlers.failed(reason);
      };
    });
    this.#failure.catch(() => {});
    this.#links = new WorkerLinks(this.#linksPort.port1, address.peer, iceServers, direct);
    this.#events.port1.onmessage = ({ data }: MessageEvent<BrokerWorkerEvent>) => {
      if (data.type === "status") handlers.status(data.status);
      else this.paths = data.paths;
    };
    const openLocal = async (onClosed?: () => void) => this.openLocal(onClosed);
    this.#removeLocal = addLocalBroker({ ...address, openLocal, linksTo: (peer) => this.#links.linksTo(peer) });
  }

  async start(options: Parameters<BrokerControl["start"]>[0]): Promise<BrokerStatus> {
    const [links, events] = [this.#linksPort.port2, this.#events.port2];
    const started = this.control.start(options, transfer(links, [links]), transfer(events, [events]));
    const { status, isStandIn } = await Promise.race([started, this.#failure]);
    if (!isStandIn) this.directoryId = status.directoryId;
    return status;
  }

  post(message: ToWorker, ports: MessagePort[] = []): void {
    this.#linksPort.port1.postMessage(message, ports);
  }

  openLocal(onClosed?: () => void): Connection {
    const { port1, port2 } = new MessageChannel();
    const connection = new MessagePortConnection(port1, {
      onClosed: () => {
        this.#locals.delete(connection);
        onClosed?.();
      },
    });
    this.#locals.add(connection);
    this.post({ type: "local", port: port2 }, [port2]);
    return connection;
  }

  end(): void {
    this.#removeLocal();
    for (const connection of [...this.#locals]) connection.close("the broker of this tab stopped");
    this.#links.close();
    this.#events.port1.close();
    this.#worker.terminate();
  }
}

const STARTING: BrokerStatus = {
  state: "starting",
  brokerId: -1,
  directoryId: "",
  rack: "",
  reason: undefined,
  controllerConnected: false,
  partitions: [],
  storedBytes: 0,
  replicatedBytes: 0,
};
