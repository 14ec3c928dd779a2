import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import { OFFSETS_TOPIC, partitionForGroup } from "../../src/coordinator/group-partition.ts";
import { report, test } from "./cluster-test.ts";
import { GroupRig } from "./group-rig.ts";
import type { Tab, TestCluster } from "./test-cluster.ts";

const GROUP = "with a coordinator that dies";
/** How long the slowest member holds up the rebalance in which the coordinator dies, on however busy a machine. */
const REBALANCE_MS = 4_000;
const COMMITTING_MS = 300;
const LOADING_MS = 500;
/** Of the times in the cluster's log, with the space behind them. */
const TIMESTAMP_LENGTH = 25;

test("a coordinator dies rebalancing, committing, loading: no offset goes back, no partition is shared", async ({
  cluster,
}) => {
  test.setTimeout(240_000);
  const rig = await GroupRig.start(cluster, {
    groupId: GROUP,
    partitions: 6,
    sharing: "roundRobin",
    recordsPerSecond: 100,
  });
  try {
    const other = await rig.tabs.open();
    await rig.join(rig.tabs.home, "a", "b");
    await rig.join(other, "c");
    await rig.settled("a", "b", "c");
    await cluster.untilInSync(OFFSETS_TOPIC, 3);

    await test.step("during a rebalance", async () => {
      const coordinator = await coordinatorOf(cluster);
      await rig.tabs.home.page.evaluate((ms) => window.groupTab.delay("a", ms), REBALANCE_MS);
      await rig.join(other, "d");
      await rig.tabs.home.page.waitForFunction(() =>
        window.groupTab.states().some((state) => state.process === "b" && state.assignedAtMs === undefined),
      );
      const killedAtMs = Date.now();
      await coordinator.profile.kill();
      const settledAtMs = await rig.settled("a", "b", "c", "d");
      report("from the coordinator's death in a rebalance to its end", settledAtMs - killedAtMs);
      expect(settledAtMs, "the rebalance went on when the coordinator died").toBeGreaterThan(killedAtMs);
      await restart(cluster, coordinator);
    });

    await test.step("during a commit", async () => {
      const coordinator = await coordinatorOf(cluster);
      const others = cluster.brokers.filter((tab) => tab !== coordinator);
      const followers = (await Promise.all(others.map(({ profile }) => profile.rendererPids()))).flat();
      // What members commit now is in the coordinator's log, and in no other.
      signal("SIGSTOP", followers);
      await sleep(COMMITTING_MS);
      await coordinator.profile.kill();
      signal("SIGCONT", followers);
      await rig.settled("a", "b", "c", "d");
      await restart(cluster, coordinator);
    });

    await test.step("while it loads", async () => {
      const index = partitionForGroup(GROUP, await offsetsPartitions(cluster));
      const { leader, replicas } = (await cluster.partitions(OFFSETS_TOPIC))[index]!;
      const tabs = await Promise.all(cluster.brokers.map(async (tab) => [await cluster.brokerId(tab), tab] as const));
      const byId = new Map(tabs);
      const first = byId.get(leader)!;
      // The next of the replicas takes over. It has commits that the third one, which is stopped, has not confirmed.
      const [second, third] = replicas.filter((id) => id !== leader).map((id) => byId.get(id)!);
      if (second === undefined || third === undefined) throw new Error("there are too few replicas");
      const stopped = await third.profile.rendererPids();
      signal("SIGSTOP", stopped);
      await sleep(COMMITTING_MS);
      const logged = cluster.log.length;
      await first.profile.kill();
      const secondId = await cluster.brokerId(second);
      await cluster.untilPartitions(OFFSETS_TOPIC, (partitions) => partitions[index]?.leader === secondId);
      await sleep(LOADING_MS);
      await second.profile.kill();
      const lines = cluster.log.slice(logged).filter((line) => line.startsWith(second.name, TIMESTAMP_LENGTH));
      expect(lines.filter((line) => line.includes(`coordinates the groups of ${OFFSETS_TOPIC}-${index}:`))).toEqual([]);
      signal("SIGCONT", stopped);
      await restart(cluster, first, 2);
      await restart(cluster, second);
      await rig.settled("a", "b", "c", "d");
    });

    await rig.finish(() => true);
  } finally {
    await rig.close();
  }
});

async function offsetsPartitions(cluster: TestCluster): Promise<number> {
  return (await cluster.partitions(OFFSETS_TOPIC)).length;
}

async function coordinatorOf(cluster: TestCluster): Promise<Tab> {
  return await cluster.leaderOf(OFFSETS_TOPIC, partitionForGroup(GROUP, await offsetsPartitions(cluster)));
}

function signal(name: "SIGSTOP" | "SIGCONT", pids: readonly number[] = []): void {
  for (const pid of pids) process.kill(pid, name);
}

async function restart(cluster: TestCluster, tab: Tab, inSync = 3): Promise<void> {
  await tab.profile.start();
  tab.page = cluster.watch(tab.name, await tab.profile.newPage());
  await cluster.becomeBroker(tab);
  await cluster.untilInSync(OFFSETS_TOPIC, inSync);
}
