import { cutChunk } from "./cut-chunk.ts";
import type { Chunk } from "./stored-log.ts";
import { CHUNK_OVERHEAD_BYTES, TailBudget } from "./tail-budget.ts";

/** The newest durable chunks of one log in memory: contiguous up to the log end, so that its readers skip the disk. */
export class TailCache {
  readonly #budget: TailBudget;
  #chunks: Chunk[] = [];
  #sizeInBytes = 0;

  constructor(budget = new TailBudget()) {
    this.#budget = budget;
  }

  get last(): Chunk | undefined {
    return this.#chunks.at(-1);
  }

  /** `chunk` follows the last one. The newest chunk stays, here and now, even if it alone is beyond the limit. */
  add(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#count(chunk, 1);
    this.#evict();
    this.#budget.addedTo(this);
  }

  /** Lets the oldest chunk go, of which there is one. */
  dropOldest(): void {
    this.#count(this.#chunks.shift()!, -1);
    if (this.#chunks.length === 0) this.#budget.emptied(this);
  }

  /**
   * The chunks from the one holding `offset` on, or undefined if that one is not here: as many as have `maxBytes` behind
   * the first one, because a reader mostly needs few of thousands.
   */
  from(offset: number, maxBytes = Number.POSITIVE_INFINITY): Chunk[] | undefined {
    const last = this.#chunks.at(-1);
    if (last === undefined || offset < this.#chunks[0]!.baseOffset || offset > last.lastOffset) return undefined;
    const first = this.#indexOf(offset);
    const found = [this.#chunks[first]!];
    for (let at = first + 1, bytes = 0; at < this.#chunks.length && bytes < maxBytes; at++) {
      const chunk = this.#chunks[at]!;
      found.push(chunk);
      bytes += chunk.bytes.length;
    }
    return found;
  }

  truncateFrom(offset: number): void {
    const kept: Chunk[] = [];
    for (const chunk of this.#chunks) {
      const part = chunk.lastOffset < offset ? chunk : cutChunk(chunk, offset);
      if (part !== undefined) kept.push(part);
    }
    this.#keep(kept);
  }

  /** Puts `chunks` in the place of those that held the same offsets, as far as they are here. */
  replace(chunks: readonly Chunk[]): void {
    const { lastOffset } = chunks.at(-1)!;
    const first = this.#chunks[0];
    if (first === undefined || first.baseOffset > lastOffset) return;
    const { baseOffset } = chunks[0]!;
    const before = this.#chunks.filter((chunk) => chunk.lastOffset < baseOffset);
    const behind = this.#chunks.filter((chunk) => chunk.baseOffset > lastOffset);
    this.#keep([...before, ...chunks, ...behind]);
    this.#evict();
  }

  deleteBelow(offset: number): void {
    this.#keep(this.#chunks.filter((chunk) => chunk.lastOffset >= offset));
  }

  #evict(): void {
    while (this.#sizeInBytes > this.#budget.logBytes && this.#chunks.length > 1) this.dropOldest();
  }

  #keep(chunks: Chunk[]): void {
    for (const chunk of this.#chunks) this.#count(chunk, -1);
    for (const chunk of chunks) this.#count(chunk, 1);
    this.#chunks = chunks;
    if (chunks.length === 0) this.#budget.emptied(this);
  }

  #count({ bytes: { length } }: Chunk, sign: 1 | -1): void {
    this.#sizeInBytes += sign * length;
    this.#budget.count(sign * (length + CHUNK_OVERHEAD_BYTES));
  }

  /** Binary search for the chunk that holds `offset`, which is here. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle]!.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
