import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

/**
 * The other systems are no dependencies of ours: they are heavy, and nothing but this scenario needs them. They are
 * installed where builds go, in these versions and without running their scripts.
 */
const PACKAGES = {
  "@durable-streams/client": "0.2.7",
  "@durable-streams/server": "0.3.7",
  "@nats-io/jetstream": "3.4.0",
  "@nats-io/nats-core": "3.4.0",
  "@trystero-p2p/nostr": "0.25.4",
  rxdb: "17.6.0",
  rxjs: "7.8.2",
  "y-indexeddb": "9.0.12",
  "y-webrtc": "10.3.0",
  yjs: "13.6.33",
};

export const PEERS_FOLDER = fileURLToPath(new URL("../../../dist/bench-peers", import.meta.url));
const PAGES = fileURLToPath(new URL("../peer-pages", import.meta.url));

const INSTALL_TIMEOUT_MS = 300_000;

/** Installs the peers, unless they are there, and builds their page. Returns the folder of built pages. */
export async function installPeers(): Promise<string> {
  mkdirSync(PEERS_FOLDER, { recursive: true });
  const manifest = join(PEERS_FOLDER, "package.json");
  const wanted = `${JSON.stringify({ private: true, type: "module", dependencies: PACKAGES }, undefined, 2)}\n`;
  const marker = join(PEERS_FOLDER, "installed.json");
  if (!existsSync(marker) || readFileSync(marker, "utf8") !== wanted) {
    writeFileSync(manifest, wanted);
    const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    execFileSync("npm", args, { cwd: PEERS_FOLDER, timeout: INSTALL_TIMEOUT_MS, stdio: ["ignore", "ignore", "pipe"] });
    writeFileSync(marker, wanted);
  }
  // Built where the packages are, so that each is found as its own manifest says.
  const pages = join(PEERS_FOLDER, "pages");
  cpSync(PAGES, pages, { recursive: true });
  const outDir = join(PEERS_FOLDER, "built");
  await build({
    configFile: false,
    root: pages,
    base: "./",
    logLevel: "error",
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2022",
      rolldownOptions: { input: [join(pages, "peers.html")] },
    },
  });
  return outDir;
}
