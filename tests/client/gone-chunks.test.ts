import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CompressionTypes } from "../../src/client/compression-types.ts";
import { KafkaJSError } from "../../src/client/errors.ts";
import { LiveCluster } from "./live-cluster.ts";

/**
 * A tab lives for days, and a server with a newer build has other files. What a tab has not loaded by then is gone; it
 * must be told so, and nothing else may end by it.
 */

const network = vi.hoisted(() => ({ gone: new Set<string>() }));

/** What browsers say of a file that they cannot get. */
function fetched<T>(name: string, module: T): T {
  if (!network.gone.has(name)) return module;
  throw new TypeError(`Failed to fetch dynamically imported module: http://localhost/assets/${name}-Ab3x9Q.js`);
}

vi.mock("../../src/protocol/compression/zstd.ts", async (original) => {
  const { codec } = await original<typeof import("../../src/protocol/compression/zstd.ts")>();
  return {
    get codec() {
      return fetched("zstd", codec);
    },
  };
});

let cluster: LiveCluster;

beforeEach(async () => {
  cluster = new LiveCluster();
  await cluster.start(1);
});

afterEach(async () => {
  network.gone.clear();
  await cluster.stop();
});

async function producerAndTopics(...topics: { topic: string; configEntries?: { name: string; value: string }[] }[]) {
  const kafka = cluster.kafka();
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: topics.map((topic) => ({ replicationFactor: 1, ...topic })) });
  await admin.disconnect();
  return producer;
}

interface Crash {
  readonly error: Error;
  readonly restart: boolean;
}

const RELOAD = /zstd codec cannot be loaded.*reload the page.*zstd-Ab3x9Q/;

test("a broker that cannot load a codec goes on, and recompresses once it can", { timeout: 20_000 }, async () => {
  const configEntries = [{ name: "compression.type", value: "zstd" }];
  const producer = await producerAndTopics({ topic: "packed", configEntries }, { topic: "plain" });
  network.gone.add("zstd");
  let isStored = false;
  const waiting = producer
    .send({ topic: "packed", messages: [{ value: "packed" }] })
    .then((written) => ((isStored = true), written));
  for (let count = 0; count < 10; count++) await producer.send({ topic: "plain", messages: [{ value: "plain" }] });
  expect(isStored).toBe(false);
  expect(cluster.brokers.map(({ running }) => running.status().state)).toEqual(["running"]);
  network.gone.clear();
  expect(await waiting).toMatchObject([{ topicName: "packed", baseOffset: "0" }]);
  await producer.disconnect();
});

test("a producer is told to reload the page, and can send all else", async () => {
  const producer = await producerAndTopics({ topic: "t" });
  network.gone.add("zstd");
  const send = (compression: CompressionTypes) => producer.send({ topic: "t", compression, messages: [{ value: "v" }] });
  const refusal = await send(CompressionTypes.ZSTD).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(KafkaJSError);
  expect(refusal).toMatchObject({ message: expect.stringMatching(RELOAD), retriable: true });
  await send(CompressionTypes.GZIP);
  network.gone.clear();
  expect(await send(CompressionTypes.ZSTD)).toMatchObject([{ baseOffset: "1" }]);
  await producer.disconnect();
});

test("a consumer is told to reload the page, and reads on once it can", { timeout: 20_000 }, async () => {
  const producer = await producerAndTopics({ topic: "t" });
  await producer.send({ topic: "t", compression: CompressionTypes.ZSTD, messages: [{ value: "v" }] });
  await producer.disconnect();
  const consumer = cluster.kafka().consumer({ retry: { maxRetryTime: 20, initialRetryTime: 5 } });
  await consumer.connect();
  await consumer.subscribe({ topics: ["t"], fromBeginning: true });
  network.gone.add("zstd");
  const crashes: Crash[] = [];
  consumer.on(consumer.events.CRASH, ({ payload }) => void crashes.push(payload as Crash));
  const read: string[] = [];
  await consumer.run({ eachMessage: async ({ message }) => void read.push(String(message.value)) });
  await expect.poll(() => crashes.length, { timeout: 5_000 }).toBeGreaterThan(0);
  expect(crashes[0]).toMatchObject({ error: { message: expect.stringMatching(RELOAD) }, restart: true });
  expect(read).toEqual([]);
  network.gone.clear();
  await expect.poll(() => read, { timeout: 5_000 }).toEqual(["v"]);
  await consumer.disconnect();
});

test("connect() says to reload the page if a part of the client is gone, and looks again when asked again", async () => {
  vi.resetModules();
  const part = "../../src/client/admin/admin-calls.ts";
  vi.doMock(part, () => {
    throw new TypeError("Failed to fetch dynamically imported module");
  });
  const { loadAdmin } = await import("../../src/client/on-demand.ts");
  await expect(loadAdmin()).rejects.toMatchObject({
    name: "KafkaJSError",
    message: expect.stringMatching(/^A part of the client cannot be loaded; reload the page: /),
    retriable: true,
  });
  vi.doUnmock(part);
  const { AdminCalls } = await loadAdmin();
  expect(AdminCalls).toBeTypeOf("function");
});
