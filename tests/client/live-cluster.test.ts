import { afterEach, expect, test } from "vitest";
import { CompressionTypes } from "../../src/client/compression-types.ts";
import type { ConsumedMessage } from "../../src/client/messages.ts";
import { LiveCluster, pause } from "./live-cluster.ts";

/** The client against the real broker core and the real controller. */

let cluster: LiveCluster;

afterEach(() => cluster.stop());

async function start(brokers: number): Promise<LiveCluster> {
  cluster = new LiveCluster();
  await cluster.start(brokers);
  return cluster;
}

async function readAll(topic: string, count: number): Promise<ConsumedMessage[]> {
  await using consumer = cluster.kafka().consumer();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const messages: ConsumedMessage[] = [];
  for await (const message of consumer) if (messages.push(message) === count) break;
  return messages;
}

test("creates a topic, produces with every codec and acks, and reads it back", { timeout: 20_000 }, async () => {
  const kafka = (await start(3)).kafka();
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  expect(await admin.createTopics({ topics: [{ topic: "t", numPartitions: 2, replicationFactor: 3 }] })).toBe(true);
  expect(await admin.createTopics({ topics: [{ topic: "t" }] })).toBe(false);

  const expected: string[] = [];
  for (const compression of Object.values(CompressionTypes)) {
    for (const acks of [-1, 1, 0]) {
      const value = `${compression}/${acks}`.repeat(50);
      expected.push(value);
      await producer.send({ topic: "t", acks, compression, messages: [{ key: "k", value, headers: { h: "1" } }] });
    }
  }
  await producer.flush();
  const read = await readAll("t", expected.length);
  expect(read.map(({ value }) => value!.toString())).toEqual(expected);
  expect(new Set(read.map(({ partition }) => partition)).size).toBe(1);
  expect(read[0]!.headers["h"]!.toString()).toBe("1");

  const [first] = await admin.fetchTopicOffsets("t").then((ends) => ends.filter(({ high }) => high !== "0"));
  expect(first).toMatchObject({ low: "0", high: String(expected.length) });
  const { resources } = await admin.describeConfigs({
    resources: [{ type: 2, name: "t", configNames: ["max.message.bytes"] }],
  });
  expect(resources[0]!.configEntries[0]).toMatchObject({ configName: "max.message.bytes", isDefault: true });
  await admin.alterConfigs({
    resources: [{ type: 2, name: "t", configEntries: [{ name: "max.message.bytes", value: "2000" }] }],
  });
  await expect(producer.send({ topic: "t", messages: [{ value: "x".repeat(3000) }] })).rejects.toThrow(
    /3\d{3} bytes.*max.message.bytes 2000/,
  );
  await admin.createPartitions({ topicPartitions: [{ topic: "t", count: 3 }] });
  expect((await admin.fetchTopicMetadata({ topics: ["t"] })).topics[0]!.partitions).toHaveLength(3);
  await admin.deleteTopics({ topics: ["t"] });
  expect(await admin.listTopics()).toEqual([]);
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

test("a leader that dies under load: every record once, in order, and none lost", { timeout: 30_000 }, async () => {
  const kafka = (await start(3)).kafka();
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic: "t", numPartitions: 1, replicationFactor: 3 }] });
  await producer.send({ topic: "t", messages: [{ value: "0" }] });

  const following: string[] = [];
  const follower = kafka.consumer();
  await follower.connect();
  await follower.subscribe({ topics: ["t"], fromBeginning: true });
  await follower.run({ eachMessage: ({ message }) => void following.push(message.value!.toString()) });

  const sent: Promise<unknown>[] = [];
  const gaps: number[] = [];
  let lastAck = performance.now();
  for (let next = 1; next < 400; next++) {
    const acknowledged = producer.send({ topic: "t", messages: [{ value: String(next) }] }).then(() => {
      gaps.push(performance.now() - lastAck);
      lastAck = performance.now();
    });
    sent.push(acknowledged);
    if (next === 150) {
      const { topics } = await admin.fetchTopicMetadata({ topics: ["t"] });
      const { leader } = topics[0]!.partitions[0]!;
      cluster.brokers.find(({ running }) => running.status().brokerId === leader)!.kill();
    }
    await pause(2);
  }
  await Promise.all(sent);
  const read = await readAll("t", 400);
  expect(read.map(({ value }) => Number(value!.toString()))).toEqual(Array.from({ length: 400 }, (_, index) => index));
  await expect.poll(() => following.length, { timeout: 5000 }).toBe(400);
  expect(following).toEqual(read.map(({ value }) => value!.toString()));
  await follower.disconnect();
  expect(Math.max(...gaps)).toBeLessThan(3000);
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

test("a message sent before the first broker has joined waits for it", async () => {
  cluster = new LiveCluster();
  await cluster.start(0);
  await using producer = cluster.kafka().producer();
  await producer.connect();
  const sent = producer.send({ topic: "early", messages: [{ value: "v" }] });
  await pause(50);
  await cluster.start(1);
  await expect(sent).resolves.toMatchObject([{ topicName: "early", baseOffset: "0" }]);
});
