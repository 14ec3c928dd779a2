import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import { ackGapMs } from "./ack-gap.ts";
import { report, test } from "./cluster-test.ts";
import { Load } from "./load.ts";
import type { PartitionState } from "./pages/tab.ts";
import type { Tab, TestCluster } from "./test-cluster.ts";
import { expectNothingLost } from "./verdict.ts";

test("a leader whose site data is cleared is never elected while empty", async ({ cluster }) => {
  const load = await Load.start(cluster);
  const leader = await cluster.leaderOf(load.topic, 0);
  const clearedId = await cluster.brokerId(leader);
  const clearedAtMs = Date.now();
  await clearSiteData(leader, cluster.server.url);

  // The broker notices by itself, fences itself and says so; the others take over.
  await leader.page.waitForFunction(() => window.testTab.statuses.at(-1)?.status.state === "failed");
  const reason = await leader.page.evaluate(() => window.testTab.statuses.at(-1)?.status.reason);
  expect(reason).toMatch(/storage|database|cleared|closed/i);
  await cluster.untilPartitions(load.topic, (states) =>
    states.every(({ leader: id, isr }) => id >= 0 && id !== clearedId && !isr.includes(clearedId)),
  );
  await sleep(3_000);
  const gapMs = ackGapMs(await load.acks(), `${load.topic}-0`, clearedAtMs);
  report("acknowledgement gap when the leader's site data is cleared", gapMs);
  expect(gapMs).toBeLessThan(3_000);

  // Reloaded, the tab has an empty disk: it is another broker, which leads nothing before it is in sync.
  const [newId, elections] = await electionsDuring(cluster, load.topic, async () => {
    await cluster.becomeBroker(leader);
    await sleep(5_000);
    return await cluster.brokerId(leader);
  });
  expect(newId).not.toBe(clearedId);
  expect(elections.filter(({ leader: id }) => id === clearedId)).toEqual([]);
  expect(elections.filter(({ leader: id, isr }) => id === newId && !isr.includes(newId))).toEqual([]);
  expectNothingLost(await load.finish());
});

test("the last in-sync leader, cleared, is not elected even when no other copy is there", async ({ cluster }) => {
  const load = await Load.start(cluster, { partitions: 1 });
  await sleep(3_000);
  const leader = await cluster.leaderOf(load.topic, 0);
  const clearedId = await cluster.brokerId(leader);
  await load.stopProducing();
  const followers = cluster.brokers.filter((tab) => tab !== leader);
  for (const { profile } of followers) await profile.kill();
  await cluster.untilPartitions(load.topic, ([only]) => only?.isr.length === 1 && only.leader === clearedId);

  await clearSiteData(leader, cluster.server.url);
  const [newId, elections] = await electionsDuring(cluster, load.topic, async () => {
    await leader.page.waitForFunction(() => window.testTab.statuses.at(-1)?.status.state === "failed");
    await cluster.untilPartitions(load.topic, ([only]) => only?.leader === -1);
    await cluster.becomeBroker(leader);
    await sleep(3_000);
    return await cluster.brokerId(leader);
  });
  expect(newId).not.toBe(clearedId);
  expect(elections.filter(({ leader: id }) => id === newId)).toEqual([]);
  expect(elections.at(-1)?.leader).toBe(-1);

  // The followers hold everything that was acknowledged: one of them leads again, and the copies heal.
  for (const follower of followers) {
    await follower.profile.start();
    follower.page = cluster.watch(follower.name, await follower.profile.newPage());
    await cluster.becomeBroker(follower);
  }
  await cluster.untilInSync(load.topic, 2);
  expectNothingLost(await load.finish());
});

async function clearSiteData({ profile, page }: Tab, origin: string): Promise<void> {
  const session = await profile.context.newCDPSession(page);
  await session.send("Storage.clearDataForOrigin", { origin, storageTypes: "all" });
}

/** What the controller says of the topic's partitions, asked again and again while `happening` goes on. */
async function electionsDuring<Value>(
  cluster: TestCluster,
  topic: string,
  happening: () => Promise<Value>,
): Promise<[Value, PartitionState[]]> {
  const elections: PartitionState[] = [];
  let over = false;
  const outcome = happening().finally(() => (over = true));
  while (!over) {
    elections.push(...(await cluster.partitions(topic)));
    await sleep(20);
  }
  expect(elections.length).toBeGreaterThan(50);
  return [await outcome, elections];
}
