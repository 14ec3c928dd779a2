import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { crc32c } from "../../src/protocol/crc32c.ts";
import {
  assembleBatch,
  BATCH_HEADER_BYTES,
  batches,
  describeRecords,
  encodeBatch,
  readBatchHeader,
  recordsSection,
  setBaseOffset,
  setPartitionLeaderEpoch,
  verifyCrc,
} from "../../src/protocol/record-batch.ts";
import { decodeRecords, encodeRecords, sizeOfRecord } from "../../src/protocol/records.ts";
import type { RecordInit } from "../../src/protocol/records.ts";

const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 20 }), { nil: null });
const records = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 100 }),
      timestamp: fc.integer({ min: -1, max: 2 ** 45 }),
      key: bytesOrNull,
      value: bytesOrNull,
      headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: bytesOrNull }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 10 },
  )
  .map((drafts) => {
    let offset = 1_000_000;
    return drafts.map(({ gap, ...record }) => ({ ...record, offset: (offset += gap) }));
  });

const small: readonly RecordInit[] = [
  { offset: 0, timestamp: 1000, key: null, value: Uint8Array.of(1) },
  { offset: 1, timestamp: 1001, key: Uint8Array.of(2), value: null, headers: [{ key: "h", value: null }] },
];

describe("CRC-32C", () => {
  test("has the check value of its definition, and those of RFC 3720", () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
  });

  test("folds eight bytes at a time to what single bytes give, between any two positions", () => {
    const oneByOne = (bytes: Uint8Array): number => {
      let crc = ~0;
      for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
      }
      return ~crc >>> 0;
    };
    const property = fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), fc.nat(60), (bytes, a, b) => {
      const [start, end] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
      expect(crc32c(bytes, start, end)).toBe(oneByOne(bytes.subarray(start, end)));
    });
    fc.assert(property, { seed: 5, numRuns: 200 });
  });
});

describe("a batch", () => {
  test("holds the records it was made of", () => {
    const property = fc.property(records, (wanted) => {
      const batch = encodeBatch(wanted);
      const header = readBatchHeader(batch);
      expect(decodeRecords(recordsSection(batch), header)).toEqual(wanted);
      expect(verifyCrc(batch)).toBe(true);
      expect(header).toMatchObject(describeRecords(wanted));
      expect(header).toMatchObject({ sizeInBytes: batch.length, lastOffset: wanted.at(-1)?.offset });
    });
    fc.assert(property, { seed: 6, numRuns: 100 });
  });

  test("is as large as its records were said to be", () => {
    const property = fc.property(records, ([first, ...rest]) => {
      const wanted = [first!, ...rest];
      const sizes = wanted.map((record) =>
        sizeOfRecord(record, record.offset - first!.offset, record.timestamp - first!.timestamp),
      );
      expect(encodeRecords(wanted).length).toBe(sizes.reduce((sum, size) => sum + size, 0));
    });
    fc.assert(property, { seed: 7, numRuns: 50 });
  });

  test("tells everything of its header", () => {
    const batch = encodeBatch(small, {
      baseOffset: 70,
      partitionLeaderEpoch: 5,
      timestampType: "LogAppendTime",
      transactional: true,
      control: true,
      maxTimestamp: 2000,
      producerId: 9,
      producerEpoch: 3,
      baseSequence: 17,
    });
    expect(readBatchHeader(batch)).toEqual({
      baseOffset: 70,
      batchLength: batch.length - 12,
      sizeInBytes: batch.length,
      partitionLeaderEpoch: 5,
      magic: 2,
      crc: crc32c(batch, 21),
      attributes: {
        codec: 0,
        timestampType: "LogAppendTime",
        transactional: true,
        control: true,
        hasDeleteHorizon: false,
      },
      lastOffsetDelta: 1,
      lastOffset: 71,
      baseTimestamp: 1000,
      maxTimestamp: 2000,
      producerId: 9,
      producerEpoch: 3,
      baseSequence: 17,
      recordCount: 2,
    });
  });

  test("of log append time gives all its records that time", () => {
    const batch = encodeBatch(small, { timestampType: "LogAppendTime", maxTimestamp: 5000 });
    const decoded = decodeRecords(recordsSection(batch), readBatchHeader(batch));
    expect(decoded.map(({ timestamp }) => timestamp)).toEqual([5000, 5000]);
  });

  test("takes its offset and leader epoch in place, without a new checksum", () => {
    const batch = encodeBatch(small);
    const padded = Uint8Array.of(0, 0, 0, ...batch);
    setBaseOffset(padded, 2 ** 40 + 1, 3);
    setPartitionLeaderEpoch(padded, 12, 3);
    expect(readBatchHeader(padded, 3)).toMatchObject({ baseOffset: 2 ** 40 + 1, partitionLeaderEpoch: 12 });
    expect(verifyCrc(padded, 3)).toBe(true);
  });

  test("fails its checksum when any byte behind it changes", () => {
    const batch = encodeBatch(small);
    for (let at = 17; at < batch.length; at++) {
      const changed = batch.slice();
      changed[at]! ^= 0x10;
      expect(verifyCrc(changed)).toBe(false);
    }
    expect(verifyCrc(batch.subarray(0, -1))).toBe(false);
    expect(verifyCrc(batch.subarray(0, 5))).toBe(false);
  });

  test.each([
    ["cut short within its header", (batch: Uint8Array) => batch.subarray(0, 60), "bytes are due"],
    ["of version 1", (batch: Uint8Array) => batch.with(16, 1), "a record batch of version 1"],
    ["shorter than its header", (batch: Uint8Array) => batch.with(10, 0).with(11, 48), "60 bytes is smaller"],
    ["of negative length", (batch: Uint8Array) => batch.with(8, 0xff), "is smaller than its header"],
    ["with a negative last offset delta", (batch: Uint8Array) => batch.with(23, 0xff), "last offset delta"],
    ["with a timestamp beyond 2^53", (batch: Uint8Array) => batch.with(27, 0x7f), "beyond 2^53"],
  ])("%s is refused", (_, spoil, message) => {
    expect(() => readBatchHeader(spoil(encodeBatch(small)))).toThrow(message);
  });
});

describe("a run of batches", () => {
  const first = encodeBatch(small);
  const second = encodeBatch(small, { baseOffset: 2 });
  const both = Uint8Array.of(...first, ...second);

  test("is walked from one to the next", () => {
    const views = [...batches(both)];
    expect(views.map(({ position, header }) => [position, header.baseOffset])).toEqual([
      [0, 0],
      [first.length, 2],
    ]);
    expect(views[1]?.bytes).toEqual(second);
    expect([...batches(new Uint8Array(0))]).toEqual([]);
  });

  test("that is cut anywhere is refused, or ends with its last whole batch", () => {
    for (let length = 1; length < both.length; length++) {
      const cut = both.subarray(0, length);
      const whole = length >= first.length ? 1 : 0;
      expect([...batches(cut, "ignored")]).toHaveLength(whole);
      if (length !== first.length) expect(() => [...batches(cut)]).toThrow("is cut short");
    }
  });

  test("does not loop on a length that lies", () => {
    expect(() => [...batches(both.with(8, 0x80), "ignored")]).toThrow("smaller than its header");
    expect(() => [...batches(both.with(8, 0x7f))]).toThrow("cut short");
  });
});

describe("the records of a section", () => {
  const batch = encodeBatch(small);
  const header = readBatchHeader(batch);
  const section = recordsSection(batch);

  test.each([
    ["fewer than announced", { recordCount: 3 }, section],
    ["more than announced", { recordCount: 1 }, section],
    ["announced as -1", { recordCount: -1 }, section],
    ["announced as 2^31 - 1", { recordCount: 0x7fffffff }, section],
    ["beyond the last offset delta", { lastOffsetDelta: 0 }, section],
    ["longer than the section", {}, section.with(0, 0x7e)],
    ["of negative length", {}, section.with(0, 0x01)],
    ["longer than their fields", {}, Uint8Array.of(0x10, 0, 0, 0, 1, 2, 1, 0, 0, ...section.subarray(8))],
    ["with a key longer than they are", {}, section.with(4, 0x40)],
    ["with 2^30 headers", {}, Uint8Array.of(0x18, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0)],
    ["with -1 headers", {}, section.with(7, 1)],
    ["numbered backwards", { lastOffsetDelta: 9 }, Uint8Array.of(...section.subarray(8), ...section.subarray(0, 8))],
  ])("that are %s are refused", (_, change, bytes) => {
    expect(() => decodeRecords(bytes, { ...header, ...change })).toThrow(
      expect.objectContaining({ name: "CorruptMessageError" }),
    );
  });

  test("with a changed byte decode or are refused, and nothing worse", () => {
    const property = fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (wanted, place, change) => {
      const whole = encodeBatch(wanted);
      const spoiled = recordsSection(whole).slice();
      spoiled[place % spoiled.length]! ^= change;
      try {
        decodeRecords(spoiled, readBatchHeader(whole));
      } catch (error) {
        expect((error as Error).name).toBe("CorruptMessageError");
      }
    });
    fc.assert(property, { seed: 8, numRuns: 300 });
  });

  test("are bounded in number by a budget", () => {
    const tiny = encodeRecords([{ offset: 0, timestamp: 0, key: null, value: null }]);
    const count = 1_000_001;
    const many = new Uint8Array(tiny.length * count);
    for (let index = 0; index < count; index++) many.set(tiny, index * tiny.length);
    expect(() => decodeRecords(many, { ...header, recordCount: count })).toThrow("more elements than a reader accepts");
  });
});

test("a batch can be assembled around any section", () => {
  const section = Uint8Array.of(1, 2, 3);
  const init = { lastOffsetDelta: 0, baseTimestamp: 0, maxTimestamp: 0, recordCount: 1 };
  const batch = assembleBatch(init, section, "zstd");
  expect(batch.length).toBe(BATCH_HEADER_BYTES + 3);
  expect(readBatchHeader(batch).attributes.codec).toBe(4);
  expect(recordsSection(batch)).toEqual(section);
});
