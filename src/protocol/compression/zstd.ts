import { compress, decompress, init } from "@bokuweb/zstd-wasm";

import { CorruptMessageError } from "../errors.ts";
import type { CompressionCodec } from "./codec.ts";

/**
 * Zstandard (RFC 8878) by the reference library in WebAssembly. It is loaded with this module, once.
 *
 * The library's wrapper allocates whatever size a frame announces, so the size is worked out here first, from the
 * frame's header or else from those of its blocks, and refused before the library sees it.
 */
await init();

export const codec: CompressionCodec = {
  async compress(bytes) {
    return compress(bytes, COMPRESSION_LEVEL);
  },

  async decompress(bytes, maxBytes) {
    const size = decompressedBound(bytes);
    if (size > maxBytes) throw new CorruptMessageError(`a zstd frame of ${size} bytes exceeds the limit of ${maxBytes}`);
    try {
      return decompress(bytes, { defaultHeapSize: size });
    } catch (error) {
      throw new CorruptMessageError("a zstd frame is malformed", { cause: error });
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

/** An upper bound of the bytes that `frame`, which must be exactly one, decompresses to. */
function decompressedBound(frame: Uint8Array): number {
  if (littleEndian(frame, 0, 4) !== MAGIC) throw new CorruptMessageError("a zstd frame has another magic");
  const descriptor = littleEndian(frame, 4, 1);
  if ((descriptor & (DICTIONARY_MASK | RESERVED)) !== 0) {
    throw new CorruptMessageError("a zstd frame needs a dictionary or has unknown flags");
  }
  const isSingleSegment = (descriptor & SINGLE_SEGMENT) !== 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6]!;
  const sizeAt = isSingleSegment ? 5 : 6;
  const announced = littleEndian(frame, sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  const blocksBound = boundOfBlocks(frame, sizeAt + sizeBytes, (descriptor & CHECKSUM) === 0 ? 0 : 4);
  if (sizeBytes > 0 && announced > blocksBound) {
    throw new CorruptMessageError(`a zstd frame announces ${announced} bytes in blocks of ${blocksBound}`);
  }
  return sizeBytes > 0 ? announced : blocksBound;
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
