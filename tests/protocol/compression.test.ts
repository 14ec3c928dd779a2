import { createRequire } from "node:module";
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { CompressionCodec } from "../../src/protocol/compression/codec.ts";
import { loadCodec } from "../../src/protocol/compression/codecs.ts";
import { decodeCompressedBatch, encodeCompressedBatch } from "./compressed-batch.ts";
import { codecNames, readBatchHeader, verifyCrc } from "../../src/protocol/record-batch.ts";

const require = createRequire(import.meta.url);
const snappyjs = require("snappyjs") as {
  compress(bytes: Uint8Array): Uint8Array;
  uncompress(bytes: Uint8Array): Uint8Array;
};
const lz4js = require("lz4js") as {
  compress(bytes: Uint8Array): Uint8Array;
  decompress(bytes: Uint8Array): Uint8Array;
};

const MIB = 1024 * 1024;
const prose = new TextEncoder().encode(
  Array.from({ length: 4000 }, (_, id) => `{"id":${id},"mag":${(id * 7919) % 97},"at":"${id % 89} km NW"}`).join("\n"),
);
const noise = Uint8Array.from({ length: 70_000 }, (_, index) => (Math.imul(index + 1, 2654435761) >>> 13) & 0xff);
const samples: readonly (readonly [string, Uint8Array])[] = [
  ["nothing", new Uint8Array(0)],
  ["one byte", Uint8Array.of(7)],
  ["prose", prose],
  ["noise", noise],
  ["zeros", new Uint8Array(300_000)],
  ["a block less one", prose.subarray(0, 65_535)],
  ["a block", prose.subarray(0, 65_536)],
  ["a block and one", prose.subarray(0, 65_537)],
];
const compressing = codecNames.filter((name) => name !== "none");

describe.each(compressing)("%s", (name) => {
  test.each(samples)("gives back %s", async (_, bytes) => {
    const codec = await loadCodec(name);
    const compressed = await codec.compress(bytes);
    expect(Buffer.compare(await codec.decompress(compressed, bytes.length), bytes)).toBe(0);
  });

  test("makes prose smaller", async () => {
    const codec = await loadCodec(name);
    expect((await codec.compress(prose)).length).toBeLessThan(prose.length / 2);
  });

  test("gives back whatever it was given", async () => {
    const codec = await loadCodec(name);
    const runs = fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 40 })), {
      maxLength: 12,
    });
    const property = fc.asyncProperty(runs, async (parts) => {
      const repeated = parts.flatMap(([part, times]) => Array.from({ length: times }, () => part));
      const bytes = Uint8Array.from(Buffer.concat(repeated));
      const back = await codec.decompress(await codec.compress(bytes), bytes.length);
      expect(Buffer.compare(back, bytes)).toBe(0);
    });
    await fc.assert(property, { seed: 9, numRuns: 50 });
  });

  test("stops at the limit, however much more there would be", async () => {
    const codec = await loadCodec(name);
    const bomb = await codec.compress(new Uint8Array(16 * MIB));
    const before = process.memoryUsage().arrayBuffers;
    await expect(codec.decompress(bomb, MIB)).rejects.toThrow(/(beyond|exceeds) the limit of 1048576/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12 * MIB);
    await expect(codec.decompress(await codec.compress(prose), prose.length - 1)).rejects.toThrow(/limit/);
  });

  test("refuses input that is cut short anywhere", async () => {
    const codec = await loadCodec(name);
    const compressed = await codec.compress(prose.subarray(0, 300));
    for (let length = 0; length < compressed.length; length++) {
      await expectRefusal(codec, compressed.subarray(0, length), name === "snappy" && length === 16);
    }
  });

  test("refuses changed input, or decompresses it, and does nothing worse", async () => {
    const codec = await loadCodec(name);
    const compressed = await codec.compress(prose.subarray(0, 700));
    for (let at = 0; at < compressed.length; at++) {
      for (const byte of [0x00, 0x7f, 0x80, 0xff]) await expectRefusal(codec, compressed.with(at, byte), true);
    }
  });
});

/** Expects CorruptMessageError; where a change may leave the input well-formed, no error will do as well. */
async function expectRefusal(codec: CompressionCodec, bytes: Uint8Array, mayBeFine: boolean): Promise<void> {
  const name = await codec.decompress(bytes, MIB).then(
    () => undefined,
    (error: Error) => error.name,
  );
  if (name === undefined) expect(mayBeFine).toBe(true);
  else expect(name).toBe("CorruptMessageError");
}

describe("gzip and other implementations", () => {
  test("read each other", async () => {
    const codec = await loadCodec("gzip");
    expect(Buffer.compare(gunzipSync(await codec.compress(prose)), prose)).toBe(0);
    expect(Buffer.compare(await codec.decompress(gzipSync(prose), prose.length), prose)).toBe(0);
  });

  test("the same bytes compress to the same bytes", async () => {
    const codec = await loadCodec("gzip");
    const first = await codec.compress(prose);
    expect(first).toEqual(await codec.compress(prose));
    expect([...first.subarray(4, 8)]).toEqual([0, 0, 0, 0]);
  });

  test("what is no gzip stream is refused", async () => {
    const codec = await loadCodec("gzip");
    for (const bytes of [brotliCompressSync(prose), Uint8Array.of(0x1f, 0x8b), prose]) {
      await expectRefusal(codec, bytes, false);
    }
  });
});

describe("snappy and other implementations", () => {
  const xerial = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1];

  test.each(samples)("read %s of each other, as a raw block and in xerial's framing", async (_, bytes) => {
    const codec = await loadCodec("snappy");
    expect(Buffer.compare(await codec.decompress(snappyjs.compress(bytes), bytes.length), bytes)).toBe(0);
    const framed = await codec.compress(bytes);
    const blocks: Uint8Array[] = [];
    for (let at = 16; at < framed.length; ) {
      const length = new DataView(framed.buffer, framed.byteOffset + at).getInt32(0);
      blocks.push(snappyjs.uncompress(framed.slice(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    expect(Buffer.compare(Buffer.concat(blocks), bytes)).toBe(0);
  });

  test.each([
    ["a literal of 2^32 - 15 bytes, which sends others backwards for ever", [5, 0xfc, 0xf0, 0xff, 0xff, 0xff, 1]],
    ["a copy from before the start", [5, 0x00, 1, 0x01, 9]],
    ["a copy from nowhere", [5, 0x00, 1, 0x01, 0]],
    ["fewer bytes than announced", [9, 0x00, 1]],
    ["more bytes than announced", [1, 0x04, 1, 2]],
    ["an announcement of 4 GiB", [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 1]],
    ["a copy that is cut short", [5, 0x00, 1, 0x02, 1]],
    ["a xerial block of negative length", [...xerial, 0xff, 0xff, 0xff, 0xff]],
    ["a xerial block longer than the rest", [...xerial, 0, 0, 0, 9, 1]],
  ])("refuse %s", async (_, bytes) => {
    await expectRefusal(await loadCodec("snappy"), Uint8Array.from(bytes), false);
  });
});

describe("lz4 and other implementations", () => {
  const header = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
  const end = [0, 0, 0, 0];

  test.each(samples)("read %s of each other", async (_, bytes) => {
    const codec = await loadCodec("lz4");
    expect(Buffer.compare(await codec.decompress(lz4js.compress(bytes), bytes.length), bytes)).toBe(0);
    expect(Buffer.compare(lz4js.decompress(await codec.compress(bytes)), bytes)).toBe(0);
  });

  test("frames have independent blocks of 64 KiB, as Java demands", async () => {
    const codec = await loadCodec("lz4");
    expect([...(await codec.compress(prose)).subarray(0, 7)]).toEqual(header);
  });

  test("frames with a content size and checksums are read", async () => {
    const codec = await loadCodec("lz4");
    const descriptor = [0x7c, 0x40, 2, 0, 0, 0, 0, 0, 0, 0, 0x00];
    const stored = [2, 0, 0, 0x80, 7, 8];
    const [blockChecksum, contentChecksum] = [end.with(0, 1), end.with(0, 2)];
    const frame = [...header.slice(0, 4), ...descriptor, ...stored, ...blockChecksum, ...end, ...contentChecksum];
    expect([...(await codec.decompress(Uint8Array.from(frame), 2))]).toEqual([7, 8]);
  });

  test.each([
    ["another magic", [0x05, ...header.slice(1), ...end]],
    ["another version", [...header.slice(0, 4), 0xa0, 0x40, 0x82, ...end]],
    ["a dictionary", [...header.slice(0, 4), 0x61, 0x40, 0x82, ...end]],
    ["no end", header],
    ["bytes behind the end", [...header, ...end, 1]],
    ["a block longer than the rest", [...header, 9, 0, 0, 0, 1]],
    ["a match from before the start", [...header, 5, 0, 0, 0, 0x10, 7, 9, 0, 0, ...end]],
    ["a literal longer than its block", [...header, 2, 0, 0, 0, 0x90, 7, ...end]],
    ["a block that ends with a match", [...header, 4, 0, 0, 0, 0x10, 7, 1, 0, ...end]],
  ])("refuse %s", async (_, bytes) => {
    await expectRefusal(await loadCodec("lz4"), Uint8Array.from(bytes), false);
  });
});

describe("zstd", () => {
  const header = [0x28, 0xb5, 0x2f, 0xfd];

  test("frames without a content size, as Java streams them, are read", async () => {
    const codec = await loadCodec("zstd");
    const raw = Uint8Array.of(...header, 0x00, 0x58, 0x10, 0, 0, 1, 2, 0x19, 0, 0, 3, 4, 5);
    expect([...(await codec.decompress(raw, 5))]).toEqual([1, 2, 3, 4, 5]);
    const repeated = Uint8Array.of(...header, 0x00, 0x58, 0x43, 0, 0, 9);
    expect([...(await codec.decompress(repeated, 8))]).toEqual([9, 9, 9, 9, 9, 9, 9, 9]);
    await expect(codec.decompress(repeated, 7)).rejects.toThrow("exceeds the limit of 7 bytes");
  });

  test.each([
    ["a content size of 2^62", [...header, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x01, 0, 0]],
    ["a content size larger than its blocks can be", [...header, 0x20, 200, 0x01, 0, 0]],
    ["a block that is cut short", [...header, 0x20, 2, 0x11, 0, 0, 1]],
    ["a block of the reserved kind", [...header, 0x20, 2, 0x17, 0, 0, 1, 2]],
    ["a block above 128 KiB", [...header, 0x00, 0x58, 0x03, 0, 0xff, 1]],
    ["a dictionary", [...header, 0x21, 7, 2, 0x11, 0, 0, 1, 2]],
    ["another frame behind it", [...header, 0x20, 1, 0x09, 0, 0, 1, ...header, 0x20, 1, 0x09, 0, 0, 1]],
    ["another magic", [0x29, 0xb5, 0x2f, 0xfd, 0x20, 1, 0x09, 0, 0, 1]],
    ["rubbish for a compressed block", [...header, 0x00, 0x58, 0x1d, 0, 0, 1, 2, 3]],
  ])("refuses %s", async (_, bytes) => {
    await expectRefusal(await loadCodec("zstd"), Uint8Array.from(bytes), false);
  });
});

describe("batches", () => {
  const records = Array.from({ length: 20 }, (_, offset) => ({
    offset,
    timestamp: 1000 + offset,
    key: Uint8Array.of(offset),
    value: prose.subarray(0, 100),
    headers: [],
  }));

  test.each(codecNames)("compressed with %s hold their records", async (name) => {
    const batch = await encodeCompressedBatch(records, name);
    expect(verifyCrc(batch)).toBe(true);
    expect(readBatchHeader(batch)).toMatchObject({ attributes: { codec: codecNames.indexOf(name) }, recordCount: 20 });
    expect(await decodeCompressedBatch(batch, 10_000)).toEqual(records);
    await expect(decodeCompressedBatch(batch, 100)).rejects.toThrow(/limit/);
  });

  test("of an unknown codec are refused", async () => {
    const batch = (await encodeCompressedBatch(records, "none")).with(22, 6);
    await expect(decodeCompressedBatch(batch, 10_000)).rejects.toThrow("no compression codec has the number 6");
  });
});
