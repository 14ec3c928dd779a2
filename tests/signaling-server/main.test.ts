import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "./test-server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const fullDisk = "/dev/full";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test.runIf(existsSync(fullDisk))("a disk too full for the log does not end the server", { timeout: 30_000 }, async () => {
  const port = await freePort();
  const log = openSync(fullDisk, "w");
  const args = ["--import", "tsx", "signaling-server/main.ts", "--port", `${port}`, "--data-dir", await temporaryFolder()];
  const server = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", log, "inherit"] });
  closeSync(log);
  onTestFinished(() => void server.kill("SIGKILL"));
  const exited = once(server, "exit");
  const health = async () => (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.status;
  await expect.poll(health, { timeout: 20_000, interval: 100 }).toBe(200);
  expect(await health()).toBe(200);
  server.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
});
