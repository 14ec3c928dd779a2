import { randomBytes, randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { testServer } from "./test-server.ts";
import { relaySocket } from "./test-tab.ts";
import type { TestSocket } from "./test-tab.ts";

async function splicedPair(server: { readonly url: string }): Promise<[TestSocket, TestSocket]> {
  const relayId = randomUUID();
  const pair = [relaySocket(server, relayId), relaySocket(server, relayId)] as [TestSocket, TestSocket];
  await Promise.all(pair.map(({ opened }) => opened));
  return pair;
}

test("a relay carries messages both ways, as they are and in order", async () => {
  const server = await testServer();
  const [left, right] = await splicedPair(server);
  for (let count = 0; count < 100; count++) {
    left.webSocket.send(Buffer.from([count]));
    right.webSocket.send(Buffer.from([200 - count, 0]));
  }
  await expect.poll(() => right.frames.length).toBe(100);
  await expect.poll(() => left.frames.length).toBe(100);
  expect(right.frames.map((frame) => [...frame])).toEqual(Array.from({ length: 100 }, (_, count) => [count]));
  expect(left.frames.map((frame) => [...frame])).toEqual(Array.from({ length: 100 }, (_, count) => [200 - count, 0]));
});

test("what the first socket sends before the second is there arrives", async () => {
  const server = await testServer();
  const relayId = randomUUID();
  const first = relaySocket(server, relayId);
  await first.opened;
  const sent = Array.from({ length: 40 }, () => randomBytes(50_000));
  for (const message of sent) first.webSocket.send(message);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const second = relaySocket(server, relayId);
  await expect.poll(() => second.frames.length).toBe(sent.length);
  expect(Buffer.concat(second.frames).equals(Buffer.concat(sent))).toBe(true);
});

test("a side that does not read holds the other back, and nothing is lost", async () => {
  const server = await testServer();
  const [source, target] = await splicedPair(server);
  const messageBytes = 65_536;
  const count = 768;
  target.webSocket.pause();
  for (let index = 0; index < count; index++) {
    const message = Buffer.alloc(messageBytes, index);
    message.writeUInt32BE(index);
    source.webSocket.send(message);
  }
  // The server and the kernel take a few megabytes, then the rest stays with the sender.
  const relayed = async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return Number(/^tabstream_bytes_total\{kind="relay",direction="in"\} (\d+)$/m.exec(text)?.[1]);
  };
  let before = -1;
  let now = await relayed();
  while (now !== before) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 150));
    now = await relayed();
  }
  expect(now).toBeLessThan(24 * 1024 * 1024);
  expect(source.webSocket.bufferedAmount).toBeGreaterThan((messageBytes * count) / 4);

  target.webSocket.resume();
  await expect.poll(() => target.frames.length, { timeout: 10_000 }).toBe(count);
  const isWhole = (frame: Buffer, index: number) =>
    frame.length === messageBytes && frame.readUInt32BE() === index && frame[messageBytes - 1] === index % 256;
  expect(target.frames.every(isWhole)).toBe(true);
}, 20_000);

test("when one side closes, the other gets what was under way and closes too", async () => {
  const server = await testServer();
  const [left, right] = await splicedPair(server);
  const last = randomBytes(900_000);
  left.webSocket.send(last);
  left.webSocket.close(1000);
  expect(await right.ended).toMatchObject({ code: 1000, reason: "the other side closed (1000)" });
  expect(right.frames.map((frame) => frame.equals(last))).toEqual([true]);
});

test("when one side is lost, the other closes", async () => {
  const server = await testServer();
  const [left, right] = await splicedPair(server);
  left.webSocket.terminate();
  expect(await right.ended).toMatchObject({ code: 1000 });
});

test("a socket whose twin does not come is closed", async () => {
  const server = await testServer({ limits: { relayPairingMs: 60 } });
  const lonely = relaySocket(server, randomUUID());
  expect(await lonely.ended).toEqual({ code: 4404, reason: "nobody else came to the relay" });
});

test("a third socket is refused, and the two go on", async () => {
  const server = await testServer();
  const relayId = randomUUID();
  const [left, right] = [relaySocket(server, relayId), relaySocket(server, relayId)];
  await Promise.all([left.opened, right.opened]);
  expect(await relaySocket(server, relayId).ended).toMatchObject({ code: 4409 });
  left.webSocket.send(Buffer.from("still here"));
  expect((await right.takeFrame()).toString()).toBe("still here");
});

test("a relay id is free again after its relay", async () => {
  const server = await testServer();
  const relayId = randomUUID();
  const [left, right] = [relaySocket(server, relayId), relaySocket(server, relayId)];
  await Promise.all([left.opened, right.opened]);
  left.webSocket.close();
  await right.ended;
  const again = [relaySocket(server, relayId), relaySocket(server, relayId)] as const;
  await Promise.all(again.map(({ opened }) => opened));
  again[0].webSocket.send(Buffer.from("anew"));
  expect((await again[1].takeFrame()).toString()).toBe("anew");
});

test("a message beyond 1 MiB ends the relay", async () => {
  const server = await testServer();
  const [left, right] = await splicedPair(server);
  left.webSocket.send(Buffer.alloc(1024 * 1024));
  expect((await right.takeFrame()).length).toBe(1024 * 1024);
  left.webSocket.send(Buffer.alloc(1024 * 1024 + 1));
  expect(await left.ended).toMatchObject({ code: 1009 });
  await right.ended;
  expect(right.frames).toEqual([]);
});

test("text ends the relay", async () => {
  const server = await testServer();
  const [left, right] = await splicedPair(server);
  left.webSocket.send("text");
  expect(await left.ended).toMatchObject({ code: 1003 });
  expect(await right.ended).toMatchObject({ code: 1003 });
});

test("an idle relay is closed, one that moves is not", async () => {
  const server = await testServer({ limits: { relayIdleMs: 250, pingIntervalMs: 20 } });
  const [idle, busy] = await Promise.all([splicedPair(server), splicedPair(server)]);
  const traffic = setInterval(() => busy[0].webSocket.send(Buffer.from([1])), 20);
  expect(await idle[0].ended).toEqual({ code: 1000, reason: "the relay was idle" });
  clearInterval(traffic);
  expect(busy[1].webSocket.readyState).toBe(busy[1].webSocket.OPEN);
  expect(await busy[1].ended).toMatchObject({ reason: "the relay was idle" });
});

test("the server has its relays", async () => {
  const server = await testServer({ limits: { relays: 1 } });
  await splicedPair(server);
  expect(await relaySocket(server, randomUUID()).ended).toMatchObject({ code: 1013 });
});
