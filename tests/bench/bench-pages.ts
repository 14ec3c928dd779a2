import { fileURLToPath } from "node:url";
import { build } from "vite";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Where the built pages are. */
export const BENCH_PAGES = at("../../dist/bench-pages");

export async function buildBenchPages(): Promise<void> {
  await build({
    configFile: false,
    root: at("pages"),
    base: "./",
    logLevel: "warn",
    build: {
      outDir: BENCH_PAGES,
      emptyOutDir: true,
      target: "es2022",
      rolldownOptions: { input: [at("pages/tab.html")] },
    },
    worker: { format: "es" },
  });
}
