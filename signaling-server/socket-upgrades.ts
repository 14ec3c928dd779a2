import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import type { Access } from "./access.ts";
import { AddressSockets } from "./address-sockets.ts";
import { Cluster } from "./cluster.ts";
import type { Clusters } from "./clusters.ts";
import type { Limits } from "./limits.ts";
import type { RefusalReport } from "./refusal-report.ts";
import type { Relays } from "./relay.ts";
import { shutSocket } from "./socket-closing.ts";
import { parseSocketPath } from "./socket-path.ts";

export interface UpgradeServices {
  readonly access: Access;
  readonly limits: Limits;
  readonly clusters: Clusters;
  readonly relays: Relays;
  readonly refused: RefusalReport;
}

/** How long sockets may take to close before they are cut off. */
const CLOSE_MS = 1_000;

/** Makes WebSockets of requests for them, and hands each to the cluster or the relay that its address names. */
export class SocketUpgrades {
  readonly #services: UpgradeServices;
  readonly #webSockets: WebSocketServer;
  readonly #addresses: AddressSockets;
  #closing = false;

  constructor(services: UpgradeServices) {
    const { messageBytes, socketsPerAddress } = services.limits;
    this.#services = services;
    this.#addresses = new AddressSockets(socketsPerAddress);
    // The types of ws lack `closeTimeout`, so the options cannot be written where they are checked for unknown ones.
    const options = { noServer: true, perMessageDeflate: false, maxPayload: messageBytes, closeTimeout: 10_000 };
    this.#webSockets = new WebSocketServer(options);
  }

  /** Open WebSockets. */
  get size(): number {
    return this.#webSockets.clients.size;
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { access, limits, clusters, relays, refused } = this.#services;
    // Until ws takes over, a reset of the connection would be an error that nobody handles.
    socket.on("error", () => socket.destroy());
    const refusal = access.refusal(request);
    if (refusal !== undefined) return this.#refuse(socket, request, "403 Forbidden", "origin", refusal);
    const path = parseSocketPath(request.url ?? "");
    if (path === undefined) return this.#refuse(socket, request, "400 Bad Request", "address", "no such socket");
    if (this.#closing) {
      return this.#refuse(socket, request, "503 Service Unavailable", "closing", "the server is stopping");
    }
    const address = request.socket.remoteAddress ?? "";
    if (!this.#addresses.admit(address, socket)) {
      const reason = `${limits.socketsPerAddress} sockets are open from this address`;
      return this.#refuse(socket, request, "429 Too Many Requests", "address-full", reason);
    }
    if (path.kind === "relay") {
      return this.#complete(request, socket, head, (webSocket) => {
        const refusedAs = relays.join(path.relayId, webSocket, performance.now());
        if (refusedAs !== undefined) refused(refusedAs, refusedAs, request);
      });
    }
    const { cluster: name, peer, key } = path;
    const cluster = await clusters.open(name);
    // A stopping server would wait for a socket that nobody closes any more.
    if (this.#closing) return void socket.destroy();
    this.#complete(request, socket, head, (webSocket) => {
      if (cluster instanceof Cluster) return cluster.accept(webSocket, peer, key, address);
      refused("cluster-unavailable", cluster.reason, request);
      shutSocket(webSocket, cluster.code, cluster.reason);
    });
  }

  /** From now on sockets are refused. */
  stop(): void {
    this.#closing = true;
  }

  /** Waits a moment for sockets that are being closed, then cuts them off. */
  async cutOff(): Promise<void> {
    const deadlineMs = performance.now() + CLOSE_MS;
    while (this.size > 0 && performance.now() < deadlineMs) await sleep(10);
    for (const socket of this.#webSockets.clients) socket.terminate();
  }

  #complete(request: IncomingMessage, socket: Duplex, head: Buffer, opened: (webSocket: WebSocket) => void): void {
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      // ws closes a socket after an error by itself, but an error without a listener would end the process.
      webSocket.on("error", () => {});
      opened(webSocket);
    });
  }

  #refuse(socket: Duplex, request: IncomingMessage, status: string, kind: string, reason: string): void {
    this.#services.refused(kind, reason, request);
    const body = `${reason}\n`;
    // Node leaves the other half of such a socket to its peer, who might never close it.
    socket.once("finish", () => socket.destroy());
    socket.end(
      `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
}
