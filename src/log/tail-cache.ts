import { cutChunk } from "./cut-chunk.ts";
import type { Chunk } from "./stored-log.ts";

/** Enough for followers and consumers that are a few seconds behind. */
export const TAIL_CACHE_BYTES = 4 * 1024 * 1024;

/** The newest durable chunks of one log in memory: contiguous up to the log end, so that its readers skip the disk. */
export class TailCache {
  readonly #limitBytes: number;
  #chunks: Chunk[] = [];
  #sizeInBytes = 0;

  constructor(limitBytes = TAIL_CACHE_BYTES) {
    this.#limitBytes = limitBytes;
  }

  get last(): Chunk | undefined {
    return this.#chunks.at(-1);
  }

  /** `chunk` follows the last one. The newest chunk stays even if it alone is beyond the limit. */
  add(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#sizeInBytes += chunk.bytes.length;
    this.#evict();
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
    while (this.#sizeInBytes > this.#limitBytes && this.#chunks.length > 1) {
      this.#sizeInBytes -= this.#chunks.shift()!.bytes.length;
    }
  }

  #keep(chunks: Chunk[]): void {
    this.#chunks = chunks;
    this.#sizeInBytes = chunks.reduce((total, { bytes }) => total + bytes.length, 0);
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
