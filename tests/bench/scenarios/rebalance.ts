import { setTimeout as sleep } from "node:timers/promises";
import { Load } from "../../browser/load.ts";
import type { Tab } from "../../browser/test-cluster.ts";
import { withBenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";
import type { MemberReport } from "../pages/group-member.ts";

const PARTITIONS = 6;
const RECORDS_PER_SECOND = 600;
const SETTLE_MS = 2_500;
const TIMEOUT_MS = 20_000;
const GROUP = "bench-group";

interface Pause {
  readonly firstRecordMs: number;
  readonly joinGapMs: number;
  readonly leaveGapMs: number;
}

/**
 * Two tabs read six partitions as a group; a third one joins, reads its share, and leaves. The gap is the longest time
 * in which nobody was handed a record of some partition.
 */
export async function rebalance(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  await withBenchCluster(3, async (cluster) => {
    const load = await Load.start(cluster.tabs, { partitions: PARTITIONS, recordsPerSecond: RECORDS_PER_SECOND });
    const [first, second, third] = cluster.tabs.brokers as [Tab, Tab, Tab];
    const reports: MemberReport[] = [];
    await Promise.all([first, second].map((tab) => join(tab, load.topic)));
    const pauses: Pause[] = [];
    for (let round = 0; round < roundCount; round++) {
      await sleep(SETTLE_MS);
      const joinedAtMs = Date.now();
      await join(third, load.topic);
      await untilReading(third);
      await sleep(SETTLE_MS);
      const leftAtMs = Date.now();
      const left = await leave(third);
      await sleep(SETTLE_MS);
      const members = [await report(first), await report(second), left];
      pauses.push({
        firstRecordMs: (left.reads[0]?.atMs ?? Number.NaN) - joinedAtMs,
        joinGapMs: longestGapMs(members, joinedAtMs, leftAtMs),
        leaveGapMs: longestGapMs(members, leftAtMs, leftAtMs + SETTLE_MS),
      });
      reports.push(left);
    }
    reports.push(await leave(first), await leave(second));
    await check(load, reports);
    const figure = { unit: "ms", better: "lower", durability: "RF 3, acks=all, strict" } as const;
    const record = (name: string, of: (pause: Pause) => number) =>
      recorder.figure({ ...figure, name, rounds: pauses.map(of) });
    record("joining to the first record", ({ firstRecordMs }) => firstRecordMs);
    record("longest gap when a tab joins", ({ joinGapMs }) => joinGapMs);
    record("longest gap when a tab leaves", ({ leaveGapMs }) => leaveGapMs);
  });
}

let members = 0;

async function join({ page }: Tab, topic: string): Promise<void> {
  const options = { process: `member ${members++}`, groupId: GROUP, topic };
  await page.evaluate((wanted) => window.bench.joinGroup(wanted), options);
}

async function report({ page }: Tab): Promise<MemberReport> {
  return await page.evaluate(() => window.bench.groupReport());
}

async function leave(tab: Tab): Promise<MemberReport> {
  await tab.page.evaluate(() => window.bench.leaveGroup());
  return await report(tab);
}

async function untilReading({ page }: Tab): Promise<void> {
  const reads = () => window.bench.groupReport().reads.length > 0;
  await page.waitForFunction(reads, undefined, { timeout: TIMEOUT_MS, polling: 20 });
}

function longestGapMs(reports: readonly MemberReport[], fromMs: number, toMs: number): number {
  const reads = reports.flatMap((member) => member.reads).filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  const gaps = Array.from({ length: PARTITIONS }, (_, partition) => {
    const times = reads.filter((read) => read.partition === partition).map(({ atMs }) => atMs);
    const ordered = [fromMs, ...times.toSorted((a, b) => a - b), toMs];
    return Math.max(...ordered.slice(1).map((atMs, index) => atMs - (ordered[index] ?? atMs)));
  });
  return Math.max(...gaps);
}

/** Together the members must have been handed every record, and the whole history must be sound. */
async function check(load: Load, reports: readonly MemberReport[]): Promise<void> {
  const history = reports.flatMap((member) => member.history);
  const read = new Set(history.flatMap((event) => (event.f === "poll" ? event.value : [])));
  const { verdict, errors } = await load.finish(history);
  if (verdict.anomalies.length > 0) throw new Error(`anomalies: ${JSON.stringify(verdict.anomalies.slice(0, 5))}`);
  if (errors.length > 0) throw new Error(`${errors.length} errors, the first: ${errors[0]}`);
  if (read.size === 0 || read.size > verdict.acknowledged) throw new Error(`${read.size} records are read`);
}
