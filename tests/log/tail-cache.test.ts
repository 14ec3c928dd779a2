import { describe, expect, test } from "vitest";
import { PartitionLog } from "../../src/log/partition-log.ts";
import type { Chunk } from "../../src/log/stored-log.ts";
import { TailBudget } from "../../src/log/tail-budget.ts";
import { TailCache } from "../../src/log/tail-cache.ts";
import { TOPIC_ID, batch, joined } from "./batch-builder.ts";

/** Chunks of two batches of two records each. */
function chunksOf(count: number): Chunk[] {
  const log = PartitionLog.create(TOPIC_ID, 0);
  return Array.from({ length: count }, (_, index) => {
    const half = (baseOffset: number) => batch({ baseOffset, count: 2, partitionLeaderEpoch: 0 });
    const halves = [half(4 * index), half(4 * index + 2)];
    const { operations } = log.appendAsFollower(joined(...halves));
    return operations.flatMap((each) => (each.type === "append" ? [each.chunk] : []))[0]!;
  });
}

function cacheOf(limitBytes: number, chunks: readonly Chunk[]): TailCache {
  const cache = new TailCache(new TailBudget(limitBytes));
  for (const chunk of chunks) cache.add(chunk);
  return cache;
}

function found(cache: TailCache, offset: number): readonly Chunk[] | undefined {
  const chunks = cache.from(offset);
  return chunks && [...chunks];
}

describe("tail cache", () => {
  const chunks = chunksOf(5);
  const size = chunks[0]!.bytes.length;

  test("finds the chunk that holds an offset, and those after it", () => {
    const cache = cacheOf(1e6, chunks);
    for (let offset = 0; offset < 20; offset++) {
      expect(found(cache, offset)).toEqual(chunks.slice(Math.floor(offset / 4)));
    }
    expect(found(cache, 20)).toBeUndefined();
    expect(found(new TailCache(), 0)).toBeUndefined();
  });

  test("lets the oldest go beyond its limit, but never the newest", () => {
    const cache = cacheOf(2 * size, chunks);
    expect(found(cache, 11)).toBeUndefined();
    expect(found(cache, 12)).toEqual(chunks.slice(3));
    expect(found(cacheOf(1, chunks), 16)).toEqual(chunks.slice(4));
  });

  test("is cut at a batch border", () => {
    const cache = cacheOf(1e6, chunks);
    cache.truncateFrom(10);
    const { bytes, ...cut } = cache.last!;
    expect(cut).toEqual({ baseOffset: 8, lastOffset: 9, sizeInBytes: size / 2, maxTimestamp: 1001 });
    expect(bytes).toEqual(chunks[2]!.bytes.slice(0, size / 2));
    cache.truncateFrom(0);
    expect(cache.last).toBeUndefined();
  });

  test("counts anew what it holds after a deletion", () => {
    const cache = cacheOf(3 * size, chunks);
    cache.deleteBelow(16);
    expect(found(cache, 15)).toBeUndefined();
    const more = chunksOf(7).slice(5);
    for (const chunk of more) cache.add(chunk);
    expect(found(cache, 16)).toEqual([chunks[4], ...more]);
  });
});
