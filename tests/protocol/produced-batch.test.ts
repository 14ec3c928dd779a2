import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { encodeCompressedBatch } from "./compressed-batch.ts";
import { crc32c } from "../../src/protocol/crc32c.ts";
import { findProducedBatchFault, keylessRecords, mistimedRecords } from "../../src/protocol/produced-batch.ts";
import { assembleBatch, encodeBatch, readBatchHeader, recordsSection } from "../../src/protocol/record-batch.ts";
import type { BatchInit } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import type { RecordInit } from "../../src/protocol/records.ts";
import { encode } from "../../src/protocol/writer.ts";

const faultOf = (...sent: Parameters<typeof findProducedBatchFault>) => findProducedBatchFault(...sent)?.error;
const limits = { maxMessageBytes: 1_048_588, produceVersion: 9 };

const records: readonly RecordInit[] = [
  { offset: 0, timestamp: 1000, key: null, value: Uint8Array.of(1) },
  { offset: 1, timestamp: 1000, key: null, value: Uint8Array.of(2) },
];

/** The batch with changed bytes and a checksum that fits them, as a hostile client would make it. */
function forge(batch: Uint8Array, ...changes: readonly (readonly [at: number, byte: number])[]): Uint8Array {
  const forged = batch.slice();
  for (const [at, byte] of changes) forged[at] = byte;
  new DataView(forged.buffer).setUint32(17, crc32c(forged, 21));
  return forged;
}

describe("a produced batch", () => {
  test.each<readonly [string, Partial<BatchInit>]>([
    ["without a producer id", {}],
    ["of an idempotent producer", { producerId: 5, producerEpoch: 0, baseSequence: 0 }],
    ["of a transaction", { producerId: 5, producerEpoch: 0, baseSequence: 0, transactional: true }],
    ["with any leader epoch, which is rewritten", { partitionLeaderEpoch: 77 }],
    ["as KafkaJS makes it, with an epoch but no producer id", { producerEpoch: 0, baseSequence: 0 }],
  ])("is accepted %s", (_, init) => {
    expect(faultOf(encodeBatch(records, init), limits)).toBeUndefined();
  });

  test.each<readonly [string, Partial<BatchInit>, string]>([
    ["with a base offset", { baseOffset: 1 }, "INVALID_RECORD"],
    ["with a negative base offset", { baseOffset: -1 }, "INVALID_RECORD"],
    ["of control records", { control: true }, "INVALID_RECORD"],
    ["of log append time", { timestampType: "LogAppendTime" }, "INVALID_TIMESTAMP"],
    ["of no records", { recordCount: 0 }, "INVALID_RECORD"],
    ["of -1 records", { recordCount: -1 }, "INVALID_RECORD"],
    ["of fewer records than offsets", { recordCount: 1 }, "INVALID_RECORD"],
    ["that announces more records than it has", { recordCount: 3, lastOffsetDelta: 2 }, "INVALID_RECORD"],
    ["that announces fewer records than it has", { recordCount: 1, lastOffsetDelta: 0 }, "INVALID_RECORD"],
    ["with a producer id but no sequence", { producerId: 5, producerEpoch: 0 }, "INVALID_RECORD"],
    ["with a producer id but no epoch", { producerId: 5, baseSequence: 0 }, "INVALID_RECORD"],
    ["of a transaction without a producer", { transactional: true }, "INVALID_RECORD"],
  ])("is refused %s", (_, init, error) => {
    expect(faultOf(encodeBatch(records, init), limits)).toBe(error);
  });

  test.each<readonly [string, (batch: Uint8Array) => Uint8Array, string]>([
    ["is empty", () => new Uint8Array(0), "INVALID_RECORD"],
    ["is two", (batch) => Uint8Array.of(...batch, ...batch), "INVALID_RECORD"],
    ["is of version 1", (batch) => batch.with(16, 1), "INVALID_RECORD"],
    ["is of version 3", (batch) => batch.with(16, 3), "CORRUPT_MESSAGE"],
    ["has a wrong checksum", (batch) => batch.with(30, 9), "CORRUPT_MESSAGE"],
    ["is cut short", (batch) => batch.subarray(0, -1), "INVALID_RECORD"],
    ["is cut within its header", (batch) => batch.subarray(0, 40), "INVALID_RECORD"],
    ["has garbage behind it", (batch) => Uint8Array.of(...batch, 0), "INVALID_RECORD"],
    ["has half a batch behind it", (batch) => Uint8Array.of(...batch, ...batch.subarray(0, 30)), "INVALID_RECORD"],
    ["claims to be longer", (batch) => batch.with(8, 0x7f), "INVALID_RECORD"],
    ["claims to be shorter", (batch) => batch.with(11, batch[11]! - 1), "CORRUPT_MESSAGE"],
    ["sets a delete horizon", (batch) => forge(batch, [22, 0x40]), "INVALID_RECORD"],
    ["names codec 5", (batch) => forge(batch, [22, 5]), "UNSUPPORTED_COMPRESSION_TYPE"],
    ["names codec 7", (batch) => forge(batch, [22, 7]), "UNSUPPORTED_COMPRESSION_TYPE"],
    ["has a record out of order", (batch) => forge(batch, [64, 2]), "INVALID_RECORD"],
    ["has a record of negative length", (batch) => forge(batch, [61, 1]), "INVALID_RECORD"],
    ["has a key of negative length", (batch) => forge(batch, [65, 3]), "INVALID_RECORD"],
    ["has a value past the end", (batch) => forge(batch, [66, 100]), "INVALID_RECORD"],
    ["has headers past the end", (batch) => forge(batch, [68, 2]), "INVALID_RECORD"],
    ["has a timestamp beyond 2^53", (batch) => forge(batch, [27, 0x7f]), "CORRUPT_MESSAGE"],
  ])("is refused when it %s", (_, spoil, error) => {
    expect(faultOf(spoil(encodeBatch(records)), limits)).toBe(error);
  });

  test("may be as large as the topic allows, and no larger", () => {
    const batch = encodeBatch(records);
    expect(faultOf(batch, { ...limits, maxMessageBytes: batch.length })).toBeUndefined();
    expect(findProducedBatchFault(batch, { ...limits, maxMessageBytes: batch.length - 1 })).toEqual({
      error: "MESSAGE_TOO_LARGE",
      message: `batch of ${batch.length} bytes exceeds max.message.bytes ${batch.length - 1}`,
    });
  });

  test("is refused when its timestamps add up to more than a number can hold", () => {
    const latest = Number.MAX_SAFE_INTEGER;
    const later = records.map((record) => ({ ...record, timestamp: 5 * record.offset }));
    const from = (baseTimestamp: number) => encodeBatch(later, { baseTimestamp, maxTimestamp: latest });
    expect(findProducedBatchFault(from(latest - 5), limits)).toBeUndefined();
    expect(findProducedBatchFault(from(latest - 4), limits)?.error).toBe("INVALID_RECORD");
    const batch = from(latest - 4);
    expect(() => decodeRecords(recordsSection(batch), readBatchHeader(batch))).toThrow("record 1 is of a time beyond");
  });

  test("may be compressed with zstd from Produce version 7 on", async () => {
    const batch = await encodeCompressedBatch(records, "zstd");
    expect(faultOf(batch, { ...limits, produceVersion: 7 })).toBeUndefined();
    expect(faultOf(batch, { ...limits, produceVersion: 6 })).toBe("UNSUPPORTED_COMPRESSION_TYPE");
  });

  test("is never more than refused, whatever byte of it is changed", () => {
    const batch = encodeBatch(records);
    for (let at = 0; at < batch.length; at++) {
      for (const byte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
        const error = faultOf(at < 17 ? batch.with(at, byte) : forge(batch, [at, byte]), limits);
        expect(typeof error).toBeOneOf(["string", "undefined"]);
      }
    }
  });
});

/** What a leader stores, every consumer has to read, and compaction too. */
describe("a batch that is accepted can be read", () => {
  const section = (recordCount: number, record: readonly number[]) =>
    Uint8Array.from({ length: recordCount * record.length }, (_, at) => record[at % record.length]!);

  test("or is refused, if it has more records or headers than a reader holds", () => {
    const many = 1_000_001;
    const huge = { ...limits, maxMessageBytes: 100_000_000 };
    const told = { lastOffsetDelta: 0, baseTimestamp: 0, maxTimestamp: 0, recordCount: 1 };
    const headers = encode((writer) => {
      writer.varint(9 + 2 * many);
      writer.bytes(Uint8Array.of(0, 0, 0, 1, 1));
      writer.varint(many);
      writer.bytes(section(many, [0, 1]));
    });
    expect(faultOf(assembleBatch(told, headers), huge)).toBe("INVALID_RECORD");
    const records = Array.from({ length: many }, (_, offset) => ({ offset, timestamp: 0, key: null, value: null }));
    expect(faultOf(encodeBatch(records), huge)).toBe("INVALID_RECORD");
    expect(faultOf(encodeBatch(records.slice(0, -1)), huge)).toBeUndefined();
  }, 20_000);

  test("however it was damaged or forged", () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), fc.array(change, { maxLength: 3 }), (records, changes) => {
        const numbered = records.map((each, offset) => ({ ...each, offset }));
        const good = encodeBatch(numbered);
        const batch = forge(good, ...changes.map(({ at, byte }) => [57 + (at % (good.length - 57)), byte] as const));
        if (findProducedBatchFault(batch, limits) !== undefined) return;
        accepted++;
        const [section, header] = [recordsSection(batch), readBatchHeader(batch)];
        const read = decodeRecords(section, header);
        const keyless = read.flatMap(({ key }, at) => (key === null ? [at] : []));
        expect(keylessRecords(section, header)).toEqual(keyless);
        const early = read.flatMap(({ timestamp }, at) => (timestamp < 500 && timestamp !== -1 ? [at] : []));
        expect(mistimedRecords(section, header, 500, Number.MAX_SAFE_INTEGER)).toEqual(early);
      }),
      { numRuns: 5_000, seed: 20 },
    );
    expect(accepted).toBeGreaterThan(1_000);
  });
});

const bytes = fc.option(fc.uint8Array({ maxLength: 6 }));
const record = fc.record({
  timestamp: fc.integer({ min: -1, max: 1_000 }),
  key: bytes,
  value: bytes,
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 3 }), value: bytes }), { maxLength: 2 }),
});
const change = fc.record({ at: fc.nat(), byte: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.nat(255)) });
