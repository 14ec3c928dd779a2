import { expect, test as base } from "@playwright/test";
import type { Page } from "playwright";
import { BrowserProfile } from "../cluster/browser-profile.ts";
import { DEMO_PAGES } from "../cluster/built-demo.ts";
import { ServerProcess } from "../cluster/server-process.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "../cluster/temporary-folder.ts";

export interface SimulationSite {
  readonly url: string;
  readonly page: Page;
}

/** A test with the demo's site, headers and all, and a page on which nothing may be refused or thrown. */
export const simulationTest = base.extend<{ site: SimulationSite }>({
  // Playwright reads a fixture's dependencies from this pattern; there are none.
  // oxlint-disable-next-line no-empty-pattern
  site: async ({}, use) => {
    const dataDir = await makeTemporaryFolder("simulation");
    const server = await ServerProcess.start({ port: 0, dataDir, staticRoot: DEMO_PAGES });
    const profile = await BrowserProfile.launch();
    const complaints: string[] = [];
    try {
      const page = await profile.newPage();
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      await use({ url: server.url, page });
    } finally {
      await profile.close();
      await server.stop();
      await removeTemporaryFolder(dataDir);
    }
    expect(complaints).toEqual([]);
  },
});

/** What the page says of a run that it has made as fast as it could. */
export interface ShownRun {
  readonly outcome: string;
  readonly traceHash: string;
}

export const RUN_TIMEOUT_MS = 60_000;

export function runPath(seed: number, seconds: number): string {
  return `simulation.html?seed=${seed}&seconds=${seconds}&speed=most`;
}
