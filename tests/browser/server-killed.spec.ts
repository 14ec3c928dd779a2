import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import { ackGapMs } from "./ack-gap.ts";
import { report, test } from "./cluster-test.ts";
import { Load } from "./load.ts";
import { expectNothingLost } from "./verdict.ts";

const OUTAGE_MS = 5_000;
/** No election is due, so nothing but a starved machine may hold up an acknowledgement. */
const GAP_LIMIT_MS = 2_000;

test("the data plane goes on while the server is killed and started again", async ({ cluster }) => {
  const load = await Load.start(cluster);
  const before = await cluster.partitions(load.topic);
  const killedAtMs = Date.now();
  await cluster.server.stop("SIGKILL");
  await sleep(OUTAGE_MS);
  const backAtMs = Date.now();
  const acked = (await load.acks()).filter(({ atMs }) => atMs > killedAtMs && atMs < backAtMs).length;
  await cluster.server.start();
  await sleep(5_000);
  for (const { page } of cluster.brokers) await cluster.untilRunning(page);

  const acks = await load.acks();
  const gapMs = Math.max(...before.map((_, partition) => ackGapMs(acks, `${load.topic}-${partition}`, killedAtMs)));
  report("acknowledgement gap over a server kill and restart", gapMs);
  const after = await cluster.untilInSync(load.topic, 3);
  const result = await load.finish();
  expectNothingLost(result);
  const read = result.readAtMs.filter((atMs) => atMs > killedAtMs && atMs < backAtMs).length;
  expect(acked).toBeGreaterThan((OUTAGE_MS / 1000) * 100 * 0.8);
  expect(read).toBeGreaterThan((OUTAGE_MS / 1000) * 100 * 0.8);
  expect(gapMs).toBeLessThan(GAP_LIMIT_MS);
  // A restart of the server costs no leadership either.
  expect(after.map(({ leader }) => leader)).toEqual(before.map(({ leader }) => leader));
});
