import { setTimeout as sleep } from "node:timers/promises";
import { withBenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";
import { percentile } from "../statistics.ts";
import { WorkerSession } from "../worker-session.ts";

const BYTES_PER_SECOND = 5_000_000;
const BYTES_PER_MB = 1_000_000;
/** Two cores carry that rate in records of this size from the leader's own tab, and not in small ones or from another. */
const RECORD_BYTES = 10_240;
const SAMPLE_MS = 1_000;
/** In which caches fill, before the first heap is taken that the last one is held against. */
const WARM_UP_SHARE = 0.25;

/** The heap of the leader's worker under a steady load, with all that waits to be collected, and its growth without. */
export async function memory(recorder: Recorder, { memoryMinutes }: ScenarioOptions): Promise<void> {
  await withBenchCluster(3, async (cluster) => {
    await cluster.withTopic({ partitions: 1, replicationFactor: 3 }, async ({ topic, leader }) => {
      const durationMs = memoryMinutes * 60_000;
      const worker = await WorkerSession.attach(leader.page, "broker.worker");
      const options = { topic, bytesPerSecond: BYTES_PER_SECOND, recordBytes: RECORD_BYTES, durationMs };
      const produced = leader.page.evaluate((wanted) => window.bench.produceSteadily(wanted), options);
      const startMs = performance.now();
      const samples: number[] = [];
      let early: number | undefined;
      while (performance.now() - startMs < durationMs - SAMPLE_MS) {
        await sleep(SAMPLE_MS);
        samples.push(await worker.heapMib());
        if (early === undefined && performance.now() - startMs > durationMs * WARM_UP_SHARE) early = await live(worker);
      }
      const growth = (await live(worker)) - (early ?? Number.NaN);
      const { records, elapsedMs } = await produced;
      const read = { topic, records, recordBytes: RECORD_BYTES };
      await cluster.client.page.evaluate((wanted) => window.bench.consume(wanted), read);
      const durability = `RF 3, acks=all, strict, ${memoryMinutes} min`;
      const rate = (records * RECORD_BYTES) / BYTES_PER_MB / (elapsedMs / 1000);
      recorder.figure({ name: "load that was carried", unit: "MB/s", better: "higher", durability, rounds: [rate] });
      const figure = { unit: "MiB", better: "lower", durability } as const;
      recorder.figure({ ...figure, name: "heap of the leader's worker, most", rounds: [Math.max(...samples)] });
      recorder.figure({ ...figure, name: "heap of the leader's worker, median", rounds: [percentile(samples, 0.5)] });
      recorder.figure({ ...figure, name: "growth of what cannot be collected", rounds: [growth] });
    });
  });
}

async function live(worker: WorkerSession): Promise<number> {
  await worker.collectGarbage();
  return await worker.heapMib();
}
