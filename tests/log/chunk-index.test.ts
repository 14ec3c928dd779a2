import { describe, expect, test } from "vitest";
import { ChunkIndex } from "../../src/log/chunk-index.ts";

const chunk = (baseOffset: number, lastOffset: number, sizeInBytes = 100) => ({
  baseOffset,
  lastOffset,
  sizeInBytes,
  maxTimestamp: lastOffset,
});
const index = () => new ChunkIndex([chunk(0, 9), chunk(10, 19), chunk(20, 29)]);

describe("chunk index", () => {
  test("chunks follow one another", () => {
    const chunks = index();
    chunks.add(chunk(30, 30, 7));
    expect(chunks.sizeInBytes).toBe(307);
    expect(() => chunks.add(chunk(32, 33))).toThrow("without a gap");
  });

  test("does not keep the bytes of a chunk", () => {
    const chunks = new ChunkIndex();
    chunks.add({ ...chunk(0, 0), bytes: new Uint8Array(9) } as ReturnType<typeof chunk>);
    expect(chunks.chunks).toEqual([chunk(0, 0)]);
  });

  test("truncates at a border and within a chunk", () => {
    const chunks = index();
    chunks.truncateFrom(20, undefined);
    expect(chunks.chunks).toEqual([chunk(0, 9), chunk(10, 19)]);
    chunks.truncateFrom(15, { ...chunk(10, 14, 50), maxTimestamp: 3 });
    expect(chunks.chunks).toEqual([chunk(0, 9), { ...chunk(10, 14, 50), maxTimestamp: 3 }]);
    expect(chunks.sizeInBytes).toBe(150);
  });

  test("keeps upper bounds of a cut chunk whose bytes are not at hand", () => {
    const chunks = index();
    chunks.truncateFrom(15, undefined);
    expect(chunks.chunks.at(-1)).toEqual({ ...chunk(10, 14), maxTimestamp: 19 });
    expect(chunks.sizeInBytes).toBe(200);
  });

  test("truncates everything", () => {
    const chunks = index();
    chunks.truncateFrom(0, undefined);
    expect(chunks.chunks).toEqual([]);
    expect(chunks.sizeInBytes).toBe(0);
  });

  test("estimates how much lies between two offsets", () => {
    const chunks = index();
    expect(chunks.bytesBetween(0, 30)).toBe(300);
    expect(chunks.bytesBetween(10, 20)).toBe(100);
    expect(chunks.bytesBetween(5, 23)).toBe(180);
    expect(chunks.bytesBetween(12, 14)).toBe(20);
    expect(chunks.bytesBetween(30, 90)).toBe(0);
    expect(chunks.bytesBetween(20, 20)).toBe(0);
  });

  test("deletes whole chunks below an offset", () => {
    const chunks = index();
    chunks.deleteBelow(15);
    expect(chunks.chunks).toEqual([chunk(10, 19), chunk(20, 29)]);
    expect(chunks.sizeInBytes).toBe(200);
  });
});
