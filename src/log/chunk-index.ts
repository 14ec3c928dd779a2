import { assert } from "../protocol/assert.ts";
import type { ChunkDescriptor } from "./stored-log.ts";

/** The chunks of one log that are durable, without their bytes: ascending and contiguous. */
export class ChunkIndex {
  readonly #chunks: ChunkDescriptor[];
  #sizeInBytes = 0;

  constructor(chunks: readonly ChunkDescriptor[] = []) {
    this.#chunks = [...chunks];
    for (const chunk of chunks) this.#sizeInBytes += chunk.sizeInBytes;
  }

  get sizeInBytes(): number {
    return this.#sizeInBytes;
  }

  /** Oldest first. */
  get chunks(): readonly ChunkDescriptor[] {
    return this.#chunks;
  }

  add({ baseOffset, lastOffset, sizeInBytes, maxTimestamp }: ChunkDescriptor): void {
    const last = this.#chunks.at(-1);
    assert(last === undefined || last.lastOffset + 1 === baseOffset, "chunks follow one another without a gap");
    // Copied field by field: an index that kept the chunk would keep its bytes.
    this.#chunks.push({ baseOffset, lastOffset, sizeInBytes, maxTimestamp });
    this.#sizeInBytes += sizeInBytes;
  }

  /**
   * Removes what lies at or above `offset`. `kept` is what a chunk that is cut now is. Without it the chunk keeps its
   * size and newest timestamp as upper bounds, for only its bytes could tell the exact ones; a restart reads them.
   */
  truncateFrom(offset: number, kept: ChunkDescriptor | undefined): void {
    let last: ChunkDescriptor | undefined;
    while ((last = this.#chunks.at(-1)) !== undefined && last.lastOffset >= offset) {
      this.#chunks.pop();
      this.#sizeInBytes -= last.sizeInBytes;
      if (last.baseOffset >= offset) continue;
      this.add(kept?.baseOffset === last.baseOffset ? kept : { ...last, lastOffset: offset - 1 });
      return;
    }
  }

  /** Removes the chunks that end below `offset`. */
  deleteBelow(offset: number): void {
    let count = 0;
    while (count < this.#chunks.length && this.#chunks[count]!.lastOffset < offset) {
      this.#sizeInBytes -= this.#chunks[count++]!.sizeInBytes;
    }
    this.#chunks.splice(0, count);
  }
}
