import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/** What is read at the moment somebody asks. */
export interface Readings {
  readonly sockets: number;
  readonly relays: number;
  readonly kafkaConnections: number;
  readonly clusters: number;
  readonly failedClusters: number;
  readonly brokers: number;
  /** The sum over the open clusters, whose names are nobody's business. */
  readonly metadataLogEndOffset: number;
}

/** `listener` stands for what Kafka clients send and get over TCP. */
export type FrameKind = "text" | "kafka" | "relay" | "listener";

/** What `/metrics` shows, beside what prom-client knows of every Node process, such as the lag of the event loop. */
export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #frames = new Counter({
    name: "tabstream_frames_total",
    help: "WebSocket messages and what Kafka clients send and get, by kind; a relayed message counts once.",
    labelNames: ["kind", "direction"] as const,
    registers: [this.#registry],
  });
  readonly #bytes = new Counter({
    name: "tabstream_bytes_total",
    help: "Bytes of those messages by kind, in and out.",
    labelNames: ["kind", "direction"] as const,
    registers: [this.#registry],
  });
  readonly #refusals = new Counter({
    name: "tabstream_refusals_total",
    help: "Requests, sockets and messages that were refused, by reason.",
    labelNames: ["reason"] as const,
    registers: [this.#registry],
  });
  readonly #kafkaClosed = new Counter({
    name: "tabstream_kafka_connections_closed_total",
    help: "TCP connections of Kafka clients that have ended, by reason.",
    labelNames: ["reason"] as const,
    registers: [this.#registry],
  });
  readonly #commits = new Histogram({
    name: "tabstream_metadata_commit_seconds",
    help: "Time until a write to the metadata logs is on the disk.",
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    registers: [this.#registry],
  });

  constructor(read: () => Readings) {
    collectDefaultMetrics({ register: this.#registry });
    const gauges: readonly (readonly [name: string, help: string, (readings: Readings) => number])[] = [
      ["tabstream_sockets", "WebSockets of tabs and relays.", (now) => now.sockets],
      ["tabstream_relays", "Relays, including those that wait for their second socket.", (now) => now.relays],
      ["tabstream_kafka_connections", "TCP connections of Kafka clients.", (now) => now.kafkaConnections],
      ["tabstream_clusters", "Clusters that are open.", (now) => now.clusters],
      ["tabstream_failed_clusters", "Clusters that stopped because of an error of late.", (now) => now.failedClusters],
      ["tabstream_brokers", "Brokers that are registered and not fenced.", (now) => now.brokers],
      [
        "tabstream_metadata_log_end_offset",
        "Sum of the end offsets of the open clusters' metadata logs.",
        (now) => now.metadataLogEndOffset,
      ],
    ];
    for (const [name, help, value] of gauges) {
      const collect = function (this: Gauge) {
        this.set(value(read()));
      };
      // The registry keeps it.
      void new Gauge({ name, help, registers: [this.#registry], collect });
    }
  }

  frame(kind: FrameKind, direction: "in" | "out", bytes: number): void {
    this.#frames.inc({ kind, direction });
    this.#bytes.inc({ kind, direction }, bytes);
  }

  refused(reason: string): void {
    this.#refusals.inc({ reason });
  }

  kafkaClosed(reason: string): void {
    this.#kafkaClosed.inc({ reason });
  }

  committed(seconds: number): void {
    this.#commits.observe(seconds);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
