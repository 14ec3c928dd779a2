import { afterEach, expect, test, vi } from "vitest";
import { LiveCluster } from "../client/live-cluster.ts";

const NIGHT_MS = 8 * 60 * 60 * 1000;

afterEach(() => void vi.restoreAllMocks());

test("a broker tells the time of day after its machine has slept, though the monotonic clock stood still", async () => {
  const cluster = new LiveCluster();
  await cluster.start(1);
  const kafka = cluster.kafka();
  await using admin = kafka.admin();
  await admin.connect();
  const configEntries = [{ name: "message.timestamp.type", value: "LogAppendTime" }];
  await admin.createTopics({ topics: [{ topic: "quakes", configEntries }] });
  await using producer = kafka.producer();
  await producer.connect();
  const appended = async () => {
    const [sent] = await producer.send({ topic: "quakes", messages: [{ value: "x" }] });
    return Number(sent!.logAppendTime);
  };
  const evening = Date.now();
  const before = await appended();
  const now = Date.now;
  vi.spyOn(Date, "now").mockImplementation(() => now() + NIGHT_MS);
  const after = await appended();
  expect(before - evening).toBeLessThan(60_000);
  expect(after - before).toBeGreaterThanOrEqual(NIGHT_MS);
  await cluster.stop();
});
