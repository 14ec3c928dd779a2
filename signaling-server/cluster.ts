import type { WebSocket } from "ws";
import type { ControllerConfig } from "../src/metadata/controller-config.ts";
import type { ClusterImage } from "../src/metadata/image.ts";
import { closeCodes } from "./close-codes.ts";
import { ClusterSocket } from "./cluster-socket.ts";
import { ControllerHost } from "./controller-host.ts";
import type { Limits } from "./limits.ts";
import type { MetadataStore } from "./metadata-store/metadata-store.ts";
import type { Relays } from "./relay.ts";
import type { ServerLog } from "./server-log.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import { Room } from "./signaling.ts";
import type { Message } from "./signaling.ts";

export interface ClusterServices {
  readonly store: MetadataStore;
  /** That of the named cluster. */
  readonly controllerConfig: (cluster: string) => Partial<ControllerConfig>;
  /** The image of the named cluster has changed. */
  readonly decided: (cluster: string) => void;
  readonly relays: Relays;
  readonly limits: Limits;
  readonly metrics: ServerMetrics;
  readonly log: ServerLog;
}

/** One cluster while it is open: the room where its tabs meet, and its controller. */
export class Cluster {
  readonly name: string;
  readonly #services: ClusterServices;
  readonly #room: Room;
  readonly #host: ControllerHost;
  readonly #sockets = new Set<ClusterSocket>();
  #usedMs = performance.now();

  /** `failed` is called once, if the cluster cannot go on; its sockets are closed by then. */
  static async open(name: string, services: ClusterServices, failed: () => void): Promise<Cluster> {
    const { store, controllerConfig, decided, metrics, log } = services;
    let cluster: Cluster | undefined;
    const host = await ControllerHost.open({
      cluster: name,
      store,
      config: controllerConfig(name),
      log: (level, message) => log(level, message, { cluster: name }),
      committed: (seconds) => metrics.committed(seconds),
      decided: () => decided(name),
      failed: (reason) => {
        log("error", "cluster stopped", { cluster: name, reason });
        const told = "the cluster stopped because of an error; see the server's log";
        cluster?.closeSockets(closeCodes.internalError, told);
        failed();
      },
    });
    cluster = new Cluster(name, services, host);
    return cluster;
  }

  private constructor(name: string, services: ClusterServices, host: ControllerHost) {
    this.name = name;
    this.#services = services;
    this.#room = new Room(name, services.limits);
    this.#host = host;
  }

  get size(): number {
    return this.#sockets.size;
  }

  get image(): ClusterImage {
    return this.#host.image;
  }

  get logEndOffset(): number {
    return this.#host.logEndOffset;
  }

  accept(webSocket: WebSocket, peer: string, key: string, address: string): void {
    const { limits, metrics, log } = this.#services;
    const host = this.#host;
    let connectionId: number | undefined;
    const socket = new ClusterSocket(webSocket, limits, metrics, {
      message: (message) => this.#deliver(peer, address, message),
      frame: (frame) => {
        if (connectionId !== undefined) host.request(connectionId, frame);
      },
      closed: (reason, code) => {
        this.#usedMs = performance.now();
        this.#room.leave(peer, socket, this.#usedMs);
        if (connectionId !== undefined) this.#disconnect(connectionId, code === closeCodes.replaced);
        const wasIn = this.#sockets.delete(socket);
        if (wasIn) log("info", "tab disconnected", { cluster: this.name, peer, address, reason });
      },
    });
    const refusal = this.#room.join(peer, key, socket);
    if (refusal !== undefined) {
      const kind = refusal.code === closeCodes.wrongKey ? "wrong-key" : "cluster-full";
      log("warn", "refused", { reason: refusal.reason, cluster: this.name, peer, address });
      return socket.refuse(kind, refusal.code, refusal.reason);
    }
    this.#sockets.add(socket);
    log("info", "tab connected", { cluster: this.name, peer, address });
    connectionId = host.connect({
      send: (frame) => socket.sendFrame(frame),
      close: (reason) => socket.close(closeCodes.policyViolation, reason),
    });
  }

  /** Asks a tab to join a relay for `from`, as a connection of that listener. Whether the tab could be asked. */
  askToJoin(peer: string, from: string, relayId: string, listener: string): boolean {
    return this.#room.tell(peer, { type: "relay", from, relayId, listener });
  }

  keepAlive(nowMs: number, pausedMs: number): void {
    for (const socket of this.#sockets) socket.keepAlive(nowMs, pausedMs);
    this.#room.expireKeys(nowMs);
  }

  /** Whether nobody has used the cluster for long and nothing is under way. */
  isIdle(nowMs: number): boolean {
    return this.size === 0 && this.#host.isSettled && nowMs - this.#usedMs >= this.#services.limits.idleClusterMs;
  }

  closeSockets(code: number, reason: string): void {
    for (const socket of this.#sockets) socket.close(code, reason);
  }

  /** The controller hears no more: least of all that the tabs it watches are gone. Resolves after the last write. */
  stop(): Promise<void> {
    return this.#host.stop();
  }

  #deliver(peer: string, address: string, message: Message): void {
    if (message.type !== "relay") return void this.#room.deliver(peer, message);
    const { relays, limits, metrics, log } = this.#services;
    const tab = `${this.name}/${peer}`;
    if (!relays.mayAnnounce(tab)) {
      metrics.refused("relays-of-tab");
      const reason = `this tab has its ${limits.relaysPerTab} relays`;
      log("warn", "refused", { reason, cluster: this.name, peer, address });
      return this.#room.tellUnreachable(peer, message.to);
    }
    if (this.#room.deliver(peer, message) === "delivered") relays.announce(message.relayId, tab);
  }

  #disconnect(connectionId: number, isReplaced: boolean): void {
    const { replacedSocketMs } = this.#services.limits;
    if (isReplaced) setTimeout(() => this.#host.disconnect(connectionId), replacedSocketMs).unref();
    else this.#host.disconnect(connectionId);
  }
}
