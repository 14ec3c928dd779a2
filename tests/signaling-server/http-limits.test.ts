import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder, testServer } from "./test-server.ts";

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Everything that comes until the server closes. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => void chunks.push(chunk)).resume();
  await once(socket, "close");
  return Buffer.concat(chunks);
}

async function ask(port: number, path: string): Promise<string> {
  const socket = await dial(port);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return (await readAll(socket)).toString();
}

test("a request that drips in is cut off", async () => {
  const server = await testServer({ limits: { requestHeadMs: 300 } });
  const socket = await dial(server.port);
  socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  const drip = setInterval(() => socket.write("a"), 50);
  const answer = await readAll(socket).finally(() => clearInterval(drip));
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
});

test("a connection that says nothing is closed", async () => {
  const server = await testServer({ limits: { requestHeadMs: 300 } });
  await readAll(await dial(server.port));
});

const LARGE_BYTES = 24 * 1024 * 1024;

/** More than the kernel takes off the server's hands for a client that does not read. */
async function largePage(): Promise<string> {
  const staticRoot = join(await temporaryFolder(), "pages");
  await mkdir(staticRoot);
  await writeFile(join(staticRoot, "large.txt"), Buffer.alloc(LARGE_BYTES, "x"));
  return staticRoot;
}

/** Asks for the large page, and reads nothing yet. */
async function askForMuch(port: number, headers: string): Promise<Socket> {
  const socket = await dial(port);
  socket.pause().write(`GET /large.txt HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n`);
  return socket;
}

const PLAIN = "Connection: close";
const OFFERING = "Connection: Upgrade\r\nUpgrade: h2c";

test.each([PLAIN, OFFERING])("an answer that nobody reads cannot hold up a stop (%j)", async (headers) => {
  const server = await testServer({ staticRoot: await largePage() });
  await askForMuch(server.port, headers);
  await sleep(100);
  const startedMs = performance.now();
  await server.close();
  expect(performance.now() - startedMs).toBeLessThan(2_500);
});

test("whoever offers another protocol and does not read the answer loses the connection", async () => {
  const server = await testServer({ staticRoot: await largePage(), limits: { unreadAnswerMs: 300 } });
  const socket = await askForMuch(server.port, OFFERING);
  await sleep(1_500);
  expect((await readAll(socket)).length).toBeLessThan(LARGE_BYTES);
});

test("whoever does not read an answer loses the connection, and a slow reader keeps it", async () => {
  const server = await testServer({ staticRoot: await largePage(), limits: { unreadAnswerMs: 600 } });
  const [idle, slow] = [await askForMuch(server.port, PLAIN), await askForMuch(server.port, PLAIN)];
  const startedMs = performance.now();
  let read = 0;
  for await (const chunk of slow) {
    read += (chunk as Buffer).length;
    // In all longer than the limit, with no pause as long as that.
    if (performance.now() - startedMs < 2_000) await sleep(20);
  }
  expect(read).toBeGreaterThan(LARGE_BYTES);
  expect((await readAll(idle)).length).toBeLessThan(LARGE_BYTES);
});

test("one address cannot take all connections", async () => {
  const server = await testServer({ limits: { connectionsPerAddress: 2 } });
  const first = await dial(server.port);
  await dial(server.port);
  const third = await dial(server.port);
  await readAll(third);
  first.destroy();
  await expect.poll(() => ask(server.port, "/healthz")).toContain("HTTP/1.1 200 OK");
  expect(server.lines.join("\n")).toContain("2 connections are open from this address");
});

test("what a full server turns away is counted", async () => {
  const server = await testServer({ limits: { connections: 1 } });
  const only = await dial(server.port);
  await readAll(await dial(server.port));
  only.destroy();
  await expect
    .poll(() => ask(server.port, "/metrics"))
    .toContain('tabstream_refusals_total{reason="connections-full"} ');
});
