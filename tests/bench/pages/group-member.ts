import type { Kafka } from "../../../src/index.ts";
import { contentOf, nameOf } from "../../browser/pages/record-content.ts";
import type { HistoryEvent } from "../../history/history.ts";

export interface MemberReport {
  readonly history: readonly HistoryEvent[];
  /** When each record was handed over, in milliseconds since 1970. */
  readonly reads: readonly { readonly partition: number; readonly atMs: number }[];
}

export interface MemberOptions {
  readonly process: string;
  readonly groupId: string;
  readonly topic: string;
}

/** A member of a consumer group that notes when it is handed which record. */
export class GroupMember {
  readonly #options: MemberOptions;
  readonly #consumer: ReturnType<Kafka["consumer"]>;
  readonly #history: HistoryEvent[] = [];
  readonly #reads: { partition: number; atMs: number }[] = [];

  constructor(kafka: Kafka, options: MemberOptions) {
    this.#options = options;
    this.#consumer = kafka.consumer({ groupId: options.groupId });
  }

  async start(): Promise<void> {
    const { process, topic } = this.#options;
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topic, fromBeginning: true });
    this.#history.push({ f: "subscribe", type: "ok", process });
    await this.#consumer.run({
      eachMessage: ({ partition, message: { offset, key, value, headers } }) => {
        const nonce = headers["nonce"] instanceof Uint8Array ? headers["nonce"] : null;
        const record = { key, value, nonce };
        const where = { process, partition: `${topic}-${partition}`, offset: Number(offset) };
        this.#history.push({ f: "poll", type: "ok", ...where, value: nameOf(record), content: contentOf(record) });
        this.#reads.push({ partition, atMs: performance.timeOrigin + performance.now() });
      },
    });
  }

  async stop(): Promise<void> {
    await this.#consumer.disconnect();
  }

  report(): MemberReport {
    return { history: this.#history, reads: this.#reads };
  }
}
