import type { Kafka } from "../../../src/index.ts";
import type { HistoryEvent } from "../../history/history.ts";
import { contentOf, nameOf } from "./record-content.ts";

export interface ConsumerOptions {
  readonly process: string;
  readonly topic: string;
  readonly partitions: number;
}

export interface ConsumerReport {
  readonly history: readonly HistoryEvent[];
  readonly errors: readonly string[];
  /** When each record was handed over, in milliseconds since 1970. */
  readonly readAtMs: readonly number[];
}

/** Reads every partition of a topic from its beginning, and notes each record. */
export class RecordingConsumer {
  readonly #options: ConsumerOptions;
  readonly #consumer: ReturnType<Kafka["consumer"]>;
  readonly #history: HistoryEvent[] = [];
  readonly #errors: string[] = [];
  readonly #readAtMs: number[] = [];
  /** The next offset by partition. */
  readonly #positions: number[];
  #reading: Promise<void> | undefined;

  constructor(kafka: Kafka, options: ConsumerOptions) {
    this.#options = options;
    this.#consumer = kafka.consumer();
    this.#positions = Array.from({ length: options.partitions }, () => 0);
  }

  async start(): Promise<void> {
    const { process, topic, partitions } = this.#options;
    await this.#consumer.connect();
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: "earliest" }));
    this.#consumer.assign(all);
    this.#history.push({ f: "assign", type: "ok", process });
    this.#reading = this.#read().catch((error: unknown) => void this.#errors.push(String(error)));
  }

  /** Resolves once every partition has been read up to the offset in its place, or rejects after `timeoutMs`. */
  async reach(endOffsets: readonly number[], timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (endOffsets.some((end, partition) => (this.#positions[partition] ?? 0) < end)) {
      if (performance.now() > deadline || this.#errors.length > 0) {
        throw new Error(`read up to ${this.#positions.join()} of ${endOffsets.join()}; errors: ${this.#errors.join()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<ConsumerReport> {
    await this.#consumer.disconnect();
    await this.#reading;
    return { history: this.#history, errors: this.#errors, readAtMs: this.#readAtMs };
  }

  async #read(): Promise<void> {
    const { process, topic } = this.#options;
    for await (const { partition, offset, key, value, headers } of this.#consumer) {
      const nonce = headers["nonce"] instanceof Uint8Array ? headers["nonce"] : null;
      const record = { key, value, nonce };
      const where = { process, partition: `${topic}-${partition}`, offset: Number(offset) };
      this.#history.push({ f: "poll", type: "ok", ...where, value: nameOf(record), content: contentOf(record) });
      this.#readAtMs.push(performance.timeOrigin + performance.now());
      this.#positions[partition] = Number(offset) + 1;
    }
  }
}
