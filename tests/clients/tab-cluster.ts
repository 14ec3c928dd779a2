import type { Page } from "playwright";
import type { BrowserProfile } from "../cluster/browser-profile.ts";
import { startCluster } from "../cluster/run-cluster.ts";
import type { Cluster } from "../cluster/run-cluster.ts";
import { freePorts } from "./consecutive-ports.ts";
import type { KafkaCluster } from "./kafka-cluster.ts";

const RUNNING_TIMEOUT_MS = 30_000;
/** Node ids are given from 1 on, and a directory keeps its own. */
const NODE_IDS = 8;

interface BrokerTab {
  readonly profile: BrowserProfile;
  page: Page;
  alive: boolean;
}

/** What `npm run cluster` starts: broker tabs in headless browsers, behind the Kafka listener of the server. */
export class TabCluster implements KafkaCluster {
  readonly name = "broker tabs";
  readonly bootstrap: string;
  readonly #cluster: Cluster;
  readonly #tabs: readonly BrokerTab[];

  private constructor(cluster: Cluster, kafkaPort: number) {
    this.bootstrap = `127.0.0.1:${kafkaPort}`;
    this.#cluster = cluster;
    this.#tabs = cluster.tabs.map((page, index) => ({ profile: cluster.profiles[index]!, page, alive: true }));
  }

  static async start(tabs: number): Promise<TabCluster> {
    const kafkaPort = await freePorts(NODE_IDS);
    return new TabCluster(await startCluster({ tabs, port: 0, kafkaPort }), kafkaPort);
  }

  async kill(nodeId: number): Promise<void> {
    for (const tab of this.#tabs) {
      if (!tab.alive || (await tab.page.getByTestId("broker-id").textContent()) !== String(nodeId)) continue;
      tab.alive = false;
      for (const pid of await tab.profile.rendererPids()) process.kill(pid, "SIGKILL");
      return;
    }
    throw new Error(`no tab is broker ${nodeId}`);
  }

  async revive(): Promise<void> {
    for (const tab of this.#tabs.filter(({ alive }) => !alive)) {
      const crashed = tab.page;
      tab.page = await tab.profile.newPage();
      await crashed.close();
      await tab.page.goto(this.#cluster.server.url);
      const running = tab.page.locator("[data-testid=broker-state]", { hasText: "running" });
      await running.waitFor({ timeout: RUNNING_TIMEOUT_MS });
      tab.alive = true;
    }
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }
}
