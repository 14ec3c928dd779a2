import { fileURLToPath } from "node:url";
import { test as base } from "@playwright/test";
import { startCluster } from "../cluster/run-cluster.ts";
import type { Cluster } from "../cluster/run-cluster.ts";

/** A test with the demo open in three browsers, as `npm run cluster` starts it. */
export const demoTest = base.extend<{ demo: Cluster }>({
  // Playwright reads a fixture's dependencies from this pattern; there are none.
  // oxlint-disable-next-line no-empty-pattern
  demo: async ({}, use) => {
    const demo = await startCluster({ tabs: 3, port: 0 });
    try {
      await use(demo);
    } finally {
      await demo.close();
    }
  },
});

export function screenshotPath(name: string): string {
  return fileURLToPath(new URL(`../../test-results/${name}.png`, import.meta.url));
}
