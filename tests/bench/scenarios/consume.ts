import { withBenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";
import { MeasuredRounds } from "../measured-rounds.ts";

const SIZES = [
  { name: "100 B", recordBytes: 100, records: 200_000 },
  { name: "1 KiB", recordBytes: 1024, records: 20_000 },
];

/** Reading a partition from its beginning, in the tab that leads it and in another. */
export async function consume(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  await withBenchCluster(1, async (cluster) => {
    const rounds = new MeasuredRounds(cluster);
    for (const { name, records, recordBytes } of SIZES) {
      await cluster.withTopic({ partitions: 1, replicationFactor: 1 }, async ({ topic, leader }) => {
        const corpus = { kind: "random", records, recordBytes } as const;
        const bulk = { topic, partitions: 1, corpus, acks: -1, compression: "None" } as const;
        await cluster.client.page.evaluate((options) => window.bench.produce(options), bulk);
        // The first round compiles the code, and counts for nothing.
        for (let round = 0; round <= roundCount; round++) {
          for (const [where, page] of [["own replica", leader.page], ["another tab's", cluster.client.page]] as const) {
            const perSecond = { unit: "records/s", better: "higher", durability: "strict" } as const;
            const figure = { ...perSecond, name: `${where}, ${name}` };
            const read = async () => {
              const options = { topic, records, recordBytes };
              const { elapsedMs } = await page.evaluate((wanted) => window.bench.consume(wanted), options);
              return records / (elapsedMs / 1000);
            };
            if (round === 0) await read();
            else await rounds.measure(figure, read);
          }
        }
      });
    }
    rounds.record(recorder);
  });
}
