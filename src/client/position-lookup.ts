import type { AssignedPartition, SoughtStart } from "./assigned-partition.ts";
import type { BrokerConnections } from "./broker-connections.ts";
import type { Cluster } from "./cluster.ts";
import { asError, KafkaJSProtocolError } from "./errors.ts";
import { judgeEpochEnd } from "./fetch-position.ts";
import type { FetchOutcome } from "./fetch-position.ts";
import { groupBy } from "./group-by.ts";
import { askForOffsets, lookUpEpochEnd } from "./offset-lookup.ts";
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from "../protocol/apis/02-list-offsets.ts";

export interface PositionLookupOptions {
  /** Told what the leader's history says of a position that it was asked about. */
  readonly found: (partition: AssignedPartition, outcome: FetchOutcome) => void;
  readonly failed: (partition: AssignedPartition, error: Error) => void;
  /** Called when partitions may be fetched from, or asked about again. */
  readonly ended: () => void;
}

/** Finds the offsets that partitions are to start at, and checks positions that the leader does not hold (KIP-320). */
export class PositionLookup {
  readonly #cluster: Cluster;
  readonly #connections: BrokerConnections;
  readonly #options: PositionLookupOptions;

  constructor(cluster: Cluster, connections: BrokerConnections, options: PositionLookupOptions) {
    this.#cluster = cluster;
    this.#connections = connections;
    this.#options = options;
  }

  /** Asks about partitions that are not being asked about; those of one leader share a request. */
  begin(partitions: readonly AssignedPartition[]): void {
    for (const partition of partitions) partition.askedGeneration = partition.generation;
    const starting = partitions.filter(({ start }) => start !== undefined);
    const byLeader = groupBy(starting, ({ topic, partition }) => this.#cluster.leaderOf(topic, partition)?.nodeId);
    for (const [, group] of byLeader) void this.#findStarts(group);
    for (const partition of partitions) if (partition.validating) void this.#validate(partition);
  }

  async #findStarts(partitions: readonly AssignedPartition[]): Promise<void> {
    const asked = partitions.map((partition) => {
      const { topic, start, generation } = partition;
      return {
        question: { topic, partition: partition.partition, timestamp: timestampOf(start!) },
        partition,
        generation,
      };
    });
    const answers = await askForOffsets(
      this.#cluster,
      this.#connections,
      asked.map(({ question }) => question),
    );
    for (const { question, partition, generation } of asked) {
      if (partition.generation !== generation) continue;
      partition.askedGeneration = undefined;
      const answer = answers.get(question);
      if (answer instanceof Error || answer === undefined) {
        this.#options.failed(partition, answer ?? new KafkaJSProtocolError("UNKNOWN_SERVER_ERROR"));
      } else if (answer.offset < 0) {
        // Nothing is as young as the time asked for: what comes will be.
        partition.jumpTo({ kind: "latest" });
      } else {
        partition.failures = 0;
        const { start } = partition;
        const notBefore = start !== undefined && "notBefore" in start ? start.notBefore : 0;
        partition.place({ offset: Math.max(answer.offset, notBefore), lastFetchedEpoch: -1 });
      }
    }
    this.#options.ended();
  }

  async #validate(partition: AssignedPartition): Promise<void> {
    const { generation, position, policy } = partition;
    try {
      const end = await lookUpEpochEnd(this.#cluster, this.#connections, partition, position.lastFetchedEpoch);
      if (partition.generation !== generation) return;
      partition.validating = false;
      this.#options.found(partition, judgeEpochEnd(end, position, partition, policy));
    } catch (error) {
      if (partition.generation === generation) this.#options.failed(partition, asError(error));
    } finally {
      if (partition.generation === generation) partition.askedGeneration = undefined;
      this.#options.ended();
    }
  }
}

function timestampOf(start: SoughtStart): number {
  switch (start.kind) {
    case "earliest":
      return EARLIEST_TIMESTAMP;
    case "latest":
      return LATEST_TIMESTAMP;
    case "timestamp":
      return start.timestamp;
  }
}
