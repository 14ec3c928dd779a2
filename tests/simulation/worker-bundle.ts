import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

export interface WorkerBundle {
  /** The file to run. */
  readonly entry: string;
  remove(): void;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The worker and all of the source that it runs in one file: built the way that browsers get it, and a good deal faster
 * than modules that are transpiled one by one as they are loaded. Files in `replaced`, by their path in the project,
 * have that text instead of their own.
 */
export async function bundleWorker(replaced: ReadonlyMap<string, string> = new Map()): Promise<WorkerBundle> {
  const outDir = mkdtempSync(join(tmpdir(), "simulation-"));
  const remove = () => {
    process.off("exit", remove);
    rmSync(outDir, { recursive: true, force: true });
  };
  // Also when the process is interrupted.
  process.once("exit", remove);
  await build({
    configFile: false,
    root,
    logLevel: "warn",
    plugins: [{ name: "replaced", enforce: "pre", load: (id) => replaced.get(relative(root, id)) }],
    build: {
      ssr: join(root, "tests/simulation/simulation-worker.ts"),
      outDir,
      emptyOutDir: true,
      target: "node20",
      rolldownOptions: { output: { entryFileNames: "worker.mjs" } },
    },
  });
  return { entry: join(outDir, "worker.mjs"), remove };
}
