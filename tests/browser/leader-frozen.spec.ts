import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import type { HistoryEvent, SendEvent } from "../history/history.ts";
import { ackGapMs } from "./ack-gap.ts";
import { report, test } from "./cluster-test.ts";
import { Load } from "./load.ts";
import type { ProducerReport } from "./pages/steady-producer.ts";
import type { TestTab } from "./pages/tab.ts";
import { expectNothingLost } from "./verdict.ts";

/** Longer than a broker's session. */
const FROZEN_MS = 12_000;
const AFTERWARDS_MS = 3_000;

test("a leader stopped for longer than its session says nothing that counts before it registers again", async ({
  cluster,
}) => {
  const load = await Load.start(cluster);
  const { topic, partitions } = load;
  const leader = await cluster.leaderOf(topic, 0);
  // Two producers and a consumer in the leader's own tab, whose next hop is that broker: they wake together with it and
  // ask it at once, before anybody could have told it that it is no leader any more. With acks=1 it might agree.
  const shape = { topic, partitions, recordsPerSecond: 100 };
  await leader.page.evaluate((wanted) => window.testTab.startConsumer(wanted), { ...shape, process: "local tail" });
  for (const acks of [1, -1] as const) {
    const producer = { ...shape, process: `local acks=${acks}`, acks };
    await leader.page.evaluate((wanted) => window.testTab.startProducer(wanted), producer);
  }
  await sleep(1_000);

  const renderers = await leader.profile.rendererPids();
  const stoppedAtMs = Date.now();
  for (const pid of renderers) process.kill(pid, "SIGSTOP");
  await sleep(FROZEN_MS);
  const elsewhere = await cluster.partitions(topic);
  const resumedAtMs = Date.now();
  for (const pid of renderers) process.kill(pid, "SIGCONT");
  report("acknowledgement gap when the leader is stopped", ackGapMs(await load.acks(), `${topic}-0`, stoppedAtMs));

  await sleep(AFTERWARDS_MS);
  await cluster.untilRunning(leader.page);
  const registeredAtMs = registeredAgainAtMs(await leader.page.evaluate(() => window.testTab.statuses), resumedAtMs);
  report("from waking to being registered again", registeredAtMs - resumedAtMs);
  const [eager, careful] = await leader.page.evaluate(() =>
    Promise.all([window.testTab.stopProducer("local acks=1"), window.testTab.stopProducer("local acks=-1")]),
  );
  const read = await leader.page.evaluate(() => window.testTab.stopConsumer("local tail"));
  await cluster.untilInSync(topic, 3);

  const stale = await cluster.brokerId(leader);
  expect(elsewhere.map(({ leader: id }) => id)).not.toContain(stale);
  const asked = eager.sentAtMs.filter((atMs) => atMs >= resumedAtMs && atMs < registeredAtMs).length;
  expect(asked).toBeGreaterThan(500);
  const eagerHistory = distrust(eager, (atMs) => atMs < resumedAtMs || atMs > registeredAtMs);
  expectNothingLost(await load.finish([...eagerHistory, ...careful.history, ...read.history]));
});

test("a leader whose page is frozen by the browser goes on or hands over, and loses nothing", async ({ cluster }) => {
  const load = await Load.start(cluster);
  const leader = await cluster.leaderOf(load.topic, 0);
  const session = await leader.profile.context.newCDPSession(leader.page);
  const frozenAtMs = Date.now();
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  await sleep(FROZEN_MS);
  await session.send("Page.setWebLifecycleState", { state: "active" });
  const gapMs = ackGapMs(await load.acks(), `${load.topic}-0`, frozenAtMs);
  report("acknowledgement gap when the leader's page is frozen", gapMs);
  await cluster.untilRunning(leader.page);
  await cluster.untilInSync(load.topic, 3);
  expectNothingLost(await load.finish());
});

/** When the broker, woken at `resumedAtMs`, first said that it runs again after having said that it does not. */
function registeredAgainAtMs(statuses: TestTab["statuses"], resumedAtMs: number): number {
  const after = statuses.filter(({ atMs }) => atMs >= resumedAtMs);
  const fenced = after.findIndex(({ status }) => status.state !== "running");
  const registered = after.slice(fenced).find(({ status }) => status.state === "running");
  if (fenced < 0 || registered === undefined) throw new Error("the broker never noticed that it had been stopped");
  return registered.atMs;
}

/**
 * With acks=1 a record may be lost whenever leadership moves, by definition. So what such a producer was told counts
 * only where `mayBeLost` says no; elsewhere its outcome is taken for unknown.
 */
function distrust({ history, acks }: ProducerReport, mayBeLost: (ackedAtMs: number) => boolean): HistoryEvent[] {
  const acknowledged = history.filter((event): event is SendEvent => event.f === "send" && event.type === "ok");
  const ackedAtMs = new Map(acknowledged.map((event, index) => [event, acks[index]?.atMs ?? 0]));
  return history.map((event) => {
    if (event.f !== "send" || event.type !== "ok" || !mayBeLost(ackedAtMs.get(event) ?? 0)) return event;
    const { offset: _, ...send } = event;
    return { ...send, type: "info" };
  });
}
