import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { CHROMIUM_FLAGS, findChromium } from "../cluster/chromium.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const executablePath = findChromium();

/** The tests that need a real browser: `npx vitest run --project browser`. */
export default defineConfig({
  root,
  worker: { format: "es" },
  optimizeDeps: { include: ["comlink", "idb", "simple-peer/simplepeer.min.js"] },
  test: {
    name: "browser",
    root,
    include: ["tests/**/*.browser.test.ts"],
    globalSetup: [fileURLToPath(new URL("./server.setup.ts", import.meta.url))],
    // After the others, whose simulations leave no core for a browser.
    sequence: { groupOrder: 1 },
    // A machine that also builds, or runs other tests, takes its time; no test waits without need.
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: { ...(executablePath === undefined ? {} : { executablePath }), args: [...CHROMIUM_FLAGS] },
      }),
      instances: [{ browser: "chromium" }],
    },
  },
});
