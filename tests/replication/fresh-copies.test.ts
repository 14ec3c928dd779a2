import { describe, expect, test } from "vitest";
import { neverCompacted } from "../../src/log/stored-log.ts";
import { FreshCopies } from "../../src/replication/fresh-copies.ts";

const log = { logStartOffset: 10, compaction: { ...neverCompacted, forgottenBefore: 100 } };
const at = (fetchOffset: number, brokerEpoch = 5) => ({ fetchOffset, brokerEpoch });

describe("[R21] a follower of a log that has forgotten tombstones", () => {
  test("goes on behind them, and starts anew before", () => {
    const copies = new FreshCopies();
    expect(copies.mustStartAnew(2, at(100), 3, log)).toBe(false);
    expect(copies.mustStartAnew(2, at(99), 3, log)).toBe(true);
    expect(copies.mustStartAnew(2, at(10), 3, log)).toBe(false);
    expect(copies.mustStartAnew(2, at(50), -1, log)).toBe(false);
  });

  test("goes on where it is once it has started anew, for as long as it is the same", () => {
    const copies = new FreshCopies();
    copies.note(2, at(60), 3, log);
    expect(copies.mustStartAnew(2, at(60), 3, log)).toBe(true);
    copies.note(2, at(10), -1, log);
    copies.note(2, at(60), 3, log);
    expect(copies.mustStartAnew(2, at(60), 3, log)).toBe(false);
    expect(copies.mustStartAnew(2, at(60, 6), 3, log)).toBe(true);
    expect(copies.mustStartAnew(3, at(60), 3, log)).toBe(true);
  });

  test("has tombstones ahead of it kept until it is there or away", () => {
    const copies = new FreshCopies();
    expect(copies.slowest(() => true)).toBe(Number.POSITIVE_INFINITY);
    copies.note(2, at(10), -1, log);
    copies.note(3, at(10), -1, log);
    copies.note(2, at(40), 3, log);
    copies.note(3, at(70), 3, log);
    expect(copies.slowest(() => true)).toBe(40);
    expect(copies.slowest((replicaId) => replicaId === 3)).toBe(70);
    expect(copies.slowest(() => true)).toBe(70);
    expect(copies.mustStartAnew(2, at(40), 3, log)).toBe(true);
  });
});
