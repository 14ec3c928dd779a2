import { expect, test } from "vitest";
import type { CompressionCodec } from "../../src/protocol/compression/codec.ts";
import { promptCodecs } from "../../src/runtime/prompt-codecs.ts";

const codec: CompressionCodec = { compress: async (bytes) => bytes, decompress: async (bytes) => bytes };

/** A clock whose timers ring when told to, and loads that end when told to. */
function bench() {
  const timers = new Map<() => void, number>();
  const clock = {
    now: () => 0,
    wallNow: () => 0,
    setTimer(delayMs: number, callback: () => void) {
      timers.set(callback, delayMs);
      return () => void timers.delete(callback);
    },
  };
  const loads: { resolve(found: CompressionCodec): void; reject(cause: Error): void }[] = [];
  const load = promptCodecs(clock, () => new Promise((resolve, reject) => loads.push({ resolve, reject })));
  const ring = () => {
    for (const [callback] of timers) callback();
    timers.clear();
  };
  return { timers, loads, load, ring };
}

test("a codec that has come needs no other look", async () => {
  const { timers, loads, load } = bench();
  const first = load("zstd");
  loads[0]!.resolve(codec);
  expect(await first).toBe(codec);
  expect(await load("zstd")).toBe(codec);
  expect([loads.length, timers.size]).toEqual([1, 0]);
});

test("one that is late is refused, then at once, until it has come", async () => {
  const { timers, loads, load, ring } = bench();
  const first = load("zstd");
  expect([...timers.values()]).toEqual([2_000]);
  ring();
  await expect(first).rejects.toThrow("within 2000 ms");
  const second = load("zstd");
  expect([...timers.values()]).toEqual([0]);
  ring();
  await expect(second).rejects.toThrow("within 2000 ms");
  // Others do not suffer for it.
  const other = load("gzip");
  expect([...timers.values()]).toEqual([2_000]);
  loads.at(-1)!.resolve(codec);
  expect(await other).toBe(codec);
  loads[0]!.resolve(codec);
  await new Promise((resolve) => setTimeout(resolve));
  expect(await load("zstd")).toBe(codec);
});

test("one that fails is asked for again", async () => {
  const { timers, loads, load } = bench();
  const first = load("zstd");
  loads[0]!.reject(new Error("404"));
  await expect(first).rejects.toThrow("404");
  const second = load("zstd");
  expect([...timers.values()]).toEqual([2_000]);
  loads[1]!.resolve(codec);
  expect(await second).toBe(codec);
});
