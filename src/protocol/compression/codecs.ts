import { CorruptMessageError, UnsupportedCompressionError } from "../errors.ts";
import { codecNames } from "../record-batch.ts";
import type { CodecName } from "../record-batch.ts";
import type { CompressionCodec } from "./codec.ts";

const none: CompressionCodec = {
  async compress(bytes) {
    return bytes;
  },

  async decompress(bytes, maxBytes) {
    if (bytes.length <= maxBytes) return bytes;
    throw new CorruptMessageError(`${bytes.length} bytes of records exceed the limit of ${maxBytes}`);
  },
};

/** Each codec is a chunk of its own, which is loaded when a batch first needs it. */
const loaders: Record<CodecName, () => Promise<CompressionCodec>> = {
  none: async () => none,
  gzip: async () => (await import("./gzip.ts")).codec,
  snappy: async () => (await import("./snappy.ts")).codec,
  lz4: async () => (await import("./lz4.ts")).codec,
  zstd: async () => (await import("./zstd.ts")).codec,
};

/**
 * Thrown when the chunk of a codec cannot be had. Another try may succeed; but browsers may remember that a module did
 * not load, for as long as the page lives.
 */
export class CodecNotLoadedError extends Error {
  override readonly name = "CodecNotLoadedError";

  constructor(name: CodecName, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`the ${name} codec cannot be loaded; reload the page, for the server may have a newer build: ${reason}`, {
      cause,
    });
  }
}

/**
 * The codec that a batch names by number, or a producer by name. Throws UnsupportedCompressionError for a number that
 * stands for none, and CodecNotLoadedError.
 */
export async function loadCodec(codec: CodecName | number): Promise<CompressionCodec> {
  const name = typeof codec === "number" ? codecNames[codec] : codec;
  if (name === undefined) throw new UnsupportedCompressionError(`no compression codec has the number ${codec}`);
  try {
    return await loaders[name]();
  } catch (cause) {
    throw new CodecNotLoadedError(name, cause);
  }
}

/** Loads every codec, for whoever may outlive the files of its build. What cannot be had is left until it is needed. */
export async function loadAllCodecs(): Promise<void> {
  await Promise.allSettled(Object.values(loaders).map((load) => load()));
}
