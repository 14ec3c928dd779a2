import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ControllerConfig } from "../src/metadata/controller-config.ts";
import { Access } from "./access.ts";
import { closeCodes } from "./close-codes.ts";
import { Cluster } from "./cluster.ts";
import { takeCensus } from "./cluster-census.ts";
import { Clusters } from "./clusters.ts";
import { HttpAnswers } from "./http-answers.ts";
import { answerInPresentProtocol, impatientServer, offersWebSocket, shareConnections } from "./http-port.ts";
import { KafkaListener } from "./kafka-listener.ts";
import type { KafkaListenerOptions } from "./kafka-listener.ts";
import { defaultLimits } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { LmdbMetadataStore } from "./metadata-store/lmdb-metadata-store.ts";
import { refusalReport } from "./refusal-report.ts";
import { Relays } from "./relay.ts";
import type { ServerLog } from "./server-log.ts";
import { ServerMetrics } from "./server-metrics.ts";
import { SocketUpgrades } from "./socket-upgrades.ts";
import { StaticFiles } from "./static-files.ts";

export interface ServerOptions {
  /** 0 picks a free one. */
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** A folder with the built pages. */
  readonly staticRoot: string;
  /** Origins whose pages may use the server, beside its own. */
  readonly origins?: readonly string[];
  readonly minControllerEpoch?: number;
  readonly log: ServerLog;
  readonly limits?: Partial<Limits>;
  readonly controllerConfig?: Partial<ControllerConfig>;
  /** Where Kafka clients reach the brokers of one cluster; nowhere by default. */
  readonly kafka?: KafkaListenerOptions | undefined;
}

export interface RunningServer {
  /** `http://host:port` */
  readonly url: string;
  readonly port: number;
  /** Asks every tab to connect again, writes what is being written, and frees the port. */
  close(): Promise<void>;
}

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const limits = { ...defaultLimits, ...options.limits };
  const http = impatientServer(limits);
  // The port comes first: of two servers that were started by mistake, the second must not touch the data.
  await listen(http, options);
  let server: TabstreamServer;
  try {
    server = new TabstreamServer(http, options, limits);
  } catch (error) {
    http.close();
    throw error;
  }
  try {
    await server.listenToKafka();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

class TabstreamServer implements RunningServer {
  readonly url: string;
  readonly port: number;
  readonly #options: ServerOptions;
  readonly #limits: Limits;
  readonly #http: Server;
  readonly #store: LmdbMetadataStore;
  readonly #metrics: ServerMetrics;
  readonly #clusters: Clusters;
  readonly #relays: Relays;
  readonly #upgrades: SocketUpgrades;
  readonly #cutOff: () => void;
  readonly #ticks: NodeJS.Timeout;
  #kafka: KafkaListener | undefined;
  #closing: Promise<void> | undefined;

  constructor(http: Server, options: ServerOptions, limits: Limits) {
    const { dataDir, staticRoot, host, origins = [], minControllerEpoch = 0, log } = options;
    this.#options = options;
    this.#limits = limits;
    this.#http = http;
    this.port = (http.address() as AddressInfo).port;
    this.url = `http://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
    const files = new StaticFiles(staticRoot);
    if (files.isEmpty) log("warn", "there are no pages to serve", { folder: staticRoot });
    this.#store = new LmdbMetadataStore({
      dataDir,
      maxClusters: this.#limits.storedClusters,
      isOpen: (cluster) => this.#clusters.isOpen(cluster),
      minControllerEpoch,
    });
    this.#metrics = new ServerMetrics(() => this.#readings());
    this.#relays = new Relays(this.#limits, { relayed: (bytes) => this.#metrics.frame("relay", "in", bytes) });
    this.#clusters = new Clusters({
      store: this.#store,
      relays: this.#relays,
      limits: this.#limits,
      metrics: this.#metrics,
      log,
      controllerConfig: (cluster) => controllerConfigOf(options, cluster),
      decided: (cluster) => {
        if (cluster === options.kafka?.cluster) this.#kafka?.openPorts();
      },
    });
    const door = { access: new Access({ host, origins }), refused: refusalReport(this.#metrics, log) };
    this.#upgrades = new SocketUpgrades({
      ...door,
      limits: this.#limits,
      clusters: this.#clusters,
      relays: this.#relays,
    });
    const health = () => this.#readings();
    const answers = new HttpAnswers({ ...door, files, metrics: this.#metrics, log, health });
    this.#cutOff = shareConnections(http, limits, door.refused);
    const answer = (request: IncomingMessage, response: ServerResponse) => answers.answer(request, response);
    // One connection that the machine could not accept; the port stays open.
    http.on("error", (error) => log("warn", "the HTTP port failed", { reason: error.message }));
    http.on("request", answer);
    http.on("upgrade", (request, socket, head) => {
      if (!offersWebSocket(request)) return answerInPresentProtocol(request, answer, limits);
      this.#upgrades.upgrade(request, socket, head).catch((error: unknown) => {
        log("error", "a socket could not be opened", { reason: String(error) });
        socket.destroy();
      });
    });
    this.#ticks = setInterval(() => this.#tick(), this.#limits.pingIntervalMs);
  }

  /** Opens the ports of the brokers that the cluster has had. Without a Kafka listener it does nothing. */
  async listenToKafka(): Promise<void> {
    const { kafka, log } = this.#options;
    if (kafka === undefined) return;
    const opened = await this.#clusters.open(kafka.cluster);
    if (!(opened instanceof Cluster)) log("warn", "the Kafka listener has no cluster yet", { reason: opened.reason });
    this.#kafka = await KafkaListener.start(kafka, {
      cluster: () => this.#clusters.get(kafka.cluster),
      relays: this.#relays,
      limits: this.#limits,
      metrics: this.#metrics,
      log,
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#ticks);
    this.#upgrades.stop();
    const freed = once(this.#http, "close");
    this.#http.close();
    const written = this.#clusters.stop(closeCodes.serviceRestart, "the server restarts");
    this.#kafka?.close();
    this.#relays.closeAll(closeCodes.serviceRestart, "the server restarts");
    await this.#upgrades.cutOff();
    this.#cutOff();
    await Promise.all([freed, written]);
    await this.#store.close();
  }

  #tick(): void {
    this.#clusters.tick();
    this.#relays.closeIdle(performance.now());
  }

  #readings() {
    const clusters = [...this.#clusters];
    return {
      sockets: this.#upgrades.size,
      relays: this.#relays.size,
      kafkaConnections: this.#kafka?.size ?? 0,
      clusters: clusters.length,
      failedClusters: this.#clusters.failed,
      ...takeCensus(clusters.map(({ image }) => image)),
    };
  }
}

function controllerConfigOf({ controllerConfig = {}, kafka }: ServerOptions, cluster: string) {
  if (cluster !== kafka?.cluster) return controllerConfig;
  return { ...controllerConfig, kafkaListener: { host: kafka.advertisedHost, basePort: kafka.port } };
}

async function listen(http: Server, { port, host }: ServerOptions): Promise<void> {
  http.listen(port, host);
  try {
    await once(http, "listening");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const isTaken = code === "EADDRINUSE";
    const reason = isTaken ? "it is in use; choose another with --port" : message;
    throw new Error(`cannot listen on port ${port} of ${host}: ${reason}`, { cause });
  }
}
