import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import { ackGapMs } from "./ack-gap.ts";
import { report, test } from "./cluster-test.ts";
import { Load } from "./load.ts";
import type { Tab } from "./test-cluster.ts";
import { expectNothingLost } from "./verdict.ts";

const GAP_LIMIT_MS = 3_000;

const deaths: Record<string, (leader: Tab) => Promise<void>> = {
  "its renderer crashes": async ({ profile, page }) => {
    const session = await profile.context.newCDPSession(page);
    const crashed = page.waitForEvent("crash");
    // The call is never answered by the page that it kills.
    session.send("Page.crash").catch(() => {});
    await crashed;
  },
  "its renderer process is killed": async ({ profile, page }) => {
    const crashed = page.waitForEvent("crash");
    for (const pid of await profile.rendererPids()) process.kill(pid, "SIGKILL");
    await crashed;
  },
};

for (const [death, kill] of Object.entries(deaths)) {
  test(`a leader is replaced when ${death}`, async ({ cluster }) => {
    const load = await Load.start(cluster);
    const leader = await cluster.leaderOf(load.topic, 0);
    const diedAtMs = Date.now();
    await kill(leader);
    await sleep(GAP_LIMIT_MS + 1_000);
    const gapMs = ackGapMs(await load.acks(), `${load.topic}-0`, diedAtMs);
    report(`acknowledgement gap when ${death}`, gapMs);

    await leader.page.close();
    await cluster.becomeBroker(leader);
    await cluster.untilInSync(load.topic, 3);
    expectNothingLost(await load.finish());
    expect(gapMs).toBeLessThan(GAP_LIMIT_MS);
  });
}
