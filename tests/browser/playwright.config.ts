import { fileURLToPath } from "node:url";
import { defineConfig } from "@playwright/test";
import { requireChromium } from "../cluster/chromium.ts";

const results = fileURLToPath(new URL("../../test-results", import.meta.url));

/**
 * One test at a time: each starts four browsers, and what it measures must not share the machine with another. Nothing
 * is retried, for a test that fails once in a while has found a fault once in a while.
 */
export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.ts",
  testIgnore: "*-figures.spec.ts",
  globalSetup: "./build-pages.ts",
  outputDir: `${results}/browser`,
  workers: 1,
  fullyParallel: false,
  retries: 0,
  timeout: 120_000,
  globalTimeout: 25 * 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"], ["json", { outputFile: `${results}/playwright.json` }]],
  metadata: { chromium: requireChromium() },
});
