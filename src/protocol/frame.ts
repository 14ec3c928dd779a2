import { assert } from "./assert.ts";
import { CorruptMessageError } from "./errors.ts";

/** Kafka's `socket.request.max.bytes`. */
export const MAX_FRAME_BYTES = 100 * 1024 * 1024;

const PREFIX_BYTES = 4;

/** What a frame in parts gets at first, however long it claims to be. */
const FIRST_CAPACITY = 64 * 1024;

/** The four bytes that precede a frame of `length` bytes. */
export function frameHeader(length: number): Uint8Array<ArrayBuffer> {
  assert(length >= 0 && (length | 0) === length, "a frame length is a 32-bit integer and not negative");
  const header = new Uint8Array(PREFIX_BYTES);
  new DataView(header.buffer).setInt32(0, length);
  return header;
}

/**
 * Cuts a byte stream into frames, however its chunks fall. A length beyond the limit is refused as soon as its four
 * bytes are there; memory follows the bytes that arrived, never the length that was announced. After an error the
 * stream has lost its place, so the connection must end.
 */
export class FrameDecoder {
  readonly #maxFrameBytes: number;
  /** The bytes of the prefix that arrived, as a number, and how many they are. */
  #prefix = 0;
  #prefixBytes = 0;
  /** A frame that came in parts: its announced length, its bytes so far, and how many they are. */
  #length = 0;
  #partial = new Uint8Array(0);
  #filled = 0;

  constructor(maxFrameBytes = MAX_FRAME_BYTES) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /**
   * The frames that `chunk` completes, without their prefixes. A frame that lies within the chunk is a view of it, so
   * the caller must not write to the chunk while the frame is in use.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let position = 0;
    while (true) {
      position = this.#readPrefix(chunk, position);
      if (this.#prefixBytes < PREFIX_BYTES) return frames;
      const missing = this.#length - this.#filled;
      const part = chunk.subarray(position, position + missing);
      position += part.length;
      if (part.length < missing) {
        this.#keep(part);
        return frames;
      }
      frames.push(this.#complete(part));
    }
  }

  #readPrefix(chunk: Uint8Array, start: number): number {
    let position = start;
    while (this.#prefixBytes < PREFIX_BYTES && position < chunk.length) {
      this.#prefix = (this.#prefix << 8) | chunk[position++]!;
      if (++this.#prefixBytes === PREFIX_BYTES) this.#length = this.#checked(this.#prefix);
    }
    return position;
  }

  #checked(length: number): number {
    if (length < 0) throw new CorruptMessageError(`a frame announces ${length} bytes`);
    if (length > this.#maxFrameBytes) {
      throw new CorruptMessageError(`a frame of ${length} bytes exceeds the limit of ${this.#maxFrameBytes}`);
    }
    return length;
  }

  #keep(part: Uint8Array): void {
    const needed = this.#filled + part.length;
    if (needed > this.#partial.length) {
      const larger = new Uint8Array(Math.min(this.#length, Math.max(FIRST_CAPACITY, needed * 2)));
      larger.set(this.#partial.subarray(0, this.#filled));
      this.#partial = larger;
    }
    this.#partial.set(part, this.#filled);
    this.#filled = needed;
  }

  #complete(lastPart: Uint8Array): Uint8Array {
    let frame = lastPart;
    if (this.#filled > 0) {
      this.#keep(lastPart);
      frame = this.#partial.subarray(0, this.#filled);
    }
    this.#prefixBytes = 0;
    this.#prefix = 0;
    this.#partial = new Uint8Array(0);
    this.#filled = 0;
    return frame;
  }
}
