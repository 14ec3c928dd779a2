import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright";
import { BrowserProfile } from "../cluster/browser-profile.ts";
import { ServerProcess } from "../cluster/server-process.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "../cluster/temporary-folder.ts";
import { TEST_PAGES } from "./build-pages.ts";
import type { PartitionState } from "./pages/tab.ts";

export interface TestClusterOptions {
  readonly brokers?: number;
  readonly network?: Network;
  readonly storage?: Storage;
  /** The folder of built pages to serve, with a `tab.html` that has what `pages/tab.ts` has. */
  readonly pages?: string;
}

/** Whether pages can reach each other: as usual, with WebRTC but no UDP for it, or without WebRTC. */
export type Network = keyof typeof NETWORK_FLAGS;

/** What Chromium keeps IndexedDB in: it has two forms, and moves from the first to the second. */
export type Storage = keyof typeof STORAGE_FLAGS;

const STORAGE_FLAGS = {
  leveldb: [],
  sqlite: ["--enable-features=IdbSqliteBackingStore"],
} as const;
const NETWORK_FLAGS = {
  direct: [],
  "no-udp": ["--webrtc-ip-handling-policy=disable_non_proxied_udp"],
  "no-webrtc": [],
} as const;

/** One browser with one page: a broker, or the client that produces and consumes. */
export interface Tab {
  readonly name: string;
  readonly profile: BrowserProfile;
  page: Page;
}

const UNTIL_TIMEOUT_MS = 20_000;

/**
 * A server process, brokers in browsers of their own, each with its own profile on disk, and a client in one more.
 * Everything is temporary and goes away with `close`.
 */
export class TestCluster {
  readonly server: ServerProcess;
  readonly brokers: Tab[] = [];
  /** What the server and the pages printed; shown when a test fails. */
  readonly log: string[] = [];
  readonly #dataDir: string;
  #client: Tab | undefined;

  private constructor(server: ServerProcess, dataDir: string) {
    this.server = server;
    this.#dataDir = dataDir;
  }

  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const { brokers: count = 3, network = "direct", storage = "leveldb", pages = TEST_PAGES } = options;
    const dataDir = await makeTemporaryFolder("server");
    const server = await ServerProcess.start({ port: 0, dataDir, staticRoot: pages });
    const cluster = new TestCluster(server, dataDir);
    const names = Array.from({ length: count }, (_, index) => `broker tab ${index}`);
    const launching = ["client", ...names].map((name) => cluster.#launch(name, network, storage));
    const [client, ...brokers] = await Promise.all(launching);
    cluster.#client = client;
    cluster.brokers.push(...brokers);
    await client?.page.goto(`${server.url}/tab.html`);
    for (const broker of brokers) await cluster.becomeBroker(broker);
    return cluster;
  }

  get client(): Page {
    if (this.#client === undefined) throw new Error("the client is not open");
    return this.#client.page;
  }

  get brokerUrl(): string {
    return `${this.server.url}/tab.html?broker`;
  }

  /** Opens the broker page in the tab's browser, in a new tab of it if the old one is gone, and waits until it runs. */
  async becomeBroker(tab: Tab): Promise<void> {
    if (tab.page.isClosed()) tab.page = this.watch(tab.name, await tab.profile.newPage());
    await tab.page.goto(this.brokerUrl);
    await this.untilRunning(tab.page);
  }

  async untilRunning(page: Page): Promise<void> {
    // A tab that was just opened has not run its script yet.
    const running = () =>
      (window as Partial<Window>).testTab?.statuses.at(-1)?.status.state === "running";
    await page.waitForFunction(running, undefined, { timeout: UNTIL_TIMEOUT_MS });
  }

  async brokerId(tab: Tab): Promise<number> {
    return await tab.page.evaluate(() => window.testTab.statuses.at(-1)?.status.brokerId ?? -1);
  }

  async createTopic(topic: string, partitions: number, replicationFactor: number): Promise<void> {
    const shape = { topic, partitions, replicationFactor };
    await this.client.evaluate((wanted) => window.testTab.createTopic(wanted), shape);
  }

  async partitions(topic: string): Promise<PartitionState[]> {
    return await this.client.evaluate((name) => window.testTab.partitions(name), topic);
  }

  async leaderOf(topic: string, partition: number): Promise<Tab> {
    const leader = (await this.partitions(topic))[partition]?.leader;
    for (const tab of this.brokers) if ((await this.brokerId(tab)) === leader) return tab;
    throw new Error(`no open tab leads ${topic}-${partition}: its leader is ${leader}`);
  }

  /** Waits until every partition of the topic has a leader and that many replicas in sync. */
  async untilInSync(topic: string, replicas: number, timeoutMs = UNTIL_TIMEOUT_MS): Promise<PartitionState[]> {
    const inSync = (states: readonly PartitionState[]) =>
      states.length > 0 && states.every(({ leader, isr }) => leader >= 0 && isr.length >= replicas);
    return await this.untilPartitions(topic, inSync, timeoutMs);
  }

  async untilPartitions(
    topic: string,
    wanted: (states: readonly PartitionState[]) => boolean,
    timeoutMs = UNTIL_TIMEOUT_MS,
  ): Promise<PartitionState[]> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const states = await this.partitions(topic);
      if (wanted(states)) return states;
      if (Date.now() > deadline) throw new Error(`${topic} is still ${JSON.stringify(states)} after ${timeoutMs} ms`);
      await sleep(50);
    }
  }

  /** Notes what the page prints. */
  watch(name: string, page: Page): Page {
    const note = (line: string) => void this.log.push(`${new Date().toISOString()} ${name}: ${line}`);
    page.on("console", (message) => note(message.text()));
    page.on("pageerror", (error) => note(String(error)));
    page.on("crash", () => note("crashed"));
    return page;
  }

  async close(): Promise<void> {
    const closed = await Promise.allSettled([this.#client, ...this.brokers].map((tab) => tab?.profile.close()));
    await this.server.stop();
    await removeTemporaryFolder(this.#dataDir);
    for (const outcome of closed) if (outcome.status === "rejected") throw outcome.reason;
  }

  async #launch(name: string, network: Network, storage: Storage): Promise<Tab> {
    const profile = await BrowserProfile.launch({ flags: [...NETWORK_FLAGS[network], ...STORAGE_FLAGS[storage]] });
    if (network === "no-webrtc") await profile.context.addInitScript("delete globalThis.RTCPeerConnection");
    return { name, profile, page: this.watch(name, await profile.newPage()) };
  }
}
