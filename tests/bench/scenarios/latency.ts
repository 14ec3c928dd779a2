import { withBenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";
import { MeasuredRounds } from "../measured-rounds.ts";
import { percentile } from "../statistics.ts";
import { measureDelays, rawPages } from "./raw.ts";

const RATES = [100, 1_000, 5_000];
const ROUND_SECONDS = 2;
/** Records at the beginning of a round that pay for connections. */
const WARM_UP_SHARE = 0.2;

/** From `send` to the consumer's loop, beside what a round trip and a commit take in the same round. */
export async function latency(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  await withBenchCluster(3, async (cluster) => {
    const rounds = new MeasuredRounds(cluster);
    const pages = rawPages(cluster);
    await cluster.withTopic({ partitions: 1, replicationFactor: 3 }, async ({ topic }) => {
      const measured = async (recordsPerSecond: number) => {
        const options = { topic, records: recordsPerSecond * ROUND_SECONDS, recordsPerSecond };
        const all = await cluster.client.page.evaluate((wanted) => window.bench.latencies(wanted), options);
        return all.slice(Math.round(all.length * WARM_UP_SHARE));
      };
      await measured(1_000);
      for (let round = 0; round < roundCount; round++) {
        await measureDelays(rounds, cluster, pages);
        for (const rate of RATES) {
          const at = { unit: "ms", better: "lower", durability: "RF 3, acks=all, strict" } as const;
          const name = `${rate.toLocaleString("en")} records/s`;
          let latencies: readonly number[] = [];
          await rounds.measure({ ...at, name: `${name}, p50` }, async () => {
            latencies = await measured(rate);
            return percentile(latencies, 0.5);
          });
          rounds.add({ ...at, name: `${name}, p99` }, percentile(latencies, 0.99));
        }
      }
    });
    rounds.record(recorder);
  });
}
