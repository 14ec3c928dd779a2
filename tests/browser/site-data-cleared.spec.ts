import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import { ackGapMs } from "./ack-gap.ts";
import { report, test } from "./cluster-test.ts";
import { Load } from "./load.ts";
import { expectNothingLost } from "./verdict.ts";

test("a leader whose site data is cleared is never elected while empty", async ({ cluster }) => {
  const load = await Load.start(cluster);
  const leader = await cluster.leaderOf(load.topic, 0);
  const clearedId = await cluster.brokerId(leader);
  const session = await leader.profile.context.newCDPSession(leader.page);
  const clearedAtMs = Date.now();
  await session.send("Storage.clearDataForOrigin", { origin: cluster.server.url, storageTypes: "all" });

  // The broker notices by itself, fences itself and says so; the others take over.
  await leader.page.waitForFunction(() => window.testTab.statuses.at(-1)?.status.state === "failed");
  const reason = await leader.page.evaluate(() => window.testTab.statuses.at(-1)?.status.reason);
  expect(reason).toMatch(/storage|database|cleared|closed/i);
  await cluster.untilPartitions(load.topic, (states) =>
    states.every(({ leader: id, isr }) => id >= 0 && id !== clearedId && !isr.includes(clearedId)),
  );
  const gapMs = ackGapMs(await load.acks(), `${load.topic}-0`, clearedAtMs);
  report("acknowledgement gap when the leader's site data is cleared", gapMs);

  // Reloaded, the tab has an empty disk: it is another broker, which leads nothing before it is in sync.
  const elections: { leader: number; isr: readonly number[] }[] = [];
  let watching = true;
  const watch = (async () => {
    while (watching) {
      elections.push(...(await cluster.partitions(load.topic)));
      await sleep(20);
    }
  })();
  await cluster.becomeBroker(leader);
  const newId = await cluster.brokerId(leader);
  await sleep(5_000);
  watching = false;
  await watch;
  expect(newId).not.toBe(clearedId);
  expect(elections.length).toBeGreaterThan(50);
  expect(elections.filter(({ leader: id }) => id === clearedId)).toEqual([]);
  expect(elections.filter(({ leader: id, isr }) => id === newId && !isr.includes(newId))).toEqual([]);
  expectNothingLost(await load.finish());
});
