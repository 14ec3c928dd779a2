import fc from "fast-check";
import { expect, test } from "vitest";
import { JoiningPass } from "../../src/log/chunk-joining.ts";
import { coalesceAppends } from "../../src/log/coalesce-appends.ts";
import { CompactionPass } from "../../src/log/compaction-pass.ts";
import { OffsetMap } from "../../src/log/offset-map.ts";
import { PartitionLog } from "../../src/log/partition-log.ts";
import type { StoreOperation } from "../../src/log/stored-log.ts";
import { TailBudget } from "../../src/log/tail-budget.ts";
import { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import { divergence } from "../../src/replication/fetch-fencing.ts";
import { onFetchResponse } from "../../src/replication/follower.ts";
import type { FetchedPartition } from "../../src/replication/follower.ts";
import { FreshCopies } from "../../src/replication/fresh-copies.ts";
import { TOPIC_ID, joined, restored } from "../log/batch-builder.ts";
import { eager, keyed, lastValues, recordsOf } from "../log/compacted-log.ts";
import type { Pair, ReadRecord } from "../log/compacted-log.ts";

const limits = { ...eager, deleteRetentionMs: 10 };
const joining = { chunkBytes: 700, minChunks: 2, stretchMs: Number.POSITIVE_INFINITY };
const REPLICAS = 3;
const ALL = Number.MAX_SAFE_INTEGER;

/** One broker's copy, its disk, and what the log would hold if nothing was ever compacted. */
class Copy {
  log: PartitionLog;
  disk = StoredLogs.empty;
  /** By offset. */
  original: (ReadRecord | undefined)[] = [];
  brokerEpoch = 0;
  pass: CompactionPass | undefined;
  joining: JoiningPass | undefined;
  #stored: (ReadRecord | undefined)[] = [];
  #unwritten: { operations: readonly StoreOperation[]; original: (ReadRecord | undefined)[]; done: () => void }[] = [];

  constructor(cacheBytes: number) {
    this.log = PartitionLog.create(TOPIC_ID, 0, new TailBudget(cacheBytes));
    this.store([this.log.metadataOperation()]);
  }

  get isWriting(): boolean {
    return this.#unwritten.length > 0;
  }

  store(operations: readonly StoreOperation[], done = () => {}): void {
    this.#unwritten.push({ operations, original: this.original, done });
  }

  write(count = this.#unwritten.length): void {
    const written = this.#unwritten.splice(0, count);
    const operations = coalesceAppends(written.flatMap((each) => each.operations));
    this.disk = this.disk.apply(operations);
    for (const operation of operations) if (operation.type === "append") this.log.written(operation.chunk);
    for (const { original, done } of written) {
      this.#stored = original;
      done();
    }
  }

  crash(cacheBytes: number): void {
    this.#unwritten = [];
    this.original = this.#stored;
    this.pass = undefined;
    this.joining = undefined;
    this.brokerEpoch++;
    const [stored] = this.disk.load();
    const nothing = () => PartitionLog.create(TOPIC_ID, 0, new TailBudget(cacheBytes));
    this.log = stored === undefined ? nothing() : restored(stored, cacheBytes);
    if (stored === undefined) this.store([this.log.metadataOperation()]);
  }

  /** One step of a compaction; its changes are on their way to the disk then. */
  compact(nowMs: number, forgetBelow: number, maxKeys: number): void {
    // One thing at a time is done to a log.
    this.joining = undefined;
    if (this.pass?.nextOffset === undefined) {
      const range = this.log.cleanable(limits, nowMs);
      this.pass = range && new CompactionPass(this.log, range, limits, new OffsetMap(maxKeys));
    }
    const { pass } = this;
    if (pass?.nextOffset === undefined) return;
    // The next step begins when this one is durable.
    this.write();
    if (pass.nextOffset === undefined) return;
    const operations = pass.step(this.disk.read(this.log.key, pass.nextOffset, 200), { nowMs, forgetBelow });
    if (operations.length > 0) this.store(operations);
  }

  /** Joins one run of chunks. */
  join(): void {
    this.pass = undefined;
    if (this.joining?.next === undefined) this.joining = new JoiningPass(this.log, joining);
    this.write();
    const { next } = this.joining;
    if (next === undefined) return;
    const operations = this.joining.step(this.disk.read(this.log.key, next.baseOffset, next.sizeInBytes));
    if (operations.length > 0) this.store(operations);
  }

  read(fromOffset: number, maxBytes: number): Uint8Array {
    const read = this.log.read(fromOffset, maxBytes, ALL);
    if (read.kind === "bytes") return read.bytes;
    if (read.kind === "out-of-range") throw new Error("out of range");
    return this.log.sliceChunks(this.disk.read(this.log.key, fromOffset, maxBytes), fromOffset, maxBytes, ALL).bytes;
  }

  get records(): ReadRecord[] {
    const { logStartOffset, logEndOffset, nextOffset } = this.log;
    const parts: Uint8Array[] = [];
    if (logStartOffset < logEndOffset) parts.push(this.read(logStartOffset, ALL));
    if (logEndOffset < nextOffset) parts.push(this.read(logEndOffset, ALL));
    const seen = new Map(recordsOf(joined(...parts)).map((record) => [record.offset, record]));
    return [...seen.values()].filter(({ offset }) => offset >= logStartOffset);
  }
}

/** A leader and its followers, as the rules of replication have them, without brokers around. */
class Partition {
  readonly copies: readonly Copy[];
  readonly #cacheBytes: number;
  nowMs = 1000;
  #leader = 0;
  #epoch = 0;
  #epochStart = 0;
  #isr = new Set(Array.from({ length: REPLICAS }, (_, at) => at));
  #positions = new Map<number, number>();
  #fresh = new FreshCopies();
  #sent = 0;
  #committed = 0;

  constructor(cacheBytes: number) {
    this.#cacheBytes = cacheBytes;
    this.copies = Array.from({ length: REPLICAS }, () => new Copy(cacheBytes));
  }

  get #leading(): Copy {
    return this.copies[this.#leader]!;
  }

  produce(pairs: readonly Pair[]): void {
    const { log } = this.#leading;
    const timestamp = 1000 + this.#sent++;
    const { operations, baseOffset } = log.appendAsLeader(keyed(pairs, {}, timestamp), this.#epoch, 0);
    const added = recordsOf(keyed(pairs, {}, timestamp)).map((record) => ({ ...record, offset: baseOffset + record.offset }));
    this.#leading.original = [...this.#leading.original.slice(0, baseOffset), ...added];
    this.#leading.store(operations);
  }

  write(at: number, count: number): void {
    this.copies[at]!.write(count);
    this.#commit();
  }

  fetch(at: number, maxBytes: number): void {
    const follower = this.copies[at]!;
    if (at === this.#leader || follower.isWriting) return;
    const { log } = follower;
    const answer = this.#answer(at, log, maxBytes);
    const decision = onFetchResponse(answer, log);
    switch (decision.kind) {
      case "append": {
        if (decision.records.length === 0) return log.setHighWatermark(answer.highWatermark);
        const start = log.nextOffset;
        const { operations, lastOffset } = log.appendAsFollower(decision.records);
        const copied = this.#leading.original.slice(start, lastOffset + 1);
        follower.original = [...follower.original.slice(0, start), ...copied];
        return follower.store(operations, () => log.setHighWatermark(answer.highWatermark));
      }
      case "truncate":
        follower.store(log.truncateTo(decision.offset));
        follower.original = follower.original.slice(0, log.nextOffset);
        return;
      case "reset":
        follower.store(log.truncateFullyAndStartAt(decision.offset, []));
        follower.original = [];
        return;
      default:
        return;
    }
  }

  #answer(at: number, log: PartitionLog, maxBytes: number): FetchedPartition {
    const leader = this.#leading;
    const { logEndOffset: fetchOffset, logStartOffset } = log;
    const { nextOffset, epochs } = leader.log;
    const lastFetchedEpoch = log.epochs.latestEpoch;
    const answer = {
      error: "NONE",
      divergingEpoch: null,
      highWatermark: leader.log.highWatermark,
      logStartOffset: leader.log.logStartOffset,
      records: null,
    } as const;
    const seen = { epochs, logStartOffset: leader.log.logStartOffset, logEndOffset: nextOffset };
    const divergingEpoch = divergence(seen, lastFetchedEpoch, fetchOffset, true);
    if (divergingEpoch !== undefined) return { ...answer, divergingEpoch };
    if (fetchOffset > nextOffset) return { ...answer, error: "OFFSET_OUT_OF_RANGE" };
    const copy = { brokerEpoch: this.copies[at]!.brokerEpoch, fetchOffset };
    if (!this.#isr.has(at) && this.#fresh.mustStartAnew(at, copy, lastFetchedEpoch, leader.log)) {
      const endOffset = Math.min(logStartOffset, leader.log.logStartOffset);
      return { ...answer, divergingEpoch: { epoch: lastFetchedEpoch, endOffset } };
    }
    this.#fresh.note(at, copy, lastFetchedEpoch, leader.log);
    this.#positions.set(at, fetchOffset);
    this.#commit();
    if (fetchOffset >= leader.log.highWatermark && fetchOffset >= this.#epochStart) this.#isr.add(at);
    return { ...answer, highWatermark: leader.log.highWatermark, records: leader.read(fetchOffset, maxBytes) };
  }

  #commit(): void {
    const { log } = this.#leading;
    const ends = [...this.#isr].map((at) => (at === this.#leader ? log.logEndOffset : (this.#positions.get(at) ?? 0)));
    log.setHighWatermark(Math.max(log.highWatermark, Math.min(...ends)));
    this.#committed = Math.max(this.#committed, log.highWatermark);
  }

  shrink(at: number): void {
    if (at !== this.#leader) this.#isr.delete(at);
    this.#commit();
  }

  elect(at: number): void {
    if (!this.#isr.has(at)) return;
    const copy = this.copies[at]!;
    copy.write();
    this.#leader = at;
    this.#epoch++;
    this.#epochStart = copy.log.logEndOffset;
    this.#positions = new Map();
    this.#fresh = new FreshCopies();
  }

  crash(at: number): void {
    const others = [...this.#isr].filter((each) => each !== at);
    if (at === this.#leader) {
      if (others.length === 0) return;
      this.elect(others[0]!);
    }
    this.copies[at]!.crash(this.#cacheBytes);
    this.#positions.delete(at);
  }

  compact(at: number, maxKeys: number): void {
    const forgetBelow = at === this.#leader ? this.#fresh.slowest(() => true) : ALL;
    this.copies[at]!.compact(this.nowMs, forgetBelow, maxKeys);
    this.#commit();
  }

  join(at: number): void {
    this.copies[at]!.join();
    this.#commit();
  }

  /** Everybody else writes and fetches until all have everything. */
  settle(except: readonly number[]): void {
    for (let round = 0; round < 6; round++) {
      for (let at = 0; at < REPLICAS; at++) {
        if (except.includes(at)) continue;
        this.write(at, ALL);
        this.fetch(at, 1e6);
        this.write(at, ALL);
      }
    }
  }

  /** Some are away while records are written and compacted, and even tombstones go. */
  goOnWithout(away: readonly number[], batches: readonly (readonly Pair[])[]): void {
    const absent = away.filter((at) => at !== this.#leader);
    for (const at of absent) this.shrink(at);
    for (const pairs of batches) {
      this.produce(pairs);
      this.settle(absent);
    }
    for (let step = 0; step < 12; step++) {
      for (let at = 0; at < REPLICAS; at++) if (!absent.includes(at)) this.compact(at, 100);
      if (step % 3 === 2) this.nowMs += limits.deleteRetentionMs;
    }
    this.settle(absent);
  }

  check(): void {
    for (const [at, copy] of this.copies.entries()) {
      const { records, original } = copy;
      for (const record of records) expect(record).toEqual(original[record.offset]);
      if (!this.#isr.has(at)) continue;
      // A new leader's high watermark may be behind what was committed, and what others were told.
      const end = at === this.#leader ? copy.log.highWatermark : this.#committed;
      const below = (all: readonly (ReadRecord | undefined)[]) =>
        lastValues(all.flatMap((record) => (record !== undefined && record.offset < end ? [record] : [])));
      expect(below(records)).toEqual(below(original));
    }
  }
}

const which = fc.nat(REPLICAS - 1);
const kinds = <K extends string>(kind: K) => fc.constant(kind);
const pair: fc.Arbitrary<Pair> = fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom(null, "x", "y", "z"));
const pairs = fc.array(pair, { minLength: 1, maxLength: 3 });
const away = fc.array(which, { maxLength: 2 });
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: kinds("produce"), pairs }) },
    { weight: 12, arbitrary: fc.record({ kind: kinds("fetch"), at: which, maxBytes: fc.constantFrom(1, 1, 200, 1e6) }) },
    { weight: 10, arbitrary: fc.record({ kind: kinds("write"), at: which, count: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 14, arbitrary: fc.record({ kind: kinds("compact"), at: which, maxKeys: fc.constantFrom(1, 2, 100) }) },
    { weight: 6, arbitrary: fc.record({ kind: kinds("join"), at: which }) },
    { weight: 4, arbitrary: fc.record({ kind: kinds("wait"), ms: fc.constantFrom(1, 10, 1e6) }) },
    { weight: 2, arbitrary: fc.record({ kind: kinds("shrink"), at: which }) },
    { weight: 2, arbitrary: fc.record({ kind: kinds("crash"), at: which }) },
    { weight: 2, arbitrary: fc.record({ kind: kinds("elect"), at: which }) },
    { weight: 2, arbitrary: fc.record({ kind: kinds("settle"), away }) },
    { weight: 3, arbitrary: fc.record({ kind: kinds("away"), away, batches: fc.array(pairs, { maxLength: 8 }) }) },
  ),
  { maxLength: 60, size: "max" },
);

test("[R4] [R18] [R21] every reader sees the last value of each key, whoever compacts, joins, crashes, leads or was away", () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(0, 400, 1e6), (each, cacheBytes) => {
      const partition = new Partition(cacheBytes);
      for (const step of each) {
        switch (step.kind) {
          case "produce":
            partition.produce(step.pairs);
            break;
          case "fetch":
            partition.fetch(step.at, step.maxBytes);
            break;
          case "write":
            partition.write(step.at, step.count);
            break;
          case "compact":
            partition.compact(step.at, step.maxKeys);
            break;
          case "join":
            partition.join(step.at);
            break;
          case "wait":
            partition.nowMs += step.ms;
            break;
          case "shrink":
            partition.shrink(step.at);
            break;
          case "crash":
            partition.crash(step.at);
            break;
          case "elect":
            partition.elect(step.at);
            break;
          case "settle":
            partition.settle(step.away);
            break;
          case "away":
            partition.goOnWithout(step.away, step.batches);
            break;
        }
        partition.check();
      }
    }),
    { numRuns: Number(process.env["RUNS"] ?? 300) },
  );
}, 120_000);
