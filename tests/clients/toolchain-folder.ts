import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../../node_modules/.cache/tabstream-clients", import.meta.url));
const PROGRAMS = fileURLToPath(new URL("programs", import.meta.url));

/**
 * A folder outside version control with a copy of `programs/<name>` and what it needs to run. `install` is called to
 * fetch and build that, unless an earlier call for the same sources went well.
 */
export async function toolchainFolder(name: string, install: (folder: string) => Promise<void>): Promise<string> {
  const source = join(PROGRAMS, name);
  const folder = join(CACHE, name);
  const installed = join(folder, ".installed");
  const sources = readdirSync(source).sort().map((file) => readFileSync(join(source, file), "utf8")).join("\n");
  if (existsSync(installed) && readFileSync(installed, "utf8") === sources) return folder;
  mkdirSync(folder, { recursive: true });
  cpSync(source, folder, { recursive: true });
  await install(folder);
  writeFileSync(installed, sources);
  return folder;
}
