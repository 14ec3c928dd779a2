import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import { ackGapMs } from "./ack-gap.ts";
import { test } from "./cluster-test.ts";
import { reportBeside, reportGoal } from "./group-goal.ts";
import { GroupTabs, SESSION_TIMEOUT_MS } from "./group-tabs.ts";
import type { MemberTab } from "./group-tabs.ts";
import type { MemberOptions, MemberState } from "./pages/group-member.ts";
import type { TestCluster } from "./test-cluster.ts";

/* Not part of the tests: `npm run figures`. A busy machine stands still by itself. */

const PARTITIONS = 6;
const QUIET_MS = 700;
const SHARINGS = ["cooperativeSticky", "consumer"] as const;
const GOALS = { closedMs: 300, killedMs: 500, gapMs: 100, manySettledMs: 5_000 };
const TRIALS = { closed: 7, killed: 5, rebalances: 6, many: 3 };
/** Of the coordinator, for members whose timings it sets (KIP-848). */
const CONSUMER_SESSION_TIMEOUT_MS = 45_000;
const MANY = { members: 50, partitions: 100 };

interface Stayed {
  readonly process: string;
  readonly partition: number;
}

/** A rebalance, what members went on reading meanwhile, and as long a time after it in which nothing happens. */
interface Rebalance {
  readonly fromMs: number;
  readonly toMs: number;
  readonly quietFromMs: number;
  readonly stayed: readonly Stayed[];
}

for (const sharing of SHARINGS) {
  test(`what a member had is read on by others: ${sharing}`, async ({ cluster }) => {
    test.setTimeout(400_000);
    const tabs = await GroupTabs.start(cluster);
    try {
      await produce(cluster, "handed-over", 3, 150);
      const others = [tabs.home, await tabs.open(), await tabs.open()];
      const goer = await tabs.open();
      const member = memberOf(sharing, "handed-over");
      const staying = others.map((_, index) => `stays ${index}`);
      for (const [index, tab] of others.entries()) await tabs.join(tab, [member(staying[index]!)]);
      let goers = 0;
      /** From the end of one more member to others having read something of all its partitions. */
      const trial = async (end: () => Promise<void>): Promise<number> => {
        const name = `goes ${goers++}`;
        await tabs.join(goer, [member(name)]);
        await tabs.settled([...staying, name], PARTITIONS);
        // Heartbeats are at another point each time.
        await sleep(QUIET_MS + Math.random() * 200);
        const { partitions } = await tabs.state(name);
        const fromMs = Date.now();
        await end();
        const tookMs = (await readOn(tabs, staying, partitions, fromMs)) - fromMs;
        await tabs.settled(staying, PARTITIONS);
        if (!goer.page.isClosed()) await goer.page.close();
        await tabs.reopen(goer);
        return tookMs;
      };
      const closed: number[] = [];
      while (closed.length < TRIALS.closed) closed.push(await trial(() => goer.page.close()));
      reportGoal(`${sharing}: from closing a member's page to others reading its partitions`, GOALS.closedMs, closed);

      const isClassic = sharing === "cooperativeSticky";
      const sessionMs = isClassic ? SESSION_TIMEOUT_MS : CONSUMER_SESSION_TIMEOUT_MS;
      const killed: number[] = [];
      while (killed.length < (isClassic ? TRIALS.killed : 1)) killed.push((await trial(() => kill(goer))) - sessionMs);
      reportGoal(`${sharing}: beyond the session of a member that was killed`, GOALS.killedMs, killed);
      expect(await tabs.errors()).toEqual([]);
    } finally {
      await tabs.close();
    }
  });
}

test("partitions that do not move are read on through a rebalance", async ({ cluster }) => {
  test.setTimeout(300_000);
  const tabs = await GroupTabs.start(cluster);
  try {
    // What waits for replicas to store it comes in bursts of its own, and so does what waits for each batch's commit.
    await produce(cluster, "steady", 1, 1_000);
    const other = await tabs.open();
    for (const sharing of SHARINGS) {
      const member = (process: string) => ({ ...memberOf(sharing, "steady")(process), commitIntervalMs: 1_000 });
      const [a, b] = [`${sharing} a`, `${sharing} b`];
      await tabs.join(tabs.home, [member(a)]);
      await tabs.join(other, [member(b)]);
      await tabs.settled([a, b], PARTITIONS);
      await sleep(QUIET_MS);
      const rebalances: Rebalance[] = [];
      const rebalance = async (doIt: () => Promise<unknown>) => {
        const before = await tabs.states([a, b]);
        const fromMs = Date.now();
        await doIt();
        const toMs = Date.now();
        const isStaying = stayed(before, await tabs.states([a, b]));
        await sleep(QUIET_MS);
        const quietFromMs = Date.now();
        // It is asked as often as while it is waited for that the group has settled.
        while (Date.now() < quietFromMs + toMs - fromMs) {
          await tabs.states([a, b]);
          await sleep(50);
        }
        rebalances.push({ fromMs, toMs, quietFromMs, stayed: isStaying });
      };
      for (let round = 0; round < TRIALS.rebalances; round++) {
        const c = `${sharing} c${round}`;
        await rebalance(async () => {
          await tabs.join(other, [member(c)]);
          await tabs.settled([a, b, c], PARTITIONS);
        });
        await rebalance(async () => {
          await other.page.evaluate((process) => window.groupTab.leave(process), c);
          await tabs.settled([a, b], PARTITIONS);
        });
      }
      for (const [tab, process] of [[tabs.home, a], [other, b]] as const) {
        await tab.page.evaluate((name) => window.groupTab.leave(name), process);
      }
      const read = new Map([[a, await tabs.readAtMs(a)], [b, await tabs.readAtMs(b)]]);
      const longestGap = ({ stayed: those }: Rebalance, fromMs: number, toMs: number) =>
        Math.max(...those.map(({ process, partition }) => gapMs(read.get(process)![partition]!, fromMs, toMs)));
      const during = rebalances.map((one) => longestGap(one, one.fromMs, one.toMs));
      const quiet = rebalances.map((one) => longestGap(one, one.quietFromMs, one.quietFromMs + one.toMs - one.fromMs));
      reportBeside(`${sharing}: longest gap in partitions that stay`, GOALS.gapMs, during, quiet);
    }
    const produced = await cluster.client.evaluate(() => window.testTab.stopProducer("client"));
    expect(produced.errors).toEqual([]);
    expect(await tabs.errors()).toEqual([]);
  } finally {
    await tabs.close();
  }
});

test("fifty members in three tabs share a hundred partitions", async ({ cluster }) => {
  test.setTimeout(300_000);
  const tabs = await GroupTabs.start(cluster);
  try {
    const pages = [tabs.home, await tabs.open(), await tabs.open()];
    await cluster.createTopic("many", MANY.partitions, 1);
    await cluster.untilInSync("many", 1);
    for (const sharing of SHARINGS) {
      const settled: number[] = [];
      while (settled.length < TRIALS.many) {
        const member = memberOf(sharing, "many", `many ${sharing} ${settled.length}`);
        const names = Array.from({ length: MANY.members }, (_, index) => `${sharing} ${settled.length} ${index}`);
        const shares = pages.map((_, page) => names.filter((_, index) => index % pages.length === page));
        await Promise.all(pages.map((tab, page) => tabs.join(tab, shares[page]!.map(member))));
        const joinedAtMs = Date.now();
        settled.push((await tabs.settled(names, MANY.partitions)) - joinedAtMs);
        const leave = (processes: string[]) => Promise.all(processes.map((one) => window.groupTab.leave(one)));
        await Promise.all(pages.map(({ page }, index) => page.evaluate(leave, shares[index]!)));
      }
      reportGoal(`${sharing}: fifty members settled after the last had joined`, GOALS.manySettledMs, settled);
    }
    expect(await tabs.errors()).toEqual([]);
  } finally {
    await tabs.close();
  }
});

function memberOf(sharing: MemberOptions["sharing"], topic: string, groupId = `${topic} ${sharing}`) {
  return (process: string): MemberOptions => {
    return { process, groupId, topic, sharing, sessionTimeoutMs: SESSION_TIMEOUT_MS };
  };
}

async function produce(cluster: TestCluster, topic: string, replicas: number, recordsPerSecond: number): Promise<void> {
  await cluster.createTopic(topic, PARTITIONS, replicas);
  await cluster.untilInSync(topic, replicas);
  const producer = { process: "client", topic, partitions: PARTITIONS, recordsPerSecond, acks: -1 } as const;
  await cluster.client.evaluate((wanted) => window.testTab.startProducer(wanted), producer);
}

async function kill({ profile }: MemberTab): Promise<void> {
  for (const pid of (await profile?.rendererPids()) ?? []) process.kill(pid, "SIGKILL");
}

/** When the last of the partitions was first read by one of the members after `fromMs`, since 1970. */
async function readOn(
  tabs: GroupTabs,
  members: readonly string[],
  partitions: readonly number[],
  fromMs: number,
): Promise<number> {
  for (;;) {
    // Asking takes time of those who are to read.
    await sleep(500);
    const reads = await Promise.all(members.map((process) => tabs.readAtMs(process)));
    const first = (partition: number) =>
      Math.min(...reads.flatMap((byPartition) => byPartition[partition]?.find((atMs) => atMs > fromMs) ?? []));
    const last = Math.max(...partitions.map(first));
    if (last < Infinity) return last;
    if (Date.now() - fromMs > 2 * CONSUMER_SESSION_TIMEOUT_MS) throw new Error("nobody reads on what a member had");
  }
}

/** The partitions that their members had before and have now. */
function stayed(before: readonly MemberState[], after: readonly MemberState[]): readonly Stayed[] {
  const both = before.flatMap(({ process, partitions }, index) =>
    partitions.filter((one) => after[index]!.partitions.includes(one)).map((partition) => ({ process, partition })),
  );
  expect(both.length).toBeGreaterThan(0);
  return both;
}

/** The longest between two of these times, from the last one before `fromMs` to the first one after `toMs`. */
function gapMs(times: readonly number[], fromMs: number, toMs: number): number {
  const end = times.find((atMs) => atMs > toMs) ?? toMs;
  return ackGapMs(times.filter((atMs) => atMs <= end).map((atMs) => ({ partition: "", atMs })), "", fromMs);
}
