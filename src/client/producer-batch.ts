import type { Delivery } from "./delivery.ts";
import type { PreparedRecord } from "./messages.ts";
import { assert } from "../protocol/assert.ts";
import { assembleBatch, BATCH_HEADER_BYTES } from "../protocol/record-batch.ts";
import type { BatchInit, CodecName } from "../protocol/record-batch.ts";
import { sizeOfRecord, writeRecord } from "../protocol/records.ts";
import { Writer } from "../protocol/writer.ts";

/** How a batch is to be sent; messages that differ in it never share a batch. */
export interface SendOptions {
  /** -1 waits for all in-sync replicas, 1 for the leader, 0 for nobody. */
  readonly acks: -1 | 0 | 1;
  /** Milliseconds that the leader may wait for the replicas. */
  readonly timeoutMs: number;
  readonly codec: CodecName;
}

/** What an idempotent producer numbers its batches with. */
export interface BatchSequence {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/** The place of one `send` in a batch. */
export interface BatchShare {
  readonly delivery: Delivery;
  /** Index in the batch of the send's first record. */
  readonly firstIndex: number;
}

const SEQUENCES = 0x8000_0000;

/** The sequence number `count` after `sequence`; they wrap from 2^31 - 1 to 0. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES;
}

/** The size of a batch that holds `record` alone. */
export function sizeOfLoneBatch(record: PreparedRecord): number {
  return BATCH_HEADER_BYTES + sizeOfRecord(record, 0, 0);
}

/** A batch from its first record to its acknowledgement. Records are written into it as they come. */
export class ProducerBatch {
  readonly topic: string;
  readonly partition: number;
  readonly options: SendOptions;
  readonly createdAtMs: number;
  /** From here on, of `clock.now()`, the batch fails instead of being tried again. */
  readonly deadlineMs: number;
  readonly shares: BatchShare[] = [];
  recordCount = 0;

  /** Whether it takes no more records. */
  closed = false;
  state: "waiting" | "in-flight" | "retrying" = "waiting";
  sequence: BatchSequence | undefined;
  /** Counts the drained batches of a partition, so that the oldest five can be told. */
  ordinal = -1;
  /** The topic that it was last sent to: one of its name may take the place of another. */
  topicId: string | undefined;
  /** The node that it was last sent to. */
  nodeId = -1;
  /** The partition's leader epoch when it was last sent. */
  leaderEpoch = -1;
  attempts = 0;
  retryAtMs = 0;
  /** Whether some attempt may have been appended without our hearing of it. */
  maybeWritten = false;
  /** Whether a batch before it was given up, so that its sequence may never be due. */
  afterGap = false;
  lastError: Error | undefined;

  readonly #writer: Writer;
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  /** The records as they are sent. */
  #section: Uint8Array | undefined;
  #encoded: Uint8Array | undefined;
  #encodedSequence: BatchSequence | undefined;

  /** `expectedBytes` is a guess at its final size, which saves copying as it grows. */
  constructor(
    where: { readonly topic: string; readonly partition: number },
    options: SendOptions,
    times: { readonly createdAtMs: number; readonly deadlineMs: number },
    expectedBytes = 0,
  ) {
    this.#writer = new Writer(Math.max(1024, expectedBytes));
    this.topic = where.topic;
    this.partition = where.partition;
    this.options = options;
    this.createdAtMs = times.createdAtMs;
    this.deadlineMs = times.deadlineMs;
  }

  /** Bytes of the batch before compression. */
  get sizeInBytes(): number {
    return BATCH_HEADER_BYTES + this.#writer.length;
  }

  /** The bytes that `record` would add. */
  sizeWith(record: PreparedRecord): number {
    const timestampDelta = this.recordCount === 0 ? 0 : record.timestamp - this.#baseTimestamp;
    return this.sizeInBytes + sizeOfRecord(record, this.recordCount, timestampDelta);
  }

  append(record: PreparedRecord, delivery: Delivery): void {
    assert(!this.closed, "records go into open batches");
    if (this.recordCount === 0) {
      this.#baseTimestamp = record.timestamp;
      this.#maxTimestamp = record.timestamp;
    }
    const offsetDelta = this.recordCount++;
    writeRecord(this.#writer, record, offsetDelta, record.timestamp - this.#baseTimestamp);
    this.#maxTimestamp = Math.max(this.#maxTimestamp, record.timestamp);
    if (this.shares.at(-1)?.delivery !== delivery) {
      this.shares.push({ delivery, firstIndex: offsetDelta });
      delivery.batchAdded();
    }
  }

  /** Whether {@link encode} can be called: compression takes its time. */
  get isEncodable(): boolean {
    return this.closed && this.#section !== undefined;
  }

  /** Takes no more records. A compressed batch then waits for {@link setSection}. */
  close(): void {
    this.closed = true;
    if (this.options.codec === "none") this.#section = this.#writer.finish();
  }

  /** The records before compression. */
  get rawSection(): Uint8Array {
    return this.#writer.finish();
  }

  setSection(compressed: Uint8Array): void {
    this.#section = compressed;
  }

  /** The batch as it is sent, with its present sequence. */
  encode(): Uint8Array {
    if (this.#encoded !== undefined && this.#encodedSequence === this.sequence) return this.#encoded;
    assert(this.#section !== undefined, "a batch is closed and compressed before it is encoded");
    this.#encoded = assembleBatch(this.#header(), this.#section, this.options.codec);
    this.#encodedSequence = this.sequence;
    return this.#encoded;
  }

  #header(): BatchInit {
    return {
      lastOffsetDelta: this.recordCount - 1,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      recordCount: this.recordCount,
      ...this.sequence,
    };
  }
}
