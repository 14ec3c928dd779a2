import { expect, test } from "@playwright/test";
import { DEMO_PAGES } from "../cluster/built-demo.ts";
import { ServerProcess } from "../cluster/server-process.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "../cluster/temporary-folder.ts";
import { simulate } from "../simulation/simulate.ts";
import { findFirefox, FirefoxPage, toldNoFirefox } from "./firefox.ts";
import { RUN_TIMEOUT_MS, runPath, simulationTest } from "./simulation-test.ts";
import type { ShownRun } from "./simulation-test.ts";

/** One seed is one run, down to the order of every event, whatever engine it is run in. */

/** One of them has groups of every kind, members of the SDK among them. */
const SEEDS = [1, 2, 3, 4, 31];
const SECONDS = 10;

/** Runs in the page: an attribute tells the outcome once there is one. */
const shownRun = (): ShownRun | undefined => {
  const { outcome = "", traceHash = "" } = document.querySelector("main")?.dataset ?? {};
  return traceHash === "" ? undefined : { outcome, traceHash };
};

async function runsInNode(): Promise<ShownRun[]> {
  const runs: ShownRun[] = [];
  for (const seed of SEEDS) {
    const { violation, traceHash } = await simulate(seed, { seconds: SECONDS });
    runs.push({ outcome: violation === undefined ? "passed" : "failed", traceHash });
  }
  expect(new Set(runs.map(({ traceHash }) => traceHash)).size).toBe(SEEDS.length);
  return runs;
}

simulationTest("Chromium gives the trace hashes that Node gives", async ({ site: { url, page } }) => {
  const shown: (ShownRun | undefined)[] = [];
  for (const seed of SEEDS) {
    await page.goto(`${url}/${runPath(seed, SECONDS)}`);
    await page.waitForFunction(shownRun, undefined, { timeout: RUN_TIMEOUT_MS });
    shown.push(await page.evaluate(shownRun));
  }
  expect(shown).toEqual(await runsInNode());
});

test("Firefox gives the trace hashes that Node gives", async () => {
  const firefox = findFirefox();
  if (firefox === undefined) toldNoFirefox();
  test.skip(firefox === undefined, "no Firefox is installed");
  const dataDir = await makeTemporaryFolder("simulation");
  const server = await ServerProcess.start({ port: 0, dataDir, staticRoot: DEMO_PAGES });
  try {
    await using page = await FirefoxPage.launch(firefox!);
    const shown: (ShownRun | undefined)[] = [];
    for (const seed of SEEDS) shown.push(await page.waitFor(`${server.url}/${runPath(seed, SECONDS)}`, shownRun));
    expect(shown).toEqual(await runsInNode());
  } finally {
    await server.stop();
    await removeTemporaryFolder(dataDir);
  }
});
