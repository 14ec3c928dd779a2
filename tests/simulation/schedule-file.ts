import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MOST_SAVED_BYTES, parseSavedRun, savedRunText } from "./saved-run.ts";
import type { SavedRun } from "./saved-run.ts";
import { UsageError } from "./usage-error.ts";

/** Throws a UsageError that also names the file. */
export function readScheduleFile(file: string): SavedRun {
  try {
    const { size } = statSync(file);
    if (size > MOST_SAVED_BYTES) throw new UsageError(`it has ${size} bytes, of at most ${MOST_SAVED_BYTES}`);
    return parseSavedRun(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`--schedule ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The name of the file, which is made in `folder`. */
export function saveRun(folder: string, run: Omit<SavedRun, "version">): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `seed-${run.seed}.json`);
  writeFileSync(file, savedRunText(run));
  return file;
}
