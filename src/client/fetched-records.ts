import { Bytes } from "./messages.ts";
import type { IHeaders, KafkaMessage } from "./messages.ts";
import { passBatch } from "./fetch-position.ts";
import type { FetchPosition } from "./fetch-position.ts";
import { loadCodec } from "../protocol/compression/codecs.ts";
import { CorruptMessageError } from "../protocol/errors.ts";
import { batches, recordsSection, verifyCrc } from "../protocol/record-batch.ts";
import type { BatchView } from "../protocol/record-batch.ts";
import { decodeRecords } from "../protocol/records.ts";
import type { KafkaRecord } from "../protocol/records.ts";

/** What a batch may grow to when it is decompressed: a broker takes larger ones from nobody who means well. */
const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;

/** An aborted transaction of a producer, from its first offset to its abort marker. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** The batches of one partition in one response, checked but not decoded. */
export interface FetchedBatches {
  readonly from: FetchPosition;
  /** Where to fetch on. */
  readonly next: FetchPosition;
  readonly views: readonly BatchView[];
  /** Offsets between the batches that no batch covers. */
  readonly missing: number;
}

/** Checks checksums, order and epochs of what came from `from`; throws CorruptMessageError. */
export function checkBatches(bytes: Uint8Array, from: FetchPosition): FetchedBatches {
  const views: BatchView[] = [];
  let next = from;
  let missing = 0;
  for (const view of batches(bytes, "ignored")) {
    if (!verifyCrc(view.bytes)) {
      throw new CorruptMessageError(`the batch at offset ${view.header.baseOffset} does not match its checksum`);
    }
    const passed = passBatch(next, view.header, views.length === 0);
    next = passed.position;
    missing += passed.missing;
    views.push(view);
  }
  return { from, next, views, missing };
}

/**
 * The messages from the position on. Control records, and the records of `aborted` transactions, only count as offsets
 * that were passed.
 */
export async function decodeMessages(
  { from, views }: FetchedBatches,
  aborted: readonly AbortedTransaction[],
): Promise<KafkaMessage[]> {
  const messages: KafkaMessage[] = [];
  const filter = new AbortFilter(aborted);
  for (const { header, bytes } of views) {
    const codec = await loadCodec(header.attributes.codec);
    const section = await codec.decompress(recordsSection(bytes), MAX_DECOMPRESSED_BYTES);
    if (header.attributes.control) {
      filter.onControl(header.producerId, decodeRecords(section, header)[0]);
      continue;
    }
    if (header.attributes.transactional && filter.isAborted(header.producerId, header.lastOffset)) continue;
    for (const record of decodeRecords(section, header)) {
      if (record.offset >= from.offset) messages.push(toMessage(record));
    }
  }
  return messages;
}

const ABORT_MARKER = 0;

/** Knows which transactional batches belong to transactions that were aborted (KIP-98). */
class AbortFilter {
  readonly #upcoming: AbortedTransaction[];
  readonly #active = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#upcoming = [...aborted].sort((left, right) => left.firstOffset - right.firstOffset);
  }

  isAborted(producerId: number, lastOffset: number): boolean {
    while (this.#upcoming.length > 0 && this.#upcoming[0]!.firstOffset <= lastOffset) {
      this.#active.add(this.#upcoming.shift()!.producerId);
    }
    return this.#active.has(producerId);
  }

  onControl(producerId: number, record: KafkaRecord | undefined): void {
    const key = record?.key;
    if (key === undefined || key === null || key.length < 4)
      throw new CorruptMessageError("a control record has no type");
    const type = (key[2]! << 8) | key[3]!;
    if (type === ABORT_MARKER) this.#active.delete(producerId);
  }
}

function toMessage({ offset, timestamp, key, value, headers }: KafkaRecord): KafkaMessage {
  return {
    key: asBytes(key),
    value: asBytes(value),
    timestamp: String(timestamp),
    attributes: 0,
    offset: String(offset),
    headers: headers.length === 0 ? {} : headersOf(headers),
  };
}

function asBytes(bytes: Uint8Array | null): Bytes | null {
  return bytes === null ? null : new Bytes(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

function headersOf(headers: KafkaRecord["headers"]): IHeaders {
  // Header names come from outside, so the object must not inherit what a name like "__proto__" could reach.
  const byName: IHeaders = Object.create(null) as IHeaders;
  for (const { key, value } of headers) {
    const bytes = asBytes(value) ?? undefined;
    const known = byName[key];
    if (!(key in byName)) byName[key] = bytes;
    else if (bytes !== undefined)
      byName[key] = [...(Array.isArray(known) ? known : known === undefined ? [] : [known]), bytes];
  }
  return byName;
}
