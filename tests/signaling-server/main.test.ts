import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../cluster/free-port.ts";
import { temporaryFolder } from "./test-server.ts";

vi.setConfig({ testTimeout: 30_000 });

const root = fileURLToPath(new URL("../..", import.meta.url));
const fullDisk = "/dev/full";

test.runIf(existsSync(fullDisk))("a disk too full for the log does not end the server", async () => {
  const port = await freePort();
  const log = openSync(fullDisk, "w");
  const command = ["--import", "tsx", "signaling-server/main.ts", "--port", `${port}`];
  const args = [...command, "--data-dir", await temporaryFolder()];
  const server = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", log, "inherit"] });
  closeSync(log);
  onTestFinished(() => void server.kill("SIGKILL"));
  const exited = once(server, "exit");
  const health = async () => (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.status;
  await expect.poll(health, { timeout: 15_000, interval: 100 }).toBe(200);
  expect(await health()).toBe(200);
  server.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
});

test("--version prints the package's", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const args = ["--import", "tsx", "signaling-server/main.ts", "--version"];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${version}\n` });
});
