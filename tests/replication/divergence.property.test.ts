import fc from "fast-check";
import { expect, test } from "vitest";
import { PartitionLog } from "../../src/log/partition-log.ts";
import { batches } from "../../src/protocol/record-batch.ts";
import { divergence } from "../../src/replication/fetch-fencing.ts";
import { onFetchResponse } from "../../src/replication/follower.ts";
import { TOPIC_ID, batch, lead, makeDurable, readAll } from "../log/batch-builder.ts";

/** One fetch of `follower` from `leader`, and what the follower does then. Says what that was. */
function fetchOnce(follower: PartitionLog, leader: PartitionLog, maxBytes: number): string {
  const fetchOffset = follower.logEndOffset;
  const diverging = divergence(leader, follower.epochs.latestEpoch, fetchOffset, true);
  const read = leader.read(fetchOffset, maxBytes, leader.logEndOffset);
  const decision = onFetchResponse(
    {
      error: diverging === undefined && read.kind === "out-of-range" ? "OFFSET_OUT_OF_RANGE" : "NONE",
      divergingEpoch: diverging ?? null,
      highWatermark: 0,
      logStartOffset: leader.logStartOffset,
      records: read.kind === "bytes" ? read.bytes : null,
    },
    follower,
  );
  switch (decision.kind) {
    case "append":
      if (decision.records.length === 0) return "caught up";
      makeDurable(follower, follower.appendAsFollower(decision.records).operations);
      return "appended";
    case "truncate":
      makeDurable(follower, follower.truncateTo(decision.offset));
      return `truncated to ${decision.offset}`;
    default:
      throw new Error(`a follower within its leader's range was told to ${decision.kind}`);
  }
}

/** Where two logs stop being the same, batch by batch. */
function commonEnd(left: PartitionLog, right: PartitionLog): number {
  const [mine, theirs] = [[...batches(readAll(left))], [...batches(readAll(right))]];
  const common = mine.findIndex(({ bytes }, at) => theirs[at] === undefined || !isEqual(bytes, theirs[at].bytes));
  const last = common === -1 ? mine.at(-1) : mine[common - 1];
  return last === undefined ? 0 : last.header.lastOffset + 1;
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

const replica = fc.nat(2);
/** In each epoch one replica leads, whatever it holds; others fetch from it between its batches. */
const epochs = fc.array(
  fc.record({
    leader: replica,
    before: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
    fetches: fc.array(replica, { maxLength: 12 }),
    after: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
  }),
  { maxLength: 12, size: "max" },
);

test("[R4] any two logs come to agree, and no record that they share is lost on the way", () => {
  fc.assert(
    fc.property(epochs, replica, replica, (history, leaderId, followerId) => {
      const logs = [0, 1, 2].map((index) => PartitionLog.create(TOPIC_ID, index));
      history.forEach(({ leader, before, fetches, after }, epoch) => {
        const leaderLog = logs[leader]!;
        // The value makes each epoch's batches different, as those of different producers would be.
        const write = (counts: readonly number[]) => {
          for (const count of counts) lead(leaderLog, epoch, batch({ count, value: `epoch ${epoch}` }));
        };
        write(before);
        for (const id of fetches) if (id !== leader) fetchOnce(logs[id]!, leaderLog, 200);
        write(after);
      });
      const [leader, follower] = [logs[leaderId]!, logs[followerId]!];
      if (leader === follower) return;

      const shared = commonEnd(leader, follower);
      const steps: string[] = [];
      while (steps.at(-1) !== "caught up") {
        steps.push(fetchOnce(follower, leader, 200));
        expect(commonEnd(follower, leader)).toBeGreaterThanOrEqual(shared);
        expect(steps.length, steps.join(", ")).toBeLessThan(100);
      }
      expect(readAll(follower)).toEqual(readAll(leader));
      expect(follower.epochs.entries).toEqual(leader.epochs.entries);
    }),
    { numRuns: 200 },
  );
}, 60_000);
