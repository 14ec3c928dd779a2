import { randomBytes, randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { testServer } from "./test-server.ts";
import { defaultLimits } from "../../signaling-server/limits.ts";
import { relaySocket, welcomedTab } from "./test-tab.ts";
import type { TestSocket, TestTab } from "./test-tab.ts";

interface Server {
  readonly url: string;
}

function twoTabs(server: Server): Promise<[dialer: TestTab, target: TestTab]> {
  return Promise.all([welcomedTab(server), welcomedTab(server)]);
}

/** The relay that one tab has asked the other to join. */
async function announcedBy(dialer: TestTab, target: TestTab, relayId: string = randomUUID()): Promise<string> {
  dialer.say({ type: "relay", to: target.peer, relayId, listener: "TAB" });
  expect(await target.take("relay")).toMatchObject({ relayId });
  return relayId;
}

async function announcedRelay(server: Server): Promise<string> {
  return announcedBy(...(await twoTabs(server)));
}

async function openRelays(server: Server): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^tabstream_relays (\d+)$/m.exec(text)?.[1]);
}

async function splicedPair(server: Server): Promise<[TestSocket, TestSocket]> {
  const relayId = await announcedRelay(server);
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
  const relayId = await announcedRelay(server);
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
  const lonely = relaySocket(server, await announcedRelay(server));
  expect(await lonely.ended).toEqual({ code: 4404, reason: "nobody else came to the relay" });
});

test("a third socket is refused, and the two go on", async () => {
  const server = await testServer();
  const relayId = await announcedRelay(server);
  const [left, right] = [relaySocket(server, relayId), relaySocket(server, relayId)];
  await Promise.all([left.opened, right.opened]);
  expect(await relaySocket(server, relayId).ended).toMatchObject({ code: 4409 });
  left.webSocket.send(Buffer.from("still here"));
  expect((await right.takeFrame()).toString()).toBe("still here");
});

test("a relay id is free again after its relay", async () => {
  const server = await testServer();
  const [dialer, target] = await twoTabs(server);
  const relayId = await announcedBy(dialer, target);
  const [left, right] = [relaySocket(server, relayId), relaySocket(server, relayId)];
  await Promise.all([left.opened, right.opened]);
  left.webSocket.close();
  await right.ended;
  await announcedBy(dialer, target, relayId);
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
  expect(await relaySocket(server, await announcedRelay(server)).ended).toMatchObject({ code: 1013 });
  const early = randomUUID();
  const waiting = relaySocket(server, early);
  await waiting.opened;
  await announcedBy(...(await twoTabs(server)), early);
  expect(await waiting.ended).toMatchObject({ code: 1013 });
});

test("strangers take no relays", async () => {
  const server = await testServer({ limits: { relays: 1, relayPairingMs: 500 } });
  const strangers = Array.from({ length: 5 }, () => relaySocket(server, randomUUID()));
  await Promise.all(strangers.map(({ opened }) => opened));
  expect(await openRelays(server)).toBe(0);
  const [left, right] = await splicedPair(server);
  left.webSocket.send(Buffer.from("of members"));
  expect((await right.takeFrame()).toString()).toBe("of members");
  for (const { ended } of strangers) expect(await ended).toEqual({ code: 4404, reason: "no tab announced this relay" });
});

test("a socket that is faster than the announcement of its relay waits for it", async () => {
  const server = await testServer();
  const relayId = randomUUID();
  const early = relaySocket(server, relayId);
  await early.opened;
  early.webSocket.send(Buffer.from("first"));
  // Nobody else knows the id by now, so whoever names it guesses.
  expect(await relaySocket(server, relayId).ended).toMatchObject({ code: 4409 });
  await announcedBy(...(await twoTabs(server)), relayId);
  const late = relaySocket(server, relayId);
  expect((await late.takeFrame()).toString()).toBe("first");
});

test("of the sockets that wait for an announcement the oldest gives way", async () => {
  const server = await testServer({ limits: { unannouncedRelays: 2 } });
  const sockets: TestSocket[] = [];
  for (let count = 0; count < 3; count++) {
    const socket = relaySocket(server, randomUUID());
    await socket.opened;
    sockets.push(socket);
  }
  expect(await sockets[0]!.ended).toMatchObject({ code: 1013 });
  for (const { webSocket } of sockets.slice(1)) expect(webSocket.readyState).toBe(webSocket.OPEN);
});

test("a tab has its share of relays, announced and open, and gets back what ended", async () => {
  const server = await testServer({ limits: { relaysPerTab: 2 } });
  const [dialer, target] = await twoTabs(server);
  const relayId = await announcedBy(dialer, target);
  const [left, right] = [relaySocket(server, relayId), relaySocket(server, relayId)];
  await Promise.all([left.opened, right.opened]);
  await announcedBy(dialer, target);
  dialer.say({ type: "relay", to: target.peer, relayId: randomUUID(), listener: "TAB" });
  expect(await dialer.take("unreachable")).toEqual({ type: "unreachable", to: target.peer });
  expect(server.lines.filter((line) => line.includes("this tab has its 2 relays"))).toHaveLength(1);
  await announcedBy(target, dialer);
  expect(target.texts).toEqual([]);
  left.webSocket.close();
  await right.ended;
  await announcedBy(dialer, target);
});

test("an announcement that nobody follows gives its share back, and one that reached nobody takes none", async () => {
  const server = await testServer({ limits: { relaysPerTab: 1, relayPairingMs: 60 } });
  const [dialer, target] = await twoTabs(server);
  const nobody = randomUUID();
  dialer.say({ type: "relay", to: nobody, relayId: randomUUID(), listener: "TAB" });
  expect(await dialer.take("unreachable")).toEqual({ type: "unreachable", to: nobody });
  await announcedBy(dialer, target);
  await new Promise((resolve) => setTimeout(resolve, 150));
  await announcedBy(dialer, target);
});

test("one network address cannot have more than half of the relays", () => {
  expect(defaultLimits.socketsPerAddress / 2).toBeLessThanOrEqual(defaultLimits.relays / 2);
});
