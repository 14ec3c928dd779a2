import type { Recompressed, RecompressedBatches, WantedCodec, WantedCodecs } from "../broker/recompression.ts";
import { loadCodec } from "../protocol/compression/codecs.ts";
import { CorruptMessageError } from "../protocol/errors.ts";
import { findSectionFault } from "../protocol/produced-batch.ts";
import { assembleBatch, codecNames, readBatchHeader } from "../protocol/record-batch.ts";
import { openSection } from "./opened-sections.ts";

/** What the records of one batch may grow to while it is open. */
const MAX_OPEN_BYTES = 32 * 1024 * 1024;

/** What those of one request may hold together, of which the last may be beyond it. */
const MAX_OPEN_REQUEST_BYTES = 128 * 1024 * 1024;

/** What the work takes from the place it is done in. */
export interface Workplace {
  /** Codecs wait for nothing once they are there, so this may let others have their turn before each batch. */
  breathe?(): Promise<void> | undefined;
  readonly loadCodec?: typeof loadCodec;
}

/** Opens and compresses batches anew, one after the other. Never rejects: what is wrong with a batch is told of it. */
export async function recompress(wanted: WantedCodecs, workplace: Workplace = {}): Promise<RecompressedBatches> {
  const batches = new Map<Uint8Array, Recompressed>();
  const room = { bytes: MAX_OPEN_REQUEST_BYTES };
  for (const [sent, how] of wanted) {
    await workplace.breathe?.();
    batches.set(sent, await recompressBatch(sent, how, room, workplace.loadCodec ?? loadCodec));
  }
  return batches;
}

async function recompressBatch(
  sent: Uint8Array,
  { codec, opened }: WantedCodec,
  room: { bytes: number },
  load: typeof loadCodec,
): Promise<Recompressed> {
  if (room.bytes <= 0) {
    const message = `the batches of the request hold more than ${MAX_OPEN_REQUEST_BYTES} bytes of records; send fewer`;
    return { error: "MESSAGE_TOO_LARGE", message };
  }
  try {
    const header = readBatchHeader(sent);
    const { codec: sentCodec, transactional } = header.attributes;
    const section = await openSection(sent, await load(sentCodec), MAX_OPEN_BYTES);
    room.bytes -= section.length;
    const fault = findSectionFault(section, header);
    if (fault !== undefined) return fault;
    const lookedAt = opened && codec !== "none" ? section : undefined;
    if (codec === codecNames[sentCodec]) return { batch: sent.slice(), section: lookedAt };
    const { compress } = await load(codec);
    return { batch: assembleBatch({ ...header, transactional }, await compress(section), codec), section: lookedAt };
  } catch (error) {
    if (error instanceof CorruptMessageError) return { error: "INVALID_RECORD", message: error.message };
    // A codec is a file of its own, which may be out of reach for a while; the producer may try again.
    const message = `the batch cannot be opened, and compressed with ${codec}, just now: ${error}`;
    return { error: "KAFKA_STORAGE_ERROR", message };
  }
}
