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

test("whoever does not read an answer loses the connection, and a slow reader keeps it", async () => {
  const staticRoot = join(await temporaryFolder(), "pages");
  const size = 24 * 1024 * 1024;
  await mkdir(staticRoot);
  await writeFile(join(staticRoot, "large.txt"), Buffer.alloc(size, "x"));
  const server = await testServer({ staticRoot, limits: { unreadAnswerMs: 600 } });
  const [idle, slow] = [await dial(server.port), await dial(server.port)];
  idle.pause();
  for (const socket of [idle, slow]) {
    socket.write("GET /large.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  }
  const startedMs = performance.now();
  let read = 0;
  for await (const chunk of slow) {
    read += (chunk as Buffer).length;
    // In all longer than the limit, with no pause as long as that.
    if (performance.now() - startedMs < 2_000) await sleep(20);
  }
  expect(read).toBeGreaterThan(size);
  expect((await readAll(idle)).length).toBeLessThan(size);
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
