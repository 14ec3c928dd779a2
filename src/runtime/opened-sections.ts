import type { OpenedSections } from "../log/compaction-pass.ts";
import type { Chunk } from "../log/stored-log.ts";
import { loadCodec } from "../protocol/compression/codecs.ts";
import { CorruptMessageError } from "../protocol/errors.ts";
import { batches, codecNames, recordsSection } from "../protocol/record-batch.ts";

/** What one read may grow to. Batches beyond it stay closed, and compaction leaves them as they are. */
export const MAX_OPENED_BYTES = 32 * 1024 * 1024;

/**
 * The records of the compressed batches in `chunks`, uncompressed, by base offset. What cannot be opened is left out,
 * for it may be a producer's doing; damage is for the broker to find, which checks the checksums.
 */
export async function openSections(chunks: readonly Chunk[]): Promise<OpenedSections> {
  const opened = new Map<number, Uint8Array>();
  let roomBytes = MAX_OPENED_BYTES;
  for (const { bytes } of chunks) {
    try {
      for (const batch of batches(bytes)) {
        const { codec, control } = batch.header.attributes;
        if (control || codecNames[codec] === "none" || codecNames[codec] === undefined) continue;
        const section = await open(batch.bytes, codec, roomBytes);
        if (section === undefined) continue;
        roomBytes -= section.length;
        opened.set(batch.header.baseOffset, section);
      }
    } catch (error) {
      if (!(error instanceof CorruptMessageError)) throw error;
    }
  }
  return opened;
}

async function open(batch: Uint8Array, codec: number, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    const section = await (await loadCodec(codec)).decompress(recordsSection(batch), maxBytes);
    // A decompressor may reuse its buffer, or hold on to a larger one.
    return section.slice();
  } catch (error) {
    if (error instanceof CorruptMessageError) return undefined;
    throw error;
  }
}
