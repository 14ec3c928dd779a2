import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Census } from "./cluster-census.ts";

/** What is read at the moment somebody asks. Of clusters it has sums, for their names are nobody's business. */
export interface Readings extends Census {
  readonly sockets: number;
  readonly relays: number;
  readonly kafkaConnections: number;
  readonly clusters: number;
  readonly failedClusters: number;
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
  readonly #read: () => Readings;
  readonly #gauges: readonly (readonly [gauge: Gauge, value: (readings: Readings) => number])[];

  constructor(read: () => Readings) {
    collectDefaultMetrics({ register: this.#registry });
    const gauges: readonly (readonly [name: string, help: string, value: (readings: Readings) => number])[] = [
      ["tabstream_sockets", "WebSockets of tabs and relays.", (now) => now.sockets],
      ["tabstream_relays", "Relays, including those that wait for their second socket.", (now) => now.relays],
      ["tabstream_kafka_connections", "TCP connections of Kafka clients.", (now) => now.kafkaConnections],
      ["tabstream_clusters", "Clusters that are open.", (now) => now.clusters],
      ["tabstream_failed_clusters", "Clusters that stopped because of an error of late.", (now) => now.failedClusters],
      ["tabstream_brokers", "Brokers that are registered and not fenced.", (now) => now.brokers],
      ["tabstream_fenced_brokers", "Brokers that are registered and away.", (now) => now.fencedBrokers],
      ["tabstream_partitions", "Partitions of all topics.", (now) => now.partitions],
      ["tabstream_offline_partitions", "Partitions without a leader.", (now) => now.offlinePartitions],
      [
        "tabstream_under_replicated_partitions",
        "Partitions with a replica that is not in sync.",
        (now) => now.underReplicatedPartitions,
      ],
      [
        "tabstream_under_min_isr_partitions",
        "Partitions with fewer replicas in sync than min.insync.replicas, which refuse records with acks=all.",
        (now) => now.underMinIsrPartitions,
      ],
      [
        "tabstream_metadata_log_end_offset",
        "Sum of the end offsets of the open clusters' metadata logs.",
        (now) => now.metadataLogEndOffset,
      ],
    ];
    this.#read = read;
    this.#gauges = gauges.map(([name, help, value]) => [new Gauge({ name, help, registers: [this.#registry] }), value]);
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
    const readings = this.#read();
    for (const [gauge, value] of this.#gauges) gauge.set(value(readings));
    return this.#registry.metrics();
  }
}
