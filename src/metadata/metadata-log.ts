import { assert } from "../protocol/assert.ts";
import { concatenated } from "./metadata-batch.ts";
import type { MetadataSnapshot } from "./metadata-batch.ts";

/** One decision of the controller, encoded. */
export interface LogEntry {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly epoch: number;
  readonly batch: Uint8Array;
}

/** Where a reader of the log stands, and what the log has for it. */
export type ReadResult =
  | { readonly kind: "records"; readonly records: Uint8Array }
  /** The log begins later than that; this snapshot stands for the part that is gone. */
  | { readonly kind: "snapshot"; readonly snapshot: MetadataSnapshot }
  /** The reader has seen another history: what it has below `endOffset` is all that it shares with this log. */
  | { readonly kind: "diverging"; readonly epoch: number; readonly endOffset: number }
  | { readonly kind: "out-of-range" };

/**
 * The recent part of the metadata log, kept in memory for those who follow it. Only what is durable is read (R1);
 * `endOffset` runs ahead of `durableEndOffset` while appends are on their way to the disk.
 */
export class MetadataLog {
  readonly #entries: LogEntry[] = [];
  #snapshot: MetadataSnapshot | undefined;
  #endOffset: number;
  #durableEndOffset: number;
  #bytesSinceSnapshot = 0;

  /** A log that starts where `snapshot` ends, or at 0. */
  constructor(snapshot: MetadataSnapshot | undefined) {
    this.#snapshot = snapshot;
    this.#endOffset = snapshot?.endOffset ?? 0;
    this.#durableEndOffset = this.#endOffset;
  }

  get startOffset(): number {
    return this.#entries[0]?.baseOffset ?? this.#endOffset;
  }

  get endOffset(): number {
    return this.#endOffset;
  }

  get durableEndOffset(): number {
    return this.#durableEndOffset;
  }

  get snapshot(): MetadataSnapshot | undefined {
    return this.#snapshot;
  }

  get recordsSinceSnapshot(): number {
    return this.#endOffset - (this.#snapshot?.endOffset ?? 0);
  }

  get bytesSinceSnapshot(): number {
    return this.#bytesSinceSnapshot;
  }

  append(entry: LogEntry): void {
    assert(entry.baseOffset === this.#endOffset, "the metadata log has no gaps");
    this.#entries.push(entry);
    this.#endOffset = entry.endOffset;
    this.#bytesSinceSnapshot += entry.batch.length;
  }

  durable(endOffset: number): void {
    assert(endOffset <= this.#endOffset, "only what was appended can be durable");
    this.#durableEndOffset = Math.max(this.#durableEndOffset, endOffset);
  }

  /** From now on `snapshot` stands for what is before its end. Entries since the previous one stay for slow readers. */
  compact(snapshot: MetadataSnapshot): void {
    const keepFrom = this.#snapshot?.endOffset ?? snapshot.endOffset;
    const kept = this.#entries.findIndex(({ baseOffset }) => baseOffset >= keepFrom);
    this.#entries.splice(0, kept === -1 ? this.#entries.length : kept);
    this.#snapshot = snapshot;
    this.#bytesSinceSnapshot = 0;
  }

  /** Durable batches from `fromOffset` on, at least one if there is any, then as many as fit `maxBytes`. */
  read(fromOffset: number, lastEpoch: number, maxBytes: number): ReadResult {
    if (fromOffset < 0 || fromOffset > this.#durableEndOffset) return { kind: "out-of-range" };
    if (fromOffset < this.startOffset) {
      assert(this.#snapshot !== undefined, "a log that lost its start has a snapshot");
      return { kind: "snapshot", snapshot: this.#snapshot };
    }
    const epoch = this.#epochBefore(fromOffset);
    if (lastEpoch >= 0 && epoch !== undefined && lastEpoch !== epoch) {
      return { kind: "diverging", ...this.#sharedEnd(Math.min(lastEpoch, epoch)) };
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    for (let index = this.#entryHolding(fromOffset); index < this.#entries.length; index++) {
      const { batch, endOffset } = this.#entries[index]!;
      if (endOffset > this.#durableEndOffset || (parts.length > 0 && size + batch.length > maxBytes)) break;
      parts.push(batch);
      size += batch.length;
    }
    return { kind: "records", records: concatenated(parts) };
  }

  /** The epoch of the record just before `offset`; undefined where the log no longer tells. */
  #epochBefore(offset: number): number | undefined {
    if (offset === this.#snapshot?.endOffset) return this.#snapshot.epoch;
    const entry = this.#entries[this.#entryHolding(offset - 1)];
    return entry !== undefined && entry.baseOffset < offset ? entry.epoch : undefined;
  }

  /** Where the largest epoch up to `epoch` ends. */
  #sharedEnd(epoch: number): { epoch: number; endOffset: number } {
    const entry = this.#entries.findLast((candidate) => candidate.epoch <= epoch);
    return { epoch: entry?.epoch ?? epoch, endOffset: entry?.endOffset ?? this.startOffset };
  }

  /** The index of the first entry that ends after `offset`. */
  #entryHolding(offset: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.endOffset > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
