import { expect, test } from "vitest";
import { plainSchedule } from "./schedule.ts";
import type { Fault, FaultKind } from "./schedule.ts";
import { simulate } from "./simulate.ts";

const withSdk = { ...plainSchedule, producers: 2, consumers: 2, sdkProducers: 2, sdkConsumers: 2 };

function faultOf(kind: FaultKind, atMs: number, durationMs: number, target = 0): Fault {
  return { atMs, on: "time", kind, aim: "any", target, other: 1, durationMs };
}

const faults = [
  faultOf("kill-tab", 1_000, 800),
  faultOf("kill-server", 1_500, 700),
  faultOf("freeze-client", 2_500, 1_500),
  faultOf("isolate-tab", 3_000, 2_000, 1),
  faultOf("freeze-tab", 4_500, 2_000, 2),
  faultOf("crash-producer", 5_500, 0),
  faultOf("crash-consumer", 6_000, 0, 1),
  faultOf("freeze-client", 6_500, 4_000, 3),
];

test("the SDK's clients lose nothing to faults, and get through when they are over", { timeout: 60_000 }, async () => {
  const { violation, acknowledged, read } = await simulate(1, { seconds: 12, schedule: { ...withSdk, faults } });
  expect(violation).toBeUndefined();
  expect(acknowledged).toBeGreaterThan(400);
  expect(read).toBeGreaterThan(acknowledged);
});

test("a run with the SDK's clients is the same twice", { timeout: 60_000 }, async () => {
  const trace = async (seed: number) => {
    return (await simulate(seed, { seconds: 6, schedule: { ...withSdk, faults } })).traceHash;
  };
  expect(await trace(7)).toBe(await trace(7));
  expect(await trace(7)).not.toBe(await trace(8));
});
