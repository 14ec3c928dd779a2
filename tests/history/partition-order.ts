import type { InternedHistory } from "./interned-history.ts";
import { OK } from "./outcome.ts";

/**
 * What is known about the order of every partition's log, from acknowledgements and reads together. The known offsets
 * of a partition are counted upwards without holes, so that offsets without a record are no gaps; these numbers are
 * called places, and those of one partition follow those of another.
 */
export class PartitionOrder {
  /** By value: its first known offset, or -1. */
  readonly offset: Float64Array;
  /** By value: the place of that offset, or -1. */
  readonly place: Int32Array;
  /** By place: a value there. In a sound log it is the only one. */
  readonly valueAt: Int32Array;
  /** Values known at several offsets, ascending. */
  readonly scattered = new Map<number, number[]>();
  /** Places with several values. */
  readonly contested = new Map<number, number[]>();
  /** By place, ascending within a partition. */
  readonly #offsets: Float64Array;
  /** By partition: its first place; one more entry at the end. */
  readonly #starts: Int32Array;
  readonly #history: InternedHistory;

  constructor(history: InternedHistory) {
    this.#history = history;
    this.offset = new Float64Array(history.sends.count).fill(-1);
    this.place = new Int32Array(history.sends.count).fill(-1);
    this.#gather();
    const { starts, offsets } = this.#sort();
    this.#starts = starts;
    this.#offsets = offsets;
    this.valueAt = new Int32Array(offsets.length).fill(-1);
    this.#settle();
  }

  start(partition: number): number {
    return this.#starts[partition]!;
  }

  end(partition: number): number {
    return this.#starts[partition + 1]!;
  }

  offsetAt(place: number): number {
    return this.#offsets[place]!;
  }

  /** The first place of the partition at `offset` or behind it. */
  placeFrom(partition: number, offset: number): number {
    let low = this.start(partition);
    let high = this.end(partition);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where the consumer was; of a record that others do not see, the place behind it. */
  placeOfPoll(poll: number): number {
    const { polls } = this.#history;
    const value = polls.value[poll]!;
    const offset = polls.offset[poll]!;
    return this.offset[value] === offset ? this.place[value]! : this.placeFrom(polls.partition[poll]!, offset);
  }

  #gather(): void {
    const { sends, polls, fate, isHidden } = this.#history;
    for (let value = 0; value < sends.count; value++) {
      const acked = sends.ackedOffset[value]!;
      if (acked === -1 || fate[value] !== OK) continue;
      // What only its leader acknowledged may have died with that leader, and an attempt that another leader had
      // taken, and that nobody heard of, lives on elsewhere: only reading tells the place.
      if (sends.isOfLeader[value] === 0) this.offset[value] = acked;
    }
    for (let poll = 0; poll < polls.count; poll++) {
      const value = polls.value[poll]!;
      const offset = polls.offset[poll]!;
      const known = this.offset[value]!;
      if (known === offset || isHidden[poll] === 1) continue;
      if (known === -1) this.offset[value] = offset;
      else this.#scatter(value, known, offset);
    }
    for (const [value, offsets] of this.scattered) {
      offsets.sort((one, other) => one - other);
      this.offset[value] = offsets[0]!;
    }
  }

  #scatter(value: number, known: number, offset: number): void {
    const offsets = this.scattered.get(value);
    if (offsets === undefined) this.scattered.set(value, [known, offset]);
    else if (!offsets.includes(offset)) offsets.push(offset);
  }

  /** The distinct offsets of each partition, ascending, one partition behind the other. */
  #sort(): { starts: Int32Array; offsets: Float64Array } {
    const { partitions } = this.#history;
    const ends = new Int32Array(partitions.count + 1);
    this.#forEachOffset((partition) => ends[partition + 1]!++);
    for (let partition = 0; partition < partitions.count; partition++) ends[partition + 1]! += ends[partition]!;
    const offsets = new Float64Array(ends[partitions.count]!);
    const next = ends.slice();
    this.#forEachOffset((partition, offset) => (offsets[next[partition]!++] = offset));
    const starts = new Int32Array(partitions.count + 1);
    let kept = 0;
    for (let partition = 0; partition < partitions.count; partition++) {
      starts[partition] = kept;
      const all = offsets.subarray(ends[partition]!, ends[partition + 1]!);
      if (!isAscending(all)) all.sort();
      let last = -1;
      for (let at = 0; at < all.length; at++) {
        const offset = all[at]!;
        if (offset !== last) offsets[kept++] = offset;
        last = offset;
      }
    }
    starts[partitions.count] = kept;
    return { starts, offsets: offsets.subarray(0, kept) };
  }

  #forEachOffset(visit: (partition: number, offset: number) => void): void {
    const { sends } = this.#history;
    for (let value = 0; value < sends.count; value++) {
      if (this.offset[value] !== -1) visit(sends.partition[value]!, this.offset[value]!);
    }
    for (const [value, offsets] of this.scattered) {
      for (const offset of offsets.slice(1)) visit(sends.partition[value]!, offset);
    }
  }

  #settle(): void {
    const { sends, partitions } = this.#history;
    // Values come nearly in the order of the log, so the next place is mostly the one behind the last.
    const next = this.#starts.slice(0, partitions.count);
    for (let value = 0; value < sends.count; value++) {
      const offset = this.offset[value]!;
      if (offset === -1) continue;
      const partition = sends.partition[value]!;
      const guess = next[partition]!;
      const isRight = guess < this.end(partition) && this.#offsets[guess] === offset;
      const place = isRight ? guess : this.placeFrom(partition, offset);
      next[partition] = place + 1;
      this.place[value] = place;
      this.#occupy(place, value);
    }
    for (const [value, offsets] of this.scattered) {
      for (const offset of offsets.slice(1)) this.#occupy(this.placeFrom(sends.partition[value]!, offset), value);
    }
  }

  #occupy(place: number, value: number): void {
    const occupant = this.valueAt[place]!;
    if (occupant === -1) this.valueAt[place] = value;
    else if (this.contested.has(place)) this.contested.get(place)!.push(value);
    else this.contested.set(place, [occupant, value]);
  }
}

function isAscending(offsets: Float64Array): boolean {
  for (let at = 1; at < offsets.length; at++) if (offsets[at]! < offsets[at - 1]!) return false;
  return true;
}
