import fc from "fast-check";
import { expect, test } from "vitest";
import { coalesceAppends } from "../../src/log/coalesce-appends.ts";
import { PartitionLog } from "../../src/log/partition-log.ts";
import type { StoreOperation } from "../../src/log/stored-log.ts";
import { TailBudget } from "../../src/log/tail-budget.ts";
import { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import { readBatchHeader } from "../../src/protocol/record-batch.ts";
import { TOPIC_ID, batch, joined, restored } from "./batch-builder.ts";

/** Small, so that both the cached and the stored part of short logs are read. */
const TAIL_CACHE_BYTES = 150;

interface ModelBatch {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly epoch: number;
  readonly bytes: Uint8Array;
}

/** What a log should hold, as plain data. */
interface Content {
  readonly start: number;
  readonly batches: readonly ModelBatch[];
  /** Where the log goes on; it need not have batches. */
  readonly end: number;
}

/** A log on a simulated disk, beside the plain list that it should equal. */
class ModelledLog {
  log = PartitionLog.create(TOPIC_ID, 3, new TailBudget(TAIL_CACHE_BYTES));
  disk = StoredLogs.empty;
  content: Content = { start: 0, batches: [], end: 0 };
  epoch = 0;
  #stored: Content = this.content;
  #unwritten: { readonly operations: readonly StoreOperation[]; readonly content: Content }[] = [];
  #durable = new Set<ModelBatch>();

  get borders(): number[] {
    const { start, batches, end } = this.content;
    return [...new Set([start, ...batches.map(({ endOffset }) => endOffset), end])];
  }

  appendAsLeader(sizes: readonly number[], epochStep: number): void {
    this.epoch = Math.max(this.epoch, this.log.epochs.latestEpoch) + epochStep;
    for (const count of sizes) {
      const { operations, baseOffset, lastOffset } = this.log.appendAsLeader(batch({ count }), this.epoch, 0);
      expect(baseOffset).toBe(this.content.end);
      const bytes = operations.flatMap((each) => (each.type === "append" ? [each.chunk.bytes] : []))[0]!;
      const added = { baseOffset, endOffset: lastOffset + 1, epoch: this.epoch, bytes };
      expect(readBatchHeader(bytes)).toMatchObject({ baseOffset, lastOffset, partitionLeaderEpoch: this.epoch });
      this.#changed(operations, { ...this.content, batches: [...this.content.batches, added], end: lastOffset + 1 });
    }
  }

  appendAsFollower(sizes: readonly number[], epochStep: number): void {
    this.epoch = Math.max(this.epoch, this.log.epochs.latestEpoch) + epochStep;
    const added: ModelBatch[] = [];
    let baseOffset = this.content.end;
    for (const count of sizes) {
      const bytes = batch({ count, baseOffset, partitionLeaderEpoch: this.epoch });
      added.push({ baseOffset, endOffset: baseOffset + count, epoch: this.epoch, bytes });
      baseOffset += count;
    }
    const { operations } = this.log.appendAsFollower(joined(...added.map(({ bytes }) => bytes)));
    this.#changed(operations, { ...this.content, batches: [...this.content.batches, ...added], end: baseOffset });
  }

  truncateTo(offset: number): void {
    const batches = this.content.batches.filter(({ endOffset }) => endOffset <= offset);
    this.#changed(this.log.truncateTo(offset), { ...this.content, batches, end: offset });
  }

  startAt(offset: number): void {
    this.#changed(this.log.truncateFullyAndStartAt(offset, []), { start: offset, batches: [], end: offset });
  }

  deleteBefore(offset: number): void {
    const start = Math.max(this.content.start, Math.min(offset, this.log.highWatermark));
    const operations = this.log.deleteRecordsBefore(offset);
    const batches = this.content.batches.filter(({ endOffset }) => endOffset > start);
    if (operations.length > 0) this.#changed(operations, { ...this.content, start, batches });
  }

  storeHighWatermark(): void {
    const operation = this.log.highWatermarkOperation();
    if (operation !== undefined) this.#changed([operation], this.content);
  }

  /** One group commit of the oldest `count` writes. */
  write(count: number): void {
    const written = this.#unwritten.splice(0, count);
    const operations = coalesceAppends(written.flatMap((each) => each.operations));
    this.disk = this.disk.apply(operations);
    for (const operation of operations) if (operation.type === "append") this.log.written(operation.chunk);
    for (const { content } of written) {
      this.#stored = content;
      for (const each of content.batches) this.#durable.add(each);
    }
  }

  /** The process dies; what was not written is gone. */
  restart(): void {
    this.content = this.#stored;
    this.#unwritten = [];
    const [stored] = this.disk.load();
    const nothing = () => PartitionLog.create(TOPIC_ID, 3, new TailBudget(TAIL_CACHE_BYTES));
    this.log = stored === undefined ? nothing() : restored(stored, TAIL_CACHE_BYTES);
  }

  check(): void {
    const { log, content } = this;
    const inFlight = content.batches.find((each) => !this.#durable.has(each));
    const { logStartOffset, highWatermark, logEndOffset, nextOffset, epochs } = log;
    expect({ logStartOffset, logEndOffset, nextOffset }).toEqual({
      logStartOffset: content.start,
      logEndOffset: inFlight?.baseOffset ?? content.end,
      nextOffset: content.end,
    });
    expect(logStartOffset <= highWatermark && highWatermark <= logEndOffset).toBe(true);
    const wrong = content.batches.filter(
      ({ baseOffset, epoch }) => epochs.epochAt(Math.max(baseOffset, content.start)) !== epoch,
    );
    expect(wrong).toEqual([]);
  }

  read(offset: number, maxBytes: number, endOffset: number): void {
    const { log, content } = this;
    const result = log.read(offset, maxBytes, endOffset);
    if (offset < content.start || offset > log.nextOffset) return expect(result).toEqual({ kind: "out-of-range" });
    const end = Math.min(endOffset, log.nextOffset);
    const readable = content.batches.filter((each) => each.endOffset > offset && each.endOffset <= end);
    let fitting = 0;
    for (let bytes = 0; fitting < readable.length; fitting++) {
      bytes += readable[fitting]!.bytes.length;
      if (fitting > 0 && bytes > maxBytes) break;
    }
    const expected = readable.slice(0, fitting);
    if (result.kind !== "disk") {
      const bytes = joined(...expected.map((each) => each.bytes));
      return expect(result).toEqual({ kind: "bytes", bytes, nextOffset: expected.at(-1)?.endOffset ?? offset });
    }
    const chunks = this.disk.read(log.key, result.fromOffset, result.maxBytes);
    const slice = log.sliceChunks(chunks, offset, result.maxBytes, endOffset);
    // The store gives whole chunks only, so a read from it may end earlier, but has at least the first batch.
    const found = expected.filter((each) => each.endOffset <= slice.nextOffset);
    expect(found.length).toBeGreaterThan(0);
    expect(slice).toEqual({ bytes: joined(...found.map(({ bytes }) => bytes)), nextOffset: found.at(-1)!.endOffset });
  }

  #changed(operations: readonly StoreOperation[], content: Content): void {
    this.content = content;
    if (operations.length > 0) this.#unwritten.push({ operations, content });
  }
}

/** Not `fc.double`, which is nearly always next to 0. */
const share = fc.nat(1000).map((thousandths) => thousandths / 1000);
const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
const kinds = <K extends string>(kind: K) => fc.constant(kind);
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: kinds("lead"), sizes, epochStep: fc.nat(1) }) },
    { weight: 3, arbitrary: fc.record({ kind: kinds("follow"), sizes, epochStep: fc.nat(1) }) },
    { weight: 6, arbitrary: fc.record({ kind: kinds("write"), count: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 4, arbitrary: fc.record({ kind: kinds("commit"), share }) },
    { weight: 2, arbitrary: fc.record({ kind: kinds("store-commit") }) },
    { weight: 2, arbitrary: fc.record({ kind: kinds("truncate"), share }) },
    { weight: 2, arbitrary: fc.record({ kind: kinds("delete"), share }) },
    { weight: 1, arbitrary: fc.record({ kind: kinds("start-at"), ahead: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ kind: kinds("restart") }) },
    { weight: 9, arbitrary: fc.record({ kind: kinds("read"), share, maxBytes: fc.nat(400), committed: fc.boolean() }) },
  ),
  { maxLength: 80, size: "max" },
);

/** The last border up to where `portion` of the way from `from` to `to` is. */
function borderBetween(borders: readonly number[], from: number, to: number, portion: number): number {
  return Math.max(from, borders.findLast((border) => border <= from + portion * (to - from)) ?? from);
}

test("[R5] [R16] a log equals a plain list of batches through appends, truncations, deletions and restarts", () => {
  fc.assert(
    fc.property(steps, (each) => {
      const modelled = new ModelledLog();
      for (const step of each) {
        const { log, content } = modelled;
        switch (step.kind) {
          case "lead":
            modelled.appendAsLeader(step.sizes, step.epochStep);
            break;
          case "follow":
            modelled.appendAsFollower(step.sizes, step.epochStep);
            break;
          case "write":
            modelled.write(step.count);
            break;
          case "commit":
            log.setHighWatermark(borderBetween(modelled.borders, log.highWatermark, log.logEndOffset, step.share));
            break;
          case "store-commit":
            modelled.storeHighWatermark();
            break;
          case "truncate":
            modelled.truncateTo(borderBetween(modelled.borders, log.highWatermark, content.end, step.share));
            break;
          case "delete":
            modelled.deleteBefore(Math.round(content.start + step.share * (content.end - content.start)));
            break;
          case "start-at":
            modelled.startAt(content.end + step.ahead);
            break;
          case "restart":
            modelled.restart();
            break;
          case "read": {
            const offset = Math.round(content.start - 1 + step.share * (content.end - content.start + 2));
            modelled.read(offset, step.maxBytes, step.committed ? log.highWatermark : Number.MAX_SAFE_INTEGER);
            break;
          }
        }
        modelled.check();
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);
