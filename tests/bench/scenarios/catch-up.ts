import type { BenchCluster } from "../bench-cluster.ts";
import { withBenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";
import { RAW_CHANNEL } from "../raw-names.ts";
import type { Tab } from "../../browser/test-cluster.ts";

const TOPIC = "catch-up";
const RECORDS = 100_000;
const RECORD_BYTES = 512;
const MIB = 1 << 20;
const RAW_BYTES = 16 * MIB;
const RAW_MESSAGE_BYTES = 64 << 10;
const TIMEOUT_MS = 120_000;

/**
 * Fresh tabs, each in a profile of its own, copy a partition from its leader, one after the other. At the end the
 * leader goes, and what the last follower has copied is read from it and checked.
 */
export async function catchUp(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  await withBenchCluster(1, async (cluster) => {
    const { client, brokers } = cluster.tabs;
    const [leader] = brokers;
    if (leader === undefined) throw new Error("there is no leader");
    const shape = { partitions: 1, replicationFactor: roundCount + 1 };
    await client.evaluate(([topic, wanted]) => window.bench.createTopic(topic, wanted), [TOPIC, shape] as const);
    const corpus = { kind: "random", records: RECORDS, recordBytes: RECORD_BYTES } as const;
    const bulk = { topic: TOPIC, partitions: 1, corpus, acks: -1, compression: "None" } as const;
    await client.evaluate((options) => window.bench.produce(options), bulk);
    const raw: number[] = [];
    const copied: number[] = [];
    for (let round = 0; round < roundCount; round++) {
      const follower = await cluster.addBroker(`follower ${round}`);
      copied.push(await copySpeed(cluster, follower));
      raw.push(await cluster.raw.stream(leader, follower, RAW_BYTES, RAW_MESSAGE_BYTES));
      if (round < roundCount - 1) await leave(cluster, follower);
    }
    await leave(cluster, leader);
    await cluster.tabs.untilPartitions(TOPIC, ([first]) => first !== undefined && first.leader >= 0);
    const wanted = { topic: TOPIC, records: RECORDS, recordBytes: RECORD_BYTES };
    await client.evaluate((options) => window.bench.consume(options), wanted);
    recorder.figure({ ...RAW_CHANNEL, rounds: raw });
    const figure = { name: "fresh follower", unit: "MiB/s", better: "higher", limit: RAW_CHANNEL.name } as const;
    recorder.figure({ ...figure, rounds: copied, durability: "strict" });
  });
}

/**
 * From the first bytes that the follower reports to the last report before it has everything: the reports come a few
 * times a second, and what lies between two of them must not count.
 */
async function copySpeed(cluster: BenchCluster, follower: Tab): Promise<number> {
  await cluster.tabs.untilInSync(TOPIC, 2, TIMEOUT_MS);
  const reports = await follower.page.evaluate(() =>
    window.testTab.statuses.map(({ atMs, status }) => ({ atMs, bytes: status.replicatedBytes })),
  );
  const all = reports.at(-1)?.bytes ?? 0;
  const underWay = reports.filter(({ bytes }) => bytes > 0 && bytes < all);
  const [first, last] = [underWay[0], underWay.at(-1)];
  if (first === undefined || last === undefined || first === last) {
    throw new Error("the follower was too fast to be watched: let it copy more");
  }
  return (last.bytes - first.bytes) / MIB / ((last.atMs - first.atMs) / 1000);
}

async function leave(cluster: BenchCluster, tab: Tab): Promise<void> {
  cluster.tabs.brokers.splice(cluster.tabs.brokers.indexOf(tab), 1);
  await tab.page.close();
  await tab.profile.close();
}
