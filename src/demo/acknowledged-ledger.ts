import type { ReadRecord } from "../inspector/topic-reader.ts";

/**
 * Holds the cluster to its word: every record acknowledged by all in-sync copies must be read back at its offset, with
 * the same value. One that is not there when the reader has passed its offset was lost.
 */
export class AcknowledgedLedger {
  readonly #partitions = new Map<string, Partition>();
  #acknowledged = 0;
  #readBack = 0;
  #lost = 0;

  get counts(): { readonly acknowledged: number; readonly readBack: number; readonly lost: number } {
    return { acknowledged: this.#acknowledged, readBack: this.#readBack, lost: this.#lost };
  }

  onAcknowledged(topic: string, partition: number, offset: number, sent: string): void {
    this.#acknowledged++;
    const value = digest(sent);
    const ledger = this.#partition(topic, partition);
    const read = ledger.read.get(offset);
    if (read !== undefined) this.#compare(value, read);
    // An offset below everything remembered is not checked: neither read back nor lost.
    else if (offset >= ledger.position) bound(ledger.awaited.set(offset, value));
  }

  onRead(topic: string, records: readonly ReadRecord[]): void {
    for (const record of records) {
      const ledger = this.#partition(topic, record.partition);
      for (const offset of ledger.awaited.keys()) {
        if (offset >= record.offset || offset < ledger.firstRead) continue;
        ledger.awaited.delete(offset);
        this.#lost++;
      }
      const awaited = ledger.awaited.get(record.offset);
      const value = digest(record.value === null ? "" : new TextDecoder().decode(record.value));
      if (awaited !== undefined) {
        ledger.awaited.delete(record.offset);
        this.#compare(awaited, value);
      } else {
        bound(ledger.read.set(record.offset, value));
      }
      ledger.firstRead = Math.min(ledger.firstRead, record.offset);
      ledger.position = record.offset + 1;
    }
  }

  /** A deleted topic's records are gone by request. */
  forget(topic: string): void {
    for (const key of this.#partitions.keys()) {
      if (key.slice(0, key.lastIndexOf("-")) === topic) this.#partitions.delete(key);
    }
  }

  #compare(acknowledged: string, read: string): void {
    if (acknowledged === read) this.#readBack++;
    else this.#lost++;
  }

  #partition(topic: string, partition: number): Partition {
    const key = `${topic}-${partition}`;
    const known = this.#partitions.get(key);
    if (known !== undefined) return known;
    const made: Partition = { awaited: new Map(), read: new Map(), firstRead: Infinity, position: 0 };
    this.#partitions.set(key, made);
    return made;
  }
}

interface Partition {
  /** Acknowledged and not yet read, by offset. */
  readonly awaited: Map<number, string>;
  /** Read before the acknowledgement was heard, by offset. */
  readonly read: Map<number, string>;
  firstRead: number;
  position: number;
}

const REMEMBERED = 10_000;
const DIGESTED_FROM = 512;

/** Long values are not kept: their length and FNV-1a hash stand for them. */
function digest(value: string): string {
  if (value.length < DIGESTED_FROM) return value;
  let hash = 0x811c9dc5;
  for (let index = 0; index < value.length; index++) hash = Math.imul(hash ^ value.charCodeAt(index), 0x01000193);
  return `${value.length}:${hash}`;
}

/** Forgets the oldest entry of a map that has grown too long. */
function bound(map: Map<number, string>): void {
  if (map.size <= REMEMBERED) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
