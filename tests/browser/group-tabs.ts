import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright";
import { BrowserProfile } from "../cluster/browser-profile.ts";
import type { MemberOptions, MemberState } from "./pages/group-member.ts";
import type { TestCluster } from "./test-cluster.ts";

/** A page with members; it may be closed and opened again. */
export interface MemberTab {
  /** Undefined for the client's. */
  readonly profile: BrowserProfile | undefined;
  page: Page;
}

/** The least that a broker allows. */
export const SESSION_TIMEOUT_MS = 6_000;

const SETTLE_TIMEOUT_MS = 30_000;

/** Pages with members of groups: one in the client's profile, and others in profiles of their own. */
export class GroupTabs {
  readonly cluster: TestCluster;
  readonly home: MemberTab;
  readonly #tabs: MemberTab[] = [];
  /** Where each member is. */
  readonly #members = new Map<string, MemberTab>();

  private constructor(cluster: TestCluster, home: MemberTab) {
    this.cluster = cluster;
    this.home = home;
  }

  static async start(cluster: TestCluster): Promise<GroupTabs> {
    const page = await openPage(cluster, await cluster.client.context().newPage(), "home");
    return new GroupTabs(cluster, { profile: undefined, page });
  }

  /** A page in a profile of its own. */
  async open(): Promise<MemberTab> {
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

  async join(tab: MemberTab, members: readonly MemberOptions[]): Promise<void> {
    for (const { process } of members) this.#members.set(process, tab);
    await tab.page.evaluate((wanted) => window.groupTab.join(wanted), members);
  }

  async state(process: string): Promise<MemberState> {
    const [state] = await this.states([process]);
    return state!;
  }

  async states(processes: readonly string[]): Promise<MemberState[]> {
    const tabs = new Set(processes.map((process) => this.#tabOf(process)));
    const all = await Promise.all([...tabs].map(({ page }) => page.evaluate(() => window.groupTab.states())));
    return processes.map((process) => {
      const found = all.flat().find((state) => state.process === process);
      if (found === undefined) throw new Error(`the page of member ${process} has started anew`);
      return found;
    });
  }

  /** When a member processed each record, by partition. */
  async readAtMs(process: string): Promise<Readonly<Record<number, readonly number[]>>> {
    return await this.#tabOf(process).page.evaluate((name) => window.groupTab.readAtMs(name), process);
  }

  /** What went wrong for the members of pages that are still open. */
  async errors(): Promise<string[]> {
    const open = [...this.#members].filter(([, tab]) => !tab.page.isClosed()).map(([process]) => process);
    const states = await Promise.all(open.map((process) => this.state(process).catch(() => undefined)));
    return states.flatMap((state) => state?.errors ?? []);
  }

  /** Waits until these members share the partitions fairly; returns when the last of them was told, since 1970. */
  async settled(processes: readonly string[], partitions: number): Promise<number> {
    const deadline = Date.now() + SETTLE_TIMEOUT_MS;
    for (;;) {
      const states = await this.states(processes);
      if (isSettled(states, partitions)) return Math.max(...states.map(({ assignedAtMs }) => assignedAtMs ?? Infinity));
      if (Date.now() > deadline) {
        const found = states.map((state) => `${state.process}: ${state.partitions.join()} ${state.errors.join()}`);
        throw new Error(`the group is not settled after ${SETTLE_TIMEOUT_MS} ms: ${found.join("; ")}`);
      }
      await sleep(50);
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#tabs.map(({ profile }) => profile?.close()));
  }

  #tabOf(process: string): MemberTab {
    const tab = this.#members.get(process);
    if (tab === undefined) throw new Error(`no tab has a member ${process}`);
    return tab;
  }
}

function isSettled(states: readonly MemberState[], partitions: number): boolean {
  const least = Math.floor(partitions / states.length);
  const most = Math.ceil(partitions / states.length);
  const all = new Set(states.flatMap((state) => state.partitions));
  const count = states.reduce((sum, state) => sum + state.partitions.length, 0);
  return (
    states.every(({ assignedAtMs }) => assignedAtMs !== undefined) &&
    states.every((state) => state.partitions.length >= least && state.partitions.length <= most) &&
    all.size === partitions &&
    count === partitions
  );
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
