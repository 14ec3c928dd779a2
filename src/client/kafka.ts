import { Admin } from "./admin.ts";
import type { AdminConfig } from "./admin-types.ts";
import type { RetryOptions } from "./backoff.ts";
import { Cluster } from "./cluster.ts";
import { Consumer } from "./consumer.ts";
import type { ConsumerConfig } from "./consumer-types.ts";
import { KafkaJSNonRetriableError, KafkaJSNotImplemented } from "./errors.ts";
import { consoleLogCreator, createLogger, logLevel } from "./logger.ts";
import type { logCreator, Logger } from "./logger.ts";
import { Producer } from "./producer.ts";
import type { ProducerConfig } from "./producer.ts";
import type { ClientPlatform } from "../runtime/client-platform.ts";
import { CLUSTER_NAME } from "../runtime/signaling.ts";

export interface KafkaConfig {
  /**
   * The metadata server, as `ws(s)://host[:port][/cluster]` or with `http(s)`. The cluster is named "tabstream" when
   * the address names none. Only the first address is used: there is one server.
   */
  readonly brokers: readonly string[];
  readonly clientId?: string;
  /** Milliseconds to open a connection to a broker; 10,000 by default, since a direct link is tried first. */
  readonly connectionTimeout?: number;
  /** Milliseconds to wait for an answer; 30,000 by default. */
  readonly requestTimeout?: number;
  readonly retry?: RetryOptions;
  readonly logLevel?: logLevel;
  readonly logCreator?: logCreator;
  /** STUN and TURN servers; none by default, which is enough within one network. */
  readonly iceServers?: readonly RTCIceServer[];
  /** Never links tabs directly: everything goes through the server. */
  readonly relayOnly?: boolean;
}

/** Which server, and which of its clusters. */
export interface ServerAddress {
  /** `http(s)` or `ws(s)`, without the cluster. */
  readonly serverUrl: string;
  readonly cluster: string;
}

const DEFAULT_CLUSTER = "tabstream";

/**
 * The way in: makes producers, consumers and admin clients, which share one connection to the metadata server. What it
 * runs on is given by `createPlatform`; `src/index.ts` gives the browser.
 */
export class KafkaClient {
  readonly #config: KafkaConfig;
  readonly #logger: Logger;
  readonly #cluster: Cluster;

  constructor(config: KafkaConfig, createPlatform: (address: ServerAddress) => ClientPlatform) {
    if ("sasl" in config && config.sasl !== undefined) {
      const remedy = "leave sasl out, and the server to those you trust";
      throw new KafkaJSNotImplemented(`There is no authentication yet: ${remedy}`);
    }
    const address = serverAddress(config.brokers);
    this.#config = config;
    this.#logger = createLogger({
      level: config.logLevel ?? logLevel.INFO,
      logCreator: config.logCreator ?? consoleLogCreator,
      wallNow: () => this.#cluster.wallNow(),
    });
    this.#cluster = new Cluster({
      createPlatform: () => createPlatform(address),
      clientId: config.clientId ?? "tabstream",
      connectionTimeoutMs: config.connectionTimeout ?? 10_000,
      requestTimeoutMs: config.requestTimeout ?? 30_000,
      logger: this.#logger.namespace("Cluster"),
    });
  }

  producer(config: ProducerConfig = {}): Producer {
    return new Producer(this.#cluster, config, this.#shared());
  }

  consumer(config: ConsumerConfig = {}): Consumer {
    return new Consumer(this.#cluster, config, this.#shared());
  }

  admin(config: AdminConfig = {}): Admin {
    return new Admin(this.#cluster, config, this.#shared());
  }

  logger(): Logger {
    return this.#logger;
  }

  #shared(): { logger: Logger; retry: RetryOptions | undefined } {
    return { logger: this.#logger, retry: this.#config.retry };
  }
}

/** Takes the address apart; throws for one that names no server. */
export function serverAddress(brokers: readonly string[]): ServerAddress {
  const [address] = Array.isArray(brokers) ? (brokers as readonly string[]) : [];
  if (address === undefined) {
    throw new KafkaJSNonRetriableError(
      'brokers is empty, or no array; name the metadata server, as in brokers: ["wss://example.org"]',
    );
  }
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^(ws|http)s?:$/.test(url.protocol)) {
    throw new KafkaJSNonRetriableError(
      `"${address}" is no address of a metadata server; it looks like "wss://host:port/cluster"`,
    );
  }
  const segments = url.pathname.split("/").filter((segment) => segment !== "");
  const cluster = decodeURIComponent(segments[0] ?? DEFAULT_CLUSTER);
  if (segments.length > 1 || !CLUSTER_NAME.test(cluster)) {
    throw new KafkaJSNonRetriableError(
      `"${url.pathname}" in "${address}" is no cluster name: 1 to 64 letters, digits, dots, underscores and hyphens`,
    );
  }
  return { serverUrl: url.origin === "null" ? `${url.protocol}//${url.host}` : url.origin, cluster };
}
