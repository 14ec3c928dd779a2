import { describe, expect, test } from "vitest";
import { checkLeaderEpoch, divergence } from "../../src/replication/fetch-fencing.ts";
import { logOf } from "../log/batch-builder.ts";

describe("leader epoch check", () => {
  test("[R2] refuses an older and a newer epoch, each by its name", () => {
    expect(checkLeaderEpoch(4, 5)).toBe("FENCED_LEADER_EPOCH");
    expect(checkLeaderEpoch(6, 5)).toBe("UNKNOWN_LEADER_EPOCH");
    expect(checkLeaderEpoch(5, 5)).toBeUndefined();
  });

  test("[R2] does not check what does not name an epoch", () => {
    expect(checkLeaderEpoch(-1, 5)).toBeUndefined();
  });
});

describe("divergence", () => {
  /** Epoch 1 wrote 0 to 9, epoch 3 wrote 10 to 14. */
  const log = logOf({ epoch: 1, count: 10 }, { epoch: 3, count: 5 });

  test("[R4] there is none where the follower's last epoch reaches up to its position here too", () => {
    expect(divergence(log, 3, 15)).toBeUndefined();
    expect(divergence(log, 3, 12)).toBeUndefined();
    expect(divergence(log, 1, 10)).toBeUndefined();
    expect(divergence(log, 1, 4)).toBeUndefined();
  });

  test("[R4] an epoch that ended earlier here is told with its end", () => {
    expect(divergence(log, 1, 12)).toEqual({ epoch: 1, endOffset: 10 });
    expect(divergence(log, 3, 17)).toEqual({ epoch: 3, endOffset: 15 });
  });

  test("[R4] an epoch that is not here is told with the largest below it", () => {
    expect(divergence(log, 2, 10)).toEqual({ epoch: 1, endOffset: 10 });
    expect(divergence(log, 2, 5)).toEqual({ epoch: 1, endOffset: 10 });
    expect(divergence(log, 4, 20)).toEqual({ epoch: 3, endOffset: 15 });
  });

  test("[R4] a follower at the start of a trimmed log is not taken for alike if its epoch is forgotten there", () => {
    const trimmed = logOf({ epoch: 1, count: 10 }, { epoch: 3, count: 5 });
    trimmed.setHighWatermark(15);
    trimmed.deleteRecordsBefore(12);
    expect(divergence(trimmed, 1, 12, true)).toEqual({ epoch: 1, endOffset: 12 });
    expect(divergence(trimmed, 1, 14, true)).toEqual({ epoch: 1, endOffset: 12 });
    expect(divergence(trimmed, 3, 12, true)).toBeUndefined();
    expect(divergence(trimmed, 1, 12)).toBeUndefined();
    expect(divergence(log, 1, 10, true)).toBeUndefined();
  });

  test("[R4] nor at the start of one that started anew, and has not one epoch", () => {
    const anew = logOf();
    anew.truncateFullyAndStartAt(12, []);
    expect(divergence(anew, 1, 12, true)).toEqual({ epoch: 1, endOffset: 12 });
    expect(divergence(anew, 1, 12)).toBeUndefined();
    expect(divergence(anew, -1, 12, true)).toBeUndefined();
  });

  test("[R4] a log without records diverges nowhere", () => {
    expect(divergence(log, -1, 0)).toBeUndefined();
  });
});
