import { AssertionError } from "./assert.ts";
import { sharedCopies } from "./shared-copies.ts";
import { utf8Length, writeUtf8 } from "./utf8.ts";
import { writeUuid } from "./uuid.ts";

const TWO_32 = 0x1_0000_0000;
/** What {@link encode} starts with, and the most that it keeps for the next message. */
const SPARE_BYTES = [16 * 1024, 1024 * 1024] as const;
/** The buffers that brief messages share, and how large one of these may be. */
const SHARED_BYTES = [16 * 1024, 1024] as const;

/**
 * Writes Kafka's primitive types, big-endian, into a buffer that grows. A value that does not fit its type is a
 * mistake of the caller, not of a peer, hence an assertion.
 */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** `capacity` is a guess in bytes. */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(Math.ceil(capacity));
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
    this.#byte(value);
  }

  uint8(value: number): void {
    if ((value & 0xff) !== value) refuse(value, "unsigned 8-bit integer");
    this.#byte(value);
  }

  int16(value: number): void {
    if (value << 16 >> 16 !== value) refuse(value, "16-bit integer");
    this.#two(value);
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) refuse(value, "unsigned 16-bit integer");
    this.#two(value);
  }

  int32(value: number): void {
    if ((value | 0) !== value) refuse(value, "32-bit integer");
    this.#four(value);
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) refuse(value, "unsigned 32-bit integer");
    this.#four(value);
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) refuse(value, "integer below 2^53");
    this.#four(Math.floor(value / TWO_32));
    this.#four(value >>> 0);
  }

  float64(value: number): void {
    const at = this.#advance(8);
    new DataView(this.#bytes.buffer).setFloat64(at, value);
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

  /** Writes something behind its size in bytes, as an unsigned varint. */
  sized(write: () => void): void {
    const sizeAt = this.#advance(1);
    write();
    const size = this.#length - sizeAt - 1;
    if (size < 0x80) return void (this.#bytes[sizeAt] = size);
    // The size needs more room than was kept for it.
    const content = this.#bytes.slice(sizeAt + 1, this.#length);
    this.#length = sizeAt;
    this.unsignedVarint(size);
    this.bytes(content);
  }

  /** Forgets what was written. */
  reset(): void {
    this.#length = 0;
  }

  #byte(value: number): void {
    const at = this.#advance(1);
    this.#bytes[at] = value;
  }

  #two(value: number): void {
    const at = this.#advance(2);
    this.#bytes[at] = value >> 8;
    this.#bytes[at + 1] = value;
  }

  #four(value: number): void {
    const at = this.#advance(4);
    const bytes = this.#bytes;
    bytes[at] = value >> 24;
    bytes[at + 1] = value >> 16;
    bytes[at + 2] = value >> 8;
    bytes[at + 3] = value;
  }

  /** Makes room. The buffer may be another one afterwards, so it is read only after this returns. */
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
  }
}

/** Handed from one message to the next: making a buffer costs more than filling a small one. */
let spare: Writer | undefined;

/** What `write` writes, in a buffer of just its size. */
export function encode(write: (writer: Writer) => void): Uint8Array<ArrayBuffer> {
  return written(write, ownCopy);
}

/** The same for what is sent, or copied, and forgotten: brief messages share buffers, so none may be transferred or kept. */
export function encodeForSending(write: (writer: Writer) => void): Uint8Array<ArrayBuffer> {
  return written(write, sharedCopy);
}

function written(
  write: (writer: Writer) => void,
  copy: (bytes: Uint8Array) => Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const writer = spare ?? new Writer(SPARE_BYTES[0]);
  // Whoever encodes within `write` gets another one.
  spare = undefined;
  writer.reset();
  write(writer);
  const bytes = writer.finish();
  if (bytes.length <= SPARE_BYTES[1]) spare = writer;
  return copy(bytes);
}

function ownCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

const sharedCopy = sharedCopies(...SHARED_BYTES);

/** Kept apart from the checks, so that a value which fits costs no message. */
function refuse(value: number, type: string): never {
  throw new AssertionError(`${value} is no ${type}`);
}
