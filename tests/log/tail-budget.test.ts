import { describe, expect, test } from "vitest";
import { PartitionLog } from "../../src/log/partition-log.ts";
import { CHUNK_OVERHEAD_BYTES, TailBudget } from "../../src/log/tail-budget.ts";
import { TOPIC_ID, batch, lead, makeDurable } from "./batch-builder.ts";

const one = batch().length + CHUNK_OVERHEAD_BYTES;

/** Logs of one broker, which may hold so many chunks in memory together. */
function logsOf(count: number, chunks: number, budget = new TailBudget(1e6, chunks * one)): PartitionLog[] {
  return Array.from({ length: count }, (_, index) => PartitionLog.create(TOPIC_ID, index, budget));
}

/** The offsets whose batches are in memory. */
function held(log: PartitionLog): number[] {
  const offsets = Array.from({ length: log.logEndOffset - log.logStartOffset }, (_, at) => log.logStartOffset + at);
  return offsets.filter((offset) => log.read(offset, 1, log.logEndOffset).kind === "bytes");
}

describe("the tails of a broker's logs", () => {
  test("give way to one another: the oldest chunk goes of what was appended to the longest ago", () => {
    const [first, second, third] = logsOf(3, 5) as [PartitionLog, PartitionLog, PartitionLog];
    for (const log of [second, first, first, second, third]) lead(log, 0, batch());
    expect([first, second, third].map(held)).toEqual([[0, 1], [0, 1], [0]]);
    lead(third, 0, batch());
    expect([first, second, third].map(held)).toEqual([[1], [0, 1], [0, 1]]);
    lead(second, 0, batch(), batch());
    expect([first, second, third].map(held)).toEqual([[], [0, 1, 2, 3], [1]]);
    lead(first, 0, batch());
    expect([first, second, third].map(held)).toEqual([[2], [0, 1, 2, 3], []]);
  });

  test("are equally long where all are as busy", () => {
    const logs = logsOf(50, 150);
    for (let round = 0; round < 20; round++) for (const log of logs) lead(log, 0, batch());
    const lengths = logs.map((log) => held(log).length);
    expect(lengths.reduce((sum, length) => sum + length)).toBe(150);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(4);
  });

  test("keep the newest chunk of the one that was appended to last, even if it alone is too much", () => {
    const [first, second] = logsOf(2, 1) as [PartitionLog, PartitionLog];
    lead(first, 0, batch());
    lead(second, 0, batch({ count: 50 }));
    expect(held(first)).toEqual([]);
    expect(held(second)).toHaveLength(50);
  });

  test("keep what is not durable yet, which is nowhere else", () => {
    const [first, second] = logsOf(2, 1) as [PartitionLog, PartitionLog];
    const appended = Array.from({ length: 3 }, () => first.appendAsLeader(batch(), 0, 0));
    lead(second, 0, batch());
    expect(first.read(0, 1e6, first.nextOffset)).toMatchObject({ kind: "bytes", nextOffset: 3 });
    for (const { operations } of appended) makeDurable(first, operations);
    expect([first, second].map(held)).toEqual([[0, 1, 2], []]);
  });

  test("find room again where a log was cut, trimmed or deleted", () => {
    for (const remove of [
      (log: PartitionLog) => log.truncateTo(0),
      (log: PartitionLog) => log.truncateFullyAndStartAt(7, []),
      (log: PartitionLog) => (log.setHighWatermark(2), log.deleteRecordsBefore(2)),
      (log: PartitionLog) => log.discard(),
    ]) {
      const [first, second, third] = logsOf(3, 4) as [PartitionLog, PartitionLog, PartitionLog];
      for (const log of [first, second, second, first]) lead(log, 0, batch());
      remove(first);
      lead(third, 0, batch(), batch());
      expect([second, third].map(held)).toEqual([[0, 1], [0, 1]]);
    }
  });
});
