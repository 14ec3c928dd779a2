import { describe, expect, test } from "vitest";
import { CompactionPass } from "../../src/log/compaction-pass.ts";
import { hasForgotten } from "../../src/log/gap-batch.ts";
import { OffsetMap } from "../../src/log/offset-map.ts";
import { MAX_PRODUCERS } from "../../src/log/producer-state.ts";
import { batches, encodeBatch, verifyCrc } from "../../src/protocol/record-batch.ts";
import { batch } from "./batch-builder.ts";
import { eager, keyed, lastValues, StoredLog } from "./compacted-log.ts";
import type { Pair } from "./compacted-log.ts";

const now = { nowMs: 10_000 };

function logOf(...sent: readonly (readonly Pair[])[]): StoredLog {
  const stored = new StoredLog();
  stored.lead(0, ...sent.map((pairs) => keyed(pairs)));
  return stored;
}

describe("a compaction", () => {
  test("keeps the last record of each key where it was, with its timestamp and headers", () => {
    const stored = logOf([["a", "1"], ["b", "1"]], [["a", "2"]], [["c", "1"], ["a", "3"], ["c", "2"]], [["z", "active"]]);
    const before = stored.records;
    expect(stored.compact(eager, now)).toBe(true);
    expect(stored.records).toEqual(before.filter(({ offset }) => [1, 4, 5, 6].includes(offset)));
    expect(stored.layout).toEqual([[0, 1, 1], [2, 2, 0], [3, 5, 2], [6, 6, 1]]);
    expect(stored.log.logEndOffset).toBe(7);
    for (const each of batches(stored.bytes)) expect(verifyCrc(each.bytes)).toBe(true);
  });

  test("changes nothing when it comes again", () => {
    const stored = logOf([["a", "1"]], [["a", "2"]], [["b", "1"]], [["a", "3"]], [["z", "active"]]);
    stored.compact(eager, now);
    const { bytes } = stored;
    stored.compact({ ...eager, maxCompactionLagMs: 1 }, now);
    expect(stored.compact(eager, now)).toBe(false);
    expect(stored.bytes).toEqual(bytes);
  });

  test("leaves the newest chunk and what is not committed alone", () => {
    const stored = logOf([["a", "1"]], [["a", "2"]], [["a", "3"]], [["a", "4"]]);
    stored.restart();
    stored.log.setHighWatermark(2);
    stored.compact(eager, now);
    expect(stored.records.map(({ value }) => value)).toEqual(["2", "3", "4"]);
  });

  test("joins the gaps of one epoch and keeps a batch for every epoch", () => {
    const stored = new StoredLog();
    for (const epoch of [1, 1, 1, 4, 4, 6]) stored.lead(epoch, keyed([["a", String(epoch)]]));
    stored.compact(eager, now);
    expect(stored.layout).toEqual([[0, 2, 0], [3, 3, 0], [4, 4, 1], [5, 5, 1]]);
    stored.lead(6, keyed([["b", ""]]));
    stored.compact(eager, now);
    expect(stored.layout).toEqual([[0, 2, 0], [3, 4, 0], [5, 5, 1], [6, 6, 1]]);
    stored.restart();
    expect(stored.log.epochs.entries).toEqual([
      { epoch: 1, startOffset: 0 },
      { epoch: 4, startOffset: 3 },
      { epoch: 6, startOffset: 5 },
    ]);
  });

  test("makes few chunks of many", () => {
    const stored = logOf(...Array.from({ length: 100 }, (_, at): Pair[] => [[`key ${at % 50}`, "value"]]));
    stored.compact(eager, now);
    expect(stored.disk.load()[0]!.chunks).toHaveLength(2);
  });

  test("drops records without a key, which a topic may have from before it was compacted", () => {
    const stored = logOf([[null, "1"], ["a", "1"]], [[null, "2"]], [["z", "active"]]);
    stored.compact(eager, now);
    expect(stored.records.map(({ key }) => key)).toEqual(["a", "z"]);
  });

  test("goes on next time where its memory for keys was full", () => {
    const keys = Array.from({ length: 20 }, (_, at) => `key ${at}`);
    const sent = [...keys, ...keys].map((key, at): Pair[] => [[key, String(at)]]);
    const stored = logOf(...sent, [["z", "active"]]);
    const values = lastValues(stored.records);
    const layouts: number[] = [];
    for (let pass = 0; pass < 10; pass++) {
      if (!stored.compact(eager, now, 1, new OffsetMap(8))) break;
      layouts.push(stored.records.length);
      expect(lastValues(stored.records)).toEqual(values);
    }
    expect(layouts).toEqual([41, 41, 37, 29, 21]);
  });

  test("ends when the log is cut, and harms nothing", () => {
    const stored = logOf([["a", "1"]], [["a", "2"]], [["b", "1"]], [["z", "active"]]);
    const pass = new CompactionPass(stored.log, stored.log.cleanable(eager, now.nowMs)!, eager);
    const chunks = stored.disk.read(stored.log.key, 0, 1e6);
    stored.apply(stored.log.deleteRecordsBefore(1));
    expect(pass.nextOffset).toBeUndefined();
    expect(pass.step(chunks, now)).toEqual([]);
  });

  test("[R5] ends when a follower's high watermark goes back", () => {
    const stored = logOf([["a", "1"]], [["a", "2"]], [["b", "1"]], [["z", "active"]]);
    const pass = new CompactionPass(stored.log, stored.log.cleanable(eager, now.nowMs)!, eager);
    stored.log.setHighWatermark(2);
    expect(pass.nextOffset).toBeUndefined();
  });

  test("[R20] refuses chunks that are damaged or missing", () => {
    const stored = logOf([["a", "1"]], [["a", "2"]], [["b", "1"]], [["z", "active"]]);
    const begin = () => new CompactionPass(stored.log, stored.log.cleanable(eager, now.nowMs)!, eager);
    const chunks = stored.disk.read(stored.log.key, 0, 1e6);
    expect(() => begin().step([], now)).toThrow(/offset 0 .* is missing/);
    expect(() => begin().step(chunks.slice(1), now)).toThrow(/offset 0 .* is missing/);
    const damaged = { ...chunks[0]!, bytes: chunks[0]!.bytes.map((byte, at) => (at === 70 ? byte ^ 1 : byte)) };
    expect(() => begin().step([damaged], now)).toThrow(/checksum/);
  });
});

describe("a tombstone", () => {
  const deleted = () => logOf([["a", "1"]], [["a", null], ["b", "1"]], [["z", "active"]]);

  test("outlives the record by delete.retention.ms, and then goes by itself", () => {
    const stored = deleted();
    stored.compact(eager, { nowMs: 5000 });
    expect(stored.records.map(({ offset, key, value, timestamp }) => [offset, key, value, timestamp])).toEqual([
      [1, "a", null, 1000],
      [2, "b", "1", 1001],
      [3, "z", "active", 1000],
    ]);
    const [, second] = [...batches(stored.bytes)];
    expect(second!.header.attributes.hasDeleteHorizon).toBe(true);
    expect(second!.header.baseTimestamp).toBe(6000);
    expect(stored.compact(eager, { nowMs: 5999 })).toBe(false);
    expect(stored.compact(eager, { nowMs: 6000 })).toBe(true);
    expect(stored.records.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([[2, 1001], [3, 1000]]);
    expect(stored.log.compaction.forgottenBefore).toBe(3);
    expect(stored.compact(eager, { nowMs: 1e9 })).toBe(false);
  });

  test("goes at the next compaction where delete.retention.ms is 0", () => {
    const stored = deleted();
    const limits = { ...eager, deleteRetentionMs: 0 };
    stored.compact(limits, now);
    expect(stored.records[0]!.value).toBeNull();
    stored.compact(limits, now);
    expect(stored.records.map(({ key }) => key)).toEqual(["b", "z"]);
  });

  test("[R21] leaves a mark by which every copy of the log knows that it is gone", () => {
    const stored = logOf([["a", "1"]], [["a", null]], [["b", "1"]], [["z", "active"]]);
    stored.compact(eager, { nowMs: 5000 });
    stored.compact(eager, { nowMs: 6000 });
    expect(stored.layout).toEqual([[0, 1, 0], [2, 2, 1], [3, 3, 1]]);
    expect([...batches(stored.bytes)].map(({ header }) => hasForgotten(header))).toEqual([true, false, false]);
    expect(stored.log.compaction.forgottenBefore).toBe(2);
    const copy = new StoredLog();
    copy.apply(copy.log.appendAsFollower(stored.bytes).operations);
    expect(copy.log.compaction.forgottenBefore).toBe(2);
    copy.restart();
    expect(copy.log.compaction.forgottenBefore).toBe(2);
    stored.lead(0, keyed([["b", "2"]]), keyed([["z", "active"]]));
    stored.compact(eager, { nowMs: 6001 });
    expect([...batches(stored.bytes)].map(({ header }) => hasForgotten(header))).toEqual([true, false, false, false]);
  });

  test("[R21] stays while a replica that copies the log anew has not passed it", () => {
    const stored = deleted();
    stored.compact(eager, { nowMs: 5000 });
    stored.compact(eager, { nowMs: 6000, forgetBelow: 2 });
    expect(stored.records[0]).toMatchObject({ offset: 1, value: null });
    expect(stored.compact(eager, { nowMs: 7000 })).toBe(false);
    expect(stored.compact(eager, { nowMs: 700_000, forgetBelow: 3 })).toBe(true);
    expect(stored.records[0]!.offset).toBe(2);
  });

  test("stays while an older batch cannot be looked into", () => {
    const stored = new StoredLog();
    stored.lead(0, keyed([["a", "1"]], { producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true }));
    stored.lead(0, keyed([["a", null]]), keyed([["z", "active"]]));
    for (const nowMs of [5000, 6000, 1e9]) stored.compact(eager, { nowMs });
    expect(stored.records.map(({ value }) => value)).toEqual(["1", null, "active"]);
  });

  test("goes like any record when its key gets a value again", () => {
    const stored = logOf([["a", "1"]], [["a", null]], [["a", "2"]], [["z", "active"]]);
    stored.compact(eager, { nowMs: 5000 });
    expect(stored.records.map(({ value }) => value)).toEqual(["2", "active"]);
    expect(stored.log.compaction.forgottenBefore).toBe(0);
  });
});

describe("compressed batches", () => {
  // Any bytes do for a section: what they stand for is handed over beside them.
  const closed = (pairs: readonly Pair[], sizeInBytes: number) => {
    const plain = keyed(pairs);
    const whole = encodeBatch([{ offset: 0, timestamp: 1000, key: null, value: new Uint8Array(sizeInBytes) }], {
      lastOffsetDelta: pairs.length - 1,
      recordCount: pairs.length,
    });
    whole[22] = 1;
    return { whole, section: plain.subarray(61) };
  };

  function logWith(first: { whole: Uint8Array; section: Uint8Array }, ...rest: readonly (readonly Pair[])[]) {
    const stored = new StoredLog();
    // The checksum is the leader's to set when it stamps the time; here it stands for a producer that compresses.
    for (const operation of [stored.log.appendAsLeader(first.whole, 0, 1000, "LogAppendTime")]) {
      stored.apply(operation.operations);
    }
    stored.lead(0, ...rest.map((pairs) => keyed(pairs)));
    return { stored, opened: new Map([[0, first.section]]) };
  }

  test("are compacted with what was opened of them, and come out uncompressed", () => {
    const { stored, opened } = logWith(closed([["a", "1"], ["b", "1"]], 100), [["a", "2"]], [["z", "active"]]);
    stored.compact(eager, { ...now, opened });
    expect(stored.records.map(({ key, value }) => [key, value])).toEqual([["b", "1"], ["a", "2"], ["z", "active"]]);
  });

  test("stay as they are if nobody opened them", () => {
    const { stored } = logWith(closed([["a", "1"], ["b", "1"]], 100), [["a", "2"]], [["z", "active"]]);
    stored.compact(eager, now);
    expect(stored.layout).toEqual([[0, 1, 2], [2, 2, 1], [3, 3, 1]]);
  });

  test("let no tombstone go while they are closed, for they may hold its key", () => {
    const { stored, opened } = logWith(closed([["a", "1"], ["b", "1"]], 1), [["a", null], ["c", "1"]], [["z", "active"]]);
    for (const nowMs of [5000, 6000, 1e9]) stored.compact(eager, { nowMs });
    expect(stored.layout).toEqual([[0, 1, 2], [2, 3, 2], [4, 4, 1]]);
    stored.compact(eager, { nowMs: 2e9, opened });
    expect(stored.records.map(({ key }) => key)).toEqual(["b", "c", "z"]);
  });

  const keys = Array.from({ length: 20 }, (_, at) => `key ${at}`);
  const recordCount = (stored: StoredLog) => stored.layout.reduce((sum, [, , count]) => sum + count, 0);

  test("stop nothing behind them while they are closed, however little a pass can note", () => {
    const sent = [...keys, ...keys].map((key, at): Pair[] => [[key, String(at)]]);
    const { stored } = logWith(closed([["a", "1"], ["b", "1"]], 100), ...sent, [["z", "active"]]);
    const counts: number[] = [];
    const ends: number[] = [];
    while (counts.length < 10 && stored.compact(eager, now, 1, new OffsetMap(8))) {
      counts.push(recordCount(stored));
      ends.push(stored.log.compaction.compactedTo);
    }
    expect(counts).toEqual([43, 43, 39, 31, 23]);
    expect(ends).toEqual([10, 18, 26, 34, 42]);
    expect(stored.log.compaction.closedFrom).toBe(0);
  });

  test("are compacted with all behind them once they can be opened, however little a pass can note", () => {
    const sent = keys.map((key): Pair[] => [[key, "1"]]);
    const first = closed([["gone", "1"], ["kept", "1"]], 100);
    const { stored, opened } = logWith(first, ...sent, [["gone", null]], [["z", "active"]]);
    for (let nowMs = 5000; nowMs < 15_000; nowMs += 1000) stored.compact(eager, { nowMs }, 1, new OffsetMap(8));
    expect(stored.log.compaction).toMatchObject({ compactedTo: 23, closedFrom: 0 });
    const limits = { ...eager, maxCompactionLagMs: 1 };
    for (let nowMs = 20_000; nowMs < 2e6; nowMs += 100_000) {
      stored.compact(limits, { nowMs, opened }, 1, new OffsetMap(8));
      // The deletion goes last.
      const holdsDeleted = stored.layout[0]![2] === 2;
      const holdsDeletion = stored.layout.some(([baseOffset, , count]) => baseOffset === 22 && count === 1);
      expect(holdsDeleted && !holdsDeletion).toBe(false);
    }
    expect(stored.records.map(({ key }) => key)).toEqual(["kept", ...keys, "z"]);
    expect(stored.log.compaction.closedFrom).toBe(-1);
  });

  test("count as closed if they can be opened only after what they hold was to be noted", () => {
    const stored = logOf([["a", "1"]]);
    const { whole, section } = closed([["a", null], ["b", "1"]], 100);
    stored.apply(stored.log.appendAsLeader(whole, 0, 1000, "LogAppendTime").operations);
    stored.lead(0, keyed([["c", "1"]]), keyed([["z", "active"]]));
    const opened = new Map([[1, section]]);
    const pass = new CompactionPass(stored.log, stored.log.cleanable(eager, now.nowMs)!, eager);
    stored.apply(pass.step(stored.disk.read(stored.log.key, pass.nextOffset!, 1e6), now));
    stored.apply(pass.step(stored.disk.read(stored.log.key, pass.nextOffset!, 1e6), { ...now, opened }));
    expect(pass.nextOffset).toBeUndefined();
    for (let nowMs = 1e5; nowMs < 1e7; nowMs += 1e6) stored.compact(eager, { nowMs, opened });
    expect(stored.records.map(({ key }) => key)).not.toContain("a");
  });
});

describe("what is known of producers", () => {
  const from = (producerId: number, baseSequence: number, pairs: readonly Pair[]) =>
    keyed(pairs, { producerId, producerEpoch: 0, baseSequence });

  test("[R16] survives as batches without records, so that a copy knows as much", () => {
    const stored = new StoredLog();
    for (let sequence = 0; sequence < 8; sequence++) stored.lead(0, from(7, sequence, [["a", String(sequence)]]));
    stored.lead(0, keyed([["a", "last"]]), keyed([["z", "active"]]));
    stored.compact(eager, now);
    expect(stored.layout).toEqual([[0, 1, 0], ...[2, 3, 4, 5, 6, 7].map((at) => [at, at, 0]), [8, 8, 1], [9, 9, 1]]);
    const copy = new StoredLog();
    copy.apply(copy.log.appendAsFollower(stored.bytes).operations);
    for (const { log } of [stored, copy]) {
      const check = (baseSequence: number) =>
        log.checkProducer({ baseOffset: 0, lastOffsetDelta: 0, maxTimestamp: 0, producerId: 7, producerEpoch: 0, baseSequence });
      expect(check(7)).toEqual({ kind: "duplicate", baseOffset: 7, lastOffset: 7 });
      expect(check(3)).toEqual({ kind: "duplicate", baseOffset: 3, lastOffset: 3 });
      expect(check(8)).toEqual({ kind: "ok" });
      expect(check(9)).toMatchObject({ kind: "error" });
    }
  });

  test("goes with the producer", () => {
    const stored = new StoredLog();
    stored.lead(0, from(7, 0, [["a", "1"]]), keyed([["a", "2"]]), keyed([["z", "active"]]));
    stored.compact(eager, now);
    expect(stored.layout[0]).toEqual([0, 0, 0]);
    for (let other = 8; other < 8 + MAX_PRODUCERS; other++) stored.lead(0, from(other, 0, [["z", "newer"]]));
    stored.compact(eager, now);
    expect(stored.layout.slice(0, 2)).toEqual([[0, 0, 0], [1, 1, 1]]);
    expect([...batches(stored.bytes)][0]!.header.producerId).toBe(-1);
  });
});

describe("a compacted log", () => {
  test("is continued from within a gap by a log that lacks nothing else", () => {
    const leader = logOf([["a", "1"]], [["a", "2"]], [["a", "3"]], [["b", "1"]], [["z", "active"]]);
    const follower = new StoredLog();
    const first = leader.disk.read(leader.log.key, 0, 1)[0]!.bytes;
    follower.apply(follower.log.appendAsFollower(first).operations);
    leader.compact(eager, now);
    expect(leader.layout[0]).toEqual([0, 1, 0]);
    const read = leader.log.read(1, 1e6, 5);
    if (read.kind !== "bytes") throw new Error(read.kind);
    follower.apply(follower.log.appendAsFollower(read.bytes).operations);
    expect(follower.layout).toEqual([[0, 0, 1], [1, 1, 0], [2, 2, 1], [3, 3, 1], [4, 4, 1]]);
    follower.restart();
    expect(follower.log.logEndOffset).toBe(5);
  });

  test("is not continued by a batch with records that begins earlier", () => {
    const follower = logOf([["a", "1"]]);
    const overlapping = batch({ count: 3, partitionLeaderEpoch: 0 });
    expect(() => follower.log.appendAsFollower(overlapping)).toThrow(/where 1 follows/);
  });

  test.each([1e6, 1])("is cut at the border below when it parts within a gap, with a cache of %i bytes", (cacheBytes) => {
    const stored = new StoredLog(cacheBytes);
    for (let at = 0; at < 4; at++) stored.lead(0, keyed([["a", String(at)]]));
    stored.lead(0, keyed([["b", ""]]), keyed([["z", "active"]]));
    stored.compact(eager, now);
    stored.apply(stored.log.truncateTo(2));
    expect([stored.log.nextOffset, stored.log.logEndOffset, stored.log.highWatermark]).toEqual([0, 0, 0]);
    expect(stored.log.compaction).toMatchObject({ compactedTo: 0 });
    stored.lead(1, keyed([["c", ""]]));
    stored.restart();
    expect(stored.layout).toEqual([[0, 0, 1]]);
  });

  test("is found by timestamp as what is left of it", () => {
    const stored = new StoredLog();
    for (const [at, timestamp] of [5000, 2000, 1000, 3000, 9000].entries()) {
      stored.lead(0, keyed([[at === 4 ? "z" : at === 1 ? "b" : "a", ""]], {}, timestamp));
    }
    stored.compact(eager, { nowMs: 10_000 });
    expect(stored.log.offsetForTimestamp(2500)).toMatchObject({ offset: 3, timestamp: 3000 });
    expect(stored.log.offsetForTimestamp(4000)).toMatchObject({ offset: 4, timestamp: 9000 });
  });

  test("loses its gaps to retention when they are the oldest", () => {
    const stored = logOf([["a", "1"]], [["a", "2"]], [["z", "active"]]);
    stored.compact({ ...eager }, now);
    stored.apply(stored.log.retention({ retentionMs: 1, retentionBytes: -1 }, 1e6));
    expect(stored.log.logStartOffset).toBe(3);
  });
});
