import { describe, expect, test } from "vitest";
import { AcknowledgedLedger } from "../../src/demo/acknowledged-ledger.ts";

const record = (offset: number, value: string | null, partition = 0) => ({
  partition,
  offset,
  timestampMs: 0,
  key: null,
  value: value === null ? null : new TextEncoder().encode(value),
});

test("a record that is read back at its offset is kept", () => {
  const ledger = new AcknowledgedLedger();
  ledger.onAcknowledged("t", 0, 5, "five");
  expect(ledger.counts).toEqual({ acknowledged: 1, readBack: 0, lost: 0 });
  ledger.onRead("t", [record(4, "somebody else's"), record(5, "five")]);
  expect(ledger.counts).toEqual({ acknowledged: 1, readBack: 1, lost: 0 });
});

test("a record may be read before its acknowledgement is heard", () => {
  const ledger = new AcknowledgedLedger();
  ledger.onRead("t", [record(5, "five")]);
  ledger.onAcknowledged("t", 0, 5, "five");
  expect(ledger.counts).toEqual({ acknowledged: 1, readBack: 1, lost: 0 });
});

describe("lost", () => {
  test("another value at the offset", () => {
    const ledger = new AcknowledgedLedger();
    ledger.onAcknowledged("t", 0, 5, "five");
    ledger.onRead("t", [record(5, "another")]);
    expect(ledger.counts.lost).toBe(1);
  });

  test("another value read before the acknowledgement was heard", () => {
    const ledger = new AcknowledgedLedger();
    ledger.onRead("t", [record(5, null)]);
    ledger.onAcknowledged("t", 0, 5, "five");
    expect(ledger.counts.lost).toBe(1);
  });

  test("an offset that the reader has passed without seeing it", () => {
    const ledger = new AcknowledgedLedger();
    ledger.onRead("t", [record(4, "four")]);
    ledger.onAcknowledged("t", 0, 5, "five");
    ledger.onRead("t", [record(6, "six")]);
    expect(ledger.counts).toEqual({ acknowledged: 1, readBack: 0, lost: 1 });
  });

  test("a long value that differs in its last character", () => {
    const ledger = new AcknowledgedLedger();
    ledger.onAcknowledged("t", 0, 0, `${"x".repeat(10_000)}a`);
    ledger.onAcknowledged("t", 0, 1, `${"x".repeat(10_000)}b`);
    ledger.onRead("t", [record(0, `${"x".repeat(10_000)}b`), record(1, `${"x".repeat(10_000)}b`)]);
    expect(ledger.counts).toEqual({ acknowledged: 2, readBack: 1, lost: 1 });
  });
});

describe("not lost", () => {
  test("what stands before the reader's start is not checked", () => {
    const ledger = new AcknowledgedLedger();
    ledger.onAcknowledged("t", 0, 5, "five");
    ledger.onRead("t", [record(100, "hundred"), record(101, "next")]);
    expect(ledger.counts).toEqual({ acknowledged: 1, readBack: 0, lost: 0 });
  });

  test("partitions and topics are kept apart", () => {
    const ledger = new AcknowledgedLedger();
    ledger.onAcknowledged("t", 0, 5, "five");
    ledger.onRead("t", [record(5, "other partition", 1)]);
    ledger.onRead("t-0", [record(5, "other topic")]);
    expect(ledger.counts.lost).toBe(0);
  });

  test("the records of a deleted topic", () => {
    const ledger = new AcknowledgedLedger();
    ledger.onAcknowledged("t", 0, 5, "five");
    ledger.forget("t");
    ledger.onRead("t", [record(5, "a new topic of that name")]);
    expect(ledger.counts.lost).toBe(0);
  });
});
