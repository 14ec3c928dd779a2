import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { defaultLimits } from "../../signaling-server/limits.ts";
import type { Limits } from "../../signaling-server/limits.ts";
import { startServer } from "../../signaling-server/server.ts";
import { KafkaClient, freePorts, tryPort } from "./kafka-client.ts";
import { ControllerClient, registerBroker } from "./test-broker.ts";
import { temporaryFolder, testServer } from "./test-server.ts";
import type { TestServer } from "./test-server.ts";
import { TestTab, relaySocket, welcomedTab } from "./test-tab.ts";
import type { TestSocket } from "./test-tab.ts";

const CLUSTER = "tabstream";

interface KafkaServer extends TestServer {
  readonly kafkaPort: number;
  /** Where broker n listens. */
  portOf(brokerId: number): number;
}

async function kafkaServer(limits: Partial<Limits> = {}, known: { dataDir?: string; port?: number } = {}) {
  const { port = await freePorts(), dataDir } = known;
  const server = await testServer({
    ...(dataDir === undefined ? {} : { dataDir }),
    limits: { kafkaSweepMs: 30, ...limits },
    kafka: { port, host: "127.0.0.1", advertisedHost: "localhost", cluster: CLUSTER },
    // Only the sockets of the tabs here tell whether they are alive.
    controllerConfig: { sessionTimeoutMs: 600_000 },
  });
  return { ...server, kafkaPort: port, portOf: (brokerId: number) => port + 1 + brokerId } satisfies KafkaServer;
}

/** A tab that is a registered broker, and joins the relays that it is asked to join. */
class BrokerTab {
  readonly tab: TestTab;
  readonly brokerId: number;
  /** Its ends of Kafka connections. */
  readonly ends: TestSocket[] = [];
  readonly #server: KafkaServer;

  static async start(server: KafkaServer, profile?: string): Promise<BrokerTab> {
    const tab = await welcomedTab(server, { cluster: CLUSTER });
    const { brokerId } = await registerBroker(new ControllerClient(tab), tab.peer, profile);
    return new BrokerTab(server, tab, brokerId);
  }

  private constructor(server: KafkaServer, tab: TestTab, brokerId: number) {
    this.#server = server;
    this.tab = tab;
    this.brokerId = brokerId;
  }

  get port(): number {
    return this.#server.portOf(this.brokerId);
  }

  /** Joins the relay for the next client. */
  async serve(): Promise<TestSocket> {
    const { relayId, listener } = await this.tab.take("relay");
    expect(listener).toBe("KAFKA");
    const end = relaySocket(this.#server, relayId);
    await end.opened;
    this.ends.push(end);
    return end;
  }

  /** A client on this broker's own port, and the tab's end of its connection. */
  async client(port = this.port): Promise<[KafkaClient, TestSocket]> {
    const client = await KafkaClient.connected(port);
    return [client, await this.serve()];
  }
}

function bytesAt({ frames }: TestSocket): Buffer {
  return Buffer.concat(frames);
}

async function metric(server: TestServer, line: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const found = text.split("\n").find((candidate) => candidate.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? 0);
}

test("a broker's port leads to its tab, and carries every byte as it is, both ways", async () => {
  const server = await kafkaServer();
  const tabs = [await BrokerTab.start(server), await BrokerTab.start(server)];
  for (const tab of tabs) {
    const [client, end] = await tab.client();
    const [asked, answered] = [randomBytes(3_000_000), randomBytes(3_000_000)];
    client.send(asked);
    for (let at = 0; at < answered.length; at += 60_000) end.webSocket.send(answered.subarray(at, at + 60_000));
    await expect.poll(() => bytesAt(end).length).toBe(asked.length);
    await expect.poll(() => client.received.length).toBe(answered.length);
    expect(bytesAt(end).equals(asked)).toBe(true);
    expect(client.received.equals(answered)).toBe(true);
  }
  expect(await metric(server, "tabstream_kafka_connections")).toBe(2);
  expect(await metric(server, 'tabstream_bytes_total{kind="listener",direction="in"}')).toBe(6_000_000);
  expect(await metric(server, 'tabstream_bytes_total{kind="listener",direction="out"}')).toBe(6_000_000);
});

test("the bootstrap port leads to every live broker in turn", async () => {
  const server = await kafkaServer();
  const tabs = [await BrokerTab.start(server), await BrokerTab.start(server), await BrokerTab.start(server)];
  for (const tab of [...tabs, ...tabs]) {
    const [client, end] = await tab.client(server.kafkaPort);
    client.send("hello");
    await expect.poll(() => bytesAt(end).toString()).toBe("hello");
  }
  tabs[1]!.tab.webSocket.terminate();
  await expect.poll(() => metric(server, "tabstream_brokers")).toBe(2);
  for (const tab of [tabs[0]!, tabs[2]!]) await tab.client(server.kafkaPort);
});

test("while no tab is there, connections are accepted and closed at once", async () => {
  const server = await kafkaServer();
  await (await KafkaClient.connected(server.kafkaPort)).ended;
  const tab = await BrokerTab.start(server);
  const [client] = await tab.client();
  tab.tab.webSocket.terminate();
  for (const end of tab.ends) end.webSocket.terminate();
  await client.ended;
  for (const port of [tab.port, server.kafkaPort]) {
    const startedMs = performance.now();
    await (await KafkaClient.connected(port)).ended;
    // Not after the time that a tab is given to come.
    expect(performance.now() - startedMs).toBeLessThan(defaultLimits.relayPairingMs / 2);
  }
  expect(await metric(server, 'tabstream_refusals_total{reason="kafka-no-broker"}')).toBe(3);
  expect(server.lines.filter((line) => line.startsWith("warn refused reason=the broker"))).toHaveLength(3);
});

test("the ports of brokers are remembered, with nobody there after a restart of the server", async () => {
  const first = await kafkaServer();
  const tabs = [await BrokerTab.start(first), await BrokerTab.start(first)];
  await first.close();
  const again = await kafkaServer({}, { dataDir: first.dataDir, port: first.kafkaPort });
  for (const { port } of tabs) await (await KafkaClient.connected(port)).ended;
  await expect(KafkaClient.connected(again.portOf(3))).rejects.toThrow("ECONNREFUSED");
});

test("what either side says last still arrives", async () => {
  const server = await kafkaServer();
  const tab = await BrokerTab.start(server);
  const last = randomBytes(900_000);

  const [client, end] = await tab.client();
  client.socket.end(last);
  await end.ended;
  expect(bytesAt(end).equals(last)).toBe(true);

  const [other, otherEnd] = await tab.client();
  otherEnd.webSocket.send(last);
  otherEnd.webSocket.close(1000);
  await other.ended;
  expect(other.received.equals(last)).toBe(true);
});

test("a client that does not read holds its own broker connection back, and no other", async () => {
  const server = await kafkaServer({ kafkaIdleMs: 3_000 });
  const tab = await BrokerTab.start(server);
  const [client, end] = await tab.client();
  client.socket.pause();
  const message = Buffer.alloc(64_000);
  const count = 800;
  for (let sent = 0; sent < count; sent++) end.webSocket.send(message);
  await sleep(300);
  // The kernel's buffers and the server's own take some; most stays where it can be noticed.
  expect(end.webSocket.bufferedAmount).toBeGreaterThan((message.length * count) / 4);

  const [brisk, briskEnd] = await tab.client();
  brisk.send("ping");
  await expect.poll(() => bytesAt(briskEnd).toString()).toBe("ping");
  const keepsMoving = setInterval(() => brisk.send("."), 100);
  onTestFinished(() => clearInterval(keepsMoving));

  await end.ended;
  expect(await metric(server, 'tabstream_kafka_connections_closed_total{reason="idle"}')).toBe(1);
  expect(brisk.isOver).toBe(false);
});

test("a client that reads again gets all of it", async () => {
  const server = await kafkaServer();
  const tab = await BrokerTab.start(server);
  const [client, end] = await tab.client();
  client.socket.pause();
  const sent = Array.from({ length: 300 }, () => randomBytes(64_000));
  for (const message of sent) end.webSocket.send(message);
  await sleep(100);
  client.socket.resume();
  await expect.poll(() => client.received.length, { timeout: 10_000 }).toBe(300 * 64_000);
  expect(client.received.equals(Buffer.concat(sent))).toBe(true);
});

test("a tab that does not read holds its own clients back, and no others", async () => {
  const server = await kafkaServer();
  const [slow, brisk] = [await BrokerTab.start(server), await BrokerTab.start(server)];
  const [client, end] = await slow.client();
  end.webSocket.pause();
  const sent = randomBytes(40_000_000);
  client.send(sent);
  const taken = async () => await metric(server, 'tabstream_bytes_total{kind="listener",direction="in"}');
  let before = -1;
  for (let now = await taken(); now !== before; now = await taken()) {
    before = now;
    await sleep(100);
  }
  expect(before).toBeLessThan(sent.length / 2);
  const [other, otherEnd] = await brisk.client();
  other.send("ping");
  await expect.poll(() => bytesAt(otherEnd).toString()).toBe("ping");
  end.webSocket.resume();
  await expect.poll(() => bytesAt(end).length, { timeout: 10_000 }).toBe(sent.length);
  expect(bytesAt(end).equals(sent)).toBe(true);
});

test("a tab that does not come when it is asked costs its client no more than a while", async () => {
  const server = await kafkaServer({ relayPairingMs: 80 });
  const tab = await BrokerTab.start(server);
  const client = await KafkaClient.connected(tab.port);
  const { relayId } = await tab.tab.take("relay");
  await client.ended;
  expect(await metric(server, 'tabstream_kafka_connections_closed_total{reason="tab did not come"}')).toBe(1);
  // Too late: this is now a relay like any other, for which nobody else comes.
  expect(await relaySocket(server, relayId).ended).toMatchObject({ code: 4404 });
});

test("a client that left before its tab came is gone once the tab is there", async () => {
  const server = await kafkaServer();
  const tab = await BrokerTab.start(server);
  const client = await KafkaClient.connected(tab.port);
  client.socket.resetAndDestroy();
  await (await tab.serve()).ended;
  expect(await metric(server, "tabstream_kafka_connections")).toBe(0);
});

test("silence on both sides ends a connection, half a request as well", async () => {
  const server = await kafkaServer({ kafkaIdleMs: 150 });
  const tab = await BrokerTab.start(server);
  const [silent, silentEnd] = await tab.client();
  const [half] = await tab.client();
  half.send(Buffer.from([0, 0, 1, 0, 0, 3]));
  await Promise.all([silent.ended, silentEnd.ended, half.ended]);
  expect(await metric(server, 'tabstream_kafka_connections_closed_total{reason="idle"}')).toBe(2);
});

test("when its broker is fenced, as a frozen tab is, a connection ends", async () => {
  const server = await kafkaServer();
  const tab = await BrokerTab.start(server);
  const [client, end] = await tab.client();
  // The tab's socket to its cluster goes, the one that serves the client stays.
  tab.tab.webSocket.terminate();
  await client.ended;
  await end.ended;
  expect(await metric(server, 'tabstream_kafka_connections_closed_total{reason="broker fenced"}')).toBe(1);
});

test("a tab holds a client back, and lets it go on, with nothing lost", async () => {
  const server = await kafkaServer();
  const tab = await BrokerTab.start(server);
  const [client, end] = await tab.client();
  const sent = Buffer.alloc(64 * 1024 * 1024, 7);
  let received = 0;
  end.webSocket.on("message", (bytes: Buffer) => (received += bytes.length));
  end.webSocket.send("hold");
  // Once this is answered, the server has read what came before.
  await new Promise((resolve) => end.webSocket.ping(() => end.webSocket.once("pong", resolve)));
  client.send(sent);
  await sleep(500);
  expect(received).toBeLessThan(1024 * 1024);
  end.webSocket.send("release");
  await expect.poll(() => received, { timeout: 10_000 }).toBe(sent.length);
});

test("a tab that sends text loses the connection", async () => {
  const server = await kafkaServer();
  const tab = await BrokerTab.start(server);
  const [client, end] = await tab.client();
  end.webSocket.send("text");
  await client.ended;
});

test.each([
  ["kafkaSockets", "kafka-full", "the Kafka listener has its 2 connections"],
  ["kafkaSocketsPerAddress", "kafka-address-full", "2 Kafka connections are open from this address"],
  ["kafkaSocketsPerProfile", "kafka-profile-full", "each browser profile to go to has its 2 Kafka connections"],
] as const)("beyond %s a connection is refused, until another ends", async (limit, kind, reason) => {
  const server = await kafkaServer({ [limit]: 2 });
  const tab = await BrokerTab.start(server);
  const [first] = await tab.client();
  await tab.client();
  await (await KafkaClient.connected(tab.port)).ended;
  expect(await metric(server, `tabstream_refusals_total{reason="${kind}"}`)).toBe(1);
  expect(server.lines.some((line) => line.includes(reason) && line.includes("address=127.0.0.1"))).toBe(true);
  first.socket.destroy();
  await expect.poll(() => metric(server, "tabstream_kafka_connections")).toBe(1);
  await tab.client();
});

test("the tabs of one browser profile share its connections", async () => {
  const server = await kafkaServer({ kafkaSocketsPerProfile: 2 });
  const [left, right] = [await BrokerTab.start(server, "one"), await BrokerTab.start(server, "one")];
  const other = await BrokerTab.start(server, "two");
  const [first] = await left.client();
  await right.client();
  for (const { port } of [left, right]) await (await KafkaClient.connected(port)).ended;
  expect(await metric(server, 'tabstream_refusals_total{reason="kafka-profile-full"}')).toBe(2);
  await other.client();
  await other.client(server.kafkaPort);
  first.socket.destroy();
  await expect.poll(() => metric(server, "tabstream_kafka_connections")).toBe(3);
  await right.client();
});

test("a broker that is full is passed over by the bootstrap port", async () => {
  const server = await kafkaServer({ kafkaSocketsPerProfile: 1 });
  const [full, free] = [await BrokerTab.start(server), await BrokerTab.start(server)];
  await full.client();
  await free.client(server.kafkaPort);
  await (await KafkaClient.connected(server.kafkaPort)).ended;
});

test("a port that somebody else has is told of once, and opened once it is free", async () => {
  const server = await kafkaServer();
  const taken = await tryPort(server.portOf(1));
  const tab = await BrokerTab.start(server);
  const warnings = () => server.lines.filter((line) => line.startsWith("warn a broker has no Kafka port broker=1 "));
  await expect.poll(warnings).toEqual([expect.stringMatching(/in use; .*--kafka-port/)]);
  // A dozen more tries.
  await sleep(400);
  expect(warnings()).toHaveLength(1);
  taken!.close();
  const client = async () => await (await KafkaClient.connected(tab.port)).socket.end();
  await expect.poll(async () => await client().then(() => "open", () => "closed")).toBe("open");
  expect(warnings()).toHaveLength(1);
});

test("a bootstrap port that is taken ends the start, and nothing stays behind", async () => {
  const server = await kafkaServer();
  const dataDir = await temporaryFolder();
  const starting = startServer({
    port: 0,
    host: "127.0.0.1",
    dataDir,
    staticRoot: dataDir,
    log: () => {},
    kafka: { port: server.kafkaPort, host: "127.0.0.1", advertisedHost: "127.0.0.1", cluster: CLUSTER },
  });
  await expect(starting).rejects.toThrow(`cannot listen on port ${server.kafkaPort} of 127.0.0.1: it is in use`);
  // The data is free again as well.
  await testServer({ dataDir });
});

test("closing the server ends every connection and frees every port", async () => {
  const server = await kafkaServer();
  const tab = await BrokerTab.start(server);
  const [client] = await tab.client();
  await server.close();
  await client.ended;
  for (const port of [server.kafkaPort, tab.port]) {
    const probe = await tryPort(port);
    expect(probe).toBeDefined();
    probe!.close();
  }
});

test("brokers of other clusters get no port", async () => {
  const server = await kafkaServer();
  const tab = await welcomedTab(server, { cluster: "other" });
  await registerBroker(new ControllerClient(tab), tab.peer);
  await (await KafkaClient.connected(server.kafkaPort)).ended;
  await expect(KafkaClient.connected(server.portOf(1))).rejects.toThrow("ECONNREFUSED");
});

test("the limits leave a browser room for what the listener sends it", () => {
  // Of a Chromium's 255 WebSockets some lead its tabs to the controller.
  expect(defaultLimits.kafkaSocketsPerProfile).toBeLessThanOrEqual(255 - 50);
});
