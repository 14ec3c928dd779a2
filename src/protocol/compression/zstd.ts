import { compress, decompress, init } from "@bokuweb/zstd-wasm";

import { CorruptMessageError } from "../errors.ts";
import type { CompressionCodec } from "./codec.ts";

/**
 * Zstandard (RFC 8878) by the reference library in WebAssembly. It is loaded with this module, once.
 *
 * The library's wrapper allocates whatever size a frame announces, so that is checked here first, against the limit
 * and against what the frame's blocks can hold. A frame that announces nothing gets room for the latter.
 */
await init();

export const codec: CompressionCodec = {
  async compress(bytes) {
    return compress(bytes, COMPRESSION_LEVEL);
  },

  async decompress(bytes, maxBytes) {
    const { contentSize, bound } = sizesOf(bytes);
    if (contentSize !== undefined && contentSize > maxBytes) {
      throw new CorruptMessageError(`a zstd frame of ${contentSize} bytes exceeds the limit of ${maxBytes}`);
    }
    try {
      return decompress(bytes, { defaultHeapSize: Math.min(bound, maxBytes) });
    } catch (error) {
      const message = `a zstd frame is malformed, or exceeds the limit of ${maxBytes} bytes`;
      throw new CorruptMessageError(message, { cause: error });
    }
  },
};

/** Kafka's default. */
const COMPRESSION_LEVEL = 3;

const MAGIC = 0xfd2fb528;
const MAX_BLOCK_BYTES = 128 * 1024;

const SINGLE_SEGMENT = 0x20;
const CHECKSUM = 0x04;
const DICTIONARY_MASK = 0x03;
const RESERVED = 0x08;

const RAW_BLOCK = 0;
const RLE_BLOCK = 1;
const COMPRESSED_BLOCK = 2;

/** What `frame`, which must be exactly one, announces to decompress to, and the most that it can. */
function sizesOf(frame: Uint8Array): { readonly contentSize: number | undefined; readonly bound: number } {
  if (littleEndian(frame, 0, 4) !== MAGIC) throw new CorruptMessageError("a zstd frame has another magic");
  const descriptor = littleEndian(frame, 4, 1);
  if ((descriptor & (DICTIONARY_MASK | RESERVED)) !== 0) {
    throw new CorruptMessageError("a zstd frame needs a dictionary or has unknown flags");
  }
  const isSingleSegment = (descriptor & SINGLE_SEGMENT) !== 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6]!;
  const sizeAt = isSingleSegment ? 5 : 6;
  const bound = boundOfBlocks(frame, sizeAt + sizeBytes, (descriptor & CHECKSUM) === 0 ? 0 : 4);
  if (sizeBytes === 0) return { contentSize: undefined, bound };
  const contentSize = littleEndian(frame, sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  if (contentSize > bound) {
    throw new CorruptMessageError(`a zstd frame announces ${contentSize} bytes in blocks of ${bound}`);
  }
  return { contentSize, bound };
}

function boundOfBlocks(frame: Uint8Array, start: number, trailerBytes: number): number {
  let position = start;
  let bound = 0;
  for (let isLast = false; !isLast; ) {
    const header = littleEndian(frame, position, 3);
    isLast = (header & 1) === 1;
    const kind = (header >>> 1) & 3;
    const size = header >>> 3;
    if (kind > COMPRESSED_BLOCK || size > MAX_BLOCK_BYTES) throw new CorruptMessageError("a zstd block is malformed");
    bound += kind === RAW_BLOCK || kind === RLE_BLOCK ? size : MAX_BLOCK_BYTES;
    position += 3 + (kind === RLE_BLOCK ? 1 : size);
  }
  if (position + trailerBytes !== frame.length) {
    throw new CorruptMessageError("a zstd frame does not end where its data ends");
  }
  return bound;
}

function littleEndian(bytes: Uint8Array, position: number, count: number): number {
  if (position + count > bytes.length) throw new CorruptMessageError("a zstd frame is cut short");
  let value = 0;
  for (let index = count - 1; index >= 0; index--) value = value * 256 + bytes[position + index]!;
  return value;
}
