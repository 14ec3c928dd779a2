import { CorruptMessageError } from "../errors.ts";

/** Below this, a loop copies faster than a call of `set` or `copyWithin`. */
const SHORT_COPY = 24;

/** The growing output of a decompressor, which never holds more than its limit. */
export class BoundedOutput {
  readonly #maxBytes: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(maxBytes: number, expectedBytes: number) {
    this.#maxBytes = maxBytes;
    this.#bytes = new Uint8Array(Math.min(maxBytes, expectedBytes));
  }

  get length(): number {
    return this.#length;
  }

  /** Appends `length` bytes of `source` from `start` on. */
  append(source: Uint8Array, start: number, length: number): void {
    if (length < 0 || start + length > source.length) {
      throw new CorruptMessageError(`compressed data ends ${start + length - source.length} bytes early`);
    }
    const at = this.#advance(length);
    if (length > SHORT_COPY) this.#bytes.set(source.subarray(start, start + length), at);
    else for (let index = 0; index < length; index++) this.#bytes[at + index] = source[start + index]!;
  }

  /** Appends `length` bytes from `distance` back in the output, which may overlap what is being appended. */
  repeat(distance: number, length: number): void {
    if (distance < 1 || distance > this.#length) {
      throw new CorruptMessageError(`compressed data refers ${distance} bytes back, where ${this.#length} exist`);
    }
    const at = this.#advance(length);
    const from = at - distance;
    if (length > SHORT_COPY && distance >= length) this.#bytes.copyWithin(at, from, from + length);
    else for (let index = 0; index < length; index++) this.#bytes[at + index] = this.#bytes[from + index]!;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #advance(length: number): number {
    const at = this.#length;
    const needed = at + length;
    if (needed > this.#maxBytes) {
      throw new CorruptMessageError(`compressed data grows beyond the limit of ${this.#maxBytes} bytes`);
    }
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(needed, this.#bytes.length * 2)));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    this.#length = needed;
    return at;
  }
}
