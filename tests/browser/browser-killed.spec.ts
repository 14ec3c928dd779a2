import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import { ackGapMs } from "./ack-gap.ts";
import { report, test } from "./cluster-test.ts";
import { Load } from "./load.ts";
import type { Storage, TestCluster } from "./test-cluster.ts";
import { expectNothingLost } from "./verdict.ts";

/** Much more than what is produced while the browser is away, so that copying it anew could not be missed. */
const BALLAST = { topic: "ballast", records: 2_000, recordBytes: 8 << 10 };
const AWAY_MS = 2_000;

/** Adds up, from outside the product, what the page's peer connections receive. */
const COUNT_RECEIVED_BYTES = `
  const Original = RTCPeerConnection;
  const opened = [];
  globalThis.RTCPeerConnection = class extends Original {
    constructor(...args) { super(...args); opened.push(this); }
  };
  globalThis.receivedBytes = async () => {
    const reports = await Promise.all(opened.map((connection) => connection.getStats()));
    const entries = reports.flatMap((report) => [...report.values()]);
    return entries.filter((e) => e.type === "transport").reduce((sum, e) => sum + e.bytesReceived, 0);
  };
`;

for (const storage of ["leveldb", "sqlite"] as const) {
  test.describe(storage, () => {
    test.use({ storage });
    test("a killed browser comes back on its profile with its data, without copying the log anew", comesBack);
  });
}

async function comesBack({ cluster, storage }: { cluster: TestCluster; storage: Storage }): Promise<void> {
  const folders = await cluster.brokers[0]!.profile.databaseFolders();
  expect(folders.some((name) => name.endsWith(".leveldb"))).toBe(storage === "leveldb");
  await cluster.createTopic(BALLAST.topic, 1, 3);
  await cluster.untilInSync(BALLAST.topic, 3);
  await cluster.client.evaluate((wanted) => window.testTab.fill(wanted), BALLAST);
  const load = await Load.start(cluster);
  const leader = await cluster.leaderOf(load.topic, 0);
  const before = await leader.page.evaluate(() => window.testTab.statuses.at(-1)?.status);
  const killedAtMs = Date.now();
  await leader.profile.kill();
  await sleep(AWAY_MS);
  const gapMs = ackGapMs(await load.acks(), `${load.topic}-0`, killedAtMs);
  report("acknowledgement gap when the leader's browser is killed", gapMs);

  await leader.profile.start();
  await leader.profile.context.addInitScript(COUNT_RECEIVED_BYTES);
  leader.page = cluster.watch(leader.name, await leader.profile.newPage());
  const startedAtMs = Date.now();
  await cluster.becomeBroker(leader);
  await cluster.untilInSync(load.topic, 3);
  report("from opening the tab to back in sync", Date.now() - startedAtMs);
  const received = await leader.page.evaluate(() => (globalThis as unknown as Received).receivedBytes());
  const after = await leader.page.evaluate(() => window.testTab.statuses);

  expect(after.at(-1)?.status.brokerId).toBe(before?.brokerId);
  expect(after.at(-1)?.status.directoryId).toBe(before?.directoryId);
  for (const { topic, partitionIndex, highWatermark } of before?.partitions ?? []) {
    // What was committed before the kill is on this disk, and never left its log again.
    const ends = after.flatMap(({ status }) =>
      status.partitions
        .filter((partition) => partition.topic === topic && partition.partitionIndex === partitionIndex)
        .map((partition) => partition.logEndOffset),
    );
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(highWatermark);
  }
  report("received until back in sync", received / 1024, "KiB");
  report("stored", (after.at(-1)?.status.storedBytes ?? 0) / 1024, "KiB");
  expect(before?.partitions.length).toBe(4);
  expect(after.at(-1)?.status.storedBytes).toBeGreaterThan(BALLAST.records * BALLAST.recordBytes);
  // What the broker says it copied, when it comes to say so, and what its page's connections received in all.
  const copiedBytes = () => leader.page.evaluate(() => window.testTab.statuses.at(-1)?.status.replicatedBytes);
  await expect.poll(copiedBytes).toBeGreaterThan(0);
  const copied = await copiedBytes();
  expect(copied).toBeLessThan((BALLAST.records * BALLAST.recordBytes) / 4);
  expect(received).toBeLessThan((BALLAST.records * BALLAST.recordBytes) / 4);
  expectNothingLost(await load.finish());
}

interface Received {
  receivedBytes(): Promise<number>;
}
