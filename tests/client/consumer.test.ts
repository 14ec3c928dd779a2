import { afterEach, describe, expect, test } from "vitest";
import type { Consumer } from "../../src/client/consumer.ts";
import type { ConsumerConfig, EachBatchPayload } from "../../src/client/consumer-types.ts";
import {
  KafkaJSLogTruncationError,
  KafkaJSNonRetriableError,
  KafkaJSOffsetOutOfRange,
} from "../../src/client/errors.ts";
import type { FetchRequest } from "../../src/protocol/apis/01-fetch.ts";
import { loadCodec } from "../../src/protocol/compression/codecs.ts";
import { assembleBatch, describeRecords, encodeBatch } from "../../src/protocol/record-batch.ts";
import { encodeRecords } from "../../src/protocol/records.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";
import type { ScriptedTopic } from "./scripted-cluster.ts";

const consumers: Consumer[] = [];

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.disconnect()));
});

async function connected(cluster: ScriptedCluster, config: ConsumerConfig = {}): Promise<Consumer> {
  const consumer = cluster.kafka().consumer(config);
  consumers.push(consumer);
  await consumer.connect();
  return consumer;
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => String(from + index));

/** Writes one batch, as a producer without an id would. */
function write(
  cluster: ScriptedCluster,
  topic: ScriptedTopic,
  values: readonly string[],
  partition = 0,
  timestamp = 1000,
): void {
  const records = values.map((value, offset) => ({
    offset,
    timestamp: timestamp + offset,
    key: null,
    value: new TextEncoder().encode(value),
  }));
  topic.partitions[partition]!.append(encodeBatch(records), topic.leaders[partition]!.leaderEpoch);
  cluster.wake();
}

/** A cluster with one topic whose partition holds the numbers from 0 on, a few to a batch. */
function filled(count: number, brokers: readonly number[] = [1]): { cluster: ScriptedCluster; topic: ScriptedTopic } {
  const cluster = new ScriptedCluster(brokers);
  const topic = cluster.createTopic("t", [1]);
  for (let from = 0; from < count; from += 5) write(cluster, topic, numbers(Math.min(5, count - from), from));
  return { cluster, topic };
}

async function take(consumer: Consumer, count: number): Promise<string[]> {
  const values: string[] = [];
  if (count === 0) return values;
  for await (const { value } of consumer) if (values.push(value!.toString()) === count) break;
  return values;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("where reading starts", () => {
  test.each([
    ["earliest", { offset: "earliest" as const }, "0"],
    ["an offset", { offset: "7" }, "7"],
    ["an offset as a number", { offset: 12 }, "12"],
    ["the special offset -2", { offset: "-2" }, "0"],
    ["a time", { timestamp: 1002 }, "2"],
  ])("%s", async (_, start, first) => {
    const { cluster } = filled(20);
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, ...start }]);
    expect(await take(consumer, 1)).toEqual([first]);
  });

  test.each([
    ["latest", { offset: "latest" as const }],
    ["nothing said", {}],
    ["the special offset -1", { offset: "-1" }],
    ["a time that is yet to come", { timestamp: "5000" }],
  ])("%s: at the end", async (_, start) => {
    const { cluster, topic } = filled(20);
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, ...start }]);
    const taken = take(consumer, 1);
    await until(() => consumer.positions()[0]!.offset !== undefined);
    expect(consumer.positions()).toEqual([{ topic: "t", partition: 0, offset: "20" }]);
    write(cluster, topic, ["new"], 0, 6000);
    expect(await taken).toEqual(["new"]);
  });

  test.each([
    ["offset", { offset: "x" }],
    ["offset", { offset: "-5" }],
    ["timestamp", { timestamp: "" }],
  ])("an %s that is none is refused: %j", async (what, start) => {
    const consumer = await connected(filled(1).cluster);
    expect(() => consumer.assign([{ topic: "t", partition: 0, ...start }])).toThrow(new RegExp(`Invalid ${what}`));
  });

  test("a partition that does not exist yet is read as soon as it does", async () => {
    const cluster = new ScriptedCluster();
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 1, offset: "earliest" }]);
    const taken = take(consumer, 1);
    const topic = cluster.createTopic("t", [1]);
    cluster.addPartition("t", 1);
    write(cluster, topic, ["a"], 1);
    expect(await taken).toEqual(["a"]);
  });

  test("a new assignment keeps the position of what is named without one", async () => {
    const { cluster, topic } = filled(10);
    cluster.addPartition("t", 1);
    write(cluster, topic, ["other"], 1);
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    expect(await take(consumer, 3)).toEqual(["0", "1", "2"]);
    consumer.assign([
      { topic: "t", partition: 0 },
      { topic: "t", partition: 1, offset: "earliest" },
    ]);
    expect((await take(consumer, 8)).sort()).toEqual(["3", "4", "5", "6", "7", "8", "9", "other"]);
  });
});

describe("subscribe", () => {
  test("reads all partitions from the beginning, and those added later", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    const topic = cluster.createTopic("t", [1, 2]);
    write(cluster, topic, ["a"], 0);
    write(cluster, topic, ["b"], 1);
    const consumer = await connected(cluster);
    await consumer.subscribe({ topics: ["t"], fromBeginning: true });
    expect((await take(consumer, 2)).sort()).toEqual(["a", "b"]);
    const taken = take(consumer, 1);
    cluster.addPartition("t", 1);
    write(cluster, topic, ["c"], 2);
    expect(await taken).toEqual(["c"]);
  });

  test("from the end by default; run() returns when that is known", async () => {
    const { cluster, topic } = filled(5);
    const consumer = await connected(cluster);
    await consumer.subscribe({ topic: "t" });
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ message }) => void seen.push(message.value!.toString()) });
    write(cluster, topic, ["new"]);
    await until(() => seen.length > 0);
    expect(seen).toEqual(["new"]);
  });

  test("a partition that lags is asked for once at each position", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1, 1, 1, 1]);
    for (const partition of topic.partitions.keys()) {
      for (const value of numbers(30)) write(cluster, topic, [value], partition);
    }
    cluster.judge = ({ api }) => (api === "Fetch" ? { kind: "delay", ms: 5 } : undefined);
    const consumer = await connected(cluster, { maxBytesPerPartition: 1 });
    consumer.assign(numbers(4).map((index) => ({ topic: "t", partition: Number(index), offset: "earliest" })));
    // One is left, or the loop's end would have the last one asked for again.
    await take(consumer, 119);
    const positions = cluster.seen.flatMap(({ api, body }) => {
      const [asked] = api === "Fetch" ? (body as FetchRequest).topics : [];
      return asked?.partitions.map(({ partition, fetchOffset }) => `${partition} at ${fetchOffset}`) ?? [];
    });
    // That a partition lags is known from its first answer on, and at its end it is waited for.
    const lagging = positions.filter((position) => !/ at (0|30)$/.test(position));
    expect(lagging.length).toBeGreaterThan(110);
    expect(lagging.length - new Set(lagging).size).toBeLessThan(2);
  });

  test("whose records came last is asked for last, so that no partition fills every answer", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1, 1, 1]);
    write(cluster, topic, ["0"], 0);
    const consumer = await connected(cluster);
    consumer.assign([0, 1, 2].map((partition) => ({ topic: "t", partition, offset: "earliest" })));
    const orders = () =>
      cluster.seen.flatMap(({ api, body }) =>
        api === "Fetch" ? [(body as FetchRequest).topics[0]!.partitions.map(({ partition }) => partition).join()] : [],
      );
    const taken = take(consumer, 2);
    await until(() => orders().includes("1,2,0"));
    write(cluster, topic, ["1"], 1);
    await until(() => orders().includes("2,0,1"));
    expect(await taken).toEqual(["0", "1"]);
  });

  test("a pattern takes in topics that are created later", async () => {
    const cluster = new ScriptedCluster();
    const consumer = await connected(cluster);
    await consumer.subscribe({ topics: [/^quake/g] });
    const taken = take(consumer, 1);
    cluster.createTopic("other", [1]);
    write(cluster, cluster.createTopic("quakes", [1]), ["a"]);
    expect(await taken).toEqual(["a"]);
    expect(consumer.positions().map(({ topic }) => topic)).toEqual(["quakes"]);
  });

  test.each([
    ["one after the other", false],
    ["at once", true],
  ])("a topic that was created again is read from its beginning, both told %s", async (_, atOnce) => {
    const { cluster } = filled(5);
    const consumer = await connected(cluster);
    await consumer.subscribe({ topic: "t" });
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ message }) => void seen.push(message.value!.toString()) });
    if (atOnce) cluster.setOnline(false);
    cluster.removeTopic("t");
    write(cluster, cluster.createTopic("t", [1]), numbers(7, 100));
    if (atOnce) cluster.setOnline(true);
    await until(() => seen.length === 7);
    expect(seen).toEqual(numbers(7, 100));
  });

  test("a topic that was created again while its end was looked for is read from its beginning", async () => {
    const cluster = new ScriptedCluster();
    cluster.createTopic("t", [-1]);
    const consumer = await connected(cluster);
    await consumer.subscribe({ topic: "t" });
    const taken = take(consumer, 7);
    await new Promise((resolve) => setTimeout(resolve, 20));
    cluster.setOnline(false);
    cluster.removeTopic("t");
    write(cluster, cluster.createTopic("t", [1]), numbers(7));
    cluster.setOnline(true);
    expect(await taken).toEqual(numbers(7));
  });

  test("a consumer with a groupId may assign partitions to itself", async () => {
    const consumer = await connected(filled(1).cluster, { groupId: "g" });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    expect(await take(consumer, 1)).toEqual(["0"]);
  });

  test("without a groupId there is nothing to commit to", async () => {
    const consumer = await connected(filled(1).cluster);
    await expect(consumer.commitOffsets()).rejects.toThrow(/has no group; give it a groupId/);
    await expect(consumer.describeGroup()).rejects.toThrow(KafkaJSNonRetriableError);
  });
});

describe("run", () => {
  test("calls back with each message, in order, with KafkaJS's fields", async () => {
    const { cluster } = filled(23);
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const seen: unknown[] = [];
    await consumer.run({
      eachMessage: async ({ topic, partition, message, heartbeat }) => {
        await heartbeat();
        seen.push({ topic, partition, ...message, value: message.value!.toString() });
      },
    });
    await until(() => seen.length === 23);
    expect(seen[11]).toEqual({
      topic: "t",
      partition: 0,
      key: null,
      value: "11",
      timestamp: "1001",
      attributes: 0,
      offset: "11",
      headers: {},
    });
    expect(seen.map((message) => (message as { offset: string }).offset)).toEqual(numbers(23));
  });

  test("calls back with batches", async () => {
    const { cluster } = filled(10);
    const consumer = await connected(cluster, { maxBytesPerPartition: 1 });
    consumer.assign([{ topic: "t", partition: 0, offset: "2" }]);
    const seen: Record<string, unknown>[] = [];
    await consumer.run({
      eachBatch: ({ batch, isRunning, isStale, uncommittedOffsets }) => {
        seen.push({
          ...batch,
          messages: batch.messages.map(({ offset }) => offset),
          first: batch.firstOffset(),
          last: batch.lastOffset(),
          lag: batch.offsetLag(),
          low: batch.offsetLagLow(),
          empty: batch.isEmpty(),
          running: isRunning(),
          stale: isStale(),
          uncommitted: uncommittedOffsets(),
        });
      },
    });
    await until(() => seen.length === 2);
    expect(seen[0]).toMatchObject({
      topic: "t",
      partition: 0,
      highWatermark: "10",
      messages: ["2", "3", "4"],
      first: "2",
      last: "4",
      lag: "5",
      low: "7",
      empty: false,
      running: true,
      stale: false,
      uncommitted: { topics: [] },
    });
    expect(seen[1]).toMatchObject({ messages: numbers(5, 5), lag: "0", low: "4" });
  });

  test("a failing callback gets its message again, and none is skipped", async () => {
    const { cluster } = filled(10);
    const consumer = await connected(cluster, { retry: { initialRetryTime: 1 } });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const seen: string[] = [];
    let failures = 0;
    await consumer.run({
      eachMessage: ({ message }) => {
        if (message.offset === "4" && failures++ < 2) throw new Error("not now");
        seen.push(message.offset);
      },
    });
    await until(() => seen.length === 10);
    expect(seen).toEqual(numbers(10));
    expect(failures).toBe(3);
    expect(cluster.logged.filter(({ label }) => label === "ERROR")[0]!.log.message).toMatch(
      /partition 0 of topic t failed: not now/,
    );
  });

  test("one that keeps failing is a crash, after which the consumer starts again unless told otherwise", async () => {
    const { cluster } = filled(1);
    const asked: string[] = [];
    const consumer = await connected(cluster, {
      retry: {
        initialRetryTime: 1,
        maxRetryTime: 1,
        restartOnFailure: async (error) => asked.push(error.message) < 2,
      },
    });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const crashes: { restart: boolean }[] = [];
    consumer.on<{ restart: boolean }>(consumer.events.CRASH, ({ payload }) => crashes.push(payload));
    let calls = 0;
    await consumer.run({
      eachMessage: () => {
        calls++;
        throw new Error("never");
      },
    });
    await until(() => crashes.length === 2);
    expect(crashes).toMatchObject([{ restart: true, groupId: "" }, { restart: false }]);
    expect(calls).toBe(12);
    expect(asked).toEqual(["never", "never"]);
  });

  test.each([
    { retries: 0, partitionsConsumedConcurrently: 1 },
    { retries: 2, partitionsConsumedConcurrently: 1 },
    { retries: 20, partitionsConsumedConcurrently: 1 },
    { retries: 2, partitionsConsumedConcurrently: 3 },
  ])("one is called again as often as retries says: %o", async ({ retries, partitionsConsumedConcurrently }) => {
    const { cluster } = filled(1);
    const restartOnFailure = async () => false;
    const retry = { initialRetryTime: 1, maxRetryTime: 1, retries, restartOnFailure };
    const consumer = await connected(cluster, { retry });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const crashes: boolean[] = [];
    consumer.on<{ restart: boolean }>(consumer.events.CRASH, ({ payload }) => crashes.push(payload.restart));
    let calls = 0;
    await consumer.run({
      partitionsConsumedConcurrently,
      eachMessage: () => {
        calls++;
        throw new Error("never");
      },
    });
    await until(() => crashes.length > 0);
    expect(crashes).toEqual([false]);
    expect(calls).toBe(retries + 1);
  });

  test.each([
    { ofClient: { retries: 0 }, own: undefined, calls: 6 },
    { ofClient: { retries: 0 }, own: {}, calls: 1 },
    { ofClient: { retries: 0 }, own: { retries: 2 }, calls: 3 },
    { ofClient: {}, own: {}, calls: 6 },
  ])("the client's retries count as with KafkaJS: %j", async ({ ofClient, own, calls }) => {
    const { cluster } = filled(1);
    const restartOnFailure = async () => false;
    const retry = { initialRetryTime: 1, maxRetryTime: 1, restartOnFailure, ...ofClient };
    const consumer = cluster.kafka({ retry }).consumer(own && { retry: own });
    consumers.push(consumer);
    await consumer.connect();
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    let hasCrashed = false;
    consumer.on(consumer.events.CRASH, () => (hasCrashed = true));
    let called = 0;
    await consumer.run({
      eachMessage: () => {
        called++;
        throw new Error("never");
      },
    });
    await until(() => hasCrashed);
    expect(called).toBe(calls);
  });

  test("one is called again for good with infinite retries", async () => {
    const { cluster } = filled(1);
    const retry = { initialRetryTime: 1, maxRetryTime: 1, retries: Number.POSITIVE_INFINITY };
    const consumer = await connected(cluster, { retry });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    let crashes = 0;
    consumer.on(consumer.events.CRASH, () => crashes++);
    let calls = 0;
    await consumer.run({
      eachMessage: () => {
        if (++calls <= 8) throw new Error("not yet");
      },
    });
    await until(() => consumer.positions()[0]!.offset === "1");
    expect({ calls, crashes }).toEqual({ calls: 9, crashes: 0 });
  });

  test("one is called again by nobody before the pause is over", async () => {
    const { cluster } = filled(1);
    const consumer = await connected(cluster, { retry: { initialRetryTime: 60, factor: 0, retries: 1 } });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const calledAt: number[] = [];
    await consumer.run({
      partitionsConsumedConcurrently: 3,
      eachMessage: () => {
        if (calledAt.push(performance.now()) === 1) throw new Error("once");
      },
    });
    await until(() => consumer.positions()[0]!.offset === "1");
    expect(calledAt).toHaveLength(2);
    // Timers may be a little early by the clock.
    expect(calledAt[1]! - calledAt[0]!).toBeGreaterThan(50);
  });

  test("a restartOnFailure that fails itself is logged, and the consumer starts again", async () => {
    const { cluster } = filled(1);
    const restartOnFailure = async () => {
      throw new Error("cannot decide");
    };
    const consumer = await connected(cluster, { retry: { initialRetryTime: 1, maxRetryTime: 1, restartOnFailure } });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const crashes: boolean[] = [];
    consumer.on<{ restart: boolean }>(consumer.events.CRASH, ({ payload }) => crashes.push(payload.restart));
    await consumer.run({
      eachMessage: () => {
        if (crashes.length === 0) throw new Error("never");
      },
    });
    await until(() => crashes.length === 1 && consumer.positions()[0]!.offset === "1");
    expect(crashes).toEqual([true]);
    expect(cluster.logged.map(({ log }) => log.message)).toContain("restartOnFailure failed: cannot decide");
  });

  test("what was subscribed to is read again after another connect", async () => {
    const { cluster } = filled(3);
    const consumer = await connected(cluster);
    await consumer.subscribe({ topics: ["t"], fromBeginning: true });
    expect(await take(consumer, 3)).toEqual(numbers(3));
    await consumer.disconnect();
    await consumer.connect();
    expect(await take(consumer, 3)).toEqual(numbers(3));
  });

  test("batches that have no messages are passed over", async () => {
    const { cluster, topic } = filled(5);
    const marker = { offset: 0, timestamp: 0, key: new Uint8Array([0, 0, 0, 0]), value: new Uint8Array(6) };
    topic.partitions[0]!.append(encodeBatch([marker], { transactional: true, control: true }), 0);
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, offset: "5" }]);
    const seen: string[] = [];
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset }: EachBatchPayload) => {
        seen.push(batch.messages[0]!.offset);
        resolveOffset(batch.lastOffset());
      },
    });
    await until(() => consumer.positions()[0]!.offset === "6");
    write(cluster, topic, numbers(2, 6));
    await until(() => consumer.positions()[0]!.offset === "8");
    expect(seen).toEqual(["6"]);
  });

  test("batches resolve what they say", async () => {
    const { cluster } = filled(10);
    const consumer = await connected(cluster, { retry: { initialRetryTime: 1 } });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const seen: (string | null)[] = [];
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: ({ batch, resolveOffset }: EachBatchPayload) => {
        seen.push(batch.firstOffset());
        resolveOffset(batch.messages[Math.min(2, batch.messages.length - 1)]!.offset);
      },
    });
    await until(() => seen.length === 4);
    expect(seen).toEqual(["0", "3", "6", "9"]);
  });

  test("partitions are processed side by side when asked for, each in order", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    const topic = cluster.createTopic("t", [1, 2]);
    for (const partition of [0, 1])
      for (let from = 0; from < 20; from += 5) write(cluster, topic, numbers(5, from), partition);
    const consumer = await connected(cluster);
    consumer.assign([0, 1].map((partition) => ({ topic: "t", partition, offset: "earliest" as const })));
    const seen: string[][] = [[], []];
    let together = 0;
    let most = 0;
    await consumer.run({
      partitionsConsumedConcurrently: 2,
      eachMessage: async ({ partition, message }) => {
        most = Math.max(most, ++together);
        await new Promise((resolve) => setTimeout(resolve, 1));
        together--;
        seen[partition]!.push(message.offset);
      },
    });
    await until(() => seen.flat().length === 40);
    expect(seen).toEqual([numbers(20), numbers(20)]);
    expect(most).toBe(2);
  });

  test("stop waits for the callback under way, and run goes on behind it", async () => {
    const { cluster } = filled(10);
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const seen: string[] = [];
    const eachMessage = async ({ message }: { message: { offset: string } }) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      seen.push(message.offset);
    };
    await consumer.run({ eachMessage });
    await until(() => seen.length >= 3);
    await consumer.stop();
    const stopped = seen.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen.length).toBe(stopped);
    await consumer.run({ eachMessage });
    await until(() => seen.length === 10);
    expect(seen).toEqual(numbers(10));
  });

  describe("of run and stop that overlap the last one holds", () => {
    /** A consumer whose first callback lasts until it is let go. */
    async function busy() {
      const { cluster } = filled(10);
      const consumer = await connected(cluster);
      consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
      const seen: string[] = [];
      let letGo!: () => void;
      const held = new Promise<void>((resolve) => (letGo = resolve));
      const eachMessage = async ({ message }: { message: { offset: string } }) => {
        await held;
        seen.push(message.offset);
      };
      await consumer.run({ eachMessage });
      const isRead = async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return seen.length > 1;
      };
      return { consumer, eachMessage, letGo, isRead };
    }

    test("run", async () => {
      const { consumer, eachMessage, letGo, isRead } = await busy();
      const stopped = consumer.stop();
      const run = consumer.run({ eachMessage });
      letGo();
      await Promise.all([stopped, run]);
      expect(await isRead()).toBe(true);
    });

    test("stop", async () => {
      const { consumer, eachMessage, letGo, isRead } = await busy();
      const calls = [consumer.stop(), consumer.run({ eachMessage }), consumer.stop()];
      letGo();
      await Promise.all(calls);
      expect(await isRead()).toBe(false);
    });

    test.each([0, 1, 2, 3, 4])("a stop that comes %i turns behind a run", async (turns) => {
      const { cluster } = filled(10);
      const consumer = await connected(cluster);
      consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
      const seen: string[] = [];
      const run = consumer.run({ eachMessage: ({ message }) => void seen.push(message.offset) });
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await Promise.all([consumer.stop(), run]);
      const stopped = seen.length;
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(seen.length).toBe(stopped);
    });

    test("disconnect", async () => {
      const { consumer, eachMessage, letGo, isRead } = await busy();
      const stopped = consumer.stop();
      const run = consumer.run({ eachMessage });
      const disconnected = consumer.disconnect();
      await expect(consumer.run({ eachMessage })).rejects.toThrow("The consumer is disconnected");
      letGo();
      await Promise.all([stopped, run, disconnected]);
      expect(await isRead()).toBe(false);
    });
  });
});

describe("seek, pause and resume", () => {
  test("seek takes effect at once, also within a batch", async () => {
    const { cluster } = filled(10);
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const seen: string[] = [];
    await consumer.run({
      eachMessage: ({ message }) => {
        seen.push(message.offset);
        if (seen.length === 2) consumer.seek({ topic: "t", partition: 0, offset: "8" });
      },
    });
    await until(() => seen.length === 4);
    expect(seen).toEqual(["0", "1", "8", "9"]);
  });

  test("seek elsewhere is refused", async () => {
    const consumer = await connected(filled(1).cluster);
    expect(() => consumer.seek({ topic: "t", partition: 7, offset: "0" })).toThrow(
      /partition 7 of topic t is not assigned/,
    );
  });

  test("a paused partition rests, the others go on, and resume loses nothing", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1, 1]);
    for (const partition of [0, 1]) write(cluster, topic, numbers(10), partition);
    const consumer = await connected(cluster);
    consumer.assign([0, 1].map((partition) => ({ topic: "t", partition, offset: "earliest" as const })));
    const seen: string[][] = [[], []];
    let resume = () => {};
    await consumer.run({
      eachMessage: ({ partition, message, pause }) => {
        seen[partition]!.push(message.offset);
        if (partition === 0 && message.offset === "3") resume = pause();
      },
    });
    await until(() => seen[0]!.length === 4 && seen[1]!.length === 10);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen[0]).toEqual(numbers(4));
    expect(consumer.paused()).toEqual([{ topic: "t", partitions: [0] }]);
    resume();
    await until(() => seen[0]!.length === 10);
    expect(seen[0]).toEqual(numbers(10));
    consumer.pause([{ topic: "t" }]);
    expect(consumer.paused()).toEqual([{ topic: "t", partitions: [0, 1] }]);
    consumer.resume([{ topic: "t", partitions: [1] }]);
    expect(consumer.paused()).toEqual([{ topic: "t", partitions: [0] }]);
  });
});

describe("for await", () => {
  test("goes on behind the last message that was handed out", async () => {
    const { cluster } = filled(20);
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    expect(await take(consumer, 3)).toEqual(numbers(3));
    expect(consumer.positions()[0]!.offset).toBe("3");
    expect(await take(consumer, 17)).toEqual(numbers(17, 3));
  });

  test("fetches no further than one answer ahead of a slow reader", async () => {
    const { cluster } = filled(100);
    const consumer = await connected(cluster, { maxBytesPerPartition: 1 });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    await take(consumer, 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const asked = cluster.requests("Fetch").filter(({ nodeId }) => nodeId === 1);
    const furthest = Math.max(...asked.map(({ body }) => (body as FetchRequest).topics[0]!.partitions[0]!.fetchOffset));
    expect(furthest).toBeLessThanOrEqual(10);
  });

  test("an aborted signal ends it with its reason", async () => {
    const { cluster } = filled(3);
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const controller = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      try {
        for await (const { offset } of consumer.stream({ signal: controller.signal })) seen.push(offset);
      } catch (error) {
        return { seen, error };
      }
      return { seen };
    })();
    await until(() => seen.length === 3);
    controller.abort(new Error("enough"));
    expect(await reading).toEqual({ seen: numbers(3), error: new Error("enough") });
  });

  test("disconnecting within the loop ends it", async () => {
    const { cluster } = filled(5);
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const seen: string[] = [];
    for await (const { offset } of consumer) {
      seen.push(offset);
      if (offset === "2") await consumer.disconnect();
    }
    expect(seen).toEqual(numbers(3));
  });
});

describe("when something goes wrong", () => {
  test("a leader that changes is followed, and nothing is read twice or left out", async () => {
    const { cluster, topic } = filled(10, [1, 2]);
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ message }) => void seen.push(message.offset) });
    await until(() => seen.length === 10);
    cluster.elect("t", 0, 2);
    write(cluster, topic, numbers(5));
    cluster.broker(1).hangUp();
    await until(() => seen.length === 15);
    cluster.elect("t", 0, 1);
    write(cluster, topic, numbers(5));
    await until(() => seen.length === 20);
    expect(seen).toEqual(numbers(20));
  });

  test("lost answers and passing errors are no news to the application", async () => {
    const { cluster } = filled(50);
    const fates = [
      "lose-request",
      "lose-response",
      "NOT_LEADER_OR_FOLLOWER",
      "lose-response",
      "KAFKA_STORAGE_ERROR",
    ] as const;
    let next = 0;
    cluster.judge = ({ api }) => {
      const fate = api === "Fetch" ? fates[next++] : undefined;
      if (fate === undefined) return undefined;
      return fate === "lose-request" || fate === "lose-response" ? { kind: fate } : { kind: "error", error: fate };
    };
    const consumer = await connected(cluster, { retry: { initialRetryTime: 1 } });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    expect(await take(consumer, 50)).toEqual(numbers(50));
  });

  test("a batch that fails its checksum is fetched again, and in the end an error, never a message", async () => {
    const { cluster } = filled(5);
    cluster.judge = ({ api }) =>
      api === "Fetch" ? { kind: "answer", change: (frame) => corrupted(frame) } : undefined;
    const consumer = await connected(cluster, { retry: { initialRetryTime: 1 } });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    await expect(take(consumer, 1)).rejects.toMatchObject({
      type: "CORRUPT_MESSAGE",
      message: /partition 0 of topic t at 0/,
    });
    expect(cluster.requests("Fetch").filter(({ nodeId }) => nodeId === 1)).toHaveLength(3);
  });

  test("records that were deleted before they were read are an error after an explicit offset", async () => {
    const { cluster, topic } = filled(10);
    topic.partitions[0]!.logStartOffset = 6;
    const consumer = await connected(cluster);
    consumer.assign([{ topic: "t", partition: 0, offset: "2" }]);
    const error: unknown = await take(consumer, 1).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KafkaJSOffsetOutOfRange);
    expect((error as Error).message).toMatch(/position 2 of partition 0 of topic t is out of range.*begins at 6/);
    consumer.seek({ topic: "t", partition: 0, offset: "6" });
    expect(await take(consumer, 1)).toEqual(["6"]);
  });

  test("or are skipped with a warning and an event, if the policy says so", async () => {
    const { cluster, topic } = filled(10);
    topic.partitions[0]!.logStartOffset = 6;
    const consumer = await connected(cluster, { autoOffsetReset: "earliest" });
    const events: unknown[] = [];
    consumer.on(consumer.events.OFFSET_RESET, ({ payload }) => events.push(payload));
    consumer.assign([{ topic: "t", partition: 0, offset: "2" }]);
    expect(await take(consumer, 1)).toEqual(["6"]);
    expect(events).toMatchObject([{ topic: "t", partition: 0, reason: expect.stringContaining("out of range") }]);
    expect(cluster.logged.some(({ label, log }) => label === "WARN" && log.message.includes("out of range"))).toBe(
      true,
    );
  });

  test("a log that was truncated and written anew is noticed, even at the same length", async () => {
    const { cluster, topic } = filled(10, [1, 2]);
    const consumer = await connected(cluster, { autoOffsetReset: "none" });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    expect(await take(consumer, 10)).toEqual(numbers(10));
    topic.partitions[0]!.truncate(5);
    cluster.elect("t", 0, 2);
    write(cluster, topic, numbers(8, 100));
    const error: unknown = await take(consumer, 1).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KafkaJSLogTruncationError);
    expect(error).toMatchObject({ topic: "t", partition: 0, divergingOffset: "5" });
  });

  test("and with a policy, reading goes on where the logs part, with an event", async () => {
    const { cluster, topic } = filled(10, [1, 2]);
    const consumer = await connected(cluster);
    const events: unknown[] = [];
    consumer.on(consumer.events.OFFSET_RESET, ({ payload }) => events.push(payload));
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    expect(await take(consumer, 10)).toEqual(numbers(10));
    topic.partitions[0]!.truncate(5);
    cluster.elect("t", 0, 2);
    write(cluster, topic, numbers(3, 100));
    expect(await take(consumer, 3)).toEqual(numbers(3, 100));
    expect(events).toMatchObject([{ offset: 5, reason: expect.stringContaining("from offset 5 to 9 were read") }]);
  });

  test("offsets that are missing are told, unless compaction explains them", async () => {
    for (const [policy, told] of [
      ["delete", 1],
      ["compact", 0],
    ] as const) {
      const cluster = new ScriptedCluster();
      const topic = cluster.createTopic("t", [1], { "cleanup.policy": policy });
      for (const from of [0, 5, 10]) write(cluster, topic, numbers(5, from));
      topic.partitions[0]!.batches.splice(1, 1);
      const consumer = await connected(cluster);
      const reasons: string[] = [];
      consumer.on<{ reason: string }>(consumer.events.OFFSET_RESET, ({ payload }) => reasons.push(payload.reason));
      consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
      expect(await take(consumer, 10)).toEqual([...numbers(5), ...numbers(5, 10)]);
      expect(reasons).toHaveLength(told);
      if (told > 0) expect(reasons[0]).toMatch(/^5 offsets of partition 0 of topic t are missing/);
    }
  });

  test("a topic that was deleted and created again has other offsets", async () => {
    const { cluster } = filled(10);
    const consumer = await connected(cluster, { autoOffsetReset: "none" });
    consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
    expect(await take(consumer, 10)).toEqual(numbers(10));
    cluster.removeTopic("t");
    write(cluster, cluster.createTopic("t", [1]), numbers(20, 500));
    await expect(take(consumer, 1)).rejects.toThrow(KafkaJSOffsetOutOfRange);
  });
});

/** Flips a bit near the end of the answer, within the records. */
function corrupted(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  copy[copy.length - 10]! ^= 1;
  return copy;
}

test("compressed batches are read, from the position on", async () => {
  const cluster = new ScriptedCluster();
  const topic = cluster.createTopic("t", [1]);
  for (const codec of ["gzip", "snappy", "lz4", "zstd"] as const) {
    const records = numbers(10).map((value, offset) => ({
      offset,
      timestamp: 1,
      key: null,
      value: new TextEncoder().encode(codec + value),
    }));
    const section = await (await loadCodec(codec)).compress(encodeRecords(records));
    topic.partitions[0]!.append(assembleBatch(describeRecords(records), section, codec), 0);
  }
  const consumer = await connected(cluster);
  consumer.assign([{ topic: "t", partition: 0, offset: "5" }]);
  const values = await take(consumer, 35);
  expect(values[0]).toBe("gzip5");
  expect(values.at(-1)).toBe("zstd9");
});

test("headers may have any name, any number of times", async () => {
  const cluster = new ScriptedCluster();
  const topic = cluster.createTopic("t", [1]);
  const bytes = (text: string) => new TextEncoder().encode(text);
  const names = ["toString", "__proto__", "constructor", "", "twice", "twice", "twice", "none"];
  const headers = names.map((key, index) => ({ key, value: key === "none" ? null : bytes(String(index)) }));
  const record = { offset: 0, timestamp: 1, key: null, value: null, headers };
  topic.partitions[0]!.append(encodeBatch([record]), 0);
  const consumer = await connected(cluster);
  consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
  for await (const message of consumer) {
    expect(message.value).toBeNull();
    expect(Object.entries(message.headers).map(([name, value]) => [name, String(value)])).toEqual([
      ["toString", "0"],
      ["__proto__", "1"],
      ["constructor", "2"],
      ["", "3"],
      ["twice", "4,5,6"],
      ["none", "undefined"],
    ]);
    break;
  }
});

test("records of aborted transactions and control records are left out", async () => {
  const cluster = new ScriptedCluster();
  const topic = cluster.createTopic("t", [1]);
  const log = topic.partitions[0]!;
  const record = (value: string) => [{ offset: 0, timestamp: 1, key: null, value: new TextEncoder().encode(value) }];
  const marker = (type: number) => [
    { offset: 0, timestamp: 1, key: new Uint8Array([0, 0, 0, type]), value: new Uint8Array(6) },
  ];
  const init = (producerId: number) => ({ producerId, producerEpoch: 0, transactional: true });
  log.append(encodeBatch(record("kept"), { ...init(7), baseSequence: 0 }), 0);
  log.append(encodeBatch(record("aborted"), { ...init(8), baseSequence: 0 }), 0);
  log.append(encodeBatch(marker(0), { producerEpoch: 0, producerId: -1, transactional: true, control: true }), 0);
  log.append(encodeBatch(record("plain")), 0);
  const { checkBatches, decodeMessages } = await import("../../src/client/fetched-records.ts");
  const batches = checkBatches(log.read(0, 10_000), { offset: 0, lastFetchedEpoch: -1 });
  const values = async (aborted: { producerId: number; firstOffset: number }[]) =>
    (await decodeMessages(batches, aborted)).map(({ value }) => value!.toString());
  expect(await values([{ producerId: 8, firstOffset: 1 }])).toEqual(["kept", "plain"]);
  expect(await values([])).toEqual(["kept", "aborted", "plain"]);
});

test("the events of a consumer have KafkaJS's shapes", async () => {
  const { cluster } = filled(5);
  const consumer = cluster.kafka().consumer();
  const events = new Map<string, unknown>();
  for (const name of Object.values(consumer.events))
    consumer.on(name, ({ type, payload }) => events.set(type, payload));
  await consumer.connect();
  consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
  let seen = 0;
  await consumer.run({ eachMessage: () => void seen++ });
  await until(() => events.has("consumer.end_batch_process"));
  await consumer.disconnect();
  const batch = {
    topic: "t",
    partition: 0,
    highWatermark: "5",
    offsetLag: "0",
    offsetLagLow: "4",
    batchSize: 5,
    firstOffset: "0",
    lastOffset: "4",
  };
  expect(events.get("consumer.connect")).toBeNull();
  expect(events.get("consumer.fetch_start")).toEqual({ nodeId: 1 });
  expect(events.get("consumer.fetch")).toEqual({
    nodeId: 1,
    numberOfBatches: expect.any(Number),
    duration: expect.any(Number),
  });
  expect(events.get("consumer.start_batch_process")).toEqual(batch);
  expect(events.get("consumer.end_batch_process")).toEqual({ ...batch, duration: expect.any(Number) });
  expect(events.get("consumer.stop")).toBeNull();
  expect(events.get("consumer.disconnect")).toBeNull();
  expect(seen).toBe(5);
});

test("misuse is named", async () => {
  const { cluster } = filled(1);
  const consumer = cluster.kafka().consumer();
  expect(() => consumer.assign([])).toThrow(/call connect\(\) first/);
  await expect(consumer.run({})).rejects.toThrow(/call connect\(\) first/);
  await consumer.connect();
  await expect(consumer.run({})).rejects.toThrow(KafkaJSNonRetriableError);
  await consumer.subscribe({ topics: ["t"] });
  expect(() => consumer.assign([])).toThrow(/has subscribed/);
  await consumer.disconnect();
});
