import { AssertionError } from "./assert.ts";
import { utf8Length, writeUtf8 } from "./utf8.ts";
import { writeUuid } from "./uuid.ts";

const TWO_32 = 0x1_0000_0000;

/**
 * Writes Kafka's primitive types, big-endian, into a buffer that grows. A value that does not fit its type is a
 * mistake of the caller, not of a peer, hence an assertion.
 */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** `capacity` is a guess in bytes. */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(Math.ceil(capacity));
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written so far: a view, valid until the next write. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  int8(value: number): void {
    if (value << 24 >> 24 !== value) refuse(value, "8-bit integer");
    const at = this.#advance(1);
    this.#view.setInt8(at, value);
  }

  uint8(value: number): void {
    if ((value & 0xff) !== value) refuse(value, "unsigned 8-bit integer");
    this.#byte(value);
  }

  int16(value: number): void {
    if (value << 16 >> 16 !== value) refuse(value, "16-bit integer");
    const at = this.#advance(2);
    this.#view.setInt16(at, value);
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) refuse(value, "unsigned 16-bit integer");
    const at = this.#advance(2);
    this.#view.setUint16(at, value);
  }

  int32(value: number): void {
    if ((value | 0) !== value) refuse(value, "32-bit integer");
    const at = this.#advance(4);
    this.#view.setInt32(at, value);
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) refuse(value, "unsigned 32-bit integer");
    const at = this.#advance(4);
    this.#view.setUint32(at, value);
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) refuse(value, "integer below 2^53");
    const at = this.#advance(8);
    this.#view.setInt32(at, Math.floor(value / TWO_32));
    this.#view.setUint32(at + 4, value >>> 0);
  }

  float64(value: number): void {
    const at = this.#advance(8);
    this.#view.setFloat64(at, value);
  }

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  uuid(value: string): void {
    const at = this.#advance(16);
    writeUuid(value, this.#bytes, at);
  }

  unsignedVarint(value: number): void {
    if (value >>> 0 !== value) refuse(value, "unsigned 32-bit integer");
    let rest = value;
    while (rest >= 0x80) {
      this.#byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.#byte(rest);
  }

  varint(value: number): void {
    if ((value | 0) !== value) refuse(value, "32-bit integer");
    this.unsignedVarint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  varlong(value: number): void {
    if (!Number.isSafeInteger(value)) refuse(value, "integer below 2^53");
    const half = value < 0 ? -(value + 1) : value;
    // Twice the magnitude may exceed 2^53, so the sign bit is joined to the low six bits by hand.
    let group = (half % 64) * 2 + (value < 0 ? 1 : 0);
    for (let rest = Math.floor(half / 64); rest > 0; rest = Math.floor(rest / 128)) {
      this.#byte(group | 0x80);
      group = rest % 128;
    }
    this.#byte(group);
  }

  bytes(value: Uint8Array): void {
    const at = this.#advance(value.length);
    this.#bytes.set(value, at);
  }

  /** Writes text without its length; {@link utf8Length} tells it. */
  utf8(text: string, length = utf8Length(text)): void {
    const at = this.#advance(length);
    writeUtf8(text, this.#bytes, at);
  }

  #byte(value: number): void {
    const at = this.#advance(1);
    this.#bytes[at] = value;
  }

  /** Makes room for `length` bytes, and tells where. May replace the view, which must be looked up only afterwards. */
  /** Makes room. The buffer and its view may be others afterwards, so they are read only after this returns. */
  #advance(length: number): number {
    const at = this.#length;
    this.#length = at + length;
    if (this.#length > this.#bytes.length) this.#grow(this.#length);
    return at;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Kept apart from the checks, so that a value which fits costs no message. */
function refuse(value: number, type: string): never {
  throw new AssertionError(`${value} is no ${type}`);
}
