import { assert } from "../protocol/assert.ts";
import { cutChunk } from "./cut-chunk.ts";
import type { Chunk, ChunkDescriptor } from "./stored-log.ts";

interface InFlightAppend {
  readonly chunk: Chunk;
  /** Exclusive. Lower than `lastOffset + 1` once a truncation has overtaken the append. */
  keptEnd: number;
}

/**
 * Appends that the store was asked for and has not reported durable yet, oldest first. A truncation asked for later
 * takes effect in the log at once, but the reports of earlier appends still come, and must not bring records back.
 */
export class InFlightAppends {
  #appends: InFlightAppend[] = [];

  get sizeInBytes(): number {
    let total = 0;
    for (const { chunk, keptEnd } of this.#appends) if (keptEnd > chunk.baseOffset) total += chunk.sizeInBytes;
    return total;
  }

  add(chunk: Chunk): void {
    this.#appends.push({ chunk, keptEnd: chunk.lastOffset + 1 });
  }

  /** What the log still has of the appends in flight, from the chunk holding `offset` on. */
  from(offset: number): Chunk[] {
    const found: Chunk[] = [];
    for (const { chunk, keptEnd } of this.#appends) {
      const kept = keptEnd > chunk.lastOffset ? chunk : cutChunk(chunk, keptEnd);
      if (kept !== undefined && kept.lastOffset >= offset) found.push(kept);
    }
    return found;
  }

  truncateFrom(offset: number): void {
    for (const append of this.#appends) append.keptEnd = Math.min(append.keptEnd, offset);
  }

  /**
   * Takes out the oldest append, or the several that were coalesced into one chunk. Returns the end, exclusive, of
   * what the log still has of it: at or below the chunk's base offset if that is nothing.
   */
  settle(chunk: ChunkDescriptor): number {
    assert(this.#appends[0]?.chunk.baseOffset === chunk.baseOffset, "appends become durable in the order they were made");
    const last = this.#appends.findIndex((append) => append.chunk.lastOffset === chunk.lastOffset);
    assert(last !== -1, "a durable chunk ends where an append ended");
    const keptEnd = this.#appends[last]!.keptEnd;
    this.#appends.splice(0, last + 1);
    return keptEnd;
  }
}
