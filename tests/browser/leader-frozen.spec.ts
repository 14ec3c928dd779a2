import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import type { SendEvent } from "../history/history.ts";
import { ackGapMs } from "./ack-gap.ts";
import { report, test } from "./cluster-test.ts";
import { Load } from "./load.ts";
import type { ProducerReport } from "./pages/steady-producer.ts";
import { expectNothingLost } from "./verdict.ts";

/** Longer than a broker's session. */
const FROZEN_MS = 12_000;
/** A signal to stop takes a moment to act. */
const SLACK_MS = 200;

test("a leader stopped for longer than its session says nothing that counts before it registers again", async ({
  cluster,
}) => {
  const load = await Load.start(cluster);
  const { topic, partitions } = load;
  const leader = await cluster.leaderOf(topic, 0);
  // A producer and a consumer in the leader's own tab, whose next hop is that broker: they wake together with it and
  // ask it at once, before anybody could have told it that it is no leader any more. With acks=1 it might agree.
  const local = { process: "local", topic, partitions, recordsPerSecond: 100, acks: 1 } as const;
  const localTail = { process: "local tail", topic, partitions };
  await leader.page.evaluate((options) => window.testTab.startConsumer(options), localTail);
  await leader.page.evaluate((options) => window.testTab.startProducer(options), local);
  await sleep(1_000);

  const renderers = await leader.profile.rendererPids();
  const stoppedAtMs = Date.now();
  for (const pid of renderers) process.kill(pid, "SIGSTOP");
  await sleep(FROZEN_MS);
  const resumedAtMs = Date.now();
  for (const pid of renderers) process.kill(pid, "SIGCONT");
  report("acknowledgement gap when the leader is stopped", ackGapMs(await load.acks(), `${topic}-0`, stoppedAtMs));

  await cluster.untilRunning(leader.page);
  await sleep(2_000);
  const produced = await leader.page.evaluate(() => window.testTab.stopProducer("local"));
  const read = await leader.page.evaluate(() => window.testTab.stopConsumer("local tail"));
  await cluster.untilInSync(topic, 3);

  // What acks=1 acknowledged before the stop may be lost, by its definition; nothing after it may be.
  const localHistory = produced.history.map((event) => {
    if (event.f !== "send" || event.type !== "ok") return event;
    const { offset: _, ...send } = event;
    return ackedAtMs(produced, event) < stoppedAtMs + SLACK_MS ? { ...send, type: "info" as const } : event;
  });
  const acknowledgedAfter = produced.acks.filter(({ atMs }) => atMs >= resumedAtMs).length;
  expect(acknowledgedAfter).toBeGreaterThan(0);
  expectNothingLost(await load.finish([...localHistory, ...read.history]));
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

function ackedAtMs({ history, acks }: ProducerReport, ok: SendEvent): number {
  const index = history.filter((event) => event.f === "send" && event.type === "ok").indexOf(ok);
  return acks[index]?.atMs ?? 0;
}
