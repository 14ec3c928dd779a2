import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import type { ClusterImage } from "../src/metadata/image.ts";
import { KAFKA_LISTENER, TAB_LISTENER } from "../src/metadata/listener-names.ts";
import { AddressSockets } from "./address-sockets.ts";
import type { Cluster } from "./cluster.ts";
import { KafkaPorts } from "./kafka-ports.ts";
import type { KafkaPortOptions } from "./kafka-ports.ts";
import { KafkaSplice } from "./kafka-splice.ts";
import type { Limits } from "./limits.ts";
import type { Relays } from "./relay.ts";
import type { ServerLog } from "./server-log.ts";
import type { ServerMetrics } from "./server-metrics.ts";

export interface KafkaListenerOptions extends KafkaPortOptions {
  /** The name or address by which clients reach this machine. */
  readonly advertisedHost: string;
  /** The cluster whose brokers are offered. */
  readonly cluster: string;
}

export interface KafkaListenerServices {
  /** The cluster, while it is open. */
  readonly cluster: () => Cluster | undefined;
  readonly relays: Relays;
  readonly limits: Limits;
  readonly metrics: ServerMetrics;
  readonly log: ServerLog;
}

interface Route {
  readonly brokerId: number;
  readonly peer: string;
  readonly profile: string;
}

/**
 * The TCP ports of a cluster's brokers, for Kafka clients of any kind. Each connection is spliced to a relay socket of
 * the broker's tab, and not a byte of it is read here: clients learn the other ports from the brokers themselves.
 *
 * A port stays open while its tab is away. Connections to it are accepted and closed, which a client takes for a broker
 * that restarts: it tries again, and elsewhere.
 */
export class KafkaListener {
  readonly #services: KafkaListenerServices;
  readonly #bootstrap: Server;
  readonly #ports: KafkaPorts;
  readonly #splices = new Map<KafkaSplice, Route>();
  readonly #addresses: AddressSockets;
  readonly #sweeps: NodeJS.Timeout;
  /** The broker that the last bootstrap connection went to. */
  #lastBootstrapped = -1;
  #closed = false;

  /** Opens the bootstrap port; rejects if it is taken. */
  static async start(options: KafkaListenerOptions, services: KafkaListenerServices): Promise<KafkaListener> {
    const listener = new KafkaListener(options, services);
    try {
      await listener.#ports.listen(listener.#bootstrap, options.port);
    } catch (error) {
      listener.close();
      throw error;
    }
    listener.openPorts();
    return listener;
  }

  private constructor(options: KafkaListenerOptions, services: KafkaListenerServices) {
    const { limits, metrics, log } = services;
    this.#services = services;
    this.#ports = new KafkaPorts(options, {
      metrics,
      log,
      serverFor: (brokerId) => this.#server((image) => (image.brokers.has(brokerId) ? [brokerId] : [])),
    });
    this.#addresses = new AddressSockets(limits.kafkaSocketsPerAddress);
    this.#bootstrap = this.#server((image) => this.#inTurn(image));
    this.#sweeps = setInterval(() => this.#sweep(), limits.kafkaSweepMs);
  }

  /** Open connections. */
  get size(): number {
    return this.#splices.size;
  }

  /** To be called when the cluster has changed: every broker that it knows has its port. */
  openPorts(): void {
    const image = this.#services.cluster()?.image;
    if (image === undefined || this.#closed) return;
    this.#ports.keepOpen(new Set(image.brokers.keys()));
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#sweeps);
    this.#bootstrap.close();
    this.#ports.close();
    for (const splice of this.#splices.keys()) splice.end("server stops");
  }

  /** `brokersFor` names the brokers that a connection may go to, the best first. */
  #server(brokersFor: (image: ClusterImage) => readonly number[]): Server {
    const options = { pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    return createServer(options, (client) => this.#accept(client, brokersFor));
  }

  #accept(client: Socket, brokersFor: (image: ClusterImage) => readonly number[]): void {
    const { limits } = this.#services;
    client.on("error", () => client.destroy());
    const address = client.remoteAddress;
    // Undefined if it is gone already.
    if (address === undefined) return void client.destroy();
    if (this.#splices.size >= limits.kafkaSockets) {
      return this.#refuse(client, "kafka-full", `the Kafka listener has its ${limits.kafkaSockets} connections`);
    }
    if (!this.#addresses.admit(address, client)) {
      const reason = `${limits.kafkaSocketsPerAddress} Kafka connections are open from this address`;
      return this.#refuse(client, "kafka-address-full", reason);
    }
    const image = this.#services.cluster()?.image;
    const brokerIds = image === undefined ? [] : brokersFor(image).filter((brokerId) => image.isActive(brokerId));
    if (image === undefined || brokerIds.length === 0) {
      return this.#refuse(client, "kafka-no-broker", "the broker of this Kafka port is away");
    }
    const routes = brokerIds.flatMap((brokerId) => routeTo(image, brokerId) ?? []);
    const free = this.#withRoom(routes);
    if (routes.length > 0 && free.length === 0) {
      const reason = `each browser profile to go to has its ${limits.kafkaSocketsPerProfile} Kafka connections`;
      return this.#refuse(client, "kafka-profile-full", reason);
    }
    if (free.some((route) => this.#splice(client, route))) return;
    this.#refuse(client, "kafka-broker-unreachable", "no tab takes this Kafka connection");
  }

  #splice(client: Socket, route: Route): boolean {
    const { relays, limits, metrics, log } = this.#services;
    const { brokerId, peer } = route;
    const address = `${client.remoteAddress}:${client.remotePort}`;
    const relayId = randomUUID();
    const asked = this.#services.cluster()?.askToJoin(peer, address, relayId, KAFKA_LISTENER) ?? false;
    if (!asked) return false;
    const splice = new KafkaSplice(client, limits, {
      moved: (direction, bytes) => metrics.frame("listener", direction, bytes),
      ended: (reason) => {
        forget();
        this.#splices.delete(splice);
        metrics.kafkaClosed(reason);
        log("debug", "Kafka connection closed", { broker: brokerId, address, reason });
      },
    });
    const forget = relays.expect(relayId, (tab) => splice.join(tab));
    this.#splices.set(splice, route);
    log("debug", "Kafka connection opened", { broker: brokerId, address });
    return true;
  }

  #refuse(client: Socket, kind: string, reason: string): void {
    const { metrics, log } = this.#services;
    metrics.refused(kind);
    log("warn", "refused", { reason, address: client.remoteAddress, port: client.localPort });
    client.destroy();
  }

  #withRoom(routes: readonly Route[]): readonly Route[] {
    const counts = new Map<string, number>();
    for (const { profile } of this.#splices.values()) counts.set(profile, (counts.get(profile) ?? 0) + 1);
    return routes.filter(({ profile }) => (counts.get(profile) ?? 0) < this.#services.limits.kafkaSocketsPerProfile);
  }

  /** All brokers, beginning behind the one that had the last turn. */
  #inTurn(image: ClusterImage): readonly number[] {
    const brokerIds = [...image.brokers.keys()].filter((brokerId) => image.isActive(brokerId)).sort((a, b) => a - b);
    const next = brokerIds.findIndex((brokerId) => brokerId > this.#lastBootstrapped);
    const turn = next === -1 ? brokerIds : [...brokerIds.slice(next), ...brokerIds.slice(0, next)];
    this.#lastBootstrapped = turn[0] ?? -1;
    return turn;
  }

  /**
   * Closes what nobody uses, and what leads to a broker that the cluster has given up: its tab may be frozen, and would
   * keep a client waiting for as long as the client's own timeout.
   */
  #sweep(): void {
    const nowMs = performance.now();
    const image = this.#services.cluster()?.image;
    for (const [splice, { brokerId }] of this.#splices) {
      if (nowMs - splice.lastMovedMs >= this.#services.limits.kafkaIdleMs) splice.end("idle");
      else if (image?.brokers.get(brokerId)?.fenced === true) splice.end("broker fenced");
    }
    this.openPorts();
  }
}

const KEEP_ALIVE_MS = 60_000;

/** Undefined if the broker has no tab. */
function routeTo(image: ClusterImage, brokerId: number): Route | undefined {
  const broker = image.brokers.get(brokerId);
  const peer = broker?.listeners.find(({ name }) => name === TAB_LISTENER)?.host;
  return peer === undefined ? undefined : { brokerId, peer, profile: broker?.rack ?? peer };
}
