import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { open } from "lmdb";
import { expect, onTestFinished, test, vi } from "vitest";
import { LmdbMetadataStore } from "../../signaling-server/metadata-store/lmdb-metadata-store.ts";
import { Controller } from "../../src/metadata/controller.ts";
import { ServerProcess } from "../cluster/server-process.ts";
import { ControllerClient, heartbeat, registerBroker } from "./test-broker.ts";
import { temporaryFolder, testServer } from "./test-server.ts";
import { TestTab, welcomedTab } from "./test-tab.ts";

const NO_LEADER = -1;

test("a stop and a start keep brokers, topics and leaders", async () => {
  const first = await testServer();
  const tab = await welcomedTab(first);
  const client = new ControllerClient(tab);
  const broker = await registerBroker(client, tab.peer);
  expect(await client.createTopic("t", 3)).toBe(0);
  const before = await client.metadata();
  expect(before.topics[0]!.partitions.map(({ leaderId }) => leaderId)).toEqual(Array(3).fill(broker.brokerId));
  await first.close();

  const second = await testServer({ dataDir: first.dataDir });
  const again = new ControllerClient(await welcomedTab(second, { peer: tab.peer, key: tab.key }));
  expect(await again.metadata()).toEqual(before);
  expect(await heartbeat(again, broker)).toMatchObject({ errorCode: 0, isFenced: false });
});

test("a broker whose socket closes is fenced at once", async () => {
  const server = await testServer();
  const [tab, onlooker] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
  const client = new ControllerClient(tab);
  const broker = await registerBroker(client, tab.peer);
  await client.createTopic("t");
  const eyes = new ControllerClient(onlooker);
  expect(await eyes.partition("t")).toMatchObject({ leaderId: broker.brokerId });
  tab.webSocket.terminate();
  await expect.poll(async () => (await eyes.partition("t"))?.leaderId, { timeout: 2_000 }).toBe(NO_LEADER);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  for (const line of ["brokers 0", "fenced_brokers 1", "partitions 1", "offline_partitions 1"]) {
    expect(metrics).toContain(`\ntabstream_${line}\n`);
  }
  expect(metrics).toContain("\ntabstream_under_replicated_partitions 0\n");
});

test("a broker that connects again before its old socket is gone stays in office", async () => {
  const server = await testServer({ limits: { replacedSocketMs: 250 } });
  const tab = await welcomedTab(server);
  const client = new ControllerClient(tab);
  const broker = await registerBroker(client, tab.peer);
  await client.createTopic("t");
  const before = await client.partition("t");
  const again = new ControllerClient(await welcomedTab(server, { peer: tab.peer, key: tab.key }));
  expect(await tab.ended).toMatchObject({ code: 4001 });
  expect(await heartbeat(again, broker)).toMatchObject({ errorCode: 0, isFenced: false });
  await sleep(400);
  expect(await again.partition("t")).toEqual(before);
});

test("clusters share a server and nothing else", async () => {
  const server = await testServer();
  const [left, right] = await Promise.all([
    welcomedTab(server, { cluster: "left" }),
    welcomedTab(server, { cluster: "right" }),
  ]);
  const clients = [new ControllerClient(left), new ControllerClient(right)] as const;
  const brokers = await Promise.all([registerBroker(clients[0], left.peer), registerBroker(clients[1], right.peer)]);
  expect(brokers[0].brokerId).toBe(brokers[1].brokerId);
  await clients[0].createTopic("only-left");
  const [one, other] = await Promise.all([clients[0].metadata(), clients[1].metadata()]);
  expect(one.topics.map(({ name }) => name)).toEqual(["only-left"]);
  expect(other.topics).toEqual([]);
  expect(one.clusterId).not.toBe(other.clusterId);
});

test("a cluster that cannot be written stops with a message, and others go on", async () => {
  const server = await testServer();
  const [tab, other] = await Promise.all([
    welcomedTab(server, { cluster: "writes" }),
    welcomedTab(server, { cluster: "reads" }),
  ]);
  const client = new ControllerClient(tab);
  await registerBroker(client, tab.peer);
  // Another server on the same data: the first must not write a byte more.
  const intruder = new LmdbMetadataStore({ dataDir: server.dataDir, maxClusters: 10 });
  onTestFinished(() => intruder.close());
  void client.createTopic("t").catch(() => {});
  expect(await tab.ended).toMatchObject({ code: 1011 });
  const stopped = server.lines.find((line) => line.startsWith("error cluster stopped"));
  expect(stopped).toContain("another server has taken over");
  const health = await fetch(`${server.url}/healthz`);
  expect(health.status).toBe(503);
  expect(await health.json()).toMatchObject({ status: "degraded", failedClusters: 1 });

  other.say({ type: "signal", to: other.peer, signal: {} });
  await other.take("signal");
  expect((await new ControllerClient(other).metadata()).topics).toEqual([]);
  expect(await new TestTab(server, { cluster: "writes" }).ended).toMatchObject({ code: 1013 });
});

test("a damaged cluster is not opened, and its neighbours are", async () => {
  const first = await testServer();
  const tab = await welcomedTab(first, { cluster: "damaged" });
  await registerBroker(new ControllerClient(tab), tab.peer);
  await first.close();
  const path = join(first.dataDir, "metadata.mdb");
  const root = open<Buffer, string>({ path, noSubdir: true, maxDbs: 3, overlappingSync: false });
  const logs = root.openDB<Buffer, [string, number]>({ name: "logs", encoding: "binary" });
  await root.transaction(() => void logs.remove(["damaged", 0]));
  await root.close();

  const second = await testServer({ dataDir: first.dataDir });
  expect(await new TestTab(second, { cluster: "damaged" }).ended).toMatchObject({ code: 1011 });
  const line = second.lines.find((text) => text.startsWith("error"));
  expect(line).toContain(path);
  expect(line).toContain("restore the file from a backup");
  await welcomedTab(second, { cluster: "sound" });
});

test("a cluster that fails at once welcomes nobody, however many came at the same time", async () => {
  const server = await testServer();
  const defect = vi.spyOn(Controller.prototype, "handle").mockImplementationOnce(() => {
    throw new Error("a defect");
  });
  onTestFinished(() => defect.mockRestore());
  const tabs = [new TestTab(server), new TestTab(server)];
  for (const tab of tabs) expect(await tab.ended).toMatchObject({ code: 1011 });
  expect(tabs.flatMap(({ texts }) => texts)).toEqual([]);
});

test("what was acknowledged survives SIGKILL of the server, at any moment", { timeout: 60_000 }, async () => {
  const dataDir = await temporaryFolder();
  const server = await ServerProcess.start({ port: 0, dataDir, staticRoot: join(dataDir, "no-pages") });
  onTestFinished(() => server.stop("SIGKILL"));
  const acknowledged: string[] = [];
  let tab = await welcomedTab(server);
  const { peer, key } = tab;
  const broker = await registerBroker(new ControllerClient(tab), peer);
  for (let round = 0; round < 2; round++) {
    const client = new ControllerClient(tab);
    const creating = (async () => {
      for (let index = 0; ; index++) {
        const name = `t-${round}-${index}`;
        if ((await client.createTopic(name)) === 0) acknowledged.push(name);
      }
    })();
    creating.catch(() => {});
    const enough = acknowledged.length + 5;
    await expect.poll(() => acknowledged.length, { interval: 3 }).toBeGreaterThan(enough);
    const ended = once(tab.webSocket, "close");
    await server.stop("SIGKILL");
    await ended;
    await server.start();
    tab = await welcomedTab(server, { peer, key });
    const { topics } = await new ControllerClient(tab).metadata();
    const kept = new Set(topics.map(({ name }) => name));
    expect(acknowledged.filter((name) => !kept.has(name))).toEqual([]);
    const leaders = topics.flatMap(({ partitions }) => partitions.map(({ leaderId }) => leaderId));
    expect(new Set(leaders)).toEqual(new Set([broker.brokerId]));
    expect(await heartbeat(new ControllerClient(tab), broker)).toMatchObject({ errorCode: 0, isFenced: false });
  }
  await server.stop("SIGTERM");
  expect(server.output).toContain("stopping signal=SIGTERM");
});
