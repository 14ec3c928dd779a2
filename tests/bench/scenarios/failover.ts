import { setTimeout as sleep } from "node:timers/promises";
import { ackGapMs } from "../../browser/ack-gap.ts";
import { Load } from "../../browser/load.ts";
import type { Tab, TestCluster } from "../../browser/test-cluster.ts";
import { withBenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";

/** Of each kind, for each round: three times ten in a usual run. */
const EACH = 2;
const RECORDS_PER_SECOND = 200;
const STEADY_MS = 300;
const AFTERWARDS_MS = 300;
const TIMEOUT_MS = 30_000;

/** Takes a broker away; what it returns brings it back. */
type Fault = (tab: Tab, cluster: TestCluster) => Promise<() => Promise<void>>;

const FAULTS: readonly (readonly [name: string, fault: Fault])[] = [
  ["tab closed", async (tab, cluster) => {
    await tab.page.close();
    return () => cluster.becomeBroker(tab);
  }],
  ["browser killed", async (tab, cluster) => {
    await tab.profile.kill();
    return async () => {
      await tab.profile.start();
      await cluster.becomeBroker(tab);
    };
  }],
  ["tab frozen", async (tab, cluster) => {
    const renderers = await tab.profile.rendererPids();
    for (const pid of renderers) process.kill(pid, "SIGSTOP");
    return async () => {
      for (const pid of renderers) process.kill(pid, "SIGCONT");
      await cluster.untilRunning(tab.page);
    };
  }],
];

/** How long a producer with acks=all goes without an acknowledgement when the leader goes, over many such losses. */
export async function failover(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  await withBenchCluster(3, async ({ tabs: cluster }) => {
    const load = await Load.start(cluster, { partitions: 1, recordsPerSecond: RECORDS_PER_SECOND });
    const gaps = new Map<string, number[]>(FAULTS.map(([name]) => [name, []]));
    for (let round = 0; round < EACH * roundCount; round++) {
      for (const [name, fault] of FAULTS) gaps.get(name)?.push(await gapOf(fault, cluster, load));
    }
    const { verdict, errors, acks, sent } = await load.finish();
    if (verdict.anomalies.length > 0) throw new Error(`anomalies: ${JSON.stringify(verdict.anomalies.slice(0, 5))}`);
    if (errors.length > 0) throw new Error(`${errors.length} errors, the first: ${errors[0]}`);
    if (acks.length !== sent) throw new Error(`${acks.length} of ${sent} records are acknowledged`);
    recorder.note(`${sent} records, all of them acknowledged, and read in order`);
    for (const [name, rounds] of gaps) {
      recorder.figure({ name, unit: "ms", better: "lower", rounds, durability: "RF 3, acks=all, strict" });
    }
  });
}

async function gapOf(fault: Fault, cluster: TestCluster, load: Load): Promise<number> {
  await cluster.untilInSync(load.topic, 3, TIMEOUT_MS);
  await sleep(STEADY_MS);
  const leader = await cluster.leaderOf(load.topic, 0);
  const id = await cluster.brokerId(leader);
  const atMs = Date.now();
  const undo = await fault(leader, cluster);
  const isMoved = ([first]: readonly { readonly leader: number }[]) =>
    first !== undefined && first.leader >= 0 && first.leader !== id;
  await cluster.untilPartitions(load.topic, isMoved, TIMEOUT_MS);
  let gapMs = Number.POSITIVE_INFINITY;
  for (const deadline = Date.now() + TIMEOUT_MS; !Number.isFinite(gapMs) && Date.now() < deadline; ) {
    await sleep(AFTERWARDS_MS);
    gapMs = ackGapMs(await load.acks(), `${load.topic}-0`, atMs);
  }
  await undo();
  return gapMs;
}
