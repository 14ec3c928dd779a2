import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
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

/** Gives `use` workers that run a copy of the source which has the bug; the source itself is not touched. */
export async function withPlanted<T>(
  bug: PlantedBug,
  workers: number,
  use: (pool: WorkerPool) => Promise<T>,
): Promise<T> {
  const texts = planted(bug);
  const copy = mkdtempSync(join(tmpdir(), "planted-"));
  const remove = () => rmSync(copy, { recursive: true, force: true });
  // Also when the process is interrupted.
  process.once("exit", remove);
  const pool = new WorkerPool({ workers, entry: join(copy, "tests/simulation/simulation-worker.ts") });
  try {
    for (const folder of ["src", "tests/simulation", "tests/history"]) {
      cpSync(join(root, folder), join(copy, folder), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    writeFileSync(join(copy, "package.json"), '{ "type": "module" }');
    for (const [file, text] of texts) writeFileSync(join(copy, file), text);
    return await use(pool);
  } finally {
    pool.stop();
    process.off("exit", remove);
    remove();
  }
}
