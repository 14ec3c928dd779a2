import type { BenchCluster } from "../bench-cluster.ts";
import { withBenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";
import { MeasuredRounds } from "../measured-rounds.ts";
import { COMMIT, RAW_CHANNEL, RAW_FORWARDING, ROUND_TRIP } from "../raw-names.ts";
import type { NamedPage } from "../raw-network.ts";
import { median } from "../statistics.ts";

const MIB = 1 << 20;
const STREAM_BYTES = 16 * MIB;
const MESSAGE_SIZES = [16 << 10, 64 << 10, 256 << 10];
const ROUND_TRIPS = 300;
const COMMITS = 200;
/** What a group commit of a broker under load looks like. */
const GROUP = { rows: 8, rowBytes: 256 << 10 };
const GROUPS = 12;

/** What the browser itself can do, between the same pages as the scenarios that are held against it. */
export async function raw(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  await withBenchCluster(3, async (cluster) => {
    const rounds = new MeasuredRounds(cluster);
    const pages = rawPages(cluster);
    await bestMessageSizes(cluster, pages);
    for (let round = 0; round < roundCount; round++) {
      for (const messageBytes of MESSAGE_SIZES) await measureChannels(rounds, cluster, pages, messageBytes);
      await measureDelays(rounds, cluster, pages);
      for (const durability of ["strict", "relaxed"] as const) {
        const speed = { unit: "MiB/s", better: "higher" } as const;
        const stored = { ...speed, name: `IndexedDB, 2 MiB a transaction, ${durability}` };
        await rounds.measure({ ...stored, durability }, async () => {
          const options = { ...GROUP, count: GROUPS, durability };
          const took = await pages.leader.page.evaluate((wanted) => window.bench.raw.commits(wanted), options);
          return (GROUP.rows * GROUP.rowBytes * GROUPS) / MIB / (took.reduce((sum, ms) => sum + ms, 0) / 1000);
        });
      }
    }
    rounds.record(recorder);
  });
}

export interface RawPages {
  readonly client: NamedPage;
  readonly leader: NamedPage;
  readonly followers: readonly NamedPage[];
}

export interface MessageSizes {
  readonly channel: number;
  readonly forwarded: number;
}

export function rawPages(cluster: BenchCluster): RawPages {
  const [leader, ...followers] = cluster.tabs.brokers;
  if (leader === undefined) throw new Error("there is no broker");
  return { client: cluster.client, leader, followers };
}

/** Tries each size twice, the first time to warm up, and names the fastest. */
export async function bestMessageSizes(cluster: BenchCluster, pages: RawPages): Promise<MessageSizes> {
  const channel = new Map<number, number>();
  const forwarded = new Map<number, number>();
  for (const size of [...MESSAGE_SIZES, ...MESSAGE_SIZES]) {
    channel.set(size, await channelSpeed(cluster, pages, size));
    forwarded.set(size, await forwardedSpeed(cluster, pages, size));
  }
  return { channel: fastest(channel), forwarded: fastest(forwarded) };
}

export async function channelSpeed(cluster: BenchCluster, pages: RawPages, messageBytes: number): Promise<number> {
  return await cluster.raw.stream(pages.client, pages.leader, STREAM_BYTES, messageBytes);
}

export async function forwardedSpeed(cluster: BenchCluster, pages: RawPages, messageBytes: number): Promise<number> {
  const { client, leader, followers } = pages;
  return await cluster.raw.forwarded(client, leader, followers, STREAM_BYTES, messageBytes);
}

/** One round of what an acknowledgement is made of. */
export async function measureDelays(rounds: MeasuredRounds, cluster: BenchCluster, pages: RawPages): Promise<void> {
  await rounds.measure(ROUND_TRIP, async () =>
    median(await cluster.raw.roundTrips(pages.client, pages.leader, ROUND_TRIPS)),
  );
  await rounds.measure(COMMIT, async () => {
    const options = { count: COMMITS, rows: 1, rowBytes: 1024, durability: "strict" } as const;
    return median(await pages.leader.page.evaluate((wanted) => window.bench.raw.commits(wanted), options));
  });
}

async function measureChannels(
  rounds: MeasuredRounds,
  cluster: BenchCluster,
  pages: RawPages,
  messageBytes: number,
): Promise<void> {
  const messages = `messages of ${messageBytes >> 10} KiB`;
  await rounds.measure({ ...RAW_CHANNEL, name: `${RAW_CHANNEL.name}, ${messages}` }, () =>
    channelSpeed(cluster, pages, messageBytes),
  );
  await rounds.measure({ ...RAW_FORWARDING, name: `${RAW_FORWARDING.name}, ${messages}` }, () =>
    forwardedSpeed(cluster, pages, messageBytes),
  );
}

function fastest(speeds: ReadonlyMap<number, number>): number {
  return [...speeds].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}
