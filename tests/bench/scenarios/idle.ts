import { setTimeout as sleep } from "node:timers/promises";
import { cpuSecondsOf, withBenchCluster } from "../bench-cluster.ts";
import type { BenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";
import { serverTraffic } from "../server-traffic.ts";

const SETTLE_MS = 5_000;
const ROUND_MS = 5_000;

interface Used {
  readonly seconds: number;
  readonly processor: number;
  readonly bytes: number;
}

/** Three broker tabs that hold a replicated topic and have nothing to do. */
export async function idle(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  await withBenchCluster(3, async (cluster) => {
    await cluster.withTopic({ partitions: 6, replicationFactor: 3 }, async () => {
      const tabs = cluster.tabs.brokers.length;
      // The client of the bench talks to the server, too.
      const talking = tabs + 1;
      const processor: number[] = [];
      const traffic: number[] = [];
      await sleep(SETTLE_MS);
      for (let round = 0; round < roundCount; round++) {
        const before = await used(cluster);
        await sleep(ROUND_MS);
        const after = await used(cluster);
        const seconds = after.seconds - before.seconds;
        processor.push((100 * (after.processor - before.processor)) / seconds / tabs);
        traffic.push((after.bytes - before.bytes) / seconds / talking);
      }
      const lower = { better: "lower", durability: "RF 3, six partitions, nothing produced" } as const;
      recorder.figure({ ...lower, name: "processor of one tab", unit: "% of a core", rounds: processor });
      recorder.figure({ ...lower, name: "traffic with the server", unit: "B/s", rounds: traffic });
    });
  });
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
