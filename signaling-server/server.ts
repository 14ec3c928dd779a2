import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import type { ControllerConfig } from "../src/metadata/controller-config.ts";
import { Access } from "./access.ts";
import { AddressSockets } from "./address-sockets.ts";
import { closeCodes } from "./close-codes.ts";
import { Cluster } from "./cluster.ts";
import { Clusters } from "./clusters.ts";
import { KafkaListener } from "./kafka-listener.ts";
import type { KafkaListenerOptions } from "./kafka-listener.ts";
import { defaultLimits } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { LmdbMetadataStore } from "./metadata-store/lmdb-metadata-store.ts";
import { Relays } from "./relay.ts";
import type { ServerLog } from "./server-log.ts";
import { ServerMetrics } from "./server-metrics.ts";
import { securityHeaders } from "./security-headers.ts";
import { shutSocket } from "./socket-closing.ts";
import { parseSocketPath } from "./socket-path.ts";
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

/** How long sockets may take to close before they are cut off. */
const CLOSE_MS = 1_000;

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const http = createServer({ keepAlive: true, headersTimeout: 10_000, requestTimeout: 30_000 });
  http.maxConnections = 10_000;
  // The port comes first: of two servers that were started by mistake, the second must not touch the data.
  await listen(http, options);
  let server: TabstreamServer;
  try {
    server = new TabstreamServer(http, options);
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
  readonly #webSockets: WebSocketServer;
  readonly #store: LmdbMetadataStore;
  readonly #metrics: ServerMetrics;
  readonly #access: Access;
  readonly #files: StaticFiles;
  readonly #clusters: Clusters;
  readonly #relays: Relays;
  readonly #addressSockets: AddressSockets;
  readonly #startedMs = performance.now();
  readonly #ticks: NodeJS.Timeout;
  #kafka: KafkaListener | undefined;
  #closing: Promise<void> | undefined;

  constructor(http: Server, options: ServerOptions) {
    const { dataDir, staticRoot, host, origins = [], minControllerEpoch = 0, log } = options;
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#http = http;
    this.port = (http.address() as AddressInfo).port;
    this.url = `http://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
    this.#addressSockets = new AddressSockets(this.#limits.socketsPerAddress);
    this.#access = new Access({ host, origins });
    this.#files = new StaticFiles(staticRoot);
    this.#store = new LmdbMetadataStore({ dataDir, maxClusters: this.#limits.storedClusters, minControllerEpoch });
    this.#metrics = new ServerMetrics(() => this.#readings());
    this.#clusters = new Clusters({
      store: this.#store,
      limits: this.#limits,
      metrics: this.#metrics,
      log,
      controllerConfig: (cluster) => controllerConfigOf(options, cluster),
      decided: (cluster) => {
        if (cluster === options.kafka?.cluster) this.#kafka?.openPorts();
      },
    });
    this.#relays = new Relays(this.#limits, { relayed: (bytes) => this.#metrics.frame("relay", "in", bytes) });
    const { messageBytes } = this.#limits;
    // The types of ws lack `closeTimeout`, so the options cannot be written where they are checked for unknown ones.
    const socketOptions = { noServer: true, perMessageDeflate: false, maxPayload: messageBytes, closeTimeout: 10_000 };
    this.#webSockets = new WebSocketServer(socketOptions);
    http.on("request", (request, response) => this.#onRequest(request, response));
    http.on("upgrade", (request, socket, head) => {
      this.#onUpgrade(request, socket, head).catch((error: unknown) => {
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
    const freed = once(this.#http, "close");
    this.#http.close();
    const written = this.#clusters.stop(closeCodes.serviceRestart, "the server restarts");
    this.#kafka?.close();
    this.#relays.closeAll(closeCodes.serviceRestart, "the server restarts");
    const deadlineMs = performance.now() + CLOSE_MS;
    while (this.#webSockets.clients.size > 0 && performance.now() < deadlineMs) await sleep(10);
    for (const socket of this.#webSockets.clients) socket.terminate();
    this.#http.closeAllConnections();
    await Promise.all([freed, written]);
    await this.#store.close();
  }

  #tick(): void {
    this.#clusters.tick();
    this.#relays.closeIdle(performance.now());
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#access.refusal(request);
    if (refusal !== undefined) {
      this.#refused("origin", refusal, request);
      return answer(response, 403, "text/plain; charset=utf-8", `${refusal}\n`);
    }
    for (const [name, value] of Object.entries(securityHeaders(request.headers.host ?? ""))) {
      response.setHeader(name, value);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      response.setHeader("connection", "close");
      return answer(response, 405, "text/plain; charset=utf-8", "Only GET and HEAD are served here\n");
    }
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    if (path === "/healthz") return this.#answerHealth(response);
    if (path === "/metrics") return void this.#answerMetrics(response);
    this.#files.answer(request, response, path);
  }

  #answerHealth(response: ServerResponse): void {
    const { sockets, clusters, failedClusters } = this.#readings();
    const status = failedClusters === 0 ? "ok" : "degraded";
    const uptimeSeconds = Math.round((performance.now() - this.#startedMs) / 1000);
    const body = JSON.stringify({ status, uptimeSeconds, sockets, clusters, failedClusters });
    answer(response, failedClusters === 0 ? 200 : 503, "application/json; charset=utf-8", `${body}\n`);
  }

  async #answerMetrics(response: ServerResponse): Promise<void> {
    try {
      answer(response, 200, this.#metrics.contentType, await this.#metrics.text());
    } catch (error) {
      this.#options.log("error", "metrics cannot be read", { reason: String(error) });
      answer(response, 500, "text/plain; charset=utf-8", "metrics cannot be read\n");
    }
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // Until ws takes over, a reset of the connection would be an error that nobody handles.
    socket.on("error", () => socket.destroy());
    const refusal = this.#access.refusal(request);
    if (refusal !== undefined) return this.#refuseUpgrade(socket, request, "403 Forbidden", "origin", refusal);
    const path = parseSocketPath(request.url ?? "");
    if (path === undefined) return this.#refuseUpgrade(socket, request, "400 Bad Request", "address", "no such socket");
    if (this.#closing !== undefined) {
      return this.#refuseUpgrade(socket, request, "503 Service Unavailable", "closing", "the server is stopping");
    }
    const address = request.socket.remoteAddress ?? "";
    if (!this.#addressSockets.admit(address, socket)) {
      const reason = `${this.#limits.socketsPerAddress} sockets are open from this address`;
      return this.#refuseUpgrade(socket, request, "429 Too Many Requests", "address-full", reason);
    }
    if (path.kind === "relay") {
      return this.#complete(request, socket, head, (webSocket) => {
        const refused = this.#relays.join(path.relayId, webSocket, performance.now());
        if (refused !== undefined) this.#refused(refused, refused, request);
      });
    }
    const { cluster: name, peer, key } = path;
    const cluster = await this.#clusters.open(name);
    // A stopping server would wait for a socket that nobody closes any more.
    if (this.#closing !== undefined) return void socket.destroy();
    this.#complete(request, socket, head, (webSocket) => {
      if (cluster instanceof Cluster) return cluster.accept(webSocket, peer, key, address);
      this.#refused("cluster-unavailable", cluster.reason, request);
      shutSocket(webSocket, cluster.code, cluster.reason);
    });
  }

  #complete(request: IncomingMessage, socket: Duplex, head: Buffer, opened: (webSocket: WebSocket) => void): void {
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      // ws closes a socket after an error by itself, but an error without a listener would end the process.
      webSocket.on("error", () => {});
      opened(webSocket);
    });
  }

  #refuseUpgrade(socket: Duplex, request: IncomingMessage, status: string, kind: string, reason: string): void {
    this.#refused(kind, reason, request);
    const body = `${reason}\n`;
    // Node leaves the other half of such a socket to its peer, who might never close it.
    socket.once("finish", () => socket.destroy());
    socket.end(
      `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }

  #refused(kind: string, reason: string, request: IncomingMessage): void {
    this.#metrics.refused(kind);
    this.#options.log("warn", "refused", { reason, address: request.socket.remoteAddress });
  }

  #readings() {
    const clusters = [...this.#clusters];
    return {
      sockets: this.#webSockets.clients.size,
      relays: this.#relays.size,
      kafkaConnections: this.#kafka?.size ?? 0,
      clusters: clusters.length,
      failedClusters: this.#clusters.failed,
      brokers: clusters.reduce((sum, { brokers }) => sum + brokers, 0),
      metadataLogEndOffset: clusters.reduce((sum, { logEndOffset }) => sum + logEndOffset, 0),
    };
  }
}

function controllerConfigOf({ controllerConfig = {}, kafka }: ServerOptions, cluster: string) {
  if (cluster !== kafka?.cluster) return controllerConfig;
  return { ...controllerConfig, kafkaListener: { host: kafka.advertisedHost, basePort: kafka.port } };
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { "content-type": type, "content-length": length, "cache-control": "no-store" });
  response.end(body);
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
