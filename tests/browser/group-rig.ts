import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import { GroupJournal } from "./group-journal.ts";
import { GroupTabs, SESSION_TIMEOUT_MS } from "./group-tabs.ts";
import type { MemberTab } from "./group-tabs.ts";
import { historyOf, judgeGroup } from "./group-verdict.ts";
import type { Expected } from "./group-verdict.ts";
import { Load } from "./load.ts";
import type { MemberOptions, MemberState } from "./pages/group-member.ts";
import type { TestCluster } from "./test-cluster.ts";
import { expectNothingLost } from "./verdict.ts";

export interface GroupOptions {
  readonly groupId: string;
  readonly partitions: number;
  readonly sharing: MemberOptions["sharing"];
  readonly recordsPerSecond: number;
}

const COMMITTED_INTERVAL_MS = 250;

/** A group on a topic that is steadily produced to, and everything that its members do. */
export class GroupRig {
  readonly tabs: GroupTabs;
  readonly #options: GroupOptions;
  readonly #load: Load;
  readonly #journal: GroupJournal;
  readonly #watch = new AbortController();
  readonly #committed: number[][] = [];
  #watching: Promise<void> = Promise.resolve();

  private constructor(tabs: GroupTabs, options: GroupOptions, load: Load, journal: GroupJournal) {
    this.tabs = tabs;
    this.#options = options;
    this.#load = load;
    this.#journal = journal;
  }

  static async start(cluster: TestCluster, options: GroupOptions): Promise<GroupRig> {
    const journal = await GroupJournal.start();
    const { partitions, recordsPerSecond } = options;
    const load = await Load.start(cluster, { topic: "shared", partitions, recordsPerSecond });
    const rig = new GroupRig(await GroupTabs.start(cluster), options, load, journal);
    rig.#watching = rig.#watchCommitted();
    return rig;
  }

  async join(tab: MemberTab, ...processes: readonly string[]): Promise<void> {
    const { groupId, sharing } = this.#options;
    const topic = this.#load.topic;
    const shared = { groupId, sharing, topic, sessionTimeoutMs: SESSION_TIMEOUT_MS, journal: this.#journal.url };
    await this.tabs.join(tab, processes.map((process) => ({ ...shared, process })));
  }

  /** Waits until these members share all partitions fairly; returns when the last of them was told, since 1970. */
  settled(...processes: readonly string[]): Promise<number> {
    return this.tabs.settled(processes, this.#options.partitions);
  }

  /** Waits until others have processed something of all that `process` had; returns when the last of that was. */
  async takenOver({ process, partitions }: MemberState, fromMs: number): Promise<number> {
    const names = partitions.map((partition) => `${this.#load.topic}-${partition}`);
    const latest = () => Math.max(...names.map((name) => this.#journal.firstOfOthers(name, process, fromMs)));
    await expect.poll(latest, { timeout: 30_000, intervals: [50] }).toBeLessThan(Infinity);
    return latest();
  }

  /** Stops the load, waits until the group has committed all of it, and judges what everybody did. */
  async finish(mayRepeat: Expected["mayRepeat"]): Promise<void> {
    await this.#load.stopProducing();
    const { topic } = this.#load;
    const ends = await this.tabs.home.page.evaluate((name) => window.groupTab.ends(name), topic);
    await expect.poll(() => this.#askCommitted(), { timeout: 30_000 }).toEqual(ends);
    this.#watch.abort();
    await this.#watching;
    expect(await this.tabs.errors()).toEqual([]);
    await expect.poll(() => this.#journal.missing()).toEqual([]);
    const entries = this.#journal.entries();
    const byPartition = new Map(ends.map((end, partition) => [`${topic}-${partition}`, end]));
    expect(judgeGroup(entries, { ends: byPartition, mayRepeat })).toEqual([]);
    expect(backwards(this.#committed)).toEqual([]);
    const result = await this.#load.finish(historyOf(entries));
    expectNothingLost(result);
    // That a group goes back is allowed, but only where partitions have moved, and skipping is nowhere.
    expect(result.verdict.allowed.filter((anomaly) => anomaly.class !== "consume-counts").slice(0, 20)).toEqual([]);
  }

  async close(): Promise<void> {
    this.#watch.abort();
    this.#journal.close();
    await this.tabs.close();
  }

  async #watchCommitted(): Promise<void> {
    while (!this.#watch.signal.aborted) {
      this.#committed.push(await this.#askCommitted().catch(() => []));
      await sleep(COMMITTED_INTERVAL_MS);
    }
  }

  async #askCommitted(): Promise<number[]> {
    const wanted = [this.#options.groupId, this.#load.topic] as const;
    return await this.tabs.home.page.evaluate(([group, topic]) => window.groupTab.committed(group, topic), wanted);
  }
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
