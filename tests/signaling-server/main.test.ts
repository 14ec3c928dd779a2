import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../cluster/free-port.ts";
import { temporaryFolder } from "./test-server.ts";
import { welcomedTab } from "./test-tab.ts";

vi.setConfig({ testTimeout: 30_000 });

const root = fileURLToPath(new URL("../..", import.meta.url));
const fullDisk = "/dev/full";

/** A server as a process of its own that answers, and prints to `output`. */
async function startedServer(output: number | "ignore") {
  const port = await freePort();
  const command = ["--import", "tsx", "signaling-server/main.ts", "--port", `${port}`];
  const args = [...command, "--data-dir", await temporaryFolder()];
  const server = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", output, "inherit"] });
  onTestFinished(() => void server.kill("SIGKILL"));
  const exited = once(server, "exit");
  const url = `http://127.0.0.1:${port}`;
  const health = async () => (await fetch(`${url}/healthz`).catch(() => undefined))?.status;
  await expect.poll(health, { timeout: 15_000, interval: 100 }).toBe(200);
  return { server, url, exited, health };
}

test.runIf(existsSync(fullDisk))("a disk too full for the log does not end the server", async () => {
  const log = openSync(fullDisk, "w");
  const { server, exited, health } = await startedServer(log);
  closeSync(log);
  expect(await health()).toBe(200);
  server.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
});

test("a second signal ends the process at once, whichever the first was", async () => {
  const { server, url, exited } = await startedServer("ignore");
  // One that does not answer holds up the stop for a second.
  (await welcomedTab({ url })).webSocket.pause();
  server.kill("SIGINT");
  await sleep(200);
  server.kill("SIGTERM");
  expect(await exited).toEqual([null, "SIGTERM"]);
});

test("--version prints the package's", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const args = ["--import", "tsx", "signaling-server/main.ts", "--version"];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${version}\n` });
});
