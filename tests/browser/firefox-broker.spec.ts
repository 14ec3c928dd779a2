import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@playwright/test";
import { ackGapMs } from "./ack-gap.ts";
import { report } from "./cluster-test.ts";
import { findFirefox, FirefoxPage, toldNoFirefox } from "./firefox.ts";
import { Load } from "./load.ts";
import { TestCluster } from "./test-cluster.ts";
import { expectNothingLost } from "./verdict.ts";

/** Runs in the page: the id of its broker, once that runs. */
const runningBroker = (): number | undefined => {
  const status = (window as Partial<Window>).testTab?.statuses.at(-1)?.status;
  return status?.state === "running" ? status.brokerId : undefined;
};

test("a Firefox tab leads and follows beside Chromium's, and may go", async () => {
  const path = findFirefox();
  if (path === undefined) toldNoFirefox();
  test.skip(path === undefined, "no Firefox is installed");
  const cluster = await TestCluster.start({ brokers: 2 });
  try {
    await using firefox = await FirefoxPage.launch(path!);
    const brokerId = await firefox.waitFor(cluster.brokerUrl, runningBroker);
    const load = await Load.start(cluster);
    const led = (await cluster.partitions(load.topic)).findIndex(({ leader }) => leader === brokerId);
    expect(led, "the partition that Firefox leads").toBeGreaterThanOrEqual(0);
    await sleep(1_000);
    const closedAtMs = Date.now();
    await firefox.close();
    await sleep(3_000);
    const gapMs = ackGapMs(await load.acks(), `${load.topic}-${led}`, closedAtMs);
    report("acknowledgement gap when a Firefox that leads is closed", gapMs);
    expectNothingLost(await load.finish());
    expect(gapMs).toBeLessThan(2_000);
  } finally {
    await cluster.close();
  }
});
