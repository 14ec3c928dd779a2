import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorker } from "../worker-bundle.ts";
import { WorkerPool } from "../worker-pool.ts";
import type { PlantedBug } from "./planted-bug.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The files that the bug changes, as it changes them. Throws when the source no longer has the text to replace. */
export function planted(bug: PlantedBug): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { file, replace, by } of bug.edits) {
    const text = texts.get(file) ?? readFileSync(join(root, file), "utf8");
    const count = text.split(replace).length - 1;
    if (count !== 1) throw new Error(`${bug.name}: ${file} holds the text to replace ${count} times:\n${replace}`);
    texts.set(file, text.replace(replace, () => by));
  }
  return texts;
}

/** Gives `use` workers that run the source with the bug; the source itself is not touched. */
export async function withPlanted<T>(
  bug: PlantedBug,
  workers: number,
  use: (pool: WorkerPool) => Promise<T>,
): Promise<T> {
  const bundle = await bundleWorker(planted(bug));
  const pool = new WorkerPool({ workers, entry: bundle.entry });
  try {
    return await use(pool);
  } finally {
    pool.stop();
    bundle.remove();
  }
}
