/**
 * A compression codec for the records section of a batch. Asynchronous because some are WebAssembly; this folder is
 * the one part of the protocol that is.
 */
export interface CompressionCodec {
  compress(bytes: Uint8Array): Promise<Uint8Array>;
  /**
   * Throws CorruptMessageError for malformed input, and for input that would grow beyond `maxBytes`: memory follows
   * what was decompressed so far, never what the input announces.
   */
  decompress(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array>;
}
