import { describe, expect, test } from "vitest";
import { judgeAnswer, judgeEpochEnd, passBatch } from "../../src/client/fetch-position.ts";
import type { FetchAnswer, OffsetReset } from "../../src/client/fetch-position.ts";
import { errorCode } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";

const where = { topic: "t", partition: 2 };
const position = { offset: 50, lastFetchedEpoch: 3 };

function answer(error: ErrorName, more: Partial<FetchAnswer> = {}): FetchAnswer {
  return {
    partitionIndex: 2,
    errorCode: errorCode(error),
    highWatermark: 100,
    lastStableOffset: 100,
    logStartOffset: 10,
    divergingEpoch: null,
    currentLeader: null,
    snapshotId: null,
    earlierProducers: [],
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: null,
    ...more,
  };
}

describe("an answer to a fetch", () => {
  test("without an error holds records", () => {
    expect(judgeAnswer(answer("NONE"), position, where, "none")).toEqual({ kind: "records" });
  });

  test.each<[ErrorName, string]>([
    ["NOT_LEADER_OR_FOLLOWER", "retry"],
    ["FENCED_LEADER_EPOCH", "retry"],
    ["UNKNOWN_LEADER_EPOCH", "retry"],
    ["UNKNOWN_TOPIC_ID", "retry"],
    ["UNKNOWN_TOPIC_OR_PARTITION", "retry"],
    ["OFFSET_NOT_AVAILABLE", "retry"],
    ["KAFKA_STORAGE_ERROR", "retry"],
    ["TOPIC_AUTHORIZATION_FAILED", "fail"],
    ["UNSUPPORTED_COMPRESSION_TYPE", "fail"],
    ["UNKNOWN_SERVER_ERROR", "fail"],
  ])("with %s: %s", (error, kind) => {
    expect(judgeAnswer(answer(error), position, where, "earliest")).toMatchObject({ kind, error: { type: error } });
  });

  test("below the beginning of the log follows the policy", () => {
    const below = answer("OFFSET_OUT_OF_RANGE", { logStartOffset: 60 });
    const judge = (policy: OffsetReset) => judgeAnswer(below, position, where, policy);
    expect(judge("earliest")).toMatchObject({
      kind: "reset",
      to: "earliest",
      notBefore: 50,
      reason: /position 50 of partition 2 of topic t.*begins at 60/,
    });
    expect(judge("latest")).toMatchObject({ kind: "reset", to: "latest" });
    expect(judge("none")).toMatchObject({
      kind: "fail",
      error: { name: "KafkaJSOffsetOutOfRange", topic: "t", partition: 2 },
    });
  });

  test("beyond the end of the log is checked by epoch, if there is one to check", () => {
    expect(judgeAnswer(answer("OFFSET_OUT_OF_RANGE"), position, where, "none")).toEqual({ kind: "validate" });
    const unknown = { offset: 50, lastFetchedEpoch: -1 };
    expect(judgeAnswer(answer("OFFSET_OUT_OF_RANGE"), unknown, where, "none")).toMatchObject({ kind: "fail" });
  });

  test("that diverges is a truncation", () => {
    const diverging = answer("NONE", { divergingEpoch: { epoch: 2, endOffset: 40 } });
    expect(judgeAnswer(diverging, position, where, "latest")).toMatchObject({
      kind: "move",
      to: { offset: 40, lastFetchedEpoch: 2 },
      reason: /from offset 40 to 49 were read/,
    });
    expect(judgeAnswer(diverging, position, where, "none")).toMatchObject({
      kind: "fail",
      error: { name: "KafkaJSLogTruncationError", divergingOffset: "40" },
    });
  });
});

describe("the end of an epoch", () => {
  test("below the position means that what was read is gone", () => {
    expect(judgeEpochEnd({ epoch: 3, endOffset: 45 }, position, where, "earliest")).toMatchObject({
      kind: "move",
      to: { offset: 45 },
    });
  });

  test("of an older epoch never moves the position forward", () => {
    expect(judgeEpochEnd({ epoch: 2, endOffset: 70 }, position, where, "earliest")).toMatchObject({
      kind: "move",
      to: { offset: 50 },
    });
  });

  test("that nobody knows, or that holds the position, follows the policy", () => {
    for (const end of [
      { epoch: -1, endOffset: -1 },
      { epoch: 3, endOffset: 80 },
    ]) {
      expect(judgeEpochEnd(end, position, where, "latest")).toMatchObject({ kind: "reset", to: "latest" });
    }
  });
});

describe("a batch", () => {
  const batch = (baseOffset: number, lastOffset: number, partitionLeaderEpoch = 3) => ({
    baseOffset,
    lastOffset,
    partitionLeaderEpoch,
  });

  test("moves the position behind it, and its epoch with it", () => {
    const next = { position: { offset: 60, lastFetchedEpoch: 4 }, missing: 0 };
    expect(passBatch(position, batch(50, 59, 4), true)).toEqual(next);
    expect(passBatch(position, batch(45, 59, 4), true)).toEqual(next);
  });

  test("before the position is passed over, if it is the first", () => {
    expect(passBatch(position, batch(40, 49, 2), true)).toEqual({ position, missing: 0 });
    expect(() => passBatch(position, batch(40, 49), false)).toThrow(/offset 40 where 50 is the next/);
  });

  test("that overlaps the one before, or is of an older epoch, is corrupt", () => {
    expect(() => passBatch(position, batch(49, 60), false)).toThrow(/offset 49/);
    expect(() => passBatch(position, batch(50, 60, 2), true)).toThrow(/epoch 2 after one of 3/);
  });

  test("behind a gap tells what is missing", () => {
    expect(passBatch(position, batch(55, 60), true)).toMatchObject({ missing: 5 });
  });
});
