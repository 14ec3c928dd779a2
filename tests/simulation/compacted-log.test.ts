import { describe, expect, test } from "vitest";
import { toChunks } from "../../src/log/chunk-building.ts";
import { gapBatch } from "../../src/log/gap-batch.ts";
import type { Chunk } from "../../src/log/stored-log.ts";
import { batches } from "../../src/protocol/record-batch.ts";
import { eager, keyed, StoredLog } from "../log/compacted-log.ts";
import type { Pair } from "../log/compacted-log.ts";
import { CompactedLog } from "./compacted-log.ts";

const chunksOf = ({ disk, log }: StoredLog): readonly Chunk[] => disk.read(log.key, 0, Number.MAX_SAFE_INTEGER);

/** A leader's log with batches of one record, all of it committed; and what the oracle knows of it. */
class Committed {
  readonly leader = new StoredLog();
  readonly truth = new CompactedLog("k-0", () => {});

  write(...pairs: readonly Pair[]): void {
    this.leader.lead(0, ...pairs.map((pair) => keyed([pair])));
    this.truth.compare(chunksOf(this.leader), this.leader.log.highWatermark, true, false);
  }

  /** A follower that has read the log so far. */
  copy(): StoredLog {
    const copy = new StoredLog();
    this.copyOn(copy);
    return copy;
  }

  /** The follower reads on, and hears of a high watermark. */
  copyOn(copy: StoredLog, highWatermark = this.leader.log.highWatermark): void {
    const from = copy.log.nextOffset;
    const { log } = this.leader;
    const { bytes } = log.sliceChunks(chunksOf(this.leader), from, Number.MAX_SAFE_INTEGER, log.logEndOffset);
    copy.apply(copy.log.appendAsFollower(bytes).operations);
    copy.log.setHighWatermark(highWatermark);
  }

  judge(copy: StoredLog): string | undefined {
    return this.truth.compare(chunksOf(copy), copy.log.highWatermark, false, true)?.evidence;
  }
}

describe("a copy of a compacted log, says the oracle,", () => {
  test("has a key's older record as long as it does not know of the one that took the place of both", () => {
    const committed = new Committed();
    const { leader } = committed;
    committed.write(["a", "1"]);
    const copy = committed.copy();
    committed.write(["a", "2"], ["a", null], ["a", "3"], ["z", "1"]);
    leader.compact(eager, { nowMs: 5000 });
    expect(leader.layout).toEqual([[0, 2, 0], [3, 3, 1], [4, 4, 1]]);
    committed.copyOn(copy, 3);
    expect(copy.layout).toEqual([[0, 0, 1], [1, 2, 0], [3, 3, 1], [4, 4, 1]]);
    expect(committed.judge(copy)).toBeUndefined();
    copy.log.setHighWatermark(5);
    expect(committed.judge(copy)).toBeUndefined();
  });

  test("has nothing of a key that was deleted once the tombstone is gone", () => {
    const committed = new Committed();
    const { leader } = committed;
    committed.write(["a", "1"]);
    const copy = committed.copy();
    committed.write(["a", null], ["y", "1"], ["z", "1"]);
    for (const nowMs of [5000, 6000]) leader.compact(eager, { nowMs });
    expect(leader.layout).toEqual([[0, 1, 0], [2, 2, 1], [3, 3, 1]]);
    expect(committed.judge(leader)).toBeUndefined();
    committed.copyOn(copy, 3);
    expect(committed.judge(copy)).toBe("partition k-0: of a the record at 0 is left, and the newest is at 1");
  });

  test("has the newest record of each key", () => {
    const committed = new Committed();
    const { leader } = committed;
    committed.write(["a", "1"], ["a", "2"], ["z", "1"]);
    const gap = gapBatch({ baseOffset: 0, lastOffset: 1, partitionLeaderEpoch: 0, hasForgotten: false });
    leader.apply(leader.log.replaceChunks(toChunks(gap, [...batches(gap)]), 0));
    expect(leader.layout).toEqual([[0, 1, 0], [2, 2, 1]]);
    expect(committed.judge(leader)).toBe("partition k-0: the newest of a key, at 1, is gone");
  });
});
