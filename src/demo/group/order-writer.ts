import type { Kafka, Producer } from "../../index.ts";
import { reasonOf } from "../../inspector/reason.ts";

const CUSTOMERS = 1000;
/** Sends that are under way; beyond them the writer waits for the cluster. */
const IN_FLIGHT_MAX = 20;
/** A tick that came late catches up with no more than this. */
const CATCH_UP_MS = 1000;

/** Writes orders at a steady rate, acknowledged by all in-sync copies, while it is on. */
export class OrderWriter {
  /** Why the last send failed; undefined once one has succeeded. */
  failure: string | undefined;
  readonly #producer: Producer;
  readonly #changed: () => void;
  #ticks: Worker | undefined;
  #recordsPerSecond: number;
  #lastMs = 0;
  /** Records that are due, in parts of one. */
  #due = 0;
  #inFlight = 0;

  constructor(kafka: Kafka, recordsPerSecond: number, changed: () => void) {
    this.#producer = kafka.producer();
    this.#recordsPerSecond = recordsPerSecond;
    this.#changed = changed;
  }

  get isOn(): boolean {
    return this.#ticks !== undefined;
  }

  set recordsPerSecond(recordsPerSecond: number) {
    this.#recordsPerSecond = recordsPerSecond;
  }

  async start(topic: string): Promise<void> {
    await this.#producer.connect();
    if (this.#ticks !== undefined) return;
    this.#lastMs = performance.now();
    this.#due = 0;
    this.#ticks = new Worker(new URL("../ticks.worker.ts", import.meta.url), { type: "module" });
    this.#ticks.onmessage = () => this.#tick(topic);
    this.#changed();
  }

  stop(): void {
    this.#ticks?.terminate();
    this.#ticks = undefined;
    this.failure = undefined;
    this.#changed();
  }

  #tick(topic: string): void {
    const nowMs = performance.now();
    const elapsedMs = Math.min(nowMs - this.#lastMs, CATCH_UP_MS);
    this.#lastMs = nowMs;
    if (this.#inFlight >= IN_FLIGHT_MAX) return;
    this.#due += (elapsedMs * this.#recordsPerSecond) / 1000;
    const count = Math.floor(this.#due);
    this.#due -= count;
    if (count > 0) void this.#send(topic, count);
  }

  async #send(topic: string, count: number): Promise<void> {
    const messages = Array.from({ length: count }, () => {
      const customer = Math.floor(Math.random() * CUSTOMERS);
      return { key: `customer ${customer}`, value: JSON.stringify({ customer, teapots: 1 + (customer % 5) }) };
    });
    this.#inFlight++;
    try {
      await this.#producer.send({ topic, acks: -1, messages });
      this.failure = undefined;
    } catch (error) {
      this.failure = reasonOf(error);
    }
    this.#inFlight--;
    this.#changed();
  }
}
