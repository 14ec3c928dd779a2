import type { ProducerBatch } from "./producer-batch.ts";
import { errorCode } from "../protocol/error-codes.ts";

/** What `send` resolves with, once for every partition that got messages. */
export interface RecordMetadata {
  readonly topicName: string;
  readonly partition: number;
  /** Always 0: a failure rejects the promise. */
  readonly errorCode: number;
  /** Offset of the first of this call's messages in the partition; the others follow it, not always without gaps. */
  readonly baseOffset: string;
  /** "-1" unless the topic stamps messages with the broker's time. */
  readonly logAppendTime: string;
  readonly logStartOffset: string;
}

export interface BatchResult {
  /** -1 where a duplicate was found whose offset the broker no longer knows. */
  readonly baseOffset: number;
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
}

/** Waits for all batches that the messages of one `send` went into. */
export class Delivery {
  readonly promise: Promise<RecordMetadata[]>;
  readonly #metadata = new Map<string, RecordMetadata>();
  #resolve!: (metadata: RecordMetadata[]) => void;
  #reject!: (error: Error) => void;
  #outstanding = 0;
  #complete = false;
  #error: Error | undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  batchAdded(): void {
    this.#outstanding++;
  }

  /** To be called when all messages are in batches, or when `error` keeps the rest from getting there. */
  allAdded(error?: Error): void {
    this.#complete = true;
    this.#error ??= error;
    this.#settle();
  }

  /** Without a result the batch was sent with acks 0, of which nothing more is known. */
  batchDelivered(batch: ProducerBatch, firstIndex: number, result: BatchResult | undefined): void {
    const key = `${batch.topic}/${batch.partition}`;
    if (result !== undefined && !this.#metadata.has(key)) {
      this.#metadata.set(key, {
        topicName: batch.topic,
        partition: batch.partition,
        errorCode: errorCode("NONE"),
        baseOffset: String(result.baseOffset < 0 ? -1 : result.baseOffset + firstIndex),
        logAppendTime: String(result.logAppendTimeMs),
        logStartOffset: String(result.logStartOffset),
      });
    }
    this.#outstanding--;
    this.#settle();
  }

  batchFailed(error: Error): void {
    this.#error ??= error;
    this.#outstanding--;
    this.#settle();
  }

  #settle(): void {
    if (!this.#complete || this.#outstanding > 0) return;
    if (this.#error === undefined) this.#resolve([...this.#metadata.values()]);
    else this.#reject(this.#error);
  }
}
