import { assembleBatch, describeRecords, readBatchHeader, recordsSection } from "../../src/protocol/record-batch.ts";
import type { BatchInit, CodecName } from "../../src/protocol/record-batch.ts";
import { decodeRecords, encodeRecords } from "../../src/protocol/records.ts";
import type { KafkaRecord, RecordInit } from "../../src/protocol/records.ts";
import { loadCodec } from "../../src/protocol/compression/codecs.ts";

/** A batch of `records`, compressed with `codec`; `init` adds to, or overrides, what follows from the records. */
export async function encodeCompressedBatch(
  records: readonly RecordInit[],
  codec: CodecName,
  init: Partial<BatchInit> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { compress } = await loadCodec(codec);
  return assembleBatch({ ...describeRecords(records), ...init }, await compress(encodeRecords(records)), codec);
}

/**
 * The records of the batch that `bytes` is, compressed or not. Throws CorruptMessageError when they are malformed or
 * grow beyond `maxBytes`. The checksum is for the caller to check, who may have done so already.
 */
export async function decodeCompressedBatch(bytes: Uint8Array, maxBytes: number): Promise<KafkaRecord[]> {
  const header = readBatchHeader(bytes);
  const { decompress } = await loadCodec(header.attributes.codec);
  return decodeRecords(await decompress(recordsSection(bytes), maxBytes), header);
}
