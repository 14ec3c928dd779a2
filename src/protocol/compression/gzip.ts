import { Gunzip, gzipSync } from "fflate";

import { CorruptMessageError } from "../errors.ts";
import { BoundedOutput } from "./bounded-output.ts";
import type { CompressionCodec } from "./codec.ts";

/** Deflate grows at most 1032-fold, so a piece of this size adds no more than 4 MiB before the limit is checked. */
const PIECE_BYTES = 4096;

/**
 * gzip (RFC 1952) by fflate, which for blocks of the usual size is faster than the platform's own streams and needs
 * no turn of the event loop. It passes over the checksum of the stream; the batch has one of its own.
 */
export const codec: CompressionCodec = {
  async compress(bytes) {
    // The time goes into the header; without it, the same records make the same bytes.
    return gzipSync(bytes, { mtime: 0 });
  },

  async decompress(bytes, maxBytes) {
    const output = new BoundedOutput(maxBytes, bytes.length * 3);
    const stream = new Gunzip((piece) => output.append(piece, 0, piece.length));
    try {
      for (let start = 0; start < bytes.length || start === 0; start += PIECE_BYTES) {
        stream.push(bytes.subarray(start, start + PIECE_BYTES), start + PIECE_BYTES >= bytes.length);
      }
    } catch (error) {
      if (error instanceof CorruptMessageError) throw error;
      throw new CorruptMessageError("a gzip stream is malformed", { cause: error });
    }
    return output.finish();
  },
};
