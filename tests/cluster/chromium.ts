import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium } from "playwright";

/**
 * How the tests start Chromium. Host candidates stay plain addresses instead of `.local` names, which need a
 * multicast DNS that machines for tests seldom have.
 */
export const CHROMIUM_FLAGS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

/** The path of a Chromium, or undefined: the one named by $CHROMIUM, Debian's, or Playwright's own. */
export function findChromium(): string | undefined {
  const named = process.env["CHROMIUM"];
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`no browser at CHROMIUM=${named}: point it at a Chromium or unset it`);
  }
  return ["/usr/bin/chromium", chromium.executablePath()].find((path) => existsSync(path));
}

/** Like `findChromium`, but throws an error that says how to get one. */
export function requireChromium(): string {
  const found = findChromium();
  if (found !== undefined) return found;
  throw new Error(
    "no Chromium found: run `npx playwright install chromium`, or on Debian `apt-get install chromium` as root," +
      " or set CHROMIUM to the path of one",
  );
}

/** Finds a Chromium or installs one: Debian's package where that can be done, else Playwright's build. */
export function ensureChromium(): string {
  const found = findChromium();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    console.log("no Chromium found: installing Debian's chromium package");
    run("apt-get", ["update", "-qq"]);
    run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"]);
  } else {
    console.log("no Chromium found: installing Playwright's");
    run("npx", ["playwright", "install", "chromium"]);
  }
  return requireChromium();
}

function run(command: string, args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, error } = spawnSync(command, args, { stdio: "inherit", env });
  if (error !== undefined) throw new Error(`could not run ${command}`, { cause: error });
  if (status !== 0) console.error(`${command} ${args.join(" ")} ended with status ${status}`);
}
