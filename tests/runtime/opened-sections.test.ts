import { describe, expect, test } from "vitest";
import { toChunks } from "../../src/log/chunk-building.ts";
import { batches, recordsSection } from "../../src/protocol/record-batch.ts";
import type { CodecName } from "../../src/protocol/record-batch.ts";
import { encodeRecords } from "../../src/protocol/records.ts";
import { MAX_SECTION_BYTES, openSections } from "../../src/runtime/opened-sections.ts";
import { joined } from "../log/batch-builder.ts";
import { eager, StoredLog } from "../log/compacted-log.ts";
import { encodeCompressedBatch } from "../protocol/compressed-batch.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const record = (offset: number, key: string, value: string) => {
  return { offset, timestamp: 1000, key: bytesOf(key), value: bytesOf(value) };
};
const chunksOf = (bytes: Uint8Array) => toChunks(bytes, [...batches(bytes)]);

describe("the sections that compaction looks into", () => {
  test.each<CodecName>(["gzip", "snappy", "lz4", "zstd"])("are opened with %s", async (codec) => {
    const first = [record(0, "a", "1"), record(1, "b", "1")];
    const second = [record(2, "c", "1")];
    const bytes = joined(
      await encodeCompressedBatch(first, codec),
      await encodeCompressedBatch([record(2, "x", "")], "none"),
      await encodeCompressedBatch(second, codec, { baseOffset: 3 }),
    );
    expect([...(await openSections(chunksOf(bytes)))]).toEqual([[0, encodeRecords(first)], [3, encodeRecords(second)]]);
  });

  test("are left closed if they are malformed or too large, and the others opened", async () => {
    const good = await encodeCompressedBatch([record(0, "a", "1")], "gzip", { baseOffset: 2 });
    const malformed = (await encodeCompressedBatch([record(0, "a", "1")], "gzip")).fill(0xff, 61);
    const large = await encodeCompressedBatch([record(1, "a", "x".repeat(MAX_SECTION_BYTES))], "gzip");
    const opened = await openSections(chunksOf(joined(malformed, large, good)));
    expect([...opened.keys()]).toEqual([2]);
  });

  test.each<CodecName>(["gzip", "snappy", "lz4", "zstd"])("are compacted, with %s", async (codec) => {
    const stored = new StoredLog();
    const pairs = [["a", "1"], ["b", "1"], ["a", "2"]] as const;
    const batch = (from: number) => encodeCompressedBatch(pairs.map(([key, value], at) => record(at, key, value + from)), codec);
    stored.lead(0, await batch(0), await batch(3), await batch(6));
    const kept = await openSections(stored.disk.read(stored.log.key, 0, 1e6));
    stored.compact(eager, { nowMs: 5000, opened: kept });
    expect(stored.layout).toEqual([[0, 2, 0], [3, 5, 2], [6, 8, 3]]);
    const [, second, active] = [...batches(stored.bytes)];
    expect(second!.header.attributes.codec).toBe(0);
    expect(recordsSection(second!.bytes)).toEqual(kept.get(3)!.subarray(kept.get(3)!.length - recordsSection(second!.bytes).length));
    expect(active!.header.attributes.codec).not.toBe(0);
  });
});
