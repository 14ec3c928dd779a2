import { test as base } from "@playwright/test";
import { TestCluster } from "./test-cluster.ts";
import type { Network, Storage } from "./test-cluster.ts";

/** A test with a cluster of three broker tabs and a client. `network` and `storage` are chosen by `test.use`. */
export const test = base.extend<{ network: Network; storage: Storage; cluster: TestCluster }>({
  network: ["direct", { option: true }],
  storage: ["leveldb", { option: true }],
  cluster: async ({ network, storage }, use, testInfo) => {
    const cluster = await TestCluster.start({ network, storage });
    try {
      await use(cluster);
    } finally {
      if (testInfo.status !== testInfo.expectedStatus) {
        const log = `${cluster.log.join("\n")}\n\nserver:\n${cluster.server.output}`;
        await testInfo.attach("log", { body: log, contentType: "text/plain" });
        console.log(log);
      }
      await cluster.close();
    }
  },
});

/** Prints a measured figure and keeps it with the test's results. */
export function report(name: string, value: number, unit = "ms"): void {
  const description = `${name}: ${Math.round(value)} ${unit}`;
  test.info().annotations.push({ type: "figure", description });
  console.log(`    ${description}`);
}
