import type { Page } from "playwright";
import { BrowserProfile } from "../cluster/browser-profile.ts";
import { TestCluster } from "../browser/test-cluster.ts";
import type { Tab } from "../browser/test-cluster.ts";
import { BENCH_PAGES } from "./bench-pages.ts";
import type { BenchTopic } from "./pages/bench.ts";
import { RawNetwork } from "./raw-network.ts";
import type { NamedPage } from "./raw-network.ts";

/** Starts a server, brokers and a client on the bench's pages, each in a browser and profile of its own. */
export async function startBenchCluster(brokers: number): Promise<BenchCluster> {
  return new BenchCluster(await TestCluster.start({ brokers, pages: BENCH_PAGES }));
}

/** Runs `use` with a cluster that is closed afterwards; an error comes with what the tabs have printed lastly. */
export async function withBenchCluster<T>(brokers: number, use: (cluster: BenchCluster) => Promise<T>): Promise<T> {
  const cluster = await startBenchCluster(brokers);
  try {
    return await use(cluster);
  } catch (error) {
    console.error(cluster.tabs.log.slice(-LAST_LINES).join("\n"));
    throw error;
  } finally {
    await cluster.tabs.close();
  }
}

const LAST_LINES = 20;

export class BenchCluster {
  readonly tabs: TestCluster;
  readonly raw = new RawNetwork();
  #topics = 0;

  constructor(tabs: TestCluster) {
    this.tabs = tabs;
  }

  get client(): NamedPage {
    return { name: "client", page: this.tabs.client };
  }

  /** Runs `use` with a topic that nobody has used, and which is deleted afterwards. */
  async withTopic<T>(shape: BenchTopic, use: (topic: BenchTopicTabs) => Promise<T>): Promise<T> {
    const topic = `bench-${this.#topics++}`;
    await this.tabs.client.evaluate((wanted) => window.bench.createTopic(...wanted), [topic, shape] as const);
    await this.tabs.untilInSync(topic, shape.replicationFactor);
    const leader = await this.tabs.leaderOf(topic, 0);
    const followers = this.tabs.brokers.filter((tab) => tab !== leader);
    try {
      return await use({ topic, leader, followers });
    } finally {
      await this.tabs.client.evaluate((name) => window.bench.deleteTopic(name), topic);
    }
  }

  /** Opens one more broker in a browser and profile of its own. */
  async addBroker(name: string): Promise<Tab> {
    const tab = await this.addBrowser(name);
    await this.tabs.becomeBroker(tab);
    return tab;
  }

  /** Opens a browser with a profile of its own for one more broker, and in it the page that is a client only. */
  async addBrowser(name: string): Promise<Tab> {
    const profile = await BrowserProfile.launch();
    const tab = { name, profile, page: this.tabs.watch(name, await profile.newPage()) };
    this.tabs.brokers.push(tab);
    await tab.page.goto(`${this.tabs.server.url}/tab.html`);
    return tab;
  }

  /** Seconds of processor time that all browsers have used so far, all their processes together. */
  async cpuSeconds(): Promise<number> {
    const pages = [this.tabs.client, ...this.tabs.brokers.map(({ page }) => page)];
    return (await Promise.all(pages.map(cpuSecondsOf))).reduce((sum, seconds) => sum + seconds, 0);
  }
}

export interface BenchTopicTabs {
  readonly topic: string;
  readonly leader: Tab;
  readonly followers: readonly Tab[];
}

/** Seconds of processor time of the page's browser, all its processes together. */
export async function cpuSecondsOf(page: Page): Promise<number> {
  const session = await page.context().browser()?.newBrowserCDPSession();
  if (session === undefined) throw new Error("the browser has no control session");
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}
