import { JoiningPass } from "../../src/log/chunk-joining.ts";
import type { JoiningLimits } from "../../src/log/chunk-joining.ts";
import { CompactionPass } from "../../src/log/compaction-pass.ts";
import type { CompactionStep } from "../../src/log/compaction-pass.ts";
import type { CompactionLimits } from "../../src/log/compaction.ts";
import { OffsetMap } from "../../src/log/offset-map.ts";
import { PartitionLog } from "../../src/log/partition-log.ts";
import type { ChunkDescriptor, StoreOperation } from "../../src/log/stored-log.ts";
import { TailBudget } from "../../src/log/tail-budget.ts";
import { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import { batches, encodeBatch, recordsSection } from "../../src/protocol/record-batch.ts";
import type { BatchInit } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import type { RecordHeader } from "../../src/protocol/records.ts";
import { TOPIC_ID, restored } from "./batch-builder.ts";

export const eager: CompactionLimits = {
  minCleanableDirtyRatio: 0,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 1000,
};

/** A key and a value; null for a tombstone. */
export type Pair = readonly [key: string | null, value: string | null];

export interface ReadRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly RecordHeader[];
}

const bytesOf = (text: string | null) => (text === null ? null : Uint8Array.from(text, (char) => char.charCodeAt(0)));
const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : String.fromCharCode(...bytes));

export function keyed(pairs: readonly Pair[], init: Partial<BatchInit> = {}, timestamp = 1000): Uint8Array<ArrayBuffer> {
  const headers = [{ key: "origin", value: Uint8Array.of(7) }];
  return encodeBatch(
    pairs.map(([key, value], offset) => {
      return { offset, timestamp: timestamp + offset, key: bytesOf(key), value: bytesOf(value), headers };
    }),
    init,
  );
}

export function recordsOf(bytes: Uint8Array): ReadRecord[] {
  return [...batches(bytes)].flatMap(({ header, bytes: batch }) =>
    decodeRecords(recordsSection(batch), header).map((record) => ({
      ...record,
      key: textOf(record.key),
      value: textOf(record.value),
    })),
  );
}

/** The value of each key that has one, by a reader of everything. */
export function lastValues(records: readonly ReadRecord[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const { key, value } of records) {
    if (key === null) continue;
    if (value === null) values.delete(key);
    else values.set(key, value);
  }
  return values;
}

/** A log and its disk, where every write becomes durable at once. */
export class StoredLog {
  log: PartitionLog;
  disk = StoredLogs.empty;

  constructor(tailCacheBytes?: number) {
    this.log = PartitionLog.create(TOPIC_ID, 0, new TailBudget(tailCacheBytes));
    this.apply([this.log.metadataOperation()]);
  }

  apply(operations: readonly StoreOperation[]): void {
    this.disk = this.disk.apply(operations);
    for (const operation of operations) if (operation.type === "append") this.log.written(operation.chunk);
  }

  /** Appends each batch as a chunk of its own and commits it. */
  lead(leaderEpoch: number, ...sent: readonly Uint8Array[]): void {
    for (const each of sent) this.apply(this.log.appendAsLeader(each, leaderEpoch, 0).operations);
    this.log.setHighWatermark(this.log.logEndOffset);
  }

  /** Runs a whole pass, reading `stepBytes` at a time. Says whether there was something to do. */
  compact(limits: CompactionLimits, step: CompactionStep, stepBytes = 1e6, newest?: OffsetMap): boolean {
    const range = this.log.cleanable(limits, step.nowMs);
    if (range === undefined) return false;
    const pass = new CompactionPass(this.log, range, limits, newest);
    for (let offset = pass.nextOffset; offset !== undefined; offset = pass.nextOffset) {
      this.apply(pass.step(this.disk.read(this.log.key, offset, stepBytes), step));
    }
    return true;
  }

  /** Joins all that is to be joined, and says how many bytes were written for it. */
  join(limits: JoiningLimits): number {
    const pass = new JoiningPass(this.log, limits);
    let writtenBytes = 0;
    for (let run = pass.next; run !== undefined; run = pass.next) {
      this.apply(pass.step(this.disk.read(this.log.key, run.baseOffset, run.sizeInBytes)));
      writtenBytes += run.sizeInBytes;
    }
    return writtenBytes;
  }

  get chunks(): readonly ChunkDescriptor[] {
    return this.disk.load()[0]!.chunks;
  }

  restart(tailCacheBytes?: number): void {
    this.log = restored(this.disk.load()[0]!, tailCacheBytes);
  }

  get bytes(): Uint8Array {
    const chunks = this.disk.read(this.log.key, this.log.logStartOffset, Number.MAX_SAFE_INTEGER);
    const { logStartOffset, logEndOffset } = this.log;
    if (logStartOffset === logEndOffset) return new Uint8Array(0);
    return this.log.sliceChunks(chunks, logStartOffset, Number.MAX_SAFE_INTEGER, logEndOffset).bytes;
  }

  get records(): ReadRecord[] {
    return recordsOf(this.bytes).filter(({ offset }) => offset >= this.log.logStartOffset);
  }

  /** What lies in the log, as base and last offset and number of records of each batch. */
  get layout(): [number, number, number][] {
    return [...batches(this.bytes)].map(({ header }) => [header.baseOffset, header.lastOffset, header.recordCount]);
  }
}
