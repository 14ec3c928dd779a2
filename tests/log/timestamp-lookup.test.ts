import { describe, expect, test } from "vitest";
import { PartitionLog } from "../../src/log/partition-log.ts";
import type { Chunk } from "../../src/log/stored-log.ts";
import { TailBudget } from "../../src/log/tail-budget.ts";
import { assembleBatch } from "../../src/protocol/record-batch.ts";
import { encodeRecords } from "../../src/protocol/records.ts";
import { TOPIC_ID, batch, lead, makeDurable } from "./batch-builder.ts";

/** Three chunks: records of 1000, 1001, 1002; of 500, 501; of 2000, 2001, 2002. */
function logWith(tailCacheBytes?: number): { log: PartitionLog; chunks: Chunk[] } {
  const log = PartitionLog.create(TOPIC_ID, 0, new TailBudget(tailCacheBytes));
  const chunks: Chunk[] = [];
  for (const [timestamp, count] of [[1000, 3], [500, 2], [2000, 3]] as const) {
    const { operations } = log.appendAsLeader(batch({ timestamp, count }), 0, 0);
    makeDurable(log, operations);
    for (const operation of operations) if (operation.type === "append") chunks.push(operation.chunk);
  }
  return { log, chunks };
}

describe("offset for timestamp", () => {
  test("is that of the first record that is not older, in offset order", () => {
    const { log } = logWith();
    expect(log.offsetForTimestamp(0)).toEqual({ kind: "found", offset: 0, timestamp: 1000 });
    expect(log.offsetForTimestamp(1001)).toEqual({ kind: "found", offset: 1, timestamp: 1001 });
    expect(log.offsetForTimestamp(1003)).toEqual({ kind: "found", offset: 5, timestamp: 2000 });
    expect(log.offsetForTimestamp(2002)).toEqual({ kind: "found", offset: 7, timestamp: 2002 });
    expect(log.offsetForTimestamp(2003)).toEqual({ kind: "none" });
  });

  test("is looked up on disk for what is not cached", () => {
    const { log, chunks } = logWith(1);
    const size = chunks[0]!.sizeInBytes;
    expect(log.offsetForTimestamp(1001)).toEqual({ kind: "disk", fromOffset: 0, maxBytes: size });
    expect(log.findTimestamp([chunks[0]!], 1001)).toMatchObject({ offset: 1, timestamp: 1001 });
    expect(log.offsetForTimestamp(2001)).toEqual({ kind: "found", offset: 6, timestamp: 2001 });
  });

  test("[R20] a damaged chunk is not believed", () => {
    const { log, chunks } = logWith(1);
    chunks[0]!.bytes[70]! ^= 1;
    expect(() => log.findTimestamp([chunks[0]!], 1001)).toThrow("the batch at offset 0");
  });

  test("does not tell of deleted records", () => {
    const { log } = logWith();
    log.setHighWatermark(8);
    log.deleteRecordsBefore(1);
    expect(log.offsetForTimestamp(0)).toEqual({ kind: "found", offset: 1, timestamp: 1001 });
  });

  test("is the start of the batch when that is compressed", () => {
    const log = PartitionLog.create(TOPIC_ID, 0);
    const init = { lastOffsetDelta: 3, baseTimestamp: 10, maxTimestamp: 40, recordCount: 4 };
    lead(log, 0, batch({ timestamp: 5 }), assembleBatch(init, new Uint8Array(9), "gzip"));
    expect(log.offsetForTimestamp(20)).toEqual({ kind: "found", offset: 1, timestamp: 40 });
  });

  test("is the start of the batch when the log sets the time", () => {
    const log = PartitionLog.create(TOPIC_ID, 0);
    makeDurable(log, log.appendAsLeader(batch({ count: 3, timestamp: 1 }), 0, 99, "LogAppendTime").operations);
    expect(log.offsetForTimestamp(50)).toEqual({ kind: "found", offset: 0, timestamp: 99 });
  });

  test("is told of records from beyond 2^53 as well, as the latest that can be told", () => {
    const log = PartitionLog.create(TOPIC_ID, 0);
    const latest = Number.MAX_SAFE_INTEGER;
    const [first, second] = [0, 1].map((offset) => ({ offset, timestamp: offset * 9, key: null, value: null }));
    const header = { lastOffsetDelta: 1, baseTimestamp: latest - 5, maxTimestamp: latest, recordCount: 2 };
    lead(log, 0, assembleBatch(header, encodeRecords([first!, second!])));
    expect(log.offsetForTimestamp(latest)).toEqual({ kind: "found", offset: 1, timestamp: latest });
  });

  test("goes by the records when a header promises a newer one than there is", () => {
    const log = PartitionLog.create(TOPIC_ID, 0);
    lead(log, 0, batch({ timestamp: 5, maxTimestamp: 1000 }), batch({ timestamp: 900 }));
    expect(log.offsetForTimestamp(800)).toEqual({ kind: "found", offset: 1, timestamp: 900 });
  });

  test("the newest timestamp of the log is known", () => {
    expect(logWith().log.maxTimestamp).toBe(2002);
    expect(PartitionLog.create(TOPIC_ID, 0).maxTimestamp).toBe(-1);
  });
});
