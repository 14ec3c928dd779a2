import { withBenchCluster } from "../bench-cluster.ts";
import type { BenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";
import { MeasuredRounds } from "../measured-rounds.ts";
import { CHAIN } from "../raw-names.ts";
import { percentile } from "../statistics.ts";
import { measureDelays, rawPages } from "./raw.ts";
import type { RawPages } from "./raw.ts";

const RATES = [100, 1_000, 5_000];
const ROUND_SECONDS = 2;
/** Records at the beginning of a round that pay for connections. */
const WARM_UP_SHARE = 0.2;

const CHAIN_MESSAGE = { messageBytes: 4096, everyMs: 4 };

/**
 * From `send` to the consumer's loop, beside what a round trip and a commit take in the same round, and beside as many
 * bytes that go the same way without Kafka.
 */
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
      await bareChain(cluster, pages);
      for (let round = 0; round < roundCount; round++) {
        await measureDelays(rounds, cluster, pages);
        let chained: readonly number[] = [];
        await rounds.measure(CHAIN, async () => {
          chained = await bareChain(cluster, pages);
          return percentile(chained, 0.5);
        });
        rounds.add({ ...CHAIN, name: CHAIN.name.replace("p50", "p99") }, percentile(chained, 0.99));
        for (const rate of RATES) {
          const at = { unit: "ms", better: "lower", durability: "RF 3, acks=all, strict" } as const;
          const name = `${rate.toLocaleString("en")} records/s`;
          let latencies: readonly number[] = [];
          const limit = rate === 1_000 ? { limit: CHAIN.name } : {};
          await rounds.measure({ ...at, ...limit, name: `${name}, p50` }, async () => {
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

async function bareChain(cluster: BenchCluster, { client, leader, followers }: RawPages): Promise<readonly number[]> {
  const options = { ...CHAIN_MESSAGE, count: (ROUND_SECONDS * 1000) / CHAIN_MESSAGE.everyMs };
  const all = await cluster.raw.chain(client, leader, followers, options);
  return all.slice(Math.round(all.length * WARM_UP_SHARE));
}
