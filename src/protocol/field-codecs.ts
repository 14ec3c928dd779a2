import { assert } from "./assert.ts";
import { CorruptMessageError } from "./errors.ts";
import type { Reader } from "./reader.ts";
import { utf8Length } from "./utf8.ts";
import type { Writer } from "./writer.ts";

/** What decides how a field is laid out in bytes. */
export interface Layout {
  readonly version: number;
  /** Whether lengths are compact and structs end with a tag buffer. */
  readonly flexible: boolean;
}

/** Reads and writes one value in one layout. */
export interface Codec<Decoded, Encodable> {
  /** The fewest bytes a value takes, which bounds how many of them can follow an announced count. */
  readonly minSize: number;
  /** What a value takes from the reader's object budget when it is an array element. */
  readonly cost: number;
  read(reader: Reader): Decoded;
  write(writer: Writer, value: Encodable): void;
}

/** Kafka's limit for every string, in bytes of UTF-8. */
const MAX_STRING_BYTES = 0x7fff;

export function stringCodec(layout: Layout, canBeNull: boolean): Codec<string | null, string | null> {
  const { readLength, writeLength, size } = lengthPrefix(layout, canBeNull, "int16");
  return {
    minSize: size,
    cost: 1,
    read(reader) {
      const length = readLength(reader);
      if (length > MAX_STRING_BYTES) throw new CorruptMessageError(`a string of ${length} bytes exceeds 32767`);
      return length < 0 ? null : readText(reader, length);
    },
    write(writer, value) {
      if (value === null) return writeLength(writer, -1);
      const length = utf8Length(value);
      assert(length <= MAX_STRING_BYTES, "a string is at most 32767 bytes long");
      writeLength(writer, length);
      writer.utf8(value, length);
    },
  };
}

/** The next `length` bytes, of at most 32767, as text that fits into a field again: in an answer, or in a record. */
export function readText(reader: Reader, length: number): string {
  const text = reader.string(length);
  // Malformed bytes become characters of three bytes each.
  if (3 * length > MAX_STRING_BYTES && utf8Length(text) > MAX_STRING_BYTES) {
    throw new CorruptMessageError("a string is no UTF-8");
  }
  return text;
}

export function bytesCodec(layout: Layout, canBeNull: boolean): Codec<Uint8Array | null, Uint8Array | null> {
  const { readLength, writeLength, size } = lengthPrefix(layout, canBeNull, "int32");
  return {
    minSize: size,
    cost: 1,
    read(reader) {
      const length = readLength(reader);
      return length < 0 ? null : reader.bytes(length);
    },
    write(writer, value) {
      writeLength(writer, value === null ? -1 : value.length);
      if (value !== null) writer.bytes(value);
    },
  };
}

export function arrayCodec<Decoded, Encodable>(
  element: Codec<Decoded, Encodable>,
  layout: Layout,
  canBeNull: boolean,
): Codec<readonly Decoded[] | null, readonly Encodable[] | null> {
  const { readLength, writeLength, size } = lengthPrefix(layout, canBeNull, "int32");
  return {
    minSize: size,
    cost: 1,
    read(reader) {
      const count = readLength(reader);
      if (count < 0) return null;
      if (count * element.minSize > reader.remaining) {
        throw new CorruptMessageError(`an array announces ${count} elements, but ${reader.remaining} bytes follow`);
      }
      reader.spend(count * element.cost);
      const elements: Decoded[] = [];
      for (let index = 0; index < count; index++) elements.push(element.read(reader));
      return elements;
    },
    write(writer, value) {
      writeLength(writer, value === null ? -1 : value.length);
      if (value !== null) for (const item of value) element.write(writer, item);
    },
  };
}

interface LengthPrefix {
  readonly size: number;
  readLength(reader: Reader): number;
  writeLength(writer: Writer, length: number): void;
}

/** The length before a string, bytes or an array; -1 stands for null, in flexible layouts as a 0 on the wire. */
function lengthPrefix(layout: Layout, canBeNull: boolean, fixed: "int16" | "int32"): LengthPrefix {
  const { flexible } = layout;
  const isShort = fixed === "int16";
  return {
    size: flexible ? 1 : isShort ? 2 : 4,
    readLength(reader) {
      const length = flexible ? reader.unsignedVarint() - 1 : isShort ? reader.int16() : reader.int32();
      if (length >= 0 || (length === -1 && canBeNull)) return length;
      throw new CorruptMessageError(`a length of ${length} before byte ${reader.position}`);
    },
    writeLength(writer, length) {
      assert(length >= 0 || canBeNull, "this version of the field cannot be null");
      if (flexible) writer.unsignedVarint(length + 1);
      else if (isShort) writer.int16(length);
      else writer.int32(length);
    },
  };
}
