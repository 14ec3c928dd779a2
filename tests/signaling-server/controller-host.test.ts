import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { takeCensus } from "../../signaling-server/cluster-census.ts";
import { ControllerHost } from "../../signaling-server/controller-host.ts";
import { LmdbMetadataStore } from "../../signaling-server/metadata-store/lmdb-metadata-store.ts";
import type { MetadataStore, StoredBatch } from "../../signaling-server/metadata-store/metadata-store.ts";
import type { ControllerConfig } from "../../src/metadata/controller-config.ts";
import { ControllerClient, heartbeat, registerBroker } from "./test-broker.ts";
import type { FramePath } from "./test-broker.ts";
import { temporaryFolder } from "./test-server.ts";

/** A store whose appends wait for the test while it holds them. */
class HeldStore implements MetadataStore {
  readonly #inner: MetadataStore;
  readonly appends: (readonly StoredBatch[])[] = [];
  readonly snapshots: number[] = [];
  #held: Promise<void> = Promise.resolve();
  release: (failure?: Error) => void = () => {};

  constructor(inner: MetadataStore) {
    this.#inner = inner;
  }

  hold(): void {
    this.appends.length = 0;
    this.#held = new Promise((resolve, reject) => {
      this.release = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
  }

  open(cluster: string) {
    return this.#inner.open(cluster);
  }

  async append(cluster: string, batches: readonly StoredBatch[]): Promise<void> {
    this.appends.push(batches);
    await this.#held;
    await this.#inner.append(cluster, batches);
  }

  async saveSnapshot(...[cluster, snapshot]: Parameters<MetadataStore["saveSnapshot"]>): Promise<void> {
    await this.#inner.saveSnapshot(cluster, snapshot);
    this.snapshots.push(snapshot.endOffset);
  }

  close() {
    return this.#inner.close();
  }
}

/** A connection without a network. */
class DirectPath implements FramePath {
  readonly #host: ControllerHost;
  readonly #connectionId: number;
  readonly frames: Uint8Array[] = [];
  closed: string | undefined;

  constructor(host: ControllerHost) {
    this.#host = host;
    this.#connectionId = host.connect({
      send: (frame) => void this.frames.push(frame),
      close: (reason) => void (this.closed = reason),
    });
  }

  sendFrame(frame: Uint8Array): void {
    this.#host.request(this.#connectionId, frame);
  }

  async takeFrame(): Promise<Uint8Array> {
    await expect.poll(() => this.frames.length, { interval: 2 }).toBeGreaterThan(0);
    return this.frames.shift()!;
  }

  close(): void {
    this.#host.disconnect(this.#connectionId);
  }
}

async function heldHost(config: Partial<ControllerConfig> = {}, dataDir?: string) {
  const inner = new LmdbMetadataStore({ dataDir: dataDir ?? (await temporaryFolder()), maxClusters: 1 });
  const store = new HeldStore(inner);
  const failures: string[] = [];
  const lines: string[] = [];
  const host = await ControllerHost.open({
    cluster: "demo",
    store,
    config,
    log: (_, message) => void lines.push(message),
    committed: () => {},
    decided: () => {},
    failed: (reason) => void failures.push(reason),
  });
  const stop = async () => {
    store.release();
    await host.stop();
    await store.close();
  };
  onTestFinished(stop);
  const path = new DirectPath(host);
  return { host, store, failures, lines, stop, path, client: new ControllerClient(path) };
}

test("[R1] nobody hears of a decision before it is on the disk", async () => {
  const { host, store, client } = await heldHost();
  await registerBroker(client, randomUUID());
  const onlooker = new ControllerClient(new DirectPath(host));
  await expect.poll(() => host.isSettled).toBe(true);

  store.hold();
  let heard = 0;
  const created = client.createTopic("t").then((errorCode) => {
    heard++;
    return errorCode;
  });
  const seen = onlooker.metadata().then(({ topics }) => {
    heard++;
    return topics.length;
  });
  await expect.poll(() => store.appends.length).toBe(1);
  await sleep(50);
  expect(heard).toBe(0);
  store.release();
  expect(await created).toBe(0);
  expect(await seen).toBe(1);
});

test("requests of one turn share a write, and those that come during it share the next", async () => {
  const { host, store, client } = await heldHost({ healDelayMs: 60_000 });
  await registerBroker(client, randomUUID());
  await expect.poll(() => host.isSettled).toBe(true);
  store.hold();
  const clients = Array.from({ length: 6 }, () => new ControllerClient(new DirectPath(host)));
  const first: Promise<number>[] = [];
  for (const one of clients.slice(0, 4)) {
    first.push(one.createTopic(`first-${first.length}`));
    // Between the messages of two sockets promises get their turn, but timers and immediates do not.
    for (let turn = 0; turn < 20; turn++) await undefined;
  }
  await expect.poll(() => store.appends.length).toBe(1);
  const second = clients.slice(4).map((one, index) => one.createTopic(`second-${index}`));
  await sleep(30);
  expect(store.appends.map((batches) => batches.length)).toEqual([4]);
  store.release();
  expect(await Promise.all([...first, ...second])).toEqual([0, 0, 0, 0, 0, 0]);
  expect(store.appends.map((batches) => batches.length)).toEqual([4, 2]);
});

test("a write that fails stops the cluster before anybody was told", async () => {
  const { host, store, failures, client, path } = await heldHost();
  await registerBroker(client, randomUUID());
  await expect.poll(() => host.isSettled).toBe(true);
  store.hold();
  void client.createTopic("t").catch(() => {});
  await expect.poll(() => store.appends.length).toBe(1);
  store.release(new Error("no space left on device"));
  await expect.poll(() => failures).toEqual(["no space left on device"]);
  expect(path.frames).toEqual([]);
  new DirectPath(host).sendFrame(new Uint8Array(8));
  await sleep(20);
  expect(path.frames).toEqual([]);
  expect(failures).toHaveLength(1);
});

test("a frame that is none ends its connection with the reason", async () => {
  const { path, client, host } = await heldHost();
  const hostile = new DirectPath(host);
  hostile.sendFrame(Uint8Array.of(0, 3));
  expect(hostile.closed).toBeDefined();
  hostile.close();
  expect(path.closed).toBeUndefined();
  expect((await client.metadata()).topics).toEqual([]);
});

test("a stop is nobody's death: brokers lead as before when it goes on", async () => {
  const dataDir = await temporaryFolder();
  const before = await heldHost({}, dataDir);
  const broker = await registerBroker(before.client, randomUUID());
  await before.client.createTopic("t");
  const partition = await before.client.partition("t");
  expect(partition).toMatchObject({ leaderId: broker.brokerId });
  const stopped = before.host.stop();
  before.path.close();
  await stopped;
  await sleep(50);
  await before.stop();

  const after = await heldHost({}, dataDir);
  expect(await after.client.partition("t")).toEqual(partition);
  expect(await heartbeat(after.client, broker)).toMatchObject({ errorCode: 0, isFenced: false });
});

test("a broker that does not come back within a session after a restart is fenced", async () => {
  const dataDir = await temporaryFolder();
  const before = await heldHost({}, dataDir);
  await registerBroker(before.client, randomUUID());
  await before.stop();
  const after = await heldHost({ sessionTimeoutMs: 150 }, dataDir);
  expect(takeCensus([after.host.image]).brokers).toBe(1);
  await expect.poll(() => takeCensus([after.host.image]).brokers).toBe(0);
});

test("a heartbeat that waited while the process stood still is heard before time is judged", async () => {
  const { client, lines } = await heldHost({ sessionTimeoutMs: 200 });
  const broker = await registerBroker(client, randomUUID());
  const arrived = new Promise<void>((resolve) => {
    // Runs in the poll phase, as the reading of a socket does.
    setTimeout(() => setImmediate(() => void heartbeat(client, broker).then(() => resolve())), 0);
  });
  const untilMs = performance.now() + 400;
  while (performance.now() < untilMs);
  await arrived;
  expect(lines.filter((line) => line.includes("is fenced"))).toEqual([]);
});

test("a long log becomes a snapshot, from which it goes on", async () => {
  const dataDir = await temporaryFolder();
  const before = await heldHost({ snapshotRecords: 20, healDelayMs: 60_000 }, dataDir);
  const broker = await registerBroker(before.client, randomUUID());
  for (let index = 0; index < 12; index++) await before.client.createTopic(`t${index}`);
  await expect.poll(() => before.store.snapshots.length).toBeGreaterThan(0);
  const names = async (client: ControllerClient) => (await client.metadata()).topics.map(({ name }) => name).sort();
  const expected = await names(before.client);
  expect(expected).toHaveLength(12);
  await before.stop();

  const after = await heldHost({}, dataDir);
  expect(await names(after.client)).toEqual(expected);
  expect(await heartbeat(after.client, broker)).toMatchObject({ isFenced: false });
});
