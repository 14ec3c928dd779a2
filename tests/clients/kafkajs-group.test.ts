import { Kafka, logLevel } from "kafkajs";
import type { Consumer, ISocketFactory } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LiveCluster, pause } from "../client/live-cluster.ts";
import { MemorySocket } from "./memory-socket.ts";

/** The unmodified KafkaJS against brokers of ours, for what it takes to be a group. */

const cluster = new LiveCluster();
let kafka: Kafka;

beforeAll(async () => {
  await cluster.start(3);
  const socketFactory = ({ host, port, onConnect }: Parameters<ISocketFactory>[0]) =>
    new MemorySocket(cluster.dial({ host, port }), onConnect) as unknown as ReturnType<ISocketFactory>;
  kafka = new Kafka({ brokers: ["peer-1:1"], logLevel: logLevel.NOTHING, socketFactory });
}, 30_000);

afterAll(() => cluster.stop());

async function until(condition: () => boolean, what: string, limitMs = 20_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`${what} did not come within ${limitMs} ms`);
    await pause(20);
  }
}

/** A running consumer, what it has read and what it is assigned. */
async function consume(groupId: string) {
  const timings = { heartbeatInterval: 300, sessionTimeout: 10_000, maxWaitTimeInMs: 100 };
  const consumer: Consumer = kafka.consumer({ groupId, ...timings });
  const read: string[] = [];
  let assigned: readonly number[] = [];
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => (assigned = payload.memberAssignment["quakes"] ?? []));
  await consumer.connect();
  await consumer.subscribe({ topics: ["quakes"], fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void read.push(String(message.value)) });
  return { consumer, read, assigned: () => assigned };
}

test("KafkaJS joins, shares partitions, commits and goes on where it left", { timeout: 60_000 }, async () => {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: "quakes", numPartitions: 4 }], waitForLeaders: true });
  const producer = kafka.producer();
  await producer.connect();
  const send = (first: number, count: number) =>
    producer.send({
      topic: "quakes",
      messages: Array.from({ length: count }, (_, at) => ({ value: `${first + at}`, partition: at % 4 })),
    });
  await send(0, 20);

  const first = await consume("readers");
  await until(() => first.read.length === 20, "all records");
  expect(first.assigned()).toHaveLength(4);
  const second = await consume("readers");
  await until(() => first.assigned().length === 2 && second.assigned().length === 2, "both to have their share");
  expect([...first.assigned(), ...second.assigned()].sort()).toEqual([0, 1, 2, 3]);
  await send(20, 20);
  await until(() => first.read.length + second.read.length === 40, "the new records");
  expect(second.read).toHaveLength(10);

  const { groups } = await admin.describeGroups(["readers"]);
  expect(groups[0]).toMatchObject({ state: "Stable", protocolType: "consumer", protocol: "RoundRobinAssigner" });
  expect(groups[0]!.members).toHaveLength(2);
  await second.consumer.disconnect();
  await until(() => first.assigned().length === 4, "the partitions of the one that left");
  await first.consumer.disconnect();

  const offsets = await admin.fetchOffsets({ groupId: "readers", topics: ["quakes"] });
  expect(offsets[0]!.partitions.map(({ offset }) => offset)).toEqual(["10", "10", "10", "10"]);
  await send(40, 4);
  const third = await consume("readers");
  await until(() => third.read.length >= 4, "what came meanwhile");
  expect([...third.read].sort()).toEqual(["40", "41", "42", "43"]);
  await third.consumer.disconnect();

  await admin.setOffsets({ groupId: "readers", topic: "quakes", partitions: [{ partition: 0, offset: "3" }] });
  const moved = await admin.fetchOffsets({ groupId: "readers", topics: ["quakes"] });
  expect(moved[0]!.partitions.find(({ partition }) => partition === 0)?.offset).toBe("3");
  expect((await admin.listGroups()).groups).toEqual([{ groupId: "readers", protocolType: "consumer" }]);
  await admin.deleteGroups(["readers"]);
  expect((await admin.listGroups()).groups).toEqual([]);
  await producer.disconnect();
  await admin.disconnect();
});
