import { expect } from "@playwright/test";
import { report, test } from "./cluster-test.ts";
import { GroupTabs } from "./group-tabs.ts";

const MANY = { members: 50, partitions: 100 };
/** The goal is 5,000 ms; a machine that has other work to do gets more. */
const SETTLE_LIMIT_MS = 15_000;

test("fifty members in three tabs share a hundred partitions", async ({ cluster }) => {
  test.setTimeout(240_000);
  const tabs = await GroupTabs.start(cluster);
  try {
    const pages = [tabs.home, await tabs.open(), await tabs.open()];
    await cluster.createTopic("many", MANY.partitions, 1);
    await cluster.untilInSync("many", 1);
    for (const sharing of ["cooperativeSticky", "consumer"] as const) {
      const shared = { sessionTimeoutMs: 30_000, groupId: `many ${sharing}`, topic: "many", sharing };
      const members = Array.from({ length: MANY.members }, (_, index) => {
        return { ...shared, process: `${sharing} ${index}` };
      });
      await Promise.all(
        pages.map((tab, index) => tabs.join(tab, members.filter((_, member) => member % pages.length === index))),
      );
      const joinedAtMs = Date.now();
      const processes = members.map(({ process }) => process);
      const settledMs = (await tabs.settled(processes, MANY.partitions)) - joinedAtMs;
      report(`${sharing}: fifty members settled after the last had joined`, settledMs);
      expect(settledMs).toBeLessThan(SETTLE_LIMIT_MS);
    }
    expect(await tabs.errors()).toEqual([]);
  } finally {
    await tabs.close();
  }
});
