import type { Chunk } from "../../src/log/stored-log.ts";
import { int32At, int64At, uint32At } from "../../src/protocol/int-at.ts";
import { CompactedLog } from "./compacted-log.ts";
import type { OnCommitted } from "./compacted-log.ts";
import type { Violation } from "./recorder.ts";

interface CommittedBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** Of the batch's checksum and leader epoch: the same batch has the same one in every copy. */
  readonly digest: number;
}

/** One partition's committed records, as the first leader to commit them had them. What retention trimmed stays here. */
interface CommittedLog {
  readonly batches: CommittedBatch[];
  endOffset: number;
  /** Up to here a leader has deleted records because they were too many or too old. */
  trimmedTo: number;
}

/**
 * What has been committed, seen from outside: whatever a leader let its high watermark pass. It never changes, whoever
 * leads later (the leader completeness and log matching of the specifications). Partitions go by their labels.
 */
export class Truth {
  readonly #logs = new Map<string, CommittedLog>();
  readonly #compacted = new Map<string, CompactedLog>();

  /** The partition's log is compacted; `committed` is told of each record of it. */
  compact(partition: string, committed: OnCommitted = () => {}): void {
    this.#compacted.set(partition, new CompactedLog(partition, committed));
  }

  /** Undefined for a partition that is not compacted. */
  compactedLog(partition: string): CompactedLog | undefined {
    return this.#compacted.get(partition);
  }

  endOffset(partition: string): number {
    return this.#find(partition)?.endOffset ?? 0;
  }

  isCommitted(partition: string, offset: number): boolean {
    return offset >= 0 && offset < this.endOffset(partition);
  }

  trimmedTo(partition: string): number {
    return this.#find(partition)?.trimmedTo ?? 0;
  }

  trim(partition: string, offset: number): void {
    const log = this.#compacted.get(partition) ?? this.#log(partition);
    log.trimmedTo = Math.max(log.trimmedTo, offset);
  }

  /**
   * A broker has committed, or holds, the batches in `chunks` up to `endOffset`. What was committed before must be the
   * same here; what is new is taken down if `commits`.
   */
  compare(
    partition: string,
    chunks: readonly Chunk[],
    endOffset: number,
    commits: boolean,
    isWhole = false,
  ): Violation | undefined {
    const compacted = this.#compacted.get(partition);
    if (compacted !== undefined) return compacted.compare(chunks, endOffset, commits, isWhole);
    const log = this.#log(partition);
    let at = -1;
    for (const { bytes } of chunks) {
      for (let position = 0; position < bytes.length; position += 12 + int32At(bytes, position + 8)) {
        const batch = digestAt(bytes, position);
        if (batch.lastOffset >= endOffset) return undefined;
        if (at === -1) at = indexOf(log.batches, batch.baseOffset);
        const known = log.batches[at];
        if (known === undefined) {
          if (!commits) return undefined;
          if (batch.baseOffset !== log.endOffset) {
            return changed(partition, `a batch at ${batch.baseOffset} is committed where ${log.endOffset} is due`);
          }
          log.batches.push(batch);
          log.endOffset = batch.lastOffset + 1;
        } else if (known.baseOffset !== batch.baseOffset || known.digest !== batch.digest) {
          return changed(partition, `the batch at ${known.baseOffset} is another one than was committed`);
        }
        at++;
      }
    }
    return undefined;
  }

  #find(partition: string): CommittedLog | CompactedLog | undefined {
    return this.#compacted.get(partition) ?? this.#logs.get(partition);
  }

  #log(partition: string): CommittedLog {
    let log = this.#logs.get(partition);
    if (log === undefined) {
      log = { batches: [], endOffset: 0, trimmedTo: 0 };
      this.#logs.set(partition, log);
    }
    return log;
  }
}

function changed(partition: string, evidence: string): Violation {
  return { rule: "committed-prefix", evidence: `partition ${partition}: ${evidence}` };
}

/** The index of the batch at `baseOffset`, or of the place behind the last one. */
function indexOf(batches: readonly CommittedBatch[], baseOffset: number): number {
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (batches[middle]!.lastOffset < baseOffset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Reads no more of each batch than it needs: this runs after every step of every leader. */
function digestAt(bytes: Uint8Array, position: number): CommittedBatch {
  const baseOffset = int64At(bytes, position);
  const leaderEpoch = int32At(bytes, position + 12);
  const checksum = uint32At(bytes, position + 17);
  const lastOffset = baseOffset + int32At(bytes, position + 23);
  return { baseOffset, lastOffset, digest: checksum + leaderEpoch * 2 ** 32 };
}
