import { Gunzip, gzipSync } from "fflate";

import { CorruptMessageError } from "../errors.ts";
import { BoundedOutput } from "./bounded-output.ts";
import type { CompressionCodec } from "./codec.ts";

/** Deflate grows at most 1032-fold, so a piece of this size adds no more than 2 MiB before the limit is checked. */
const PIECE_BYTES = 2048;

/** The smallest header and the trailer, of which the last four bytes are the size of the content. */
const MIN_STREAM_BYTES = 18;

/**
 * gzip (RFC 1952) by fflate, which for blocks of the usual size is faster than the platform's own streams and needs
 * no turn of the event loop. It passes over the end of a stream without a look, so a stream that is cut short shows
 * by its size only. The checksum stays unchecked; the batch has one of its own.
 */
export const codec: CompressionCodec = {
  async compress(bytes) {
    // The time goes into the header; without it, the same records make the same bytes.
    return gzipSync(bytes, { mtime: 0 });
  },

  async decompress(bytes, maxBytes) {
    if (bytes.length < MIN_STREAM_BYTES) throw new CorruptMessageError(`a gzip stream of ${bytes.length} bytes`);
    const output = new BoundedOutput(maxBytes, bytes.length * 3);
    const stream = new Gunzip((piece) => output.append(piece, 0, piece.length));
    try {
      for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
        stream.push(bytes.subarray(start, start + PIECE_BYTES), start + PIECE_BYTES >= bytes.length);
      }
    } catch (error) {
      if (error instanceof CorruptMessageError) throw error;
      throw new CorruptMessageError("a gzip stream is malformed", { cause: error });
    }
    const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4);
    if (trailer.getUint32(0, true) !== output.length) throw new CorruptMessageError("a gzip stream is cut short");
    return output.finish();
  },
};
