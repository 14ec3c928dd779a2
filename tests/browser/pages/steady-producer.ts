import type { Kafka } from "../../../src/index.ts";
import type { HistoryEvent } from "../../history/history.ts";
import type { Ack } from "../ack-gap.ts";
import { contentOf, randomRecord } from "./record-content.ts";

export interface ProducerOptions {
  /** Names the producer in the history, and begins the name of each of its records. */
  readonly process: string;
  readonly topic: string;
  /** Sent to in turn. */
  readonly partitions: number;
  readonly recordsPerSecond: number;
  readonly acks: -1 | 1;
}

/** What a producer did. Times are milliseconds since 1970. */
export interface ProducerReport {
  readonly history: readonly HistoryEvent[];
  readonly acks: readonly Ack[];
  readonly sentAtMs: readonly number[];
  /** What the application was told of sends that failed for good. */
  readonly errors: readonly string[];
}

const TICK_MS = 5;

/** Sends unique records at a steady rate, whether or not the earlier ones are acknowledged, and notes what happened. */
export class SteadyProducer {
  readonly #options: ProducerOptions;
  readonly #producer: ReturnType<Kafka["producer"]>;
  readonly #history: HistoryEvent[] = [];
  readonly #acks: Ack[] = [];
  readonly #sentAtMs: number[] = [];
  readonly #errors: string[] = [];
  readonly #open = new Set<Promise<void>>();
  #sent = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(kafka: Kafka, options: ProducerOptions) {
    this.#options = options;
    this.#producer = kafka.producer();
  }

  async start(): Promise<void> {
    await this.#producer.connect();
    const startMs = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - startMs) / 1000) * this.#options.recordsPerSecond;
      while (this.#sent < due) this.sendOne();
    }, TICK_MS);
  }

  /** Stops sending and waits for the outcome of what was sent. */
  async stop(): Promise<ProducerReport> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    await this.#producer.disconnect();
    return this.report();
  }

  report(): ProducerReport {
    return { history: this.#history, acks: this.#acks, sentAtMs: this.#sentAtMs, errors: this.#errors };
  }

  sendOne(): void {
    const index = this.#sent++;
    const sending = this.#send(`${this.#options.process}-${index}`, index % this.#options.partitions);
    this.#open.add(sending);
    void sending.finally(() => this.#open.delete(sending));
  }

  async #send(name: string, partitionIndex: number): Promise<void> {
    const { process, topic, acks } = this.#options;
    const record = randomRecord(name);
    const partition = `${topic}-${partitionIndex}`;
    const send = { f: "send", process, partition, value: name } as const;
    this.#history.push({ ...send, type: "invoke", content: contentOf(record) });
    this.#sentAtMs.push(nowMs());
    const { key, value, nonce } = record;
    const message = { key, value, headers: { nonce }, partition: partitionIndex };
    try {
      const [stored] = await this.#producer.send({ topic, acks, messages: [message] });
      if (stored === undefined) throw new Error("a send resolved without naming an offset");
      this.#acks.push({ partition, atMs: nowMs() });
      this.#history.push({ ...send, type: "ok", offset: Number(stored.baseOffset) });
    } catch (error) {
      // Whatever the reason, an earlier attempt may have been stored: the outcome is unknown.
      this.#history.push({ ...send, type: "info" });
      this.#errors.push(`${name}: ${String(error)}`);
    }
  }
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
