import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { ControllerSocket } from "../../src/platform/browser/controller-socket.ts";
import { clusterUrl } from "../../src/platform/browser/server-address.ts";
import { testServer } from "./test-server.ts";
import { TestSocket, TestTab, socketUrl, welcomedTab } from "./test-tab.ts";

test("two tabs of a cluster exchange signals under their own names", async () => {
  const server = await testServer();
  const [left, right] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  const signal = { link: "1", signal: { type: "offer", sdp: "v=0\r\nö" } };
  left.say({ type: "signal", to: right.peer, signal });
  expect(await right.take("signal")).toEqual({ type: "signal", from: left.peer, signal });
  const relayId = randomUUID();
  right.say({ type: "relay", to: left.peer, relayId, listener: "TAB" });
  expect(await left.take("relay")).toEqual({ type: "relay", from: right.peer, relayId, listener: "TAB" });
});

test("a welcome tells the peer and the cluster", async () => {
  const server = await testServer();
  const tab = new TestTab(server, { cluster: "a.b_C-1" });
  expect(await tab.take("welcome")).toEqual({ type: "welcome", peer: tab.peer, cluster: "a.b_C-1" });
});

test("nobody is reached in another cluster", async () => {
  const server = await testServer();
  const [inside, outside] = await Promise.all([
    welcomedTab(server, { cluster: "one" }),
    welcomedTab(server, { cluster: "two" }),
  ]);
  outside.say({ type: "signal", to: inside.peer, signal: {} });
  expect(await outside.take("unreachable")).toEqual({ type: "unreachable", to: inside.peer });
  // Whatever had crossed would have come before this.
  inside.say({ type: "signal", to: inside.peer, signal: { own: true } });
  expect(await inside.take("signal")).toMatchObject({ from: inside.peer });
  expect(inside.texts).toEqual([]);
});

test("a peer that is gone is unreachable", async () => {
  const server = await testServer();
  const [stays, leaves] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  leaves.webSocket.close(1000);
  await leaves.ended;
  await expect.poll(() => server.lines.some((line) => line.includes("disconnected"))).toBe(true);
  stays.say({ type: "signal", to: leaves.peer, signal: {} });
  expect(await stays.take("unreachable")).toEqual({ type: "unreachable", to: leaves.peer });
});

test("a tab that connects again replaces its own socket", async () => {
  const server = await testServer();
  const [first, other] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  const second = await welcomedTab(server, { peer: first.peer, key: first.key });
  expect(await first.ended).toMatchObject({ code: 4001 });
  other.say({ type: "signal", to: second.peer, signal: { hello: 1 } });
  expect(await second.take("signal")).toMatchObject({ from: other.peer });
});

test("a peer id is nobody else's, not even right after its tab left", async () => {
  const server = await testServer();
  const owner = await welcomedTab(server);
  const thief = new TestTab(server, { peer: owner.peer });
  expect(await thief.ended).toMatchObject({ code: 4403 });
  // A tab that was refused has never been connected.
  await expect.poll(() => server.lines.filter((line) => line.startsWith("warn refused"))).toHaveLength(1);
  expect(server.lines.filter((line) => line.includes("disconnected"))).toEqual([]);
  owner.say({ type: "signal", to: owner.peer, signal: { still: "here" } });
  expect(await owner.take("signal")).toMatchObject({ from: owner.peer });

  owner.webSocket.terminate();
  await owner.ended;
  await expect.poll(() => server.lines.some((line) => line.includes(owner.peer) && line.includes("1006"))).toBe(true);
  const late = new TestTab(server, { peer: owner.peer });
  expect(await late.ended).toMatchObject({ code: 4403 });
  expect(thief.texts).toEqual([]);
});

test("the key of a tab that left is forgotten in time", async () => {
  const server = await testServer({ limits: { keyMemoryMs: 50, pingIntervalMs: 20 } });
  const owner = await welcomedTab(server);
  owner.webSocket.close();
  await owner.ended;
  await expect.poll(async () => {
    const next = new TestTab(server, { peer: owner.peer });
    return await Promise.race([next.ended.then(({ code }) => code), next.take("welcome").then(() => "welcome")]);
  }).toBe("welcome");
});

const id = randomUUID();
const relayFields = `"type":"relay","to":"${id}"`;
const signalFields = `"type":"signal","to":"${id}"`;
const deepSignal = `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`;

test.each([
  ["no JSON", "{", "the text is not JSON"],
  ["no object", "[1]", "the text is not a JSON object"],
  ["null", "null", "the text is not a JSON object"],
  ["an unknown type", '{"type":"list"}', "the field type is none of signal, relay and pong"],
  ["an inherited type", '{"type":"constructor"}', "the field type is none of signal, relay and pong"],
  ["an unknown field", `{"type":"pong","extra":1}`, "a pong has the fields type"],
  ["a forged sender", `{${signalFields},"from":"${id}","signal":{}}`, "a signal has the fields type, to, signal"],
  ["a missing field", `{${signalFields}}`, "a signal has the fields type, to, signal"],
  ["a target that is no uuid", '{"type":"signal","to":"__proto__","signal":{}}', "the field to is not a uuid"],
  ["a signal that is no object", `{${signalFields},"signal":"x"}`, "the field signal is not an object"],
  ["__proto__ at the top", '{"type":"pong","__proto__":{"x":1}}', "the JSON has a field __proto__"],
  ["__proto__ within", `{${signalFields},"signal":{"a":[{"__proto__":{}}]}}`, "the JSON has a field __proto__"],
  ["deep JSON", `{${signalFields},"signal":${deepSignal}}`, "the JSON is nested deeper than 8 levels"],
  ["deep arrays", "[".repeat(30_000), "the text is not JSON"],
  ["a path for a relay id", `{${relayFields},"relayId":"../x","listener":"TAB"}`, "the field relayId is not a uuid"],
  [
    "markup for a listener",
    `{${relayFields},"relayId":"${id}","listener":"<img>"}`,
    "the field listener is not the name of a listener",
  ],
])("%s closes that socket alone", async (_, text, reason) => {
  const server = await testServer();
  const [bad, good] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  bad.webSocket.send(text);
  expect(await bad.ended).toEqual({ code: 1008, reason });
  good.say({ type: "signal", to: good.peer, signal: { fine: true } });
  expect(await good.take("signal")).toMatchObject({ signal: { fine: true } });
  expect(server.lines.some((line) => line.includes(reason))).toBe(true);
});

test("a text beyond 64 KiB closes its socket", async () => {
  const server = await testServer();
  const [bad, good] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  const sendSignal = (length: number) => {
    bad.say({ type: "signal", to: good.peer, signal: { sdp: "x".repeat(length) } });
  };
  sendSignal(60 * 1024);
  expect((await good.take("signal")).signal).toEqual({ sdp: "x".repeat(60 * 1024) });
  sendSignal(65 * 1024);
  expect(await bad.ended).toMatchObject({ code: 1009 });
  expect(good.texts).toEqual([]);
});

test("text that is not UTF-8 closes its socket", async () => {
  const server = await testServer();
  const bad = await welcomedTab(server);
  bad.webSocket.send(Buffer.from([0xff, 0xfe]), { binary: false });
  expect(await bad.ended).toMatchObject({ code: 1007 });
});

test("a flood of texts closes its socket, and others do not notice", async () => {
  const server = await testServer({ limits: { textRate: { burst: 20, perSecond: 10 } } });
  const [bad, good] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  for (let count = 0; count < 500; count++) bad.say({ type: "signal", to: good.peer, signal: { count } });
  expect(await bad.ended).toEqual({ code: 1008, reason: "messages come too fast" });
  good.say({ type: "signal", to: good.peer, signal: { last: true } });
  await expect.poll(() => good.texts.some((text) => text.type === "signal" && text.from === good.peer)).toBe(true);
  expect(good.texts.filter((text) => text.type === "signal" && text.from === bad.peer)).toHaveLength(20);
});

test("a tab to which 200 others link at once stays", async () => {
  const server = await testServer();
  const [dialled, dialler] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  // An answer and five candidates for each.
  for (let count = 0; count < 200 * 6; count++) dialled.say({ type: "signal", to: dialler.peer, signal: { count } });
  const signals = () => dialler.texts.filter((text) => text.type === "signal");
  await expect.poll(() => signals().length).toBe(200 * 6);
  expect(signals().at(-1)).toEqual({ type: "signal", from: dialled.peer, signal: { count: 200 * 6 - 1 } });
});

test("a tab that has more to signal than the server takes is not ended for it", async () => {
  const server = await testServer();
  // What the sockets of a worker are made of.
  vi.stubGlobal("WebSocket", WebSocket);
  vi.stubGlobal("addEventListener", () => {});
  vi.stubGlobal("removeEventListener", () => {});
  onTestFinished(() => void vi.unstubAllGlobals());
  const other = await welcomedTab(server);
  const address = { serverUrl: server.url, cluster: "demo" };
  const socket = new ControllerSocket(clusterUrl(address, { peer: randomUUID(), key: randomUUID() }), () => {});
  onTestFinished(() => socket.close());
  const closings: string[] = [];
  socket.receive({ opened: () => {}, frame: () => {}, closed: (reason) => closings.push(reason) });
  await expect.poll(() => socket.connected).toBe(true);
  for (let count = 0; count < 5_000; count++) socket.signal({ type: "signal", to: other.peer, signal: { count } });
  // Those that had to wait come after the others.
  await expect.poll(() => other.texts.length).toBeGreaterThan(1_010);
  expect([socket.connected, ...closings]).toEqual([true]);
});

test("a flood of bytes closes its socket", async () => {
  const server = await testServer({ limits: { byteRate: { burst: 300_000, perSecond: 1_000 } } });
  const bad = await welcomedTab(server);
  const text = JSON.stringify({ type: "signal", to: randomUUID(), signal: { sdp: "x".repeat(60_000) } });
  for (let count = 0; count < 6; count++) bad.webSocket.send(text);
  expect(await bad.ended).toMatchObject({ code: 1008 });
});

test("bytes that are no Kafka frame close that socket alone", async () => {
  const server = await testServer();
  const [bad, good] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  bad.webSocket.send(Buffer.from([1, 2, 3]));
  expect(await bad.ended).toMatchObject({ code: 1008 });
  good.say({ type: "signal", to: good.peer, signal: {} });
  await good.take("signal");
});

test("a Kafka frame beyond 1 MiB closes its socket", async () => {
  const server = await testServer();
  const bad = await welcomedTab(server);
  bad.webSocket.send(Buffer.alloc(1024 * 1024 + 1));
  expect(await bad.ended).toMatchObject({ code: 1009 });
});

test("a tab that answers pings stays, a silent one is dropped", async () => {
  const server = await testServer({ limits: { pingIntervalMs: 40, silenceMs: 200 } });
  const [lively, silent] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  lively.webSocket.on("message", () => lively.say({ type: "pong" }));
  lively.say({ type: "pong" });
  expect(await silent.ended).toMatchObject({ code: 4002 });
  lively.say({ type: "signal", to: lively.peer, signal: {} });
  await lively.take("signal");
});

test("a tab that does not read is unreachable for others, and costs no more than the bound", async () => {
  const unlimited = { burst: 1e9, perSecond: 1 };
  const limits = { queuedBytesForSignals: 200_000, textRate: unlimited, byteRate: unlimited };
  const server = await testServer({ limits });
  const [sender, deaf] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  deaf.webSocket.pause();
  const signal = { sdp: "x".repeat(60_000) };
  for (let count = 0; count < 400; count++) sender.say({ type: "signal", to: deaf.peer, signal });
  expect(await sender.take("unreachable")).toEqual({ type: "unreachable", to: deaf.peer });
  deaf.webSocket.resume();
  await expect.poll(() => deaf.texts.length).toBeGreaterThan(0);
});

test("a cluster has its peers and a server its clusters", async () => {
  const server = await testServer({ limits: { peersPerCluster: 2, clusters: 2 } });
  const tabs = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  expect(await new TestTab(server).ended).toMatchObject({ code: 1013 });
  // A tab that is in may replace its socket even so.
  await welcomedTab(server, { peer: tabs[0].peer, key: tabs[0].key });
  await welcomedTab(server, { cluster: "second" });
  expect(await new TestTab(server, { cluster: "third" }).ended).toMatchObject({ code: 1013 });
});

test("a cluster that nobody uses makes room for another", async () => {
  const server = await testServer({ limits: { clusters: 1, idleClusterMs: 50, pingIntervalMs: 20 } });
  const tab = await welcomedTab(server, { cluster: "first" });
  tab.webSocket.close();
  await expect.poll(async () => {
    const next = new TestTab(server, { cluster: "second" });
    return await Promise.race([next.ended.then(({ code }) => code), next.take("welcome").then(() => "welcome")]);
  }).toBe("welcome");
});

test("names of clusters that nobody uses do not keep the server's places", async () => {
  const limits = { storedClusters: 2, idleClusterMs: 20, pingIntervalMs: 10 };
  const server = await testServer({ limits });
  for (let count = 0; count < 4; count++) {
    const stranger = await welcomedTab(server, { cluster: `name-${count}` });
    stranger.webSocket.close();
    const closed = async () => (await (await fetch(`${server.url}/metrics`)).text()).includes("tabstream_clusters 0\n");
    await expect.poll(closed).toBe(true);
  }
  await Promise.all([welcomedTab(server, { cluster: "one" }), welcomedTab(server, { cluster: "two" })]);
  // A page's broker and its client come at once.
  const both = [new TestTab(server, { cluster: "three" }), new TestTab(server, { cluster: "three" })];
  const codes = await Promise.all(both.map(async ({ ended }) => (await ended).code));
  expect(codes).toEqual([1013, 1013]);
});

test("an address has its sockets", async () => {
  const server = await testServer({ limits: { socketsPerAddress: 2 } });
  const [first] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  await expect(new TestTab(server).opened).rejects.toThrow("HTTP 429");
  first.webSocket.close();
  await first.ended;
  await expect.poll(() => new TestTab(server).opened.then(() => "open", () => "refused")).toBe("open");
});

test.each([
  ["/clusters/demo"],
  [`/clusters/demo?peer=${randomUUID()}`],
  [`/clusters/demo?peer=${randomUUID()}&key=${randomUUID()}&extra=1`],
  [`/clusters/demo?peer=${randomUUID().toUpperCase()}&key=${randomUUID()}`],
  [`/clusters/${"x".repeat(65)}?peer=${randomUUID()}&key=${randomUUID()}`],
  [`/clusters/a%2fb?peer=${randomUUID()}&key=${randomUUID()}`],
  [`/clusters/demo/x?peer=${randomUUID()}&key=${randomUUID()}`],
  ["/relay/../clusters"],
  ["/relay/not-a-uuid"],
  [`/relay/${randomUUID()}?x=1`],
  ["/"],
])("there is no socket at %s", async (path) => {
  const server = await testServer();
  const socket = new TestSocket(`${socketUrl(server)}${path}`);
  await expect(socket.opened).rejects.toThrow("HTTP 400");
});
