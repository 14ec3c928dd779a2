import { textOf } from "./compacted-log.ts";
import type { CommittedRecord } from "./compacted-log.ts";
import { withoutPadding } from "./padding.ts";
import { COMPACTED_TOPIC, partitionLabel } from "./topics.ts";
import { TruthOnlyRecorder } from "./truth-only-recorder.ts";
import type { Truth } from "./truth.ts";

const KEYS = 8;
/** One record in so many deletes its key. */
const TOMBSTONE_EVERY = 5;

/**
 * Whom the clients of the compacted topic tell. What was read is what was committed there; and whoever has read all from
 * the start knows of every key what was written last.
 */
export class CompactedRecorder extends TruthOnlyRecorder {
  readonly #truth: Truth;
  /** By reader and partition, of each key the offset of the record that was read last. */
  readonly #read = new Map<string, Map<string, number>>();

  constructor(truth: Truth, mark: (name: string) => void) {
    super(mark);
    this.#truth = truth;
  }

  /** Of which key a record with this value is, and what it says of it; null for nothing more. */
  keyedRecord(value: string): { readonly key: string; readonly value: string | null } {
    const number = Number(value.slice(value.lastIndexOf("-") + 1));
    const isTombstone = number % TOMBSTONE_EVERY === TOMBSTONE_EVERY - 1;
    return { key: `key-${Math.floor(number / 2) % KEYS}`, value: isTombstone ? null : value };
  }

  acknowledged(_process: string, partition: number, value: string, offset: number): void {
    const label = partitionLabel(COMPACTED_TOPIC, partition);
    const committed = this.#truth.compactedLog(label)?.at(offset);
    if (committed !== undefined && valueOf(committed) === (this.keyedRecord(value).value ?? "")) return;
    this.violation("acknowledged-is-committed", `${value} was acknowledged at offset ${offset} of ${label}, where it is not`);
  }

  read(process: string, partition: number, offset: number, value: string): void {
    const label = partitionLabel(COMPACTED_TOPIC, partition);
    const committed = this.#truth.compactedLog(label)?.at(offset);
    if (committed === undefined || valueOf(committed) !== value) {
      this.violation("read-is-committed", `${process} read ${value} at offset ${offset} of ${label}, where it is not`);
    }
    const reader = `${process}/${label}`;
    const keys = this.#read.get(reader) ?? new Map<string, number>();
    this.#read.set(reader, keys.set(textOf(committed.key), offset));
  }

  /** The reader has read all of the partition from its start. */
  expectNewest(process: string, partition: number): void {
    const label = partitionLabel(COMPACTED_TOPIC, partition);
    const keys = this.#read.get(`${process}/${label}`);
    for (const [key, records] of this.#truth.compactedLog(label)?.keys ?? []) {
      const { offset, value } = records.at(-1)!;
      const read = keys?.get(key);
      if (read === offset || (value === null && read === undefined)) continue;
      this.violation("newest-is-read", `${process} read ${key} of ${label} last at ${read}, and its newest is at ${offset}`);
    }
  }
}

function valueOf({ value }: CommittedRecord): string {
  return withoutPadding(textOf(value));
}
