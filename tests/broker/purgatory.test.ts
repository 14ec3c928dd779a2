import { describe, expect, it } from "vitest";
import { Purgatory } from "../../src/broker/purgatory.ts";
import type { Delayed } from "../../src/broker/purgatory.ts";

class Waiting implements Delayed {
  ready = false;
  outcome: "completed" | "expired" | undefined;
  looks = 0;
  readonly keys: readonly string[];
  readonly deadlineMs: number;

  constructor(keys: readonly string[], deadlineMs: number) {
    this.keys = keys;
    this.deadlineMs = deadlineMs;
  }

  tryComplete(): boolean {
    this.looks++;
    if (this.ready) this.outcome = "completed";
    return this.ready;
  }

  expire(): void {
    this.outcome = "expired";
  }
}

describe("Purgatory", () => {
  it("answers at once what needs no waiting", () => {
    const purgatory = new Purgatory();
    const request = new Waiting(["a"], 100);
    request.ready = true;
    purgatory.enter(request, 0);
    expect(request.outcome).toBe("completed");
    expect(purgatory.size).toBe(0);
  });

  it("looks once at a request that names its partition again and again", () => {
    const purgatory = new Purgatory();
    const request = new Waiting(["a", "a", "b", "a"], 100);
    purgatory.enter(request, 0);
    purgatory.touch("a");
    purgatory.settle(1);
    expect(request.looks).toBe(2);
    purgatory.leave(request);
    purgatory.touch("a");
    purgatory.settle(2);
    expect([request.looks, purgatory.size]).toEqual([2, 0]);
  });

  it("looks again only at requests whose partition was touched", () => {
    const purgatory = new Purgatory();
    const [a, b] = [new Waiting(["a"], 100), new Waiting(["b"], 100)];
    purgatory.enter(a, 0);
    purgatory.enter(b, 0);
    a.ready = true;
    b.ready = true;
    purgatory.touch("a");
    purgatory.settle(1);
    expect([a.outcome, b.outcome]).toEqual(["completed", undefined]);
    expect(b.looks).toBe(1);
  });

  it("answers a request once, though several of its partitions were touched", () => {
    const purgatory = new Purgatory();
    const request = new Waiting(["a", "b"], 100);
    purgatory.enter(request, 0);
    request.ready = true;
    purgatory.touch("a");
    purgatory.touch("b");
    purgatory.settle(1);
    expect(request.looks).toBe(2);
    expect(purgatory.size).toBe(0);
  });

  it("expires what waited too long, and wakes for the next", () => {
    const purgatory = new Purgatory();
    const [early, late] = [new Waiting(["a"], 50), new Waiting(["a"], 80)];
    purgatory.enter(early, 0);
    purgatory.enter(late, 0);
    expect(purgatory.wakeAtMs).toBe(50);
    purgatory.settle(50);
    expect([early.outcome, late.outcome]).toEqual(["expired", undefined]);
    expect(purgatory.wakeAtMs).toBe(80);
  });

  it("forgets a request whose connection is gone", () => {
    const purgatory = new Purgatory();
    const request = new Waiting(["a"], 50);
    purgatory.enter(request, 0);
    purgatory.leave(request);
    purgatory.settle(60);
    expect(request.outcome).toBeUndefined();
  });
});
