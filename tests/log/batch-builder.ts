import { CHUNK_BYTES } from "../../src/log/chunk-building.ts";
import { PartitionLog } from "../../src/log/partition-log.ts";
import type { StoredLog, StoreOperation } from "../../src/log/stored-log.ts";
import { TailBudget } from "../../src/log/tail-budget.ts";
import { encodeBatch } from "../../src/protocol/record-batch.ts";
import type { BatchInit } from "../../src/protocol/record-batch.ts";

export const TOPIC_ID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";

export interface BatchSketch extends Partial<BatchInit> {
  /** How many records; 1 if left out. */
  readonly count?: number;
  /** Of the first record; each later one is a millisecond newer. */
  readonly timestamp?: number;
  /** Bytes of each record's value, to make batches of a size. */
  readonly valueBytes?: number;
  readonly value?: string;
}

/** A batch as a producer sends it, or with `baseOffset` and `partitionLeaderEpoch` as a leader does. */
export function batch(sketch: BatchSketch = {}): Uint8Array<ArrayBuffer> {
  const { count = 1, timestamp = 1000, valueBytes = 0, value, baseOffset = 0, ...init } = sketch;
  const bytes = value === undefined ? new Uint8Array(valueBytes) : Uint8Array.from(value, (char) => char.charCodeAt(0));
  const records = Array.from({ length: count }, (_, index) => ({
    offset: baseOffset + index,
    timestamp: timestamp + index,
    key: null,
    value: bytes,
  }));
  return encodeBatch(records, { baseOffset, ...init });
}

/** A batch of an idempotent producer; the sequences go on from `baseSequence`. */
export function sequenced(
  producerId: number,
  producerEpoch: number,
  baseSequence: number,
  sketch: BatchSketch = {},
): Uint8Array<ArrayBuffer> {
  return batch({ ...sketch, producerId, producerEpoch, baseSequence });
}

/** A batch that is almost a chunk: a small one fits beside it. */
export function chunkSized(sketch: BatchSketch = {}): Uint8Array<ArrayBuffer> {
  return batch({ ...sketch, valueBytes: CHUNK_BYTES - 200 });
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

/** Tells the log that what it asked for is durable. */
export function makeDurable(log: PartitionLog, operations: readonly StoreOperation[]): void {
  for (const operation of operations) if (operation.type === "append") log.written(operation.chunk);
}

/** Appends as the leader of `leaderEpoch` and lets the append become durable. */
export function lead(log: PartitionLog, leaderEpoch: number, ...batches: readonly Uint8Array[]): void {
  for (const each of batches) makeDurable(log, log.appendAsLeader(each, leaderEpoch, 0).operations);
}

/** A log with one durable batch per epoch and length given. */
export function logOf(...batches: readonly { readonly epoch: number; readonly count: number }[]): PartitionLog {
  const log = PartitionLog.create(TOPIC_ID, 0);
  for (const { epoch, count } of batches) lead(log, epoch, batch({ count }));
  return log;
}

export function restored(stored: StoredLog, tailCacheBytes?: number): PartitionLog {
  const log = PartitionLog.restore(stored, new TailBudget(tailCacheBytes));
  if ("corrupt" in log) throw new Error(log.corrupt);
  return log;
}

/** Everything a reader can get of the log, when all of it is cached. */
export function readAll(log: PartitionLog): Uint8Array {
  const read = log.read(log.logStartOffset, Number.MAX_SAFE_INTEGER, log.logEndOffset);
  if (read.kind !== "bytes") throw new Error(`the log answered "${read.kind}"`);
  return read.bytes;
}
