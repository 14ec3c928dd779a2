import { fileURLToPath } from "node:url";
import type { Plugin, UserConfig } from "vite";
import { defineConfig } from "vitest/config";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const WORKER_IN_SOURCE = 'new URL("../../broker.worker.ts", import.meta.url)';
const WORKER_IN_PACKAGE = 'new URL("./broker.worker.js", import.meta.url)';
const PLACEHOLDER = "__BROKER_WORKER__";

/**
 * Leaves `new Worker(new URL(…))` in the package as it is in the source. Browsers and bundlers know what it means; had the
 * worker been bundled here, a user's bundler would copy that one file and lose what it imports.
 */
const workerEntry: Plugin = {
  name: "broker-worker-entry",
  enforce: "pre",
  transform: (code) => replaced(code, WORKER_IN_SOURCE, PLACEHOLDER),
  renderChunk: (code) => replaced(code, PLACEHOLDER, WORKER_IN_PACKAGE),
};

function replaced(code: string, part: string, by: string): { readonly code: string; readonly map: null } | undefined {
  return code.includes(part) ? { code: code.replace(part, by), map: null } : undefined;
}

/** `vite build --mode sdk`: what `npm pack` ships, modules that a browser runs as they are. */
const sdk: UserConfig = {
  root: at("src"),
  plugins: [workerEntry],
  build: {
    outDir: at("dist/sdk"),
    emptyOutDir: true,
    target: "es2022",
    minify: false,
    sourcemap: true,
    lib: { entry: { index: at("src/index.ts"), "broker.worker": at("src/broker.worker.ts") }, formats: ["es"] },
    rolldownOptions: { output: { chunkFileNames: "[name].js" } },
  },
};

export default defineConfig(({ mode }) => (mode === "sdk" ? sdk : {
  root: at("src/demo"),
  base: "./",
  build: {
    outDir: at("dist/demo"),
    emptyOutDir: true,
    target: "es2022",
    rolldownOptions: { input: ["index", "group", "simulation"].map((page) => at(`src/demo/${page}.html`)) },
  },
  worker: { format: "es" },
  test: {
    root: at("."),
    projects: [
      {
        test: {
          name: "node",
          root: at("."),
          include: ["tests/**/*.test.ts"],
          exclude: ["tests/**/*.browser.test.ts", "node_modules/**"],
        },
      },
      at("tests/platform/vitest.config.ts"),
    ],
  },
}));
