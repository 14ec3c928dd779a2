import { describe, expect, test } from "vitest";
import { FailoverGap } from "../../src/demo/failover-gap.ts";
import { LatencyWindow } from "../../src/demo/latency-window.ts";

describe("percentiles of the newest waits", () => {
  test("none before the first", () => expect(new LatencyWindow(10).percentile(0.5)).toBeUndefined());

  test("the nearest rank", () => {
    const window = new LatencyWindow(1000);
    for (let wait = 1; wait <= 100; wait++) window.add(wait);
    expect([window.percentile(0.5), window.percentile(0.99), window.percentile(1)]).toEqual([50, 99, 100]);
  });

  test("old waits are forgotten", () => {
    const window = new LatencyWindow(3);
    for (const wait of [900, 1, 2, 3]) window.add(wait);
    expect(window.percentile(1)).toBe(3);
  });
});

describe("the failover gap", () => {
  const ack = (sentMs: number, acknowledgedMs: number, partition = "orders-0") => ({
    partition,
    sentMs,
    acknowledgedMs,
  });

  test("is undefined without an election", () => {
    const gap = new FailoverGap();
    gap.onAcknowledgement(ack(0, 5000));
    expect(gap.longestMs).toBeUndefined();
  });

  test("is the time without an acknowledgement around an election", () => {
    const gap = new FailoverGap();
    gap.onAcknowledgement(ack(700, 950));
    gap.onElection("orders-0", 1000);
    gap.onAcknowledgement(ack(720, 1300));
    gap.onAcknowledgement(ack(960, 1310));
    expect(gap.longestMs).toBe(350);
  });

  test("begins with the sending when nothing was waited for before", () => {
    const gap = new FailoverGap();
    gap.onAcknowledgement(ack(100, 110));
    gap.onElection("orders-0", 1000);
    gap.onAcknowledgement(ack(900, 1300));
    expect(gap.longestMs).toBe(400);
  });

  test("counts acknowledgements that came before the page heard of the election", () => {
    const gap = new FailoverGap();
    gap.onAcknowledgement(ack(700, 950));
    gap.onElection("orders-0", 1000);
    expect(gap.longestMs).toBe(250);
  });

  test("leaves out other partitions, records sent later, and waits long before", () => {
    const gap = new FailoverGap();
    gap.onAcknowledgement(ack(0, 900));
    gap.onElection("orders-0", 10_000);
    gap.onAcknowledgement(ack(9000, 12_000, "orders-1"));
    gap.onAcknowledgement(ack(10_100, 14_000));
    expect(gap.longestMs).toBeUndefined();
  });
});
