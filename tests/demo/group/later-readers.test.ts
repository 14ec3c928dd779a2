import { expect, test } from "vitest";
import { LaterReaders } from "../../../src/demo/group/later-readers.ts";
import type { ReaderReport } from "../../../src/demo/group/member-messages.ts";

function reader(clientId: string, phase?: ReaderReport["phase"], owned: readonly string[] = [], killedMs?: number) {
  const common = { atMs: 0, memberId: "", generation: -1, rebalancing: false, processed: 0, reason: undefined };
  const report = phase === undefined ? undefined : { ...common, phase, owned };
  return { clientId, report, killedMs, frozen: undefined };
}

test("they come once, when the first one reads, and not when another does", () => {
  const later = new LaterReaders();
  later.expect(2, "first");
  expect(later.dueAfter(reader("other", "reading", ["orders-0"]))).toBe(0);
  for (const waiting of [reader("first"), reader("first", "joining"), reader("first", "reading")]) {
    expect(later.dueAfter(waiting)).toBe(0);
  }
  expect(later.dueAfter(reader("first", "reading", ["orders-0"]))).toBe(2);
  expect(later.dueAfter(reader("first", "reading", ["orders-0"]))).toBe(0);
});

test.each([
  ["was killed", reader("first", "joining", [], 5)],
  ["left", reader("first", "leaving")],
  ["failed", reader("first", "failed")],
])("none come after a first one that %s before it read, nor when a later one reads", (_, gone) => {
  const later = new LaterReaders();
  later.expect(2, "first");
  expect(later.dueAfter(gone)).toBe(0);
  expect(later.dueAfter(reader("first", "reading", ["orders-0"]))).toBe(0);
  expect(later.dueAfter(reader("other", "reading", ["orders-0"]))).toBe(0);
});
