import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import type { Page } from "playwright";
import { BrowserProfile } from "../cluster/browser-profile.ts";
import { GroupJournal } from "./group-journal.ts";
import { historyOf, judgeGroup } from "./group-verdict.ts";
import type { Expected } from "./group-verdict.ts";
import { Load } from "./load.ts";
import type { MemberOptions, MemberState } from "./pages/group-member.ts";
import type { TestCluster } from "./test-cluster.ts";
import { expectNothingLost } from "./verdict.ts";

export interface GroupOptions {
  readonly groupId: string;
  readonly partitions: number;
  readonly assigner: MemberOptions["assigner"];
  readonly recordsPerSecond: number;
}

/** A page with members; it may be closed and opened again. */
export interface MemberTab {
  readonly profile: BrowserProfile | undefined;
  page: Page;
}

/** The least that a broker allows. */
export const SESSION_TIMEOUT_MS = 6_000;

const COMMITTED_INTERVAL_MS = 250;
const SETTLE_TIMEOUT_MS = 30_000;

/** A group on a topic that is steadily produced to, and everything that its members do. */
export class GroupRig {
  readonly cluster: TestCluster;
  readonly options: GroupOptions;
  readonly load: Load;
  readonly journal: GroupJournal;
  /** In the client's profile; it also asks for committed offsets. */
  readonly home: MemberTab;
  readonly #tabs: MemberTab[] = [];
  /** Where each member is. */
  readonly #members = new Map<string, MemberTab>();
  readonly #watch = new AbortController();
  readonly #committed: number[][] = [];
  #watching: Promise<void> = Promise.resolve();

  private constructor(cluster: TestCluster, options: GroupOptions, load: Load, journal: GroupJournal, home: MemberTab) {
    this.cluster = cluster;
    this.options = options;
    this.load = load;
    this.journal = journal;
    this.home = home;
  }

  static async start(cluster: TestCluster, options: GroupOptions): Promise<GroupRig> {
    const journal = await GroupJournal.start();
    const { partitions, recordsPerSecond } = options;
    const load = await Load.start(cluster, { topic: "shared", partitions, recordsPerSecond });
    const page = await openPage(cluster, await cluster.client.context().newPage(), "home");
    const home = { profile: undefined, page };
    const rig = new GroupRig(cluster, options, load, journal, home);
    rig.#watching = rig.#watchCommitted();
    return rig;
  }

  /** A page in a profile of its own. */
  async openTab(): Promise<MemberTab> {
    const profile = await BrowserProfile.launch();
    const page = await openPage(this.cluster, await profile.newPage(), `member tab ${this.#tabs.length}`);
    const tab = { profile, page };
    this.#tabs.push(tab);
    return tab;
  }

  /** A page again, where there was one. */
  async reopen(tab: MemberTab): Promise<void> {
    if (tab.profile === undefined) throw new Error("the client's own page is never closed");
    tab.page = await openPage(this.cluster, await tab.profile.newPage(), "member tab, reopened");
  }

  async join(tab: MemberTab, ...processes: readonly string[]): Promise<void> {
    const { groupId, assigner } = this.options;
    const shared = { groupId, assigner, topic: this.load.topic, sessionTimeoutMs: SESSION_TIMEOUT_MS };
    const wanted = processes.map((process) => ({ ...shared, process, journal: this.journal.url }));
    for (const process of processes) this.#members.set(process, tab);
    await tab.page.evaluate((members) => window.groupTab.join(members), wanted);
  }

  async state(process: string): Promise<MemberState> {
    const tab = this.#members.get(process);
    if (tab === undefined) throw new Error(`no tab has a member ${process}`);
    return await tab.page.evaluate((name) => window.groupTab.state(name), process);
  }

  /** Waits until these members share all partitions fairly; returns when the last of them was told, since 1970. */
  async settled(...processes: readonly string[]): Promise<number> {
    let states: MemberState[] = [];
    const least = Math.floor(this.options.partitions / processes.length);
    const most = Math.ceil(this.options.partitions / processes.length);
    const isSettled = async () => {
      states = await Promise.all(processes.map((process) => this.state(process)));
      const all = states.flatMap(({ partitions }) => partitions).sort((a, b) => a - b);
      const isFair = states.every(({ partitions }) => partitions.length >= least && partitions.length <= most);
      const isAssigned = states.every(({ assignedAtMs }) => assignedAtMs !== undefined);
      return isFair && isAssigned && all.join() === Array.from({ length: this.options.partitions }, (_, i) => i).join();
    };
    const deadline = Date.now() + SETTLE_TIMEOUT_MS;
    while (!(await isSettled())) {
      if (Date.now() > deadline) throw new Error(`the group is still not settled: ${JSON.stringify(states, noTimes)}`);
      await sleep(50);
    }
    return Math.max(...states.map(({ assignedAtMs }) => assignedAtMs ?? Infinity));
  }

  /** Waits until others have processed something of all that `process` had; returns when the last of that was. */
  async takenOver({ process, partitions }: MemberState, fromMs: number): Promise<number> {
    const latest = () => {
      const names = partitions.map((partition) => `${this.load.topic}-${partition}`);
      return Math.max(...names.map((name) => this.journal.firstOfOthers(name, process, fromMs)));
    };
    await expect.poll(latest, { timeout: 30_000, intervals: [50] }).toBeLessThan(Infinity);
    return latest();
  }

  /** Stops the load, waits until the group has committed all of it, and judges what everybody did. */
  async finish(mayRepeat: Expected["mayRepeat"]): Promise<void> {
    await this.load.stopProducing();
    const { topic } = this.load;
    const ends = await this.home.page.evaluate((name) => window.groupTab.ends(name), topic);
    await expect.poll(() => this.#askCommitted(), { timeout: 30_000 }).toEqual(ends);
    this.#watch.abort();
    await this.#watching;
    for (const [process, tab] of this.#members) {
      if (tab.page.isClosed()) continue;
      const states = await tab.page.evaluate(() => window.groupTab.states());
      expect(states.find((state) => state.process === process)?.errors ?? []).toEqual([]);
    }
    await expect.poll(() => this.journal.missing()).toEqual([]);
    const entries = this.journal.entries();
    const byPartition = new Map(ends.map((end, partition) => [`${topic}-${partition}`, end]));
    expect(judgeGroup(entries, { ends: byPartition, mayRepeat })).toEqual([]);
    expect(backwards(this.#committed)).toEqual([]);
    const result = await this.load.finish(historyOf(entries));
    expectNothingLost(result);
    // That a group goes back is allowed, but only where partitions have moved, and skipping is nowhere.
    expect(result.verdict.allowed.filter((anomaly) => anomaly.class !== "consume-counts").slice(0, 20)).toEqual([]);
  }

  async close(): Promise<void> {
    this.#watch.abort();
    this.journal.close();
    await Promise.allSettled(this.#tabs.map(({ profile }) => profile?.close()));
  }

  async #watchCommitted(): Promise<void> {
    while (!this.#watch.signal.aborted) {
      this.#committed.push(await this.#askCommitted().catch(() => []));
      await sleep(COMMITTED_INTERVAL_MS);
    }
  }

  async #askCommitted(): Promise<number[]> {
    const { groupId } = this.options;
    const wanted = [groupId, this.load.topic] as const;
    return await this.home.page.evaluate(([group, topic]) => window.groupTab.committed(group, topic), wanted);
  }
}

async function openPage(cluster: TestCluster, page: Page, name: string): Promise<Page> {
  cluster.watch(name, page);
  // The journal is at another address than the pages' server, which their policy does not let them reach.
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setBypassCSP", { enabled: true });
  await page.goto(`${cluster.server.url}/group.html`);
  await page.waitForFunction(() => "groupTab" in window);
  return page;
}

/** Where a partition's committed offset went back from one answer to a later one. */
function backwards(answers: readonly (readonly number[])[]): string[] {
  const highest: number[] = [];
  return answers.flatMap((answer) =>
    answer.flatMap((offset, partition) => {
      const before = highest[partition] ?? -1;
      highest[partition] = Math.max(before, offset);
      return offset < before ? [`partition ${partition} went back from ${before} to ${offset}`] : [];
    }),
  );
}

function noTimes(key: string, value: unknown): unknown {
  return key === "readAtMs" ? undefined : value;
}
