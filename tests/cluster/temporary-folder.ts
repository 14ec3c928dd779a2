import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SETTLE_MS = 200;
const ATTEMPTS = 10;

/** Makes an empty folder whose name begins with `tabstream-` and the given word. */
export async function makeTemporaryFolder(word: string): Promise<string> {
  return await mkdtemp(join(tmpdir(), `tabstream-${word}-`));
}

/** Removes a folder that a browser has used: its last processes write for a moment after the browser has ended. */
export async function removeTemporaryFolder(path: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    await sleep(SETTLE_MS);
    if (!existsSync(path)) return;
  }
  throw new Error(`somebody still writes to ${path}`);
}
