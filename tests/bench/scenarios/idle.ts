import { setTimeout as sleep } from "node:timers/promises";
import type { Tab } from "../../browser/test-cluster.ts";
import { cpuSecondsOf, withBenchCluster } from "../bench-cluster.ts";
import type { BenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";
import { serverTraffic } from "../server-traffic.ts";

const TABS = 3;
/** For so long after it has loaded a page the browser collects garbage, optimizes code and writes its caches. */
const SETTLE_MS = 20_000;
const ROUND_MS = 8_000;

interface Used {
  readonly seconds: number;
  readonly processor: number;
  readonly bytes: number;
}

interface IdleRounds {
  /** Of one tab, in hundredths of a core. */
  readonly processor: number[];
  /** Bytes per second of all pages with the server. */
  readonly traffic: number[];
}

/**
 * Three broker tabs that hold a replicated topic and have nothing to do. Before that, in the same browsers, pages that
 * are clients and have nothing but an open data channel to each other: what the browser takes for that alone.
 */
export async function idle(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  await withBenchCluster(0, async (cluster) => {
    const tabs: Tab[] = [];
    for (let index = 0; index < TABS; index++) tabs.push(await cluster.addBrowser(`broker tab ${index}`));
    for (const [index, tab] of tabs.entries()) {
      for (const other of tabs.slice(index + 1)) await cluster.raw.roundTrips(tab, other, 1);
    }
    const bare = await measure(cluster, roundCount);
    for (const tab of tabs) await cluster.tabs.becomeBroker(tab);
    await cluster.withTopic({ partitions: 6, replicationFactor: TABS }, async () => {
      const { processor, traffic } = await measure(cluster, roundCount);
      // The client of the bench talks to the server, too.
      const perTab = traffic.map((bytes) => bytes / (TABS + 1));
      const channels = { unit: "% of a core", better: "lower", durability: "two data channels, not used" } as const;
      const lower = { better: "lower", durability: "RF 3, six partitions, nothing produced" } as const;
      recorder.figure({ ...channels, name: "processor of a bare page", rounds: bare.processor });
      recorder.figure({ ...lower, name: "processor of one tab", unit: "% of a core", rounds: processor });
      recorder.figure({ ...lower, name: "traffic with the server", unit: "B/s", rounds: perTab });
    });
  });
}

async function measure(cluster: BenchCluster, roundCount: number): Promise<IdleRounds> {
  const rounds: IdleRounds = { processor: [], traffic: [] };
  await sleep(SETTLE_MS);
  for (let round = 0; round < roundCount; round++) {
    const before = await used(cluster);
    await sleep(ROUND_MS);
    const after = await used(cluster);
    const seconds = after.seconds - before.seconds;
    rounds.processor.push((100 * (after.processor - before.processor)) / seconds / TABS);
    rounds.traffic.push((after.bytes - before.bytes) / seconds);
  }
  return rounds;
}

/** All processes of the brokers' browsers count, not only those that run the pages. */
async function used({ tabs: { brokers, server } }: BenchCluster): Promise<Used> {
  const spent = await Promise.all(brokers.map(({ page }) => cpuSecondsOf(page)));
  return {
    seconds: performance.now() / 1000,
    processor: spent.reduce((sum, value) => sum + value, 0),
    bytes: await serverTraffic(server.url),
  };
}
