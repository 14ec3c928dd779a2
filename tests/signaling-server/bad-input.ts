import { crc32c } from "../../src/protocol/crc32c.ts";
import { assembleBatch } from "../../src/protocol/record-batch.ts";
import type { BatchInit } from "../../src/protocol/record-batch.ts";
import { encodeRecords } from "../../src/protocol/records.ts";
import { batchOf } from "./kafka-brokers.ts";

/** Bytes that no well-behaved client sends, put together by hand. Numbers are bytes; text is ASCII. */
export type Part = number | string | Uint8Array | readonly Part[];

export function bytes(...parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "number") return Buffer.of(part & 0xff);
      if (typeof part === "string") return Buffer.from(part, "latin1");
      return part instanceof Uint8Array ? Buffer.from(part) : bytes(...part);
    }),
  );
}

export function i16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

export function i32(value: number): Uint8Array {
  return Uint8Array.of(value >> 24, value >> 16, value >> 8, value);
}

/** A text with the length prefix of versions that are not flexible. */
export function text(value: string | Uint8Array): Part {
  return [i16(value.length), value];
}

export function frame(...parts: readonly Part[]): Buffer {
  const content = bytes(...parts);
  return bytes(i32(content.length), content);
}

export const CORRELATION_ID = 7;

/** A request header without tags: of version 1. */
export function header(apiKey: number, version: number, clientId: Part = text("bad"), correlationId = CORRELATION_ID) {
  return bytes(i16(apiKey), i16(version), i32(correlationId), clientId);
}

/** A frame with that header in front of `body`. */
export function request(apiKey: number, version: number, ...body: readonly Part[]): Buffer {
  return frame(header(apiKey, version), ...body);
}

/** A flexible request whose header has these tags. */
export function taggedRequest(tags: Part): Buffer {
  return request(18, 3, tags, 5, "test", 2, "1", 0);
}

/** The batch with changed bytes, and a checksum that fits them. */
export function forged(
  batch: Uint8Array,
  ...changes: readonly (readonly [at: number, value: Uint8Array])[]
): Uint8Array {
  const copy = batch.slice();
  for (const [at, value] of changes) copy.set(value, at);
  new DataView(copy.buffer).setUint32(17, crc32c(copy, 21));
  return copy;
}

/** A batch whose records section is `section`, whatever that is. */
export function batchAround(section: Uint8Array, init: Partial<BatchInit> = {}): Uint8Array {
  const described = { lastOffsetDelta: 0, baseTimestamp: 1, maxTimestamp: 1, recordCount: 1 };
  return assembleBatch({ ...described, ...init }, section);
}

/** Two records at the given offsets. */
export function batchWithGap(offsets: readonly [number, number], init: Partial<BatchInit>): Uint8Array {
  const records = offsets.map((offset) => ({ offset, timestamp: 1, key: null, value: Uint8Array.of(1) }));
  return batchAround(encodeRecords(records), { lastOffsetDelta: 1, recordCount: 2, ...init });
}

/** A batch of exactly so many bytes. */
export function batchOfSize(size: number): Uint8Array {
  for (let length = size - 100; ; length++) {
    const batch = batchOf(["x".repeat(length)]);
    if (batch.length === size) return batch;
    if (batch.length > size) throw new Error(`no batch has ${size} bytes`);
  }
}
