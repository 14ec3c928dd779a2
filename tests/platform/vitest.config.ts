import { existsSync } from "node:fs";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

const SYSTEM_CHROMIUM = "/usr/bin/chromium";

/** The tests that need a real browser: `npx vitest run -c tests/platform/vitest.config.ts`. */
export default defineConfig({
  worker: { format: "es" },
  optimizeDeps: { include: ["comlink", "idb", "simple-peer/simplepeer.min.js"] },
  test: {
    name: "browser",
    globalSetup: ["tests/platform/server.setup.ts"],
    include: ["tests/**/*.browser.test.ts"],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          ...(existsSync(SYSTEM_CHROMIUM) ? { executablePath: SYSTEM_CHROMIUM } : {}),
          args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-features=WebRtcHideLocalIpsWithMdns",
          ],
        },
      }),
      instances: [{ browser: "chromium" }],
    },
  },
});
