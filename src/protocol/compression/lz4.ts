import { CorruptMessageError } from "../errors.ts";
import { Writer } from "../writer.ts";
import { BoundedOutput } from "./bounded-output.ts";
import type { CompressionCodec } from "./codec.ts";
import { findRepetitions, MAX_BLOCK, MIN_MATCH } from "./repetitions.ts";

/**
 * LZ4 frames (lz4/lz4, doc/lz4_Frame_format.md). Written are what Java's client writes, and the only frames that it
 * reads: independent blocks of 64 KiB, no checksums. Any frame without a dictionary is read. Its checksums are passed
 * over, since the batch has one of its own.
 *
 * Written out rather than taken from a package: the one at hand writes dependent blocks, which Java refuses, and
 * decodes malformed frames without complaint.
 */
export const codec: CompressionCodec = {
  async compress(bytes) {
    const writer = new Writer(bytes.length / 2 + 64);
    writer.bytes(FRAME_HEADER);
    for (let start = 0; start < bytes.length; start += MAX_BLOCK) {
      writeBlock(writer, bytes.subarray(start, start + MAX_BLOCK));
    }
    writeUint32(writer, 0);
    return writer.finish();
  },

  async decompress(bytes, maxBytes) {
    const output = new BoundedOutput(maxBytes, bytes.length * 3);
    decompressFrame(bytes, output);
    return output.finish();
  },
};

const MAGIC = 0x184d2204;
/** The magic, the flags for independent blocks, the code for 64 KiB, and the checksum of the latter two. */
const FRAME_HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82);

const VERSION_MASK = 0xc0;
const VERSION = 0x40;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_CHECKSUM = 0x04;
const DICTIONARY = 0x01;
/** The bit of a block's length that says that the block is not compressed. */
const STORED = 0x80000000;

/** Lengths of 15 and more go on in further bytes. */
const LONG = 15;
/** The last match of a block starts at least this far before its end, and the last bytes are literals. */
const LAST_MATCH_DISTANCE = 12;
const LAST_LITERALS = 5;

function decompressFrame(frame: Uint8Array, output: BoundedOutput): void {
  if (uint32At(frame, 0) !== MAGIC) throw new CorruptMessageError("an LZ4 frame has another magic");
  const flags = byteAt(frame, 4);
  if ((flags & VERSION_MASK) !== VERSION || (flags & DICTIONARY) !== 0) {
    throw new CorruptMessageError(`an LZ4 frame has the unknown flags ${flags}`);
  }
  let position = 7 + ((flags & CONTENT_SIZE) === 0 ? 0 : 8);
  for (let length = uint32At(frame, position); length !== 0; length = uint32At(frame, position)) {
    position += 4;
    const isStored = length >= STORED;
    const size = isStored ? length - STORED : length;
    if (size > frame.length - position) throw new CorruptMessageError(`an LZ4 block of ${size} bytes is cut short`);
    if (isStored) output.append(frame, position, size);
    else decompressBlock(frame.subarray(position, position + size), output);
    position += size + ((flags & BLOCK_CHECKSUM) === 0 ? 0 : 4);
  }
  position += 4 + ((flags & CONTENT_CHECKSUM) === 0 ? 0 : 4);
  if (position !== frame.length) throw new CorruptMessageError("an LZ4 frame does not end where its data ends");
}

function decompressBlock(block: Uint8Array, output: BoundedOutput): void {
  let position = 0;
  const readLength = (nibble: number): number => {
    let length = nibble;
    if (nibble < LONG) return length;
    for (let byte = 255; byte === 255; length += byte) byte = byteAt(block, position++);
    return length;
  };
  while (true) {
    const token = byteAt(block, position++);
    const literalLength = readLength(token >>> 4);
    output.append(block, position, literalLength);
    position += literalLength;
    if (position === block.length) return;
    const distance = byteAt(block, position) | (byteAt(block, position + 1) << 8);
    position += 2;
    output.repeat(distance, MIN_MATCH + readLength(token & 15));
  }
}

function writeBlock(writer: Writer, input: Uint8Array): void {
  const block = compressBlock(input);
  const isSmaller = block.length < input.length;
  writeUint32(writer, isSmaller ? block.length : input.length + STORED);
  writer.bytes(isSmaller ? block : input);
}

function compressBlock(input: Uint8Array): Uint8Array {
  const writer = new Writer(input.length / 2 + 32);
  const end = input.length;
  const rest = findRepetitions(
    input,
    end - LAST_MATCH_DISTANCE,
    end - LAST_LITERALS,
    (literalStart, literalEnd, distance, length) => {
      writeSequence(writer, input.subarray(literalStart, literalEnd), length - MIN_MATCH);
      writer.uint8(distance & 0xff);
      writer.uint8(distance >>> 8);
      if (length - MIN_MATCH >= LONG) writeLength(writer, length - MIN_MATCH - LONG);
    },
  );
  writeSequence(writer, input.subarray(rest), 0);
  return writer.finish();
}

/** The token and the literals that follow it; the match, of which the token has the length, is left to the caller. */
function writeSequence(writer: Writer, literals: Uint8Array, matchLength: number): void {
  writer.uint8((Math.min(literals.length, LONG) << 4) | Math.min(matchLength, LONG));
  if (literals.length >= LONG) writeLength(writer, literals.length - LONG);
  writer.bytes(literals);
}

function writeLength(writer: Writer, length: number): void {
  let rest = length;
  for (; rest >= 255; rest -= 255) writer.uint8(255);
  writer.uint8(rest);
}

function writeUint32(writer: Writer, value: number): void {
  for (let shift = 0; shift < 32; shift += 8) writer.uint8((value >>> shift) & 0xff);
}

function uint32At(bytes: Uint8Array, at: number): number {
  const low = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16);
  return (low | (byteAt(bytes, at + 3) << 24)) >>> 0;
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new CorruptMessageError(`an LZ4 frame ends early, at byte ${at}`);
  return byte;
}
