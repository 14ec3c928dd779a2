import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { simulate } from "../simulate.ts";
import type { PlantedBug } from "./planted-bugs.ts";

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

/** Gives `run` the simulation of a copy of the source that has the bug; the source itself is not touched. */
export async function withPlanted<T>(bug: PlantedBug, run: (simulation: typeof simulate) => Promise<T>): Promise<T> {
  const copy = mkdtempSync(join(tmpdir(), "planted-"));
  try {
    for (const folder of ["src", "tests/simulation", "tests/history"]) {
      cpSync(join(root, folder), join(copy, folder), { recursive: true });
    }
    writeFileSync(join(copy, "package.json"), '{ "type": "module" }');
    for (const [file, text] of planted(bug)) writeFileSync(join(copy, file), text);
    const module = (await import(pathToFileURL(join(copy, "tests/simulation/simulate.ts")).href)) as {
      simulate: typeof simulate;
    };
    return await run(module.simulate);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
