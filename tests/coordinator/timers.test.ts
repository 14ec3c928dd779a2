import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Timers } from "../../src/coordinator/timers.ts";

describe("timers", () => {
  it("fire once, in the order of their deadlines", () => {
    const timers = new Timers();
    const fired: string[] = [];
    for (const [name, atMs] of [["b", 20], ["a", 10], ["c", 30]] as const) {
      timers.timer(() => fired.push(name)).set(atMs);
    }
    timers.run(25);
    expect([fired, timers.wakeAtMs]).toEqual([["a", "b"], 30]);
    timers.run(100);
    timers.run(200);
    expect(fired).toEqual(["a", "b", "c"]);
    expect(timers.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("keep nothing of those that were cleared or put off, whenever they would have been due", () => {
    const timers = new Timers();
    const sessions = Array.from({ length: 1_000 }, () => timers.timer(() => {}));
    for (let nowMs = 0; nowMs < 20_000; nowMs += 1_000) {
      timers.run(nowMs);
      for (const session of sessions) session.set(nowMs + 30_000);
      // Somebody comes, asks for half an hour, and goes; the others have sooner deadlines for a while.
      const visitor = timers.timer(() => {});
      visitor.set(nowMs + 1_800_000);
      for (const session of sessions) session.set(nowMs + 10_000);
      visitor.clear();
      expect(timers.size).toBe(1_000);
    }
    for (const session of sessions) session.clear();
    expect([timers.size, timers.wakeAtMs]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  it("behave like a plain list of deadlines, however they are put off, brought forward and cleared", () => {
    const step = fc.record({ timer: fc.nat(5), atMs: fc.option(fc.nat(100)), passedMs: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const timers = new Timers();
        const fired: number[] = [];
        const made = Array.from({ length: 6 }, (_, at) => timers.timer(() => fired.push(at)));
        const due = new Map<number, number>();
        let nowMs = 0;
        for (const { timer, atMs, passedMs } of steps) {
          if (atMs === null) {
            made[timer]!.clear();
            due.delete(timer);
          } else {
            made[timer]!.set(nowMs + atMs);
            due.set(timer, nowMs + atMs);
          }
          expect(timers.size).toBe(due.size);
          expect(timers.wakeAtMs).toBeLessThanOrEqual(Math.min(Number.POSITIVE_INFINITY, ...due.values()));
          nowMs += passedMs;
          fired.length = 0;
          timers.run(nowMs);
          const expected = [...due].filter(([, at]) => at <= nowMs).sort(([, left], [, right]) => left - right);
          expect(fired.map((at) => due.get(at))).toEqual(expected.map(([, at]) => at));
          for (const [at] of expected) due.delete(at);
        }
      }),
    );
  });
});
