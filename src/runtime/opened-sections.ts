import type { OpenedSections } from "../log/compaction-pass.ts";
import type { Chunk } from "../log/stored-log.ts";
import type { CompressionCodec } from "../protocol/compression/codec.ts";
import { loadCodec } from "../protocol/compression/codecs.ts";
import { batches, codecNames, recordsSection } from "../protocol/record-batch.ts";

/**
 * What one batch may grow to. Compaction stores what it has opened uncompressed, and a batch is fetched as a whole; so
 * larger ones stay closed, and as they are.
 */
export const MAX_SECTION_BYTES = 4 * 1024 * 1024;

/** What one read may grow to. */
const MAX_OPENED_BYTES = 32 * 1024 * 1024;

/**
 * The records of the compressed batches in `chunks`, uncompressed, by base offset. What cannot be opened is left out,
 * for it may be a producer's doing; damage is for the broker to find, which checks the checksums.
 */
export async function openSections(chunks: readonly Chunk[]): Promise<OpenedSections> {
  const opened = new Map<number, Uint8Array>();
  let roomBytes = MAX_OPENED_BYTES;
  for (const { bytes } of chunks) {
    await unlessUnreadable(async () => {
      for (const { header, bytes: batch } of batches(bytes)) {
        const { codec, control } = header.attributes;
        if (control || codecNames[codec] === "none") continue;
        const maxBytes = Math.min(roomBytes, MAX_SECTION_BYTES);
        const section = await unlessUnreadable(async () => openSection(batch, await loadCodec(codec), maxBytes));
        if (section === undefined) continue;
        roomBytes -= section.length;
        opened.set(header.baseOffset, section);
      }
    });
  }
  return opened;
}

/** The records of one batch, uncompressed. Throws CorruptMessageError if they cannot be, or exceed `maxBytes`. */
export async function openSection(
  batch: Uint8Array,
  { decompress }: CompressionCodec,
  maxBytes: number,
): Promise<Uint8Array> {
  // A decompressor may reuse its buffer, or hold on to a larger one.
  return (await decompress(recordsSection(batch), maxBytes)).slice();
}

/** Neither batches that no codec can read, nor a codec that cannot be loaded just now, are the storage's fault. */
async function unlessUnreadable<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
