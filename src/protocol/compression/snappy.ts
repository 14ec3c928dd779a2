import { CorruptMessageError } from "../errors.ts";
import { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";
import { BoundedOutput } from "./bounded-output.ts";
import type { CompressionCodec } from "./codec.ts";
import { findRepetitions, MAX_BLOCK, MIN_MATCH } from "./repetitions.ts";

/**
 * Snappy (google/snappy, format_description.txt). Java wraps raw blocks in the framing of the xerial library;
 * librdkafka produces a raw block. Both are read here, and xerial's is written, which every client reads.
 *
 * Written out rather than taken from a package: those at hand loop without end on a literal of negative length.
 */
export const codec: CompressionCodec = {
  async compress(bytes) {
    const writer = new Writer(bytes.length / 2 + 64);
    writer.bytes(XERIAL_MAGIC);
    writer.int32(1);
    writer.int32(1);
    for (let start = 0; start < bytes.length; start += MAX_BLOCK) {
      const block = compressBlock(bytes.subarray(start, start + MAX_BLOCK));
      writer.int32(block.length);
      writer.bytes(block);
    }
    return writer.finish();
  },

  async decompress(bytes, maxBytes) {
    const output = new BoundedOutput(maxBytes, bytes.length * 3);
    if (!startsWithXerialMagic(bytes)) decompressBlock(bytes, output);
    else decompressXerial(bytes, output);
    return output.finish();
  },
};

const XERIAL_MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
/** The magic and two version numbers, of which readers need none. */
const XERIAL_HEADER_BYTES = 16;

const LITERAL = 0;
const COPY_11_BITS = 1;
const COPY_16_BITS = 2;
/** Literal lengths from here on follow the tag in 1 to 4 bytes. */
const LONG_LITERAL = 60;
const MAX_COPY = 64;

function startsWithXerialMagic(bytes: Uint8Array): boolean {
  return bytes.length >= XERIAL_HEADER_BYTES && XERIAL_MAGIC.every((byte, index) => bytes[index] === byte);
}

function decompressXerial(bytes: Uint8Array, output: BoundedOutput): void {
  const reader = new Reader(bytes, XERIAL_HEADER_BYTES);
  while (reader.remaining > 0) decompressBlock(reader.bytes(reader.int32()), output);
}

function decompressBlock(block: Uint8Array, output: BoundedOutput): void {
  const reader = new Reader(block);
  const length = reader.unsignedVarint();
  const end = output.length + length;
  let position = reader.position;
  while (position < block.length) {
    const tag = block[position++]!;
    const kind = tag & 3;
    if (kind === LITERAL) {
      const size = tag >>> 2;
      const extraBytes = Math.max(0, size - LONG_LITERAL + 1);
      const literalLength = 1 + (extraBytes === 0 ? size : littleEndian(block, position, extraBytes));
      position += extraBytes;
      output.append(block, position, literalLength);
      position += literalLength;
    } else if (kind === COPY_11_BITS) {
      output.repeat(((tag >>> 5) << 8) | littleEndian(block, position, 1), MIN_MATCH + ((tag >>> 2) & 7));
      position += 1;
    } else {
      const distanceBytes = kind === COPY_16_BITS ? 2 : 4;
      output.repeat(littleEndian(block, position, distanceBytes), 1 + (tag >>> 2));
      position += distanceBytes;
    }
    if (output.length > end) break;
  }
  if (output.length !== end) throw new CorruptMessageError(`a snappy block does not hold its ${length} bytes`);
}

function littleEndian(bytes: Uint8Array, position: number, count: number): number {
  if (position + count > bytes.length) throw new CorruptMessageError("a snappy block ends within an element");
  let value = 0;
  for (let index = count - 1; index >= 0; index--) value = value * 256 + bytes[position + index]!;
  return value;
}

function compressBlock(input: Uint8Array): Uint8Array {
  const writer = new Writer(input.length / 2 + 32);
  writer.unsignedVarint(input.length);
  const end = input.length;
  const rest = findRepetitions(input, end - MIN_MATCH, end, (literalStart, literalEnd, distance, length) => {
    writeLiteral(writer, input.subarray(literalStart, literalEnd));
    writeCopy(writer, distance, length);
  });
  writeLiteral(writer, input.subarray(rest));
  return writer.finish();
}

function writeLiteral(writer: Writer, literal: Uint8Array): void {
  if (literal.length === 0) return;
  const size = literal.length - 1;
  if (size < LONG_LITERAL) {
    writer.uint8(size << 2);
  } else if (size < 0x100) {
    writer.uint8(LONG_LITERAL << 2);
    writer.uint8(size);
  } else {
    writer.uint8((LONG_LITERAL + 1) << 2);
    writer.uint8(size & 0xff);
    writer.uint8(size >>> 8);
  }
  writer.bytes(literal);
}

function writeCopy(writer: Writer, distance: number, length: number): void {
  for (let rest = length; rest > 0; ) {
    const size = Math.min(rest, MAX_COPY);
    writer.uint8(((size - 1) << 2) | COPY_16_BITS);
    writer.uint8(distance & 0xff);
    writer.uint8(distance >>> 8);
    rest -= size;
  }
}
