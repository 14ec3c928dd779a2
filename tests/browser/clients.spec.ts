import { expect, test } from "@playwright/test";
import { matrixRow, showMatrix } from "../clients/client-matrix.ts";
import { MissingToolchain } from "../clients/client-program.ts";
import { kafkajs } from "../clients/kafkajs.ts";
import { kcat } from "../clients/kcat.ts";
import { platformatic } from "../clients/platformatic.ts";
import { TabCluster } from "../clients/tab-cluster.ts";

/** The rows of the client matrix that need no toolchain but this one's; `npm run clients` has them all. */
test.describe.configure({ mode: "default", timeout: 300_000 });

let cluster: TabCluster;

test.beforeAll(async () => {
  cluster = await TabCluster.start(3);
});

test.afterAll(async () => {
  await cluster?.close();
});

for (const client of [kcat, kafkajs, platformatic]) {
  test(`${client.name} does all it can with broker tabs, and outlives one of them`, async () => {
    try {
      await client.install();
    } catch (error) {
      if (!(error instanceof MissingToolchain)) throw error;
      console.log(`SKIPPED: ${client.name}: ${error.message}`);
      test.skip(true, error.message);
    }
    const row = await matrixRow(cluster, client);
    console.log(showMatrix(new Map([[client.name, row]])));
    expect([...row].filter(([, outcome]) => outcome instanceof Error)).toEqual([]);
  });
}
