import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import { ackGapMs } from "./ack-gap.ts";
import { report, test } from "./cluster-test.ts";
import { Load } from "./load.ts";
import { expectNothingLost } from "./verdict.ts";

test("a leader whose tab is closed hands over within 500 ms", async ({ cluster }) => {
  const load = await Load.start(cluster);
  const leader = await cluster.leaderOf(load.topic, 0);
  const closedAtMs = Date.now();
  await leader.page.close();
  await sleep(3_000);
  const gapMs = ackGapMs(await load.acks(), `${load.topic}-0`, closedAtMs);
  report("acknowledgement gap when the leader's tab is closed", gapMs);

  const reopenedAtMs = Date.now();
  await cluster.becomeBroker(leader);
  const returned = await cluster.brokerId(leader);
  await cluster.untilPartitions(load.topic, ([first]) => first?.leader === returned && first.isr.length === 3);
  await sleep(1_000);
  const returnGapMs = ackGapMs(await load.acks(), `${load.topic}-0`, reopenedAtMs);
  report("acknowledgement gap when it comes back and leads again", returnGapMs);
  expectNothingLost(await load.finish());
  expect(gapMs).toBeLessThan(500);
  expect(returnGapMs).toBeLessThan(500);
});
