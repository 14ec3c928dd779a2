import { fileURLToPath } from "node:url";
import { build } from "vite";
import { buildDemo } from "../cluster/built-demo.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Where the built test pages are; the tests' server serves this folder. */
export const TEST_PAGES = at("../../dist/test-pages");

/** Builds the test pages, and the demo as users get it. Playwright runs this once, before all tests. */
export default async function buildPages(): Promise<void> {
  await buildDemo();
  await build({
    configFile: false,
    root: at("pages"),
    base: "./",
    logLevel: "warn",
    build: {
      outDir: TEST_PAGES,
      emptyOutDir: true,
      target: "es2022",
      rolldownOptions: { input: [at("pages/tab.html"), at("pages/group.html"), at("pages/figures.html")] },
    },
    worker: { format: "es" },
  });
}
