import { join } from "node:path";
import type { Page } from "playwright";
import { DEMO_PAGES, ensureDemoBuilt } from "./built-demo.ts";
import { BrowserProfile } from "./browser-profile.ts";
import { ServerProcess } from "./server-process.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "./temporary-folder.ts";

export interface ClusterOptions {
  /** How many broker tabs to open. */
  readonly tabs: number;
  /** Of the server; 0 picks a free one. */
  readonly port: number;
  /** Bootstrap port of the Kafka listener, if there is to be one. */
  readonly kafkaPort?: number | undefined;
  /** Keeps the server's data and the profiles; without it they are temporary. */
  readonly dataDir?: string | undefined;
  /** Opens all tabs in one browser, so that they share a disk, instead of a browser for each. */
  readonly oneProfile?: boolean;
}

export interface Cluster {
  readonly server: ServerProcess;
  readonly profiles: readonly BrowserProfile[];
  readonly tabs: readonly Page[];
  /** Stops everything it started and removes what was temporary. */
  close(): Promise<void>;
}

const RUNNING_TIMEOUT_MS = 30_000;

/** Starts the server and opens the demo in headless tabs. Resolves once each of them is an unfenced broker. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const dataDir = options.dataDir ?? (await makeTemporaryFolder("cluster"));
  const profiles: BrowserProfile[] = [];
  let server: ServerProcess | undefined;
  const close = async () => {
    const closed = await Promise.allSettled(profiles.map((profile) => profile.close()));
    await server?.stop();
    if (options.dataDir === undefined) await removeTemporaryFolder(dataDir);
    for (const outcome of closed) if (outcome.status === "rejected") throw outcome.reason;
  };
  try {
    const launching = Array.from({ length: options.oneProfile === true ? 1 : options.tabs }, async (_, index) => {
      profiles.push(await BrowserProfile.launch({ directory: join(dataDir, `profile-${index}`) }));
    });
    const serving = ensureDemoBuilt().then(() =>
      ServerProcess.start({
        port: options.port,
        kafkaPort: options.kafkaPort,
        dataDir: join(dataDir, "server"),
        staticRoot: DEMO_PAGES,
      }),
    );
    const [started, ...launched] = await Promise.allSettled([serving, ...launching]);
    if (started.status === "rejected") throw started.reason;
    server = started.value;
    for (const outcome of launched) if (outcome.status === "rejected") throw outcome.reason;
    const { url } = server;
    const tabs = await Promise.all(
      Array.from({ length: options.tabs }, (_, index) => openBroker(profiles[index % profiles.length], url)),
    );
    return { server, profiles, tabs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openBroker(profile: BrowserProfile | undefined, url: string): Promise<Page> {
  if (profile === undefined) throw new Error("a cluster needs at least one tab");
  const page = await profile.newPage();
  await page.goto(url);
  await page.locator("[data-testid=broker-state]", { hasText: "running" }).waitFor({ timeout: RUNNING_TIMEOUT_MS });
  return page;
}
