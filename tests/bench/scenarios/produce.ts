import type { BenchCluster } from "../bench-cluster.ts";
import { withBenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";
import { MeasuredRounds } from "../measured-rounds.ts";
import type { BulkOptions, BulkResult } from "../pages/bulk-producer.ts";
import type { CorpusShape } from "../pages/corpus.ts";
import { RAW_CHANNEL, RAW_FORWARDING } from "../raw-names.ts";
import { bestMessageSizes, channelSpeed, forwardedSpeed, rawPages } from "./raw.ts";

const MIB = 1 << 20;
const ROUND_BYTES = 8 * MIB;
const JSON_RECORDS = 12_000;
const MANY_PARTITIONS = 12;

type Codec = BulkOptions["compression"];

interface Load {
  readonly what: string;
  readonly corpus: CorpusShape;
  readonly replicationFactor: 1 | 3;
  readonly partitions: number;
  readonly codec: Codec;
  /** The page that produces. */
  readonly from: "other tab" | "leader's tab";
}

const SIZES = [
  { name: "100 B", recordBytes: 100 },
  { name: "1 KiB", recordBytes: 1024 },
  { name: "10 KiB", recordBytes: 10_240 },
];

const CODECS: readonly Codec[] = ["None", "GZIP", "Snappy", "LZ4", "ZSTD"];

function random(recordBytes: number): CorpusShape {
  return { kind: "random", records: Math.floor(ROUND_BYTES / recordBytes), recordBytes };
}

const LOADS: readonly Load[] = ([1, 3] as const).flatMap((replicationFactor) => {
  const usual = { replicationFactor, partitions: 1, codec: "None", from: "other tab" } as const;
  const kib = { ...usual, what: "1 KiB", corpus: random(1024) };
  return [
    ...SIZES.map(({ name, recordBytes }) => ({ ...usual, what: name, corpus: random(recordBytes) })),
    { ...kib, what: `1 KiB, ${MANY_PARTITIONS} partitions`, partitions: MANY_PARTITIONS },
    { ...kib, what: "1 KiB, leader's own tab", from: "leader's tab" as const },
    ...(replicationFactor === 1 ? [] : CODECS).map((codec) => ({
      ...usual,
      what: `JSON, ${codec === "None" ? "no codec" : codec.toLowerCase()}`,
      corpus: { kind: "json", records: JSON_RECORDS, recordBytes: 0 } as const,
      codec,
    })),
  ];
});

/** Records from one page to the leader, beside what bare data channels of the same pages carry in the same round. */
export async function produce(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  await withBenchCluster(3, async (cluster) => {
    const pages = rawPages(cluster);
    const sizes = await bestMessageSizes(cluster, pages);
    recorder.note(`fastest raw messages: ${sizes.channel >> 10} KiB, forwarded ${sizes.forwarded >> 10} KiB`);
    const rounds = new MeasuredRounds(cluster);
    // Code is compiled where it runs first, which no round is to pay for.
    for (const load of LOADS.filter(({ what }) => what === "1 KiB")) await produceOnce(cluster, load);
    for (let round = 0; round < roundCount; round++) {
      await rounds.measure(RAW_CHANNEL, () => channelSpeed(cluster, pages, sizes.channel));
      await rounds.measure(RAW_FORWARDING, () => forwardedSpeed(cluster, pages, sizes.forwarded));
      for (const load of LOADS) await measureLoad(rounds, cluster, load);
    }
    rounds.record(recorder);
  });
}

export function produceName({ replicationFactor, what }: Pick<Load, "replicationFactor" | "what">): string {
  return `RF ${replicationFactor}, acks=${acksOf(replicationFactor) === 1 ? "1" : "all"}, ${what}`;
}

async function measureLoad(rounds: MeasuredRounds, cluster: BenchCluster, load: Load): Promise<void> {
  const limit = load.replicationFactor === 1 ? RAW_CHANNEL.name : RAW_FORWARDING.name;
  const speed = { unit: "MiB/s", better: "higher", durability: "strict" } as const;
  const description = { ...speed, name: produceName(load), limit };
  await rounds.measure(description, async () => {
    const { bytes, elapsedMs } = await produceOnce(cluster, load);
    return bytes / MIB / (elapsedMs / 1000);
  });
}

async function produceOnce(cluster: BenchCluster, load: Load): Promise<BulkResult> {
  const { replicationFactor, partitions, corpus, codec } = load;
  return await cluster.withTopic({ partitions, replicationFactor }, async ({ topic, leader }) => {
    const options = { topic, partitions, corpus, acks: acksOf(replicationFactor), compression: codec };
    const page = load.from === "other tab" ? cluster.client.page : leader.page;
    return await page.evaluate((bulk) => window.bench.produce(bulk), options);
  });
}

function acksOf(replicationFactor: 1 | 3): 1 | -1 {
  return replicationFactor === 1 ? 1 : -1;
}
