import { describe, expect, test } from "vitest";
import { CHUNK_BYTES } from "../../src/log/chunk-building.ts";
import { CHECKPOINT_BYTES, PartitionLog } from "../../src/log/partition-log.ts";
import type { LogMetadata, StoreOperation } from "../../src/log/stored-log.ts";
import { TailBudget } from "../../src/log/tail-budget.ts";
import { CorruptMessageError } from "../../src/protocol/errors.ts";
import { readBatchHeader, verifyCrc } from "../../src/protocol/record-batch.ts";
import { TOPIC_ID, batch, chunkSized, joined, lead, logOf, makeDurable, readAll, sequenced } from "./batch-builder.ts";

function newLog(): PartitionLog {
  return PartitionLog.create(TOPIC_ID, 0);
}

function types(operations: readonly StoreOperation[]): string[] {
  return operations.map(({ type }) => type);
}

function metadataOf(operations: readonly StoreOperation[]): LogMetadata {
  for (const operation of operations) if (operation.type === "put-metadata") return operation.metadata;
  throw new Error("no metadata was put");
}

function chunksOf(operations: readonly StoreOperation[]) {
  return operations.flatMap((operation) => (operation.type === "append" ? [operation.chunk] : []));
}

describe("appending as a leader", () => {
  test("offsets follow one another and are written into the batches", () => {
    const log = newLog();
    expect(log.appendAsLeader(batch({ count: 3 }), 4, 0)).toMatchObject({ baseOffset: 0, lastOffset: 2 });
    const { operations, ...second } = log.appendAsLeader(batch({ count: 2 }), 4, 0);
    expect(second).toEqual({ baseOffset: 3, lastOffset: 4 });
    const [chunk] = chunksOf(operations);
    expect(readBatchHeader(chunk!.bytes)).toMatchObject({ baseOffset: 3, partitionLeaderEpoch: 4 });
    expect(verifyCrc(chunk!.bytes)).toBe(true);
  });

  test("[R3] the first append of an epoch stores the epoch's start in the same list, later ones do not", () => {
    const log = newLog();
    const first = log.appendAsLeader(batch({ count: 3 }), 4, 0);
    expect(types(first.operations)).toEqual(["put-metadata", "append"]);
    expect(metadataOf(first.operations).epochs).toEqual([{ epoch: 4, startOffset: 0 }]);
    expect(types(log.appendAsLeader(batch(), 4, 0).operations)).toEqual(["append"]);
    const next = log.appendAsLeader(batch(), 6, 0);
    expect(metadataOf(next.operations).epochs).toEqual([
      { epoch: 4, startOffset: 0 },
      { epoch: 6, startOffset: 4 },
    ]);
  });

  test("[R7] an append counts only once it is durable, though followers may copy it before", () => {
    const log = newLog();
    const { operations } = log.appendAsLeader(batch({ count: 3 }), 0, 0);
    expect(log).toMatchObject({ logEndOffset: 0, nextOffset: 3 });
    expect(log.read(0, 1e6, log.logEndOffset)).toEqual({ kind: "bytes", bytes: new Uint8Array(0), nextOffset: 0 });
    const { bytes } = chunksOf(operations)[0]!;
    expect(log.read(0, 1e6, log.nextOffset)).toEqual({ kind: "bytes", bytes, nextOffset: 3 });
    expect(log.read(4, 1e6, 4)).toEqual({ kind: "out-of-range" });
    makeDurable(log, operations);
    expect(log).toMatchObject({ logEndOffset: 3, nextOffset: 3 });
    expect(readAll(log)).toEqual(chunksOf(operations)[0]!.bytes);
  });

  test("a batch that is part of a larger buffer gets a buffer of its own", () => {
    const frame = joined(new Uint8Array(100), batch());
    const { operations } = newLog().appendAsLeader(frame.subarray(100), 0, 0);
    const { bytes } = chunksOf(operations)[0]!;
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });

  test("LogAppendTime stamps the header and renews the checksum", () => {
    const { operations } = newLog().appendAsLeader(batch({ count: 2, timestamp: 5 }), 0, 777, "LogAppendTime");
    const [chunk] = chunksOf(operations);
    const { maxTimestamp, baseTimestamp, attributes } = readBatchHeader(chunk!.bytes);
    expect({ maxTimestamp, baseTimestamp }).toEqual({ maxTimestamp: 777, baseTimestamp: 5 });
    expect(attributes.timestampType).toBe("LogAppendTime");
    expect(verifyCrc(chunk!.bytes)).toBe(true);
    expect(chunk!.maxTimestamp).toBe(777);
  });

  test("a leader epoch that goes back is a broken invariant", () => {
    const log = logOf({ epoch: 3, count: 1 });
    expect(() => log.appendAsLeader(batch(), 2, 0)).toThrow("never go back");
  });

  test("the size counts what is in flight", () => {
    const log = newLog();
    const { operations } = log.appendAsLeader(batch({ count: 3 }), 0, 0);
    const size = chunksOf(operations)[0]!.sizeInBytes;
    expect(log.sizeInBytes).toBe(size);
    makeDurable(log, operations);
    expect(log.sizeInBytes).toBe(size);
  });
});

describe("producers", () => {
  test("[R16] batches in flight count: a retry is a duplicate, the next sequence is accepted", () => {
    const log = newLog();
    log.appendAsLeader(batch({ count: 5 }), 0, 0);
    log.appendAsLeader(sequenced(9, 0, 0, { count: 2 }), 0, 0);
    const retry = readBatchHeader(sequenced(9, 0, 0, { count: 2 }));
    expect(log.checkProducer(retry)).toEqual({ kind: "duplicate", baseOffset: 5, lastOffset: 6 });
    expect(log.checkProducer(readBatchHeader(sequenced(9, 0, 2)))).toEqual({ kind: "ok" });
    const gap = { kind: "error", error: "OUT_OF_ORDER_SEQUENCE_NUMBER" };
    expect(log.checkProducer(readBatchHeader(sequenced(9, 0, 3)))).toEqual(gap);
  });

  test("[R16] a follower knows what its leader knows", () => {
    const follower = newLog();
    follower.appendAsFollower(sequenced(9, 1, 4, { count: 2, partitionLeaderEpoch: 0 }));
    const retry = readBatchHeader(sequenced(9, 1, 4, { count: 2 }));
    expect(follower.checkProducer(retry)).toEqual({ kind: "duplicate", baseOffset: 0, lastOffset: 1 });
  });
});

describe("appending as a follower", () => {
  const leaderBatch = (baseOffset: number, count: number, partitionLeaderEpoch = 0) =>
    batch({ baseOffset, count, partitionLeaderEpoch });

  test("takes the leader's batches byte for byte", () => {
    const log = newLog();
    const records = joined(leaderBatch(0, 2), leaderBatch(2, 3, 1));
    const appended = log.appendAsFollower(records);
    expect(appended).toMatchObject({ baseOffset: 0, lastOffset: 4 });
    expect(types(appended.operations)).toEqual(["put-metadata", "append"]);
    makeDurable(log, appended.operations);
    expect(readAll(log)).toEqual(records);
  });

  test("[R3] stores the epochs it learns in the same list", () => {
    const log = newLog();
    const { operations } = log.appendAsFollower(joined(leaderBatch(0, 2), leaderBatch(2, 3, 4)));
    expect(metadataOf(operations).epochs).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 4, startOffset: 2 },
    ]);
  });

  test("splits what it got into chunks, each with its own buffer", () => {
    const log = newLog();
    const parts = [0, 1, 2].map((baseOffset) => chunkSized({ baseOffset, partitionLeaderEpoch: 0 }));
    const chunks = chunksOf(log.appendAsFollower(joined(...parts, leaderBatch(3, 1))).operations);
    expect(chunks.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])).toEqual([
      [0, 0],
      [1, 1],
      [2, 3],
    ]);
    for (const { bytes, sizeInBytes } of chunks) {
      expect(sizeInBytes).toBeLessThanOrEqual(CHUNK_BYTES);
      expect(bytes.buffer.byteLength).toBe(sizeInBytes);
    }
  });

  const refuses = (title: string, records: Uint8Array, message: string) =>
    test(`[R20] refuses ${title}, and changes nothing`, () => {
      const log = logOf({ epoch: 2, count: 3 });
      const before = readAll(log);
      expect(() => log.appendAsFollower(records)).toThrow(message);
      expect(() => log.appendAsFollower(records)).toThrow(CorruptMessageError);
      expect(log).toMatchObject({ nextOffset: 3, logEndOffset: 3 });
      expect(log.epochs.entries).toEqual([{ epoch: 2, startOffset: 0 }]);
      expect(readAll(log)).toEqual(before);
    });
  const damaged = leaderBatch(5, 1, 2);
  damaged[damaged.length - 1]! ^= 1;
  refuses("a gap", leaderBatch(4, 1, 2), "where 3 follows");
  refuses("an overlap", leaderBatch(2, 2, 2), "where 3 follows");
  refuses("a gap within", joined(leaderBatch(3, 1, 2), leaderBatch(5, 1, 2)), "where 4 follows");
  refuses("an older epoch", leaderBatch(3, 1, 1), "epoch 1 after epoch 2");
  refuses("a wrong checksum behind a right one", joined(leaderBatch(3, 2, 2), damaged), "checksum");
  refuses("a batch cut short", leaderBatch(3, 1, 2).subarray(0, 65), "cut short");
  refuses("no batch at all", new Uint8Array(0), "no batch");

  test("an empty log may start with the batch that its start lies within", () => {
    const log = newLog();
    log.truncateFullyAndStartAt(105, []);
    expect(() => log.appendAsFollower(leaderBatch(100, 5))).toThrow("where 105 follows");
    makeDurable(log, log.appendAsFollower(leaderBatch(100, 10)).operations);
    expect(log).toMatchObject({ logStartOffset: 105, logEndOffset: 110 });
    expect(log.read(104, 1e6, 110).kind).toBe("out-of-range");
    expect(log.read(105, 1e6, 110)).toMatchObject({ nextOffset: 110 });
    expect(log.epochs.entries).toEqual([{ epoch: 0, startOffset: 105 }]);
  });
});

describe("becoming durable", () => {
  test("appends coalesced into one chunk become durable together", () => {
    const log = newLog();
    const [first] = chunksOf(log.appendAsLeader(batch({ count: 2 }), 0, 0).operations);
    const [second] = chunksOf(log.appendAsLeader(batch({ count: 3 }), 0, 0).operations);
    const bytes = joined(first!.bytes, second!.bytes);
    log.written({ baseOffset: 0, lastOffset: 4, sizeInBytes: bytes.length, maxTimestamp: 1002, bytes });
    expect(log.logEndOffset).toBe(5);
    expect(readAll(log)).toEqual(bytes);
  });

  test("an append that a truncation has overtaken does not come back", () => {
    const log = newLog();
    const first = log.appendAsLeader(batch({ count: 2 }), 0, 0);
    const second = log.appendAsLeader(batch({ count: 2 }), 0, 0);
    log.truncateTo(2);
    const third = log.appendAsLeader(batch({ count: 2 }), 1, 0);
    makeDurable(log, first.operations);
    makeDurable(log, second.operations);
    expect(log.logEndOffset).toBe(2);
    makeDurable(log, third.operations);
    expect(log.logEndOffset).toBe(4);
    expect(log.epochs.epochAt(2)).toBe(1);
  });

  test("reports out of order are a broken invariant", () => {
    const log = newLog();
    log.appendAsLeader(batch(), 0, 0);
    const second = log.appendAsLeader(batch(), 0, 0);
    expect(() => makeDurable(log, second.operations)).toThrow("in the order they were made");
  });
});

describe("reading", () => {
  test("starts with the batch that holds the offset, and stops below the limit", () => {
    const log = logOf({ epoch: 0, count: 3 }, { epoch: 0, count: 3 }, { epoch: 0, count: 3 });
    const size = log.sizeInBytes / 3;
    expect(log.read(4, 1e6, 6)).toMatchObject({ kind: "bytes", nextOffset: 6 });
    expect(log.read(4, 1e6, 9)).toMatchObject({ kind: "bytes", nextOffset: 9 });
    expect(log.read(0, 2 * size, 9)).toMatchObject({ nextOffset: 6 });
    expect(log.read(0, 2 * size - 1, 9)).toMatchObject({ nextOffset: 3 });
  });

  test("gives the first batch even if it is larger than asked for", () => {
    expect(logOf({ epoch: 0, count: 3 }).read(1, 1, 3)).toMatchObject({ kind: "bytes", nextOffset: 3 });
  });

  test("is empty at and above the limit, and out of range beyond the log", () => {
    const log = logOf({ epoch: 0, count: 3 }, { epoch: 0, count: 3 });
    const empty = { kind: "bytes", bytes: new Uint8Array(0) };
    expect(log.read(3, 1e6, 3)).toEqual({ ...empty, nextOffset: 3 });
    expect(log.read(6, 1e6, 6)).toEqual({ ...empty, nextOffset: 6 });
    expect(log.read(7, 1e6, 6)).toEqual({ kind: "out-of-range" });
    expect(log.read(-1, 1e6, 6)).toEqual({ kind: "out-of-range" });
  });

  test("sends to the disk what the tail cache has let go", () => {
    const log = PartitionLog.create(TOPIC_ID, 0, new TailBudget(100));
    lead(log, 0, batch(), batch(), batch());
    expect(log.read(0, 5000, 3)).toEqual({ kind: "disk", fromOffset: 0, maxBytes: 5000 });
    expect(log.read(2, 5000, 3)).toMatchObject({ kind: "bytes", nextOffset: 3 });
  });
});

describe("reading from disk", () => {
  const stored = () => {
    const log = PartitionLog.create(TOPIC_ID, 0, new TailBudget(1));
    const chunks = [0, 1, 2].flatMap(() => {
      const { operations } = log.appendAsLeader(batch({ count: 2 }), 0, 0);
      makeDurable(log, operations);
      return chunksOf(operations);
    });
    return { log, chunks };
  };

  test("[R20] checks every batch it serves", () => {
    const { log, chunks } = stored();
    expect(log.sliceChunks(chunks, 3, 1e6, 6).nextOffset).toBe(6);
    chunks[1]!.bytes[70]! ^= 1;
    const message = `the batch at offset 2 of log ${TOPIC_ID}/0 fails its checksum`;
    expect(() => log.sliceChunks(chunks, 3, 1e6, 6)).toThrow(message);
    expect(() => log.sliceChunks(chunks, 3, 1e6, 6)).toThrow(CorruptMessageError);
  });

  test("[R20] notices chunks that are missing", () => {
    const { log, chunks } = stored();
    expect(() => log.sliceChunks([], 1, 1e6, 6)).toThrow("the batch at offset 1");
    expect(() => log.sliceChunks(chunks.slice(1), 1, 1e6, 6)).toThrow("the batch at offset 1");
    expect(() => log.sliceChunks([chunks[0]!, chunks[2]!], 1, 1e6, 6)).toThrow("the batch at offset 2");
    expect(() => log.sliceChunks(chunks.slice(0, 1), 3, 1e6, 6)).toThrow("the batch at offset 3");
  });

  test("[R20] notices a chunk that holds other batches than it is filed under", () => {
    const { log, chunks } = stored();
    const [first, second] = chunks;
    expect(() => log.sliceChunks([{ ...first!, bytes: second!.bytes }], 0, 1e6, 6)).toThrow("offset 2 in its place");
    expect(() => log.sliceChunks([{ ...first!, lastOffset: 3 }], 0, 1e6, 6)).toThrow("missing at the end");
    expect(() => log.sliceChunks([{ ...first!, bytes: first!.bytes.slice(0, 65) }], 0, 1e6, 6)).toThrow("cut short");
  });

  test("gives nothing when the log was cut meanwhile", () => {
    const { log, chunks } = stored();
    log.truncateTo(2);
    expect(log.sliceChunks(chunks, 3, 1e6, 6)).toEqual({ bytes: new Uint8Array(0), nextOffset: 3 });
    expect(log.sliceChunks(chunks, 0, 1e6, 6).nextOffset).toBe(2);
  });
});

describe("truncating", () => {
  test("[R4] cuts records, epochs and producers, and stores all of it in one list", () => {
    const log = logOf({ epoch: 0, count: 4 });
    lead(log, 2, sequenced(9, 0, 0, { count: 3 }));
    const operations = log.truncateTo(4);
    expect(types(operations)).toEqual(["put-metadata", "truncate"]);
    expect(operations[1]).toMatchObject({ offset: 4 });
    expect(metadataOf(operations).epochs).toEqual([{ epoch: 0, startOffset: 0 }]);
    expect(log).toMatchObject({ logEndOffset: 4, nextOffset: 4 });
    expect(log.checkProducer(readBatchHeader(sequenced(9, 0, 0, { count: 3 })))).toEqual({ kind: "ok" });
    expect(log.read(0, 1e6, 10)).toMatchObject({ nextOffset: 4 });
  });

  test("[R18] what is at or below the log end already stays untouched", () => {
    const log = logOf({ epoch: 0, count: 4 });
    expect(log.truncateTo(4)).toEqual([]);
    expect(log.truncateTo(9)).toEqual([]);
  });

  test("[R4] forgets an epoch that has no records left even when no record goes", () => {
    const log = logOf({ epoch: 1, count: 4 });
    log.setHighWatermark(4);
    log.deleteRecordsBefore(4);
    expect(log.epochs.latestEpoch).toBe(1);
    expect(types(log.truncateTo(4))).toContain("put-metadata");
    expect(log.epochs.latestEpoch).toBe(-1);
  });

  test("[R5] takes the high watermark along", () => {
    const log = logOf({ epoch: 0, count: 4 }, { epoch: 1, count: 2 });
    log.setHighWatermark(6);
    expect(metadataOf(log.truncateTo(4)).highWatermark).toBe(4);
    expect(log.highWatermark).toBe(4);
  });

  test("below the log's start is a broken invariant", () => {
    const log = newLog();
    log.truncateFullyAndStartAt(10, []);
    expect(() => log.truncateTo(9)).toThrow("within itself");
  });

  test("fully, and starting elsewhere, leaves nothing behind", () => {
    const log = logOf({ epoch: 0, count: 4 });
    lead(log, 1, sequenced(9, 0, 0));
    const operations = log.truncateFullyAndStartAt(50, []);
    expect(operations).toEqual([
      {
        type: "put-metadata",
        key: log.key,
        metadata: {
          topicId: TOPIC_ID,
          partitionIndex: 0,
          logStartOffset: 50,
          highWatermark: 50,
          epochs: [],
          producerSnapshot: { offset: 50, producers: [] },
        },
      },
      { type: "truncate", key: log.key, offset: 0 },
    ]);
    expect(log).toMatchObject({ logStartOffset: 50, logEndOffset: 50, nextOffset: 50, sizeInBytes: 0 });
    expect(log.checkProducer(readBatchHeader(sequenced(9, 0, 7)))).toEqual({ kind: "ok" });
  });
});

describe("high watermark", () => {
  test("[R5] is kept within the log, and may go back", () => {
    const log = logOf({ epoch: 0, count: 4 });
    log.setHighWatermark(9);
    expect(log.highWatermark).toBe(4);
    log.setHighWatermark(2);
    expect(log.highWatermark).toBe(2);
  });

  test("[R5] is stored where it is another one than was stored, and speaks of nothing that is in flight", () => {
    const log = logOf({ epoch: 0, count: 4 });
    expect(log.highWatermarkOperation()).toBeUndefined();
    log.appendAsLeader(batch(), 0, 0);
    log.setHighWatermark(5);
    expect(log.highWatermarkOperation()).toMatchObject({ type: "put-metadata", metadata: { highWatermark: 4 } });
    expect(log.highWatermarkOperation()).toBeUndefined();
    expect(metadataOf(log.truncateTo(0)).highWatermark).toBe(0);
    expect(log.highWatermarkOperation()).toBeUndefined();
  });

  test("[R5] is not due as long as storing it takes more than what was appended", () => {
    const log = newLog();
    for (let producerId = 0; producerId < 100; producerId++) lead(log, 0, sequenced(producerId, 0, 0));
    log.setHighWatermark(100);
    log.metadataOperation();
    lead(log, 0, sequenced(0, 0, 1));
    expect(log.isMetadataDue).toBe(false);
    lead(log, 0, sequenced(0, 0, 2, { valueBytes: 30_000 }));
    expect(log.isMetadataDue).toBe(true);
  });

  test("[R5] [R20] is stored without taking the end of the log out of what a restart checks", () => {
    const log = newLog();
    lead(log, 0, sequenced(9, 0, 0));
    log.setHighWatermark(1);
    expect(metadataOf([log.highWatermarkOperation()!])).toMatchObject({
      highWatermark: 1,
      producerSnapshot: { offset: 0, producers: [] },
    });
    expect(metadataOf([log.metadataOperation()]).producerSnapshot).toMatchObject({ offset: 1, producers: [{}] });
  });
});

describe("checkpoints", () => {
  test("[R16] are due once much was appended, with the producers up to the high watermark", () => {
    const log = newLog();
    lead(log, 0, sequenced(9, 0, 0, { valueBytes: CHECKPOINT_BYTES / 2 }));
    expect(log.checkpoint()).toBeUndefined();
    log.setHighWatermark(1);
    lead(log, 0, sequenced(9, 0, 1, { valueBytes: CHECKPOINT_BYTES / 2 }));
    expect(log.checkpoint()).toMatchObject({
      type: "put-metadata",
      metadata: {
        highWatermark: 1,
        producerSnapshot: { offset: 1, producers: [{ producerId: 9, batches: [{ firstSequence: 0, offset: 0 }] }] },
      },
    });
    expect(log.checkpoint()).toBeUndefined();
  });
});

describe("retention", () => {
  const unlimited = { retentionMs: -1, retentionBytes: -1 };

  function committedLog(...timestamps: readonly number[]): PartitionLog {
    const log = newLog();
    for (const timestamp of timestamps) lead(log, 0, batch({ timestamp }));
    log.setHighWatermark(timestamps.length);
    return log;
  }

  test("deletes whole chunks that are too old, oldest first", () => {
    const log = committedLog(1000, 2000, 9000, 1000);
    const operations = log.retention({ ...unlimited, retentionMs: 5000 }, 7001);
    expect(types(operations)).toEqual(["put-metadata", "delete-chunks"]);
    expect(metadataOf(operations).logStartOffset).toBe(2);
    expect(metadataOf(operations).epochs).toEqual([{ epoch: 0, startOffset: 2 }]);
    expect(operations[1]).toMatchObject({ offset: 2 });
    expect(log.logStartOffset).toBe(2);
    expect(log.read(1, 1e6, 4).kind).toBe("out-of-range");
    expect(log.read(2, 1e6, 4)).toMatchObject({ nextOffset: 4 });
  });

  test("deletes chunks while the others alone have the size to keep", () => {
    const log = committedLog(1, 1, 1, 1);
    const size = log.sizeInBytes / 4;
    expect(log.retention({ ...unlimited, retentionBytes: 3 * size + 1 }, 9)).toEqual([]);
    log.retention({ ...unlimited, retentionBytes: 2 * size }, 9);
    expect(log).toMatchObject({ logStartOffset: 2, sizeInBytes: 2 * size });
  });

  test("keeps everything without limits, and what has no timestamp without a size limit", () => {
    expect(committedLog(1, 1).retention(unlimited, 1e12)).toEqual([]);
    expect(committedLog(-1, 1).retention({ ...unlimited, retentionMs: 1 }, 1e12)).toEqual([]);
  });

  test("[R18] never deletes at or above the high watermark", () => {
    const log = committedLog(1, 1, 1, 1);
    log.setHighWatermark(2);
    log.retention({ retentionMs: 0, retentionBytes: 0 }, 1e12);
    expect(log.logStartOffset).toBe(2);
  });

  test("deleting records raises the start within a chunk, at most to the high watermark", () => {
    const log = logOf({ epoch: 0, count: 4 }, { epoch: 0, count: 4 });
    log.setHighWatermark(8);
    log.deleteRecordsBefore(6);
    expect(log.logStartOffset).toBe(6);
    expect(log.read(6, 1e6, 8)).toMatchObject({ nextOffset: 8 });
    expect(log.deleteRecordsBefore(5)).toEqual([]);
    log.deleteRecordsBefore(100);
    expect(log).toMatchObject({ logStartOffset: 8, logEndOffset: 8, sizeInBytes: 0 });
  });
});
