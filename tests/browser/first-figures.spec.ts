import { expect } from "@playwright/test";
import type { Page } from "playwright";
import { test } from "./cluster-test.ts";
import { TestCluster } from "./test-cluster.ts";

/**
 * Two first figures, beside what the browser itself can do in the same run. Not part of the tests: `npm run figures`.
 */
const MIB = 1 << 20;
const RECORD_BYTES = 1024;
const BULK_BYTES = 96 * MIB;
const RAW_MESSAGE_BYTES = 64 << 10;
const LATENCY_RECORDS = 2_000;
const ROUNDS = 3;

test("1 KiB records to a leader in another tab, beside a bare data channel", async () => {
  test.setTimeout(300_000);
  const cluster = await TestCluster.start({ brokers: 1 });
  try {
    await cluster.createTopic("bulk", 1, 1);
    await cluster.client.goto(`${cluster.server.url}/figures.html`);
    const other = await cluster.brokers[0]?.profile.context.newPage();
    if (other === undefined) throw new Error("there is no broker tab");
    await other.goto(`${cluster.server.url}/figures.html`);
    const raw: number[] = [];
    const produced: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      raw.push(await rawMegabytesPerSecond(cluster.client, other));
      const options = { topic: "bulk", records: BULK_BYTES / RECORD_BYTES, recordBytes: RECORD_BYTES };
      const elapsedMs = await cluster.client.evaluate((bulk) => window.figures.produce(bulk), options);
      produced.push(BULK_BYTES / MIB / (elapsedMs / 1000));
    }
    console.table({
      "bare data channel, worker to worker, MiB/s": figures(raw),
      "1 KiB records, acks=1, MiB/s": figures(produced),
      "share of the bare channel": figures(produced.map((value, round) => value / (raw[round] ?? Number.NaN))),
    });
    expect(median(produced) / median(raw)).toBeGreaterThan(0.5);
  } finally {
    await cluster.close();
  }
});

test("end-to-end latency at 100 records/s, three replicas, acks=all", async ({ cluster }) => {
  await cluster.createTopic("latency", 1, 3);
  await cluster.untilInSync("latency", 3);
  await cluster.client.goto(`${cluster.server.url}/figures.html`);
  const options = { topic: "latency", records: LATENCY_RECORDS, recordsPerSecond: 100 };
  const flushes = await cluster.client.evaluate(() => window.figures.flushes(500));
  const latencies = await cluster.client.evaluate((wanted) => window.figures.latencies(wanted), options);
  // The first records pay for connections and compilation.
  const steady = percentiles(latencies.slice(LATENCY_RECORDS / 10));
  console.table({
    "one flush of IndexedDB to the disk, ms": percentiles(flushes),
    "end-to-end latency, two such flushes included, ms": steady,
  });
  expect(steady.p50).toBeLessThanOrEqual(10);
});

function percentiles(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1));
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(0.9999) };
}

async function rawMegabytesPerSecond(from: Page, to: Page): Promise<number> {
  const offer = await from.evaluate(() => window.figures.newRawChannel().offer());
  const answer = await to.evaluate((sdp) => window.figures.newRawChannel().answer(sdp), offer);
  await from.evaluate((sdp) => window.raw.accept(sdp), answer);
  const counted = to.evaluate((total) => window.raw.count(total), BULK_BYTES);
  const sizes = [BULK_BYTES, RAW_MESSAGE_BYTES] as const;
  await from.evaluate(([total, message]) => window.raw.send(total, message), sizes);
  return BULK_BYTES / MIB / ((await counted) / 1000);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function figures(values: readonly number[]) {
  const rounded = values.map((value) => Number(value.toFixed(2)));
  return { median: median(rounded), rounds: rounded.join(" · ") };
}
