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

  add(chunk: ChunkDescriptor): void {
    const last = this.#chunks.at(-1);
    assert(last === undefined || last.lastOffset + 1 === chunk.baseOffset, "chunks follow one another without a gap");
    this.#chunks.push(descriptorOf(chunk));
    this.#sizeInBytes += chunk.sizeInBytes;
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

  /** The chunk that holds `offset`. */
  holding(offset: number): ChunkDescriptor | undefined {
    const chunk = this.#chunks[this.#indexOf(offset)];
    return chunk !== undefined && chunk.baseOffset <= offset ? chunk : undefined;
  }

  /** About how many bytes lie from `offset` to `endOffset`: of a chunk that lies there in part, as large a part. */
  bytesBetween(offset: number, endOffset: number): number {
    let bytes = 0;
    for (let at = this.#indexOf(offset); at < this.#chunks.length; at++) {
      const { baseOffset, lastOffset, sizeInBytes } = this.#chunks[at]!;
      if (baseOffset >= endOffset) break;
      const offsets = Math.min(lastOffset + 1, endOffset) - Math.max(baseOffset, offset);
      bytes += (sizeInBytes * offsets) / (lastOffset + 1 - baseOffset);
    }
    return Math.round(bytes);
  }

  /** Puts `chunks` in the place of those that hold the same offsets. */
  replace(chunks: readonly ChunkDescriptor[]): void {
    const { baseOffset } = chunks[0]!;
    const { lastOffset } = chunks.at(-1)!;
    const start = this.#indexOf(baseOffset);
    const end = this.#indexOf(lastOffset) + 1;
    const fits = this.#chunks[start]?.baseOffset === baseOffset && this.#chunks[end - 1]?.lastOffset === lastOffset;
    assert(fits, "chunks are replaced whole");
    const replaced = this.#chunks.splice(start, end - start, ...chunks.map(descriptorOf));
    for (const chunk of replaced) this.#sizeInBytes -= chunk.sizeInBytes;
    for (const chunk of chunks) this.#sizeInBytes += chunk.sizeInBytes;
  }

  /** Removes the chunks that end below `offset`. */
  deleteBelow(offset: number): void {
    for (const { sizeInBytes } of this.#chunks.splice(0, this.#indexOf(offset))) this.#sizeInBytes -= sizeInBytes;
  }

  /** Of the first chunk that does not end below `offset`. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle]!.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Copied field by field: an index that kept the chunk would keep its bytes. */
function descriptorOf({ baseOffset, lastOffset, sizeInBytes, maxTimestamp }: ChunkDescriptor): ChunkDescriptor {
  return { baseOffset, lastOffset, sizeInBytes, maxTimestamp };
}
