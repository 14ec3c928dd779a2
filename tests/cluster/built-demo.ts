import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const DEMO_PAGES = at("../../dist/demo");
/** The page that shows simulated runs contains the tests' rig and the checker. */
const SOURCES = [at("../../src"), at("../simulation"), at("../history")];

/** Builds the demo unless it is there and newer than all its sources. */
export async function ensureDemoBuilt(): Promise<void> {
  const builtAtMs = statSync(join(DEMO_PAGES, "index.html"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = SOURCES.flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const inputs = [...sources, at("../../vite.config.ts"), at("../../package-lock.json")];
  if (inputs.some((path) => statSync(path).mtimeMs > builtAtMs)) await buildDemo();
}

export async function buildDemo(): Promise<void> {
  await build({ configFile: at("../../vite.config.ts"), logLevel: "warn" });
}
