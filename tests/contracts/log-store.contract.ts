import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Chunk, LogMetadata, StoredLog, StoreOperation } from "../../src/log/stored-log.ts";
import { partitionKey } from "../../src/log/stored-log.ts";
import { encodeBatch } from "../../src/protocol/record-batch.ts";
import type { LogStore } from "../../src/runtime/log-store.ts";

/** One storage directory, which outlives the stores that open it. */
export interface StoreDirectory {
  open(): Promise<LogStore>;
  remove(): Promise<void>;
}

const TOPIC_ID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
const KEY = partitionKey(TOPIC_ID, 0);
const OTHER = partitionKey(TOPIC_ID, 1);

/** All of its logs. */
export async function loaded(store: LogStore): Promise<StoredLog[]> {
  const logs: StoredLog[] = [];
  for await (const log of store.load()) logs.push(log);
  return logs;
}

/** What every LogStore must do, whatever it stores in. `create` makes a new, empty directory. */
export function describeLogStore(name: string, create: () => Promise<StoreDirectory>): void {
  describe(`log store: ${name}`, () => {
    let directory: StoreDirectory;
    let store: LogStore;

    beforeEach(async () => {
      directory = await create();
      store = await directory.open();
      expect(await loaded(store)).toEqual([]);
    });

    afterEach(async () => {
      store.close();
      await directory.remove();
    });

    const reopen = async () => {
      store.close();
      store = await directory.open();
      return loaded(store);
    };

    const startLog = (key = KEY, changes: Partial<LogMetadata> = {}): StoreOperation => ({
      type: "put-metadata",
      key,
      metadata: metadata(key, changes),
    });

    test("a chunk is read back as it was written", async () => {
      const written = chunk([10, 3], [13, 2]);
      await store.write([startLog(), append(written)]);
      expect(await store.read(KEY, 10, 1)).toEqual([written]);
    });

    test("bytes that are a view of a larger buffer are stored alone", async () => {
      const written = chunk([0, 4]);
      const roomy = new Uint8Array(written.bytes.length + 1000).fill(7);
      roomy.set(written.bytes, 500);
      const view = roomy.subarray(500, 500 + written.bytes.length);
      await store.write([startLog(), append({ ...written, bytes: view })]);
      const [read] = await store.read(KEY, 0, 1);
      expect(read).toEqual(written);
      expect(read!.bytes.buffer.byteLength).toBe(written.sizeInBytes);
    });

    test("a read starts at the chunk that holds the offset", async () => {
      const chunks = [chunk([0, 5]), chunk([5, 5]), chunk([10, 5])];
      await store.write([startLog(), ...chunks.map((each) => append(each))]);
      expect(await store.read(KEY, 4, 1e6)).toEqual(chunks);
      expect(await store.read(KEY, 5, 1e6)).toEqual(chunks.slice(1));
      expect(await store.read(KEY, 14, 1e6)).toEqual(chunks.slice(2));
      expect(await store.read(KEY, 15, 1e6)).toEqual([]);
    });

    test("a read returns one chunk however large, then those that fit whole", async () => {
      const chunks = [chunk([0, 5]), chunk([5, 5]), chunk([10, 5])];
      const size = chunks[0]!.sizeInBytes;
      await store.write([startLog(), ...chunks.map((each) => append(each))]);
      expect(await store.read(KEY, 0, 0)).toHaveLength(1);
      expect(await store.read(KEY, 0, 2 * size - 1)).toHaveLength(1);
      expect(await store.read(KEY, 0, 2 * size)).toHaveLength(2);
      expect(await store.read(KEY, 0, 3 * size)).toHaveLength(3);
    });

    test("a read of many small chunks is complete and in order", async () => {
      const chunks = Array.from({ length: 300 }, (_, offset) => chunk([offset, 1]));
      await store.write([startLog(), ...chunks.map((each) => append(each))]);
      expect(await store.read(KEY, 0, 1e9)).toEqual(chunks);
      expect(await store.read(KEY, 250, 1e9)).toEqual(chunks.slice(250));
    });

    test("a read of 80 MB is complete and in order", { timeout: 60_000 }, async () => {
      const chunks = Array.from({ length: 20 }, (_, index) => largeChunk(index, 4 * 1024 * 1024));
      await store.write([startLog()]);
      for (const each of chunks) await store.write([append(each)]);
      const read = await store.read(KEY, 0, 1e9);
      expect(read.map(({ baseOffset, bytes }) => [baseOffset, bytes.length, bytes[100], bytes.at(-1)])).toEqual(
        chunks.map(({ baseOffset, bytes }) => [baseOffset, bytes.length, bytes[100], bytes.at(-1)]),
      );
    });

    test("a log that is not there reads as empty", async () => {
      expect(await store.read(OTHER, 0, 1e6)).toEqual([]);
    });

    test("logs do not see each other's chunks", async () => {
      await store.write([startLog(KEY), startLog(OTHER), append(chunk([0, 2])), append(chunk([0, 9]), OTHER)]);
      await store.write([append(chunk([2, 2]))]);
      expect((await store.read(KEY, 0, 1e6)).map(offsets)).toEqual([[0, 1], [2, 3]]);
      expect((await store.read(OTHER, 0, 1e6)).map(offsets)).toEqual([[0, 8]]);
    });

    test("writes that overlap in time take effect in the order of the calls", async () => {
      await store.write([startLog()]);
      const written = Array.from({ length: 50 }, (_, offset) => store.write([append(chunk([offset, 1]))]));
      written.push(store.write([{ type: "truncate", key: KEY, offset: 20 }]), store.write([append(chunk([20, 7]))]));
      await Promise.all(written);
      expect((await store.read(KEY, 18, 1e6)).map(offsets)).toEqual([[18, 18], [19, 19], [20, 26]]);
    });

    test("an offset that is added twice fails the whole list", async () => {
      await store.write([startLog(), append(chunk([0, 5]))]);
      const list = [append(chunk([5, 5])), startLog(OTHER), append(chunk([5, 5]))];
      await expect(store.write(list)).rejects.toThrow();
      const logs = await reopen();
      expect(logs.map((log) => [log.metadata.partitionIndex, log.chunks.map(offsets)])).toEqual([[0, [[0, 4]]]]);
    });

    test("a chunk that overlaps the one before it fails the whole list", async () => {
      await store.write([startLog(), append(chunk([0, 5]))]);
      await expect(store.write([append(chunk([4, 9]))])).rejects.toThrow();
      expect((await reopen())[0]!.chunks.map(offsets)).toEqual([[0, 4]]);
    });

    test("after a failed write, those that were under way behind it fail too", async () => {
      await store.write([startLog(), append(chunk([0, 5]))]);
      const failing = store.write([append(chunk([0, 5]))]);
      const behind = store.write([append(chunk([5, 5]))]);
      await expect(failing).rejects.toThrow();
      await expect(behind).rejects.toThrow();
      await expect(store.write([append(chunk([5, 5]))])).rejects.toThrow();
      expect((await reopen())[0]!.chunks.map(offsets)).toEqual([[0, 4]]);
    });

    test("an operation on a log without metadata fails the whole list", async () => {
      await expect(store.write([startLog(), append(chunk([0, 1]), OTHER)])).rejects.toThrow();
      expect(await reopen()).toEqual([]);
    });

    test("truncation at a chunk's border removes whole chunks", async () => {
      const chunks = [chunk([0, 5]), chunk([5, 5]), chunk([10, 5])];
      await store.write([startLog(), ...chunks.map((each) => append(each))]);
      await store.write([{ type: "truncate", key: KEY, offset: 5 }]);
      expect(await store.read(KEY, 0, 1e6)).toEqual(chunks.slice(0, 1));
      expect((await reopen())[0]!.chunks.map(offsets)).toEqual([[0, 4]]);
    });

    test("truncation within a chunk cuts it at the batch border", async () => {
      const chunks = [chunk([0, 5]), chunk([5, 2], [7, 3], [10, 4]), chunk([14, 1])];
      await store.write([startLog(), ...chunks.map((each) => append(each))]);
      await store.write([{ type: "truncate", key: KEY, offset: 10 }]);
      expect(await store.read(KEY, 5, 1e6)).toEqual([chunk([5, 2], [7, 3])]);
      const [log] = await reopen();
      expect(log!.chunks.map(offsets)).toEqual([[0, 4], [5, 9]]);
      expect(log!.chunks.at(-1)!.sizeInBytes).toBe(chunk([5, 2], [7, 3]).sizeInBytes);
    });

    test("truncation within a batch removes the batch", async () => {
      await store.write([startLog(), append(chunk([5, 2], [7, 3], [10, 4]))]);
      await store.write([{ type: "truncate", key: KEY, offset: 9 }]);
      expect(await store.read(KEY, 0, 1e6)).toEqual([chunk([5, 2])]);
    });

    test("truncation within a chunk's first batch removes the chunk", async () => {
      await store.write([startLog(), append(chunk([0, 5])), append(chunk([5, 5], [10, 2]))]);
      await store.write([{ type: "truncate", key: KEY, offset: 6 }]);
      expect((await store.read(KEY, 0, 1e6)).map(offsets)).toEqual([[0, 4]]);
    });

    test("truncation at or above the end changes nothing", async () => {
      const written = chunk([0, 5]);
      await store.write([startLog(), append(written)]);
      await store.write([{ type: "truncate", key: KEY, offset: 5 }]);
      expect(await store.read(KEY, 0, 1e6)).toEqual([written]);
    });

    test("what was truncated can be written anew in the same list", async () => {
      await store.write([startLog(), append(chunk([0, 5], [5, 5])), append(chunk([10, 5]))]);
      await store.write([{ type: "truncate", key: KEY, offset: 5 }, append(chunk([5, 1])), append(chunk([6, 20]))]);
      expect((await store.read(KEY, 0, 1e6)).map(offsets)).toEqual([[0, 4], [5, 5], [6, 25]]);
    });

    test("deletion removes whole chunks below the offset only", async () => {
      await store.write([startLog(), append(chunk([0, 5])), append(chunk([5, 5])), append(chunk([10, 5]))]);
      await store.write([{ type: "delete-chunks", key: KEY, offset: 12 }]);
      expect((await store.read(KEY, 0, 1e6)).map(offsets)).toEqual([[10, 14]]);
      await store.write([{ type: "delete-chunks", key: KEY, offset: 15 }]);
      expect(await store.read(KEY, 0, 1e6)).toEqual([]);
    });

    test("chunks are replaced by others of the same offsets, fewer or more", async () => {
      const chunks = [chunk([0, 5]), chunk([5, 5]), chunk([10, 5]), chunk([15, 5])];
      await store.write([startLog(), startLog(OTHER), ...chunks.map((each) => append(each)), append(chunks[1]!, OTHER)]);
      const one = chunk([5, 10]);
      await store.write([replace(one)]);
      expect(await store.read(KEY, 0, 1e6)).toEqual([chunks[0], one, chunks[3]]);
      expect(await store.read(KEY, 12, 1)).toEqual([one]);
      const [log] = await reopen();
      expect(log!.chunks.map(offsets)).toEqual([[0, 4], [5, 14], [15, 19]]);
      expect(log!.chunks[1]!.sizeInBytes).toBe(one.sizeInBytes);
      const three = [chunk([5, 1]), chunk([6, 8]), chunk([14, 1])];
      await store.write([replace(...three), append(chunk([20, 1]))]);
      expect(await store.read(KEY, 0, 1e6)).toEqual([chunks[0], ...three, chunks[3], chunk([20, 1])]);
      expect(await store.read(OTHER, 0, 1e6)).toEqual([chunks[1]]);
    });

    test("replaced chunks are stored without the buffer around them", async () => {
      await store.write([startLog(), append(chunk([0, 5]))]);
      const written = chunk([0, 5]);
      const roomy = new Uint8Array(written.bytes.length + 1000);
      roomy.set(written.bytes, 500);
      await store.write([replace({ ...written, bytes: roomy.subarray(500, 500 + written.bytes.length) })]);
      const [read] = await store.read(KEY, 0, 1);
      expect(read).toEqual(written);
      expect(read!.bytes.buffer.byteLength).toBe(written.sizeInBytes);
    });

    test.each([
      ["begin within a chunk", chunk([6, 4])],
      ["end within a chunk", chunk([5, 4])],
      ["go beyond the end", chunk([10, 6])],
      ["lie where nothing is", chunk([15, 5])],
    ])("replacements that %s fail the whole list", async (_what, replacement) => {
      await store.write([startLog(), ...[0, 5, 10].map((offset) => append(chunk([offset, 5])))]);
      await expect(store.write([startLog(KEY, { highWatermark: 9 }), replace(replacement)])).rejects.toThrow();
      const [log] = await reopen();
      expect(log!.metadata.highWatermark).toBe(0);
      expect(log!.chunks.map(offsets)).toEqual([[0, 4], [5, 9], [10, 14]]);
    });

    test("a replacement takes effect among the operations around it", async () => {
      await store.write([startLog(), ...[0, 5, 10].map((offset) => append(chunk([offset, 5])))]);
      await store.write([
        { type: "truncate", key: KEY, offset: 10 },
        replace(chunk([0, 3], [3, 7])),
        append(chunk([10, 2])),
        { type: "truncate", key: KEY, offset: 3 },
        append(chunk([3, 4])),
      ]);
      expect(await store.read(KEY, 0, 1e6)).toEqual([chunk([0, 3]), chunk([3, 4])]);
    });

    test("a deleted log is gone, and may be made anew", async () => {
      await store.write([startLog(KEY), startLog(OTHER), append(chunk([0, 5])), append(chunk([0, 6]), OTHER)]);
      await store.write([{ type: "delete-log", key: KEY }]);
      expect(await store.read(KEY, 0, 1e6)).toEqual([]);
      await store.write([startLog(KEY), append(chunk([0, 2]))]);
      const logs = await reopen();
      const byPartition = [...logs].sort((a, b) => a.metadata.partitionIndex - b.metadata.partitionIndex);
      expect(byPartition.map((log) => log.chunks.map(offsets))).toEqual([[[0, 1]], [[0, 5]]]);
    });

    test("metadata is created, rewritten and read back whole", async () => {
      await store.write([startLog()]);
      const changed = metadata(KEY, {
        logStartOffset: 3,
        highWatermark: 9,
        epochs: [{ epoch: 0, startOffset: 0 }, { epoch: 4, startOffset: 7 }],
        producerSnapshot: {
          offset: 8,
          producers: [
            {
              producerId: 2 ** 40,
              producerEpoch: 1,
              batches: [{ firstSequence: 0, lastSequence: 4, offset: 3 }],
              lastTimestamp: 1_700_000_000_000,
            },
          ],
        },
      });
      await store.write([{ type: "put-metadata", key: KEY, metadata: changed }]);
      expect((await reopen()).map((log) => log.metadata)).toEqual([changed]);
    });

    test("a start reads descriptors from the log start on, and bytes from the producer snapshot on", async () => {
      const chunks = [chunk([0, 5]), chunk([5, 5]), chunk([10, 5]), chunk([15, 5])];
      const changes = { logStartOffset: 7, producerSnapshot: { offset: 12, producers: [] } };
      await store.write([startLog(KEY, changes), ...chunks.map((each) => append(each))]);
      const [log] = await reopen();
      expect(log!.chunks).toEqual(chunks.slice(1).map(({ bytes: _bytes, ...descriptor }) => descriptor));
      expect(log!.tail).toEqual(chunks.slice(2));
    });

    test("a start reads thousands of chunks in order", { timeout: 60_000 }, async () => {
      const count = 2500;
      const list = Array.from({ length: count }, (_, offset) => append(chunk([offset, 1])));
      await store.write([startLog(KEY, { producerSnapshot: { offset: count, producers: [] } }), ...list]);
      const [log] = await reopen();
      expect(log!.chunks.map(({ lastOffset }) => lastOffset)).toEqual(Array.from({ length: count }, (_, n) => n));
      expect(log!.tail).toEqual([]);
    });

    test("offsets up to 2^53 are keys like any other", async () => {
      const base = Number.MAX_SAFE_INTEGER - 10;
      await store.write([startLog(KEY, { logStartOffset: base }), append(chunk([base, 5]))]);
      expect((await store.read(KEY, base + 4, 1)).map(offsets)).toEqual([[base, base + 4]]);
      expect((await reopen())[0]!.chunks.map(offsets)).toEqual([[base, base + 4]]);
    });

    test("a list takes effect whole or not at all, whatever its operations", async () => {
      await store.write([startLog(KEY), startLog(OTHER), append(chunk([0, 5], [5, 5])), append(chunk([0, 5]), OTHER)]);
      const failing: StoreOperation[] = [
        { type: "truncate", key: KEY, offset: 5 },
        { type: "delete-log", key: OTHER },
        startLog(KEY, { highWatermark: 99 }),
        append(chunk([0, 1])),
      ];
      await expect(store.write(failing)).rejects.toThrow();
      const logs = await reopen();
      const byPartition = [...logs].sort((a, b) => a.metadata.partitionIndex - b.metadata.partitionIndex);
      expect(byPartition.map((log) => [log.metadata.highWatermark, log.chunks.map(offsets)])).toEqual([
        [0, [[0, 9]]],
        [0, [[0, 4]]],
      ]);
    });

    test("a closed store refuses both writes and reads", async () => {
      await store.write([startLog()]);
      store.close();
      await expect(store.write([append(chunk([0, 1]))])).rejects.toThrow();
      await expect(store.read(KEY, 0, 1)).rejects.toThrow();
    });
  });
}

function append(written: Chunk, key = KEY): StoreOperation {
  return { type: "append", key, chunk: written };
}

/** Puts `chunks` in the place of those that hold the same offsets. */
function replace(...chunks: readonly Chunk[]): StoreOperation {
  const { baseOffset } = chunks[0]!;
  return { type: "replace-chunks", key: KEY, baseOffset, lastOffset: chunks.at(-1)!.lastOffset, chunks };
}

function metadata(key: string, changes: Partial<LogMetadata>): LogMetadata {
  return {
    topicId: TOPIC_ID,
    partitionIndex: Number(key.split("/")[1]),
    logStartOffset: 0,
    highWatermark: 0,
    epochs: [],
    producerSnapshot: { offset: 0, producers: [] },
    ...changes,
  };
}

/** A chunk of real batches, each given as its base offset and number of records. */
export function chunk(...spans: readonly (readonly [baseOffset: number, records: number])[]): Chunk {
  const encoded = spans.map(([baseOffset, count]) =>
    encodeBatch(
      Array.from({ length: count }, (_, index) => ({
        offset: baseOffset + index,
        timestamp: 1_700_000_000_000 + (baseOffset % 1000) + index,
        key: null,
        value: new Uint8Array([index]),
        headers: [],
      })),
    ),
  );
  const [firstBase] = spans[0]!;
  const [lastBase, lastCount] = spans.at(-1)!;
  const bytes = new Uint8Array(encoded.reduce((sum, batch) => sum + batch.length, 0));
  encoded.reduce((position, batch) => (bytes.set(batch, position), position + batch.length), 0);
  const maxTimestamp = 1_700_000_000_000 + Math.max(...spans.map(([base, count]) => (base % 1000) + count - 1));
  return {
    baseOffset: firstBase,
    lastOffset: lastBase + lastCount - 1,
    sizeInBytes: bytes.length,
    maxTimestamp,
    bytes,
  };
}

/** Bytes that are no batches, where only their number matters. */
function largeChunk(offset: number, sizeInBytes: number): Chunk {
  const bytes = new Uint8Array(sizeInBytes).fill(offset + 1);
  return { baseOffset: offset, lastOffset: offset, sizeInBytes, maxTimestamp: 0, bytes };
}

function offsets({ baseOffset, lastOffset }: { baseOffset: number; lastOffset: number }): [number, number] {
  return [baseOffset, lastOffset];
}
