import { describe, expect, test } from "vitest";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import { onFetchResponse } from "../../src/replication/follower.ts";
import type { FetchedPartition } from "../../src/replication/follower.ts";
import { logOf } from "../log/batch-builder.ts";

function answer(changes: Partial<FetchedPartition> = {}): FetchedPartition {
  return { error: "NONE", divergingEpoch: null, highWatermark: 7, logStartOffset: 0, records: null, ...changes };
}

/** Epoch 1 wrote 0 to 9, epoch 2 wrote 10 to 14, epoch 4 wrote 15 to 19. */
const log = () => logOf({ epoch: 1, count: 10 }, { epoch: 2, count: 5 }, { epoch: 4, count: 5 });

function diverging(epoch: number, endOffset: number) {
  return onFetchResponse(answer({ divergingEpoch: { epoch, endOffset } }), log());
}

describe("a fetch response", () => {
  test("[R5] with or without records brings the leader's high watermark", () => {
    const records = new Uint8Array(3);
    expect(onFetchResponse(answer({ records }), log())).toEqual({ kind: "append", records, highWatermark: 7 });
    expect(onFetchResponse(answer(), log())).toEqual({ kind: "append", records: new Uint8Array(0), highWatermark: 7 });
  });

  test("[R4] that diverges is answered by a truncation, whatever records come with it", () => {
    const records = new Uint8Array(3);
    const divergingEpoch = { epoch: 2, endOffset: 12 };
    expect(onFetchResponse(answer({ divergingEpoch, records }), log())).toEqual({ kind: "truncate", offset: 12 });
  });

  test("[R4] truncates a shared epoch to the end of the shorter log", () => {
    expect(diverging(4, 17)).toEqual({ kind: "truncate", offset: 17 });
    expect(diverging(2, 12)).toEqual({ kind: "truncate", offset: 12 });
    expect(diverging(2, 18)).toEqual({ kind: "truncate", offset: 15 });
    expect(diverging(1, 25)).toEqual({ kind: "truncate", offset: 10 });
  });

  test("[R4] falls back to its own older epoch when it does not have the leader's", () => {
    expect(diverging(3, 12)).toEqual({ kind: "truncate", offset: 15 });
    expect(diverging(0, 5)).toEqual({ kind: "truncate", offset: 0 });
  });

  test("[R4] never truncates to the high watermark", () => {
    const follower = log();
    follower.setHighWatermark(3);
    const divergingEpoch = { epoch: 4, endOffset: 17 };
    expect(onFetchResponse(answer({ divergingEpoch }), follower)).toEqual({ kind: "truncate", offset: 17 });
  });

  test("[R4, R18] starts anew with the leader where their logs part below its own start", () => {
    const follower = log();
    follower.setHighWatermark(20);
    follower.deleteRecordsBefore(17);
    const divergingEpoch = { epoch: 4, endOffset: 16 };
    const diverging = answer({ divergingEpoch, logStartOffset: 12 });
    expect(onFetchResponse(diverging, follower)).toEqual({ kind: "reset", offset: 12 });
  });

  test("[R4, R16] keeps nothing of what the leader has trimmed, for nobody can tell whether it was committed", () => {
    const trimmed = (logStartOffset: number, endOffset: number) =>
      onFetchResponse(answer({ divergingEpoch: { epoch: 4, endOffset }, logStartOffset }), log());
    expect(trimmed(18, 18)).toEqual({ kind: "reset", offset: 18 });
    expect(trimmed(20, 20)).toEqual({ kind: "reset", offset: 20 });
    expect(trimmed(17, 18)).toEqual({ kind: "truncate", offset: 18 });
    const alike = log();
    alike.setHighWatermark(20);
    alike.deleteRecordsBefore(18);
    const divergingEpoch = { epoch: 4, endOffset: 18 };
    expect(onFetchResponse(answer({ divergingEpoch, logStartOffset: 18 }), alike)).toEqual({ kind: "truncate", offset: 18 });
  });

  test("[R18] starts anew at the leader's log start when that is beyond its own end", () => {
    const refused = (logStartOffset: number) =>
      onFetchResponse(answer({ error: "OFFSET_OUT_OF_RANGE", logStartOffset }), log());
    expect(refused(21)).toEqual({ kind: "reset", offset: 21 });
    expect(refused(20)).toEqual({ kind: "retry" });
    expect(refused(3)).toEqual({ kind: "retry" });
    expect(refused(-1)).toEqual({ kind: "retry" });
  });

  test("[R18] an empty log starts where the leader's does", () => {
    const empty = logOf();
    empty.truncateFullyAndStartAt(50, []);
    const refused = answer({ error: "OFFSET_OUT_OF_RANGE", logStartOffset: 8 });
    expect(onFetchResponse(refused, empty)).toEqual({ kind: "reset", offset: 8 });
  });

  const refusals: [ErrorName, string][] = [
    ["FENCED_LEADER_EPOCH", "fenced"],
    ["STALE_BROKER_EPOCH", "fenced"],
    ["UNKNOWN_LEADER_EPOCH", "refresh-metadata"],
    ["NOT_LEADER_OR_FOLLOWER", "refresh-metadata"],
    ["UNKNOWN_TOPIC_ID", "refresh-metadata"],
    ["KAFKA_STORAGE_ERROR", "retry"],
    ["CORRUPT_MESSAGE", "retry"],
  ];
  test.each(refusals)("[R2] %s leads to %s, and touches no record", (error, kind) => {
    expect(onFetchResponse(answer({ error, records: new Uint8Array(3) }), log())).toEqual({ kind });
  });
});
