import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Admin, Consumer, ListOffsetTimestamps, MessagesStreamModes, Producer } from "@platformatic/kafka";
import { stringDeserializers, stringSerializers } from "@platformatic/kafka";

/** @platformatic/kafka as a program; the arguments are told in client-program.ts. */

const [command, bootstrap, topic, ...rest] = process.argv.slice(2);
const connection = { clientId: "platformatic", bootstrapBrokers: [bootstrap] };

async function create() {
  const admin = new Admin(connection);
  await admin.createTopics({ topics: [topic], partitions: 3, replicas: 3 });
  await admin.close();
}

async function produce(compression) {
  const producer = new Producer({ ...connection, serializers: stringSerializers, compression, retries: 1 });
  const waiting = [];
  let sending = Promise.resolve();
  const flush = async () => {
    const messages = waiting.splice(0);
    for (let attempt = 1; messages.length > 0; attempt++) {
      try {
        return await producer.send({ messages, acks: -1 });
      } catch (error) {
        if (attempt === 20) throw error;
        // Its own attempts all go to the leader that it knew.
        await sleep(200);
        await producer.metadata({ topics: [topic], forceUpdate: true });
      }
    }
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [key, value] = line.split("\t");
    waiting.push({ topic, key, value });
    sending = sending.then(flush);
  }
  await sending;
  await producer.close();
}

async function consume(from, argument) {
  const groupId = from === "group" ? argument : `reader-${process.pid}`;
  let consumer;
  process.once("SIGTERM", () => void consumer.close(true).then(() => process.exit()));
  // A stream ends with an error once the broker it reads from is gone; a new one goes on where the group is.
  for (;;) {
    consumer = new Consumer({ ...connection, groupId, deserializers: stringDeserializers });
    try {
      await print(consumer, await streamStart(consumer, from, argument), from === "group" ? 100 : false);
    } catch (error) {
      if (from !== "group") throw error;
      await consumer.close(true).catch(() => {});
      await sleep(200);
    }
  }
}

async function print(consumer, start, autocommit) {
  const timings = { maxWaitTime: 200, sessionTimeout: 10_000, heartbeatInterval: 500 };
  const stream = await consumer.consume({ topics: [topic], autocommit, ...timings, ...start });
  stream.on("data", ({ key, value }) => process.stdout.write(`${key}\t${value}\n`));
  await once(stream, "close");
}

async function streamStart(consumer, from, argument) {
  if (from === "group") return { mode: MessagesStreamModes.COMMITTED, fallbackMode: "earliest" };
  if (from === "beginning") return { mode: MessagesStreamModes.EARLIEST };
  const found = await consumer.listOffsets({ topics: [topic], timestamp: BigInt(argument) });
  const ends = await consumer.listOffsets({ topics: [topic], timestamp: ListOffsetTimestamps.LATEST });
  const offsets = found.get(topic).map((offset, partition) => ({
    topic,
    partition,
    offset: offset >= 0n ? offset : ends.get(topic)[partition],
  }));
  return { mode: MessagesStreamModes.MANUAL, offsets };
}

if (command === "create") await create();
else if (command === "produce") await produce(rest[0]);
else await consume(rest[0], rest[1]);
