import { truncate } from "node:fs/promises";
import { expect } from "@playwright/test";
import { test } from "./cluster-test.ts";
import { Load } from "./load.ts";
import { expectNothingLost } from "./verdict.ts";

/** Their batches are over 64 KiB, which Chromium keeps in files of their own. */
const BALLAST = { topic: "ballast", records: 200, recordBytes: 8 << 10 };

test("a tab whose large row was torn by a loss of power starts over, and nothing is lost", async ({ cluster }) => {
  await cluster.createTopic(BALLAST.topic, 1, 3);
  await cluster.untilInSync(BALLAST.topic, 3);
  await cluster.client.evaluate((wanted) => window.testTab.fill(wanted), BALLAST);
  const load = await Load.start(cluster);
  const torn = await cluster.leaderOf(BALLAST.topic, 0);
  const before = await torn.page.evaluate(() => window.testTab.statuses.at(-1)?.status);
  await torn.profile.kill();
  const [row] = await torn.profile.largeRows();
  await truncate(row!, 100);

  await torn.profile.start();
  torn.page = cluster.watch(torn.name, await torn.profile.newPage());
  await cluster.becomeBroker(torn);
  const after = await torn.page.evaluate(() => window.testTab.statuses.at(-1)?.status);
  expect(after?.directoryId).not.toBe(before?.directoryId);
  expect(after?.brokerId).not.toBe(before?.brokerId);
  expect(cluster.log.join("\n")).toContain("this storage is damaged and kept as it is");
  expectNothingLost(await load.finish());
});
