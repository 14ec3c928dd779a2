import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";
import { freePort } from "../cluster/free-port.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "../cluster/temporary-folder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const READY_LIMIT_MS = 15_000;

test("`npm run cluster` is ready in time, keeps its data, and leaves nothing behind", async () => {
  const dataDir = await makeTemporaryFolder("command");
  try {
    const port = await freePort();
    for (const round of ["first", "second"]) {
      const startedAtMs = Date.now();
      const command = start(["--tabs", "3", "--port", String(port), "--data-dir", dataDir]);
      await expect.poll(() => command.output(), { timeout: 2 * READY_LIMIT_MS, intervals: [50] }).toContain("ready");
      const readyMs = Date.now() - startedAtMs;
      console.log(`    cluster ready, ${round} start: ${readyMs} ms`);
      expect(command.output()).toContain(`cluster ready: brokers=3 kafka=off http=127.0.0.1:${port}\n`);
      expect(readyMs).toBeLessThan(READY_LIMIT_MS);
      // A second start takes the same brokers up again instead of making new ones.
      expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain("tabstream_brokers 3");

      command.interrupt();
      await command.exited;
      await expect.poll(() => commandLinesWith(dataDir)).toEqual([]);
    }
    expect(readdirSync(dataDir).sort()).toEqual(["profile-0", "profile-1", "profile-2", "server"]);
  } finally {
    await removeTemporaryFolder(dataDir);
  }
});

test("one profile holds several brokers", async () => {
  const command = start(["--tabs", "2", "--port", String(await freePort()), "--one-profile"]);
  await expect.poll(() => command.output(), { timeout: 2 * READY_LIMIT_MS }).toContain("brokers=2");
  command.interrupt();
  await command.exited;
});

test("with a Kafka port, each tab answers Kafka's protocol on a port of its own", async () => {
  // Below the ports that systems give out by themselves.
  const kafkaPort = 10_000 + Math.floor(Math.random() * 20_000);
  const ports = ["--port", String(await freePort()), "--kafka-port", String(kafkaPort)];
  const command = start(["--tabs", "2", ...ports]);
  await expect.poll(() => command.output(), { timeout: 100_000 }).toContain("brokers=2");
  expect(command.output()).toContain(`brokers=2 kafka=127.0.0.1:${kafkaPort} http=`);
  for (const port of [kafkaPort, kafkaPort + 2, kafkaPort + 3]) expect(await apisAt(port)).toBeGreaterThan(25);
  command.interrupt();
  await command.exited;
});

test("a flag that makes no sense ends the command with a reason and status 2", async () => {
  const command = start(["--tabs", "none"]);
  expect(await command.exited).toBe(2);
  expect(command.output()).toContain("--tabs none: give a whole number from 1 to 16");
  expect(command.output()).toContain("usage: npm run cluster");
});

test("a port that is taken ends the command with a reason", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const command = start(["--tabs", "1", "--port", String(port)]);
  expect(await command.exited).toBe(1);
  expect(command.output()).toContain(String(port));
  taken.close();
});

function start(args: readonly string[]) {
  // A process group of its own, so that it can be interrupted as Ctrl-C does: all of the group at once.
  const child = spawn("npm", ["run", "--silent", "cluster", "--", ...args], { cwd: root, detached: true });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => void (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => void (output += chunk.toString()));
  return { output: () => output, exited: exitCode(child), interrupt: () => interrupt(child) };
}

function interrupt({ pid }: ChildProcess): void {
  if (pid === undefined) throw new Error("the command did not start");
  process.kill(-pid, "SIGINT");
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

/** How many APIs the broker behind a port offers: ApiVersions in version 0, correlation id 7, no client id. */
async function apisAt(port: number): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.write(Uint8Array.of(0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255));
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  expect([answer.readInt32BE(4), answer.readInt16BE(8)]).toEqual([7, 0]);
  return answer.readInt32BE(10);
}

/** Command lines of processes that know of `folder`. */
function commandLinesWith(folder: string): string[] {
  if (!existsSync("/proc/self/cmdline")) return [];
  const lines = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    } catch {
      // It ended while we looked.
      return "";
    }
  });
  return lines.filter((line) => line.includes(folder));
}
