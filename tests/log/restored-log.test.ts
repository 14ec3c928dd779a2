import { describe, expect, test } from "vitest";
import { coalesceAppends } from "../../src/log/coalesce-appends.ts";
import { PartitionLog } from "../../src/log/partition-log.ts";
import type { Chunk, LogMetadata, StoredLog } from "../../src/log/stored-log.ts";
import { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import { readBatchHeader, setPartitionLeaderEpoch } from "../../src/protocol/record-batch.ts";
import { TOPIC_ID, batch, joined, makeDurable, readAll, restored, sequenced } from "./batch-builder.ts";

/** Five chunks of two records, the last three of producer 9; epoch 3 from offset 4 on; six records committed. */
function storedLog(): StoredLog & { readonly wholeLog: readonly Chunk[] } {
  const log = PartitionLog.create(TOPIC_ID, 0);
  let disk = StoredLogs.empty;
  const append = (bytes: Uint8Array, leaderEpoch: number) => {
    const { operations } = log.appendAsLeader(bytes, leaderEpoch, 0);
    disk = disk.apply(operations);
    for (const operation of operations) if (operation.type === "append") log.written(operation.chunk);
  };
  append(batch({ count: 2 }), 1);
  append(batch({ count: 2 }), 1);
  append(sequenced(9, 0, 0, { count: 2 }), 3);
  append(sequenced(9, 0, 2, { count: 2 }), 3);
  append(sequenced(9, 0, 4, { count: 2 }), 3);
  log.setHighWatermark(6);
  disk = disk.apply([log.metadataOperation()]);
  const [stored] = disk.load();
  return { ...stored!, wholeLog: disk.read(log.key, 0, Number.POSITIVE_INFINITY) };
}

function withMetadata(changes: Partial<LogMetadata>): StoredLog {
  const stored = storedLog();
  return { ...stored, metadata: { ...stored.metadata, ...changes } };
}

function withChunks(change: (chunks: readonly Chunk[]) => readonly Chunk[]): StoredLog {
  const stored = storedLog();
  const chunks = change(stored.wholeLog);
  const { offset } = stored.metadata.producerSnapshot;
  return { ...stored, chunks, tail: chunks.filter(({ lastOffset }) => lastOffset >= offset) };
}

function withByteFlipped(position: number): StoredLog {
  return withChunks((chunks) =>
    chunks.map((chunk, index) => {
      if (index < chunks.length - 1) return chunk;
      const bytes = chunk.bytes.slice();
      bytes[position]! ^= 1;
      return { ...chunk, bytes };
    }),
  );
}

test("[R20] a follower's first chunk may begin with deleted batches of an epoch that is over", () => {
  const copied = PartitionLog.create(TOPIC_ID, 0);
  const sent = [batch({ partitionLeaderEpoch: 0 }), ...[1, 2].map((baseOffset) => batch({ baseOffset, partitionLeaderEpoch: 1 }))];
  const { operations } = copied.appendAsFollower(joined(...sent));
  makeDurable(copied, operations);
  copied.setHighWatermark(2);
  const disk = StoredLogs.empty.apply([...operations, ...copied.deleteRecordsBefore(1)]);
  const log = restored(disk.load()[0]!);
  expect([log.logStartOffset, log.logEndOffset]).toEqual([1, 3]);
});

describe("restoring a log", () => {
  test("[R16] brings back offsets, epochs and producers", () => {
    const log = restored(storedLog());
    expect(log).toMatchObject({ logStartOffset: 0, logEndOffset: 10, nextOffset: 10, highWatermark: 6 });
    expect(log.epochs.entries).toEqual([
      { epoch: 1, startOffset: 0 },
      { epoch: 3, startOffset: 4 },
    ]);
    const check = (baseSequence: number, count: number) =>
      log.checkProducer(readBatchHeader(sequenced(9, 0, baseSequence, { count })));
    expect(check(6, 1)).toEqual({ kind: "ok" });
    expect(check(0, 2)).toEqual({ kind: "duplicate", baseOffset: 4, lastOffset: 5 });
    expect(check(4, 2)).toEqual({ kind: "duplicate", baseOffset: 8, lastOffset: 9 });
  });

  test("[R16] the snapshot and the tail make the same producers as the whole log", () => {
    const stored = storedLog();
    expect(stored.metadata.producerSnapshot.offset).toBe(6);
    expect(stored.tail.map(({ baseOffset }) => baseOffset)).toEqual([6, 8]);
    const whole: StoredLog = {
      metadata: { ...stored.metadata, producerSnapshot: { offset: 0, producers: [] } },
      chunks: stored.chunks,
      tail: stored.wholeLog,
    };
    const producersOf = (log: PartitionLog) => {
      log.setHighWatermark(10);
      const operation = log.metadataOperation();
      return operation.type === "put-metadata" ? operation.metadata.producerSnapshot : undefined;
    };
    expect(producersOf(restored(stored))).toEqual(producersOf(restored(whole)));
  });

  test("[R16] what the snapshot has is not counted again when the tail begins before it", () => {
    const log = PartitionLog.create(TOPIC_ID, 0);
    const append = (sequence: number) => log.appendAsLeader(sequenced(9, 0, sequence), 0, 0).operations;
    const operations = [...[0, 1, 2].flatMap(append), ...coalesceAppends([3, 4, 5].flatMap(append))];
    for (const operation of operations) if (operation.type === "append") log.written(operation.chunk);
    log.setHighWatermark(5);
    const stored = StoredLogs.empty.apply([...operations, log.metadataOperation()]).load()[0]!;
    expect(stored.tail.map(({ baseOffset }) => baseOffset)).toEqual([3]);
    const again = restored(stored);
    for (let sequence = 1; sequence < 6; sequence++) {
      const retry = readBatchHeader(sequenced(9, 0, sequence));
      expect(again.checkProducer(retry)).toEqual({ kind: "duplicate", baseOffset: sequence, lastOffset: sequence });
    }
  });

  test("the tail is read from memory, the rest from disk", () => {
    const log = restored(storedLog());
    expect(log.read(6, 1e6, 10)).toMatchObject({ kind: "bytes", nextOffset: 10 });
    expect(log.read(5, 1e6, 10)).toMatchObject({ kind: "disk", fromOffset: 5 });
  });

  test("an empty log, and one that starts elsewhere, are whole", () => {
    const empty = PartitionLog.create(TOPIC_ID, 0);
    expect(restored(StoredLogs.empty.apply([empty.metadataOperation()]).load()[0]!).logEndOffset).toBe(0);
    const moved = restored(StoredLogs.empty.apply(empty.truncateFullyAndStartAt(70, [])).load()[0]!);
    expect(moved).toMatchObject({ logStartOffset: 70, logEndOffset: 70, highWatermark: 70 });
    expect(readAll(moved)).toEqual(new Uint8Array(0));
  });

  const refuses = (title: string, stored: () => StoredLog, finding: string) =>
    test(`[R20] refuses ${title}`, () => {
      const result = PartitionLog.restore(stored());
      expect(result).toHaveProperty("corrupt");
      expect(result).toMatchObject({ corrupt: expect.stringContaining(`${TOPIC_ID}/0`) });
      expect(result).toMatchObject({ corrupt: expect.stringContaining(finding) });
    });

  refuses("a damaged record", () => withByteFlipped(65), "offset 8 of");
  refuses("a damaged length", () => withByteFlipped(11), "offset 8 of");
  refuses("another version", () => withByteFlipped(16), "malformed: a record batch of version 3");
  refuses("a damaged base offset", () => withByteFlipped(7), "in its place");
  refuses("a missing chunk", () => withChunks((chunks) => chunks.toSpliced(1, 1)), "offset 2 is missing");
  refuses("a missing first chunk", () => withChunks((chunks) => chunks.slice(1)), "0 to 1 are missing");
  refuses("an end below the high watermark", () => withChunks((chunks) => chunks.slice(0, 2)), "high watermark 6");
  refuses(
    "an end before the start of its latest epoch",
    () => ({
      ...withChunks((chunks) => chunks.slice(0, 2)),
      metadata: { ...storedLog().metadata, highWatermark: 2, producerSnapshot: { offset: 2, producers: [] } },
    }),
    "before epoch start 4",
  );
  refuses(
    "an end below its producer snapshot",
    () => ({ ...withChunks((chunks) => chunks.slice(0, 2)), metadata: { ...storedLog().metadata, highWatermark: 2 } }),
    "below its producer snapshot 6",
  );
  refuses("an end below its start", () => withMetadata({ logStartOffset: 12 }), "below its start 12");
  refuses("epochs that go back", () => withMetadata({ epochs: storedLog().metadata.epochs.toReversed() }), "increase");
  refuses(
    "epochs that do not reach back to its start",
    () => withMetadata({ epochs: [{ epoch: 3, startOffset: 4 }] }),
    "no leader epoch is known",
  );
  refuses(
    "epochs that its batches contradict",
    () => withMetadata({ epochs: [{ epoch: 1, startOffset: 0 }, { epoch: 3, startOffset: 8 }] }),
    "leader epoch 3, where its epochs say 1",
  );
  refuses(
    "a batch of another epoch, which no checksum covers",
    () => {
      const stored = withByteFlipped(0);
      const { bytes } = stored.tail.at(-1)!;
      bytes[0]! ^= 1;
      setPartitionLeaderEpoch(bytes, 4);
      return stored;
    },
    "leader epoch 4",
  );
  refuses("offsets that are none", () => withMetadata({ highWatermark: Number.NaN }), "no offset");
  refuses("negative offsets", () => withMetadata({ logStartOffset: -1 }), "no offset");
  refuses("a tail that was not read", () => ({ ...storedLog(), tail: [] }), "not among the bytes read");
  refuses(
    "a chunk of another size",
    () => withChunks((chunks) => chunks.map((chunk) => ({ ...chunk, sizeInBytes: chunk.sizeInBytes + 1 }))),
    "bytes, not",
  );
  refuses(
    "a chunk whose description makes no sense",
    () => withChunks((chunks) => chunks.map((chunk) => ({ ...chunk, lastOffset: chunk.baseOffset - 1 }))),
    "",
  );
});
