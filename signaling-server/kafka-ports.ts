import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import type { ServerLog } from "./server-log.ts";
import type { ServerMetrics } from "./server-metrics.ts";

export interface KafkaPortOptions {
  /** The bootstrap port. Node n listens on `port + 1 + n`. */
  readonly port: number;
  /** The address to listen on. */
  readonly host: string;
}

export interface KafkaPortServices {
  readonly metrics: Pick<ServerMetrics, "refused">;
  readonly log: ServerLog;
  /** What listens on the port of a broker. */
  readonly serverFor: (brokerId: number) => Server;
}

const LAST_PORT = 65_535;
const TAKEN = "it is in use; end the program that has it, or choose others with --kafka-port";

/** The TCP ports of brokers, each open as long as its broker is known. */
export class KafkaPorts {
  readonly #options: KafkaPortOptions;
  readonly #services: KafkaPortServices;
  readonly #open = new Map<number, Server>();
  /** Why a broker has no port, as the log has it. Whoever has the port may keep it for days: it is told once. */
  readonly #told = new Map<number, string>();

  constructor(options: KafkaPortOptions, services: KafkaPortServices) {
    this.#options = options;
    this.#services = services;
  }

  /** Opens the port of each of these brokers, and closes all others. To be called again for ports that were taken. */
  keepOpen(brokerIds: ReadonlySet<number>): void {
    for (const brokerId of brokerIds) if (!this.#open.has(brokerId)) void this.#openPort(brokerId);
    for (const [brokerId, server] of this.#open) {
      if (brokerIds.has(brokerId)) continue;
      server.close();
      this.#open.delete(brokerId);
    }
    for (const brokerId of this.#told.keys()) if (!brokerIds.has(brokerId)) this.#told.delete(brokerId);
  }

  close(): void {
    for (const server of this.#open.values()) server.close();
  }

  /** Rejects, saying what helps, if the port cannot be had. */
  async listen(server: Server, port: number): Promise<void> {
    const { host } = this.#options;
    const { log } = this.#services;
    server.listen(port, host);
    try {
      await once(server, "listening");
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      const reason = code === "EADDRINUSE" ? TAKEN : message;
      throw new Error(`cannot listen on port ${port} of ${host}: ${reason}`, { cause });
    }
    server.on("error", (error) => log("warn", "a Kafka port failed", { port, reason: error.message }));
    log("info", "Kafka port opened", { port, address: (server.address() as AddressInfo).address });
  }

  async #openPort(brokerId: number): Promise<void> {
    const port = this.#options.port + 1 + brokerId;
    if (port > LAST_PORT) return this.#tell(brokerId, `there is no port ${port}; choose lower ones with --kafka-port`);
    const server = this.#services.serverFor(brokerId);
    this.#open.set(brokerId, server);
    try {
      await this.listen(server, port);
      this.#told.delete(brokerId);
    } catch (error) {
      if (this.#open.get(brokerId) === server) this.#open.delete(brokerId);
      this.#tell(brokerId, (error as Error).message);
    }
  }

  #tell(brokerId: number, reason: string): void {
    if (this.#told.get(brokerId) === reason) return;
    this.#told.set(brokerId, reason);
    this.#services.metrics.refused("kafka-port");
    this.#services.log("warn", "a broker has no Kafka port", { broker: brokerId, reason });
  }
}
