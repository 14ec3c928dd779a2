import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import { test } from "./cluster-test.ts";
import { Load } from "./load.ts";
import { expectNothingLost } from "./verdict.ts";

test("a duplicated tab becomes a second broker, never a second writer", async ({ cluster }) => {
  const load = await Load.start(cluster);
  const original = await cluster.leaderOf(load.topic, 0);
  await original.page.evaluate(() => sessionStorage.setItem("copied", "yes"));
  const identity = () => window.testTab.statuses.at(-1)?.status;
  const before = await original.page.evaluate(identity);

  // Like "Duplicate tab", `window.open` of the same address copies the session storage.
  const opened = original.profile.context.waitForEvent("page");
  await original.page.evaluate(() => void window.open(location.href));
  const duplicate = cluster.watch("duplicate", await opened);
  await cluster.untilRunning(duplicate);
  expect(await duplicate.evaluate(() => sessionStorage.getItem("copied"))).toBe("yes");

  const copy = await duplicate.evaluate(identity);
  const after = await original.page.evaluate(identity);
  expect(after?.state).toBe("running");
  expect([after?.brokerId, after?.directoryId]).toEqual([before?.brokerId, before?.directoryId]);
  expect(copy?.brokerId).not.toBe(before?.brokerId);
  expect(copy?.directoryId).not.toBe(before?.directoryId);
  // One profile is one disk, hence one rack.
  expect(copy?.rack).toBe(before?.rack);

  await sleep(2_000);
  await duplicate.close();
  await sleep(1_000);
  expectNothingLost(await load.finish());
});
