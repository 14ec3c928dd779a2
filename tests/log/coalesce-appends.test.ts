import { describe, expect, test } from "vitest";
import { coalesceAppends } from "../../src/log/coalesce-appends.ts";
import { PartitionLog } from "../../src/log/partition-log.ts";
import type { StoreOperation } from "../../src/log/stored-log.ts";
import { TOPIC_ID, batch, chunkSized, joined } from "./batch-builder.ts";

function appends(log: PartitionLog, ...batches: readonly Uint8Array[]): StoreOperation[] {
  return batches.flatMap((each) => log.appendAsLeader(each, 0, 0).operations);
}

/** Type, partition, and offsets of appends, as short text. */
function outline(operations: readonly StoreOperation[]): string[] {
  return operations.map((operation) => {
    const partition = operation.key.slice(-1);
    if (operation.type !== "append") return `${operation.type} ${partition}`;
    return `append ${partition} ${operation.chunk.baseOffset}-${operation.chunk.lastOffset}`;
  });
}

describe("coalescing a group commit", () => {
  test("merges the appends of each log, across those of others", () => {
    const [a, b] = [PartitionLog.create(TOPIC_ID, 1), PartitionLog.create(TOPIC_ID, 2)];
    const operations = [
      ...appends(a, batch({ count: 2, timestamp: 5 })),
      ...appends(b, batch()),
      ...appends(a, batch({ timestamp: 3 }), batch()),
      ...appends(b, batch()),
    ];
    const coalesced = coalesceAppends(operations);
    expect(outline(coalesced)).toEqual(["put-metadata 1", "append 1 0-3", "put-metadata 2", "append 2 0-1"]);
    const parts = operations.flatMap((each) => (each.type === "append" && each.key === a.key ? [each.chunk] : []));
    expect(coalesced[1]).toMatchObject({
      chunk: {
        bytes: joined(...parts.map(({ bytes }) => bytes)),
        sizeInBytes: parts.reduce((total, { sizeInBytes }) => total + sizeInBytes, 0),
        maxTimestamp: 1000,
      },
    });
  });

  test("does not merge across another operation on the same log", () => {
    const log = PartitionLog.create(TOPIC_ID, 1);
    const operations = [...appends(log, batch(), batch()), log.metadataOperation(), ...appends(log, batch(), batch())];
    expect(outline(coalesceAppends(operations))).toEqual([
      "put-metadata 1",
      "append 1 0-1",
      "put-metadata 1",
      "append 1 2-3",
    ]);
  });

  test("does not merge what does not follow, or would be too large", () => {
    const log = PartitionLog.create(TOPIC_ID, 1);
    const operations = appends(log, chunkSized(), chunkSized(), batch());
    const [, first, , third] = operations;
    expect(outline(coalesceAppends(operations))).toEqual(["put-metadata 1", "append 1 0-0", "append 1 1-2"]);
    expect(outline(coalesceAppends([first!, third!]))).toEqual(["append 1 0-0", "append 1 2-2"]);
  });
});
