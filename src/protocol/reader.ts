import { CorruptMessageError } from "./errors.ts";
import { decodeUtf8 } from "./utf8.ts";
import { readUuid } from "./uuid.ts";

/**
 * How many array elements, struct fields and tagged fields one message may hold. A message can be cheap on the wire
 * and dear in memory (an element of one byte becomes an object), so its size in bytes alone does not bound it.
 */
const OBJECT_BUDGET = 1_000_000;

const TWO_32 = 0x1_0000_0000;

/**
 * Reads Kafka's primitive types, big-endian, from hostile bytes: every read is checked against the end, and every
 * malformed value throws CorruptMessageError. Byte ranges are views of the input, never copies.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;
  #budget: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length, budget = OBJECT_BUDGET) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.#budget = budget;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  /** Takes `count` objects from the budget. Called before they are made. */
  spend(count: number): void {
    this.#budget -= count;
    if (this.#budget < 0) throw new CorruptMessageError("the message holds more elements than a reader accepts");
  }

  int8(): number {
    return (this.#byte() << 24) >> 24;
  }

  int16(): number {
    return (this.uint16() << 16) >> 16;
  }

  uint16(): number {
    const at = this.#advance(2);
    return (this.#bytes[at]! << 8) | this.#bytes[at + 1]!;
  }

  int32(): number {
    const at = this.#advance(4);
    const bytes = this.#bytes;
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** A 64-bit integer as a number; one that a number cannot hold exactly is refused. */
  int64(): number {
    const high = this.int32();
    const value = high * TWO_32 + this.uint32();
    if (Number.isSafeInteger(value)) return value;
    throw new CorruptMessageError(`a 64-bit integer at byte ${this.#position - 8} is beyond 2^53`);
  }

  float64(): number {
    const at = this.#advance(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getFloat64(at);
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  uuid(): string {
    return readUuid(this.#bytes, this.#advance(16));
  }

  /** Unsigned LEB128 of at most 32 bits. Forms longer than needed are accepted, as Kafka does. */
  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.#byte();
    if (last > 0x0f) throw new CorruptMessageError(`a varint before byte ${this.#position} exceeds 32 bits`);
    return (value | (last << 28)) >>> 0;
  }

  /** Zigzag-mapped 32-bit integer. */
  varint(): number {
    const value = this.unsignedVarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Zigzag-mapped 64-bit integer as a number; one that a number cannot hold exactly is refused. */
  varlong(): number {
    const first = this.#byte();
    let half = (first & 0x7f) >> 1;
    let scale = 64;
    for (let byte = first, count = 1; byte >= 0x80; count++, scale *= 128) {
      if (count === 10) throw new CorruptMessageError(`a varlong before byte ${this.#position} exceeds 64 bits`);
      byte = this.#byte();
      half += (byte & 0x7f) * scale;
    }
    if (half > Number.MAX_SAFE_INTEGER) {
      throw new CorruptMessageError(`a varlong before byte ${this.#position} is beyond 2^53`);
    }
    return (first & 1) === 0 ? half : -half - 1;
  }

  /** The next `length` bytes, as a view. */
  bytes(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** The next `length` bytes as text. */
  string(length: number): string {
    const at = this.#advance(length);
    return decodeUtf8(this.#bytes, at, at + length);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  /** Refuses bytes that follow a message which is complete without them. */
  expectEnd(): void {
    if (this.remaining > 0) throw new CorruptMessageError(`${this.remaining} bytes follow the end of the message`);
  }

  #byte(): number {
    return this.#bytes[this.#advance(1)]!;
  }

  #advance(length: number): number {
    const at = this.#position;
    if (length < 0 || length > this.#end - at) {
      throw new CorruptMessageError(`${length} bytes are due at byte ${at}, of which ${this.#end - at} exist`);
    }
    this.#position = at + length;
    return at;
  }
}
