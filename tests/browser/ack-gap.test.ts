import { expect, test } from "vitest";
import { ackGapMs } from "./ack-gap.ts";

const acks = (...times: number[]) => times.map((atMs) => ({ partition: "t-0", atMs }));

test("the gap is the longest wait that ended after the event", () => {
  expect(ackGapMs(acks(100, 130, 900, 930), "t-0", 140)).toBe(770);
  expect(ackGapMs(acks(100, 130, 900, 2_000), "t-0", 140)).toBe(1_100);
});

test("an acknowledgement that slipped through after the event does not hide the gap", () => {
  expect(ackGapMs(acks(100, 130, 145, 900), "t-0", 140)).toBe(755);
});

test("what happened before the event, or in another partition, does not count", () => {
  expect(ackGapMs([...acks(0, 5_000, 5_010), { partition: "t-1", atMs: 9_000 }], "t-0", 5_005)).toBe(10);
});

test("acknowledgements may be listed in any order", () => {
  expect(ackGapMs(acks(930, 130, 900, 100), "t-0", 140)).toBe(770);
});

test("without an acknowledgement after the event the gap has no end", () => {
  expect(ackGapMs(acks(100, 130), "t-0", 140)).toBe(Number.POSITIVE_INFINITY);
});
