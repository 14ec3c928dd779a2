import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import * as zstd from "@bokuweb/zstd-wasm";
import kafkajs from "kafkajs";
import type { EachMessagePayload, Message } from "kafkajs";

/** KafkaJS as a program, see `ClientProgram`. KafkaJS leaves all codecs but gzip to its user. */

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
const codecs: Record<string, number> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

type Transform = (bytes: Uint8Array) => Uint8Array;
const require = createRequire(import.meta.url);
const snappy = require("snappyjs") as { readonly compress: Transform; readonly uncompress: Transform };
const lz4 = require("lz4js") as { readonly compress: Transform; readonly decompress: Transform };
const codec = (compress: Transform, decompress: Transform) => () => ({
  compress: async ({ buffer }: { readonly buffer: Buffer }) => Buffer.from(compress(buffer)),
  decompress: async (buffer: Buffer) => Buffer.from(decompress(buffer)),
});
await zstd.init();
CompressionCodecs[CompressionTypes.Snappy] = codec(snappy.compress, snappy.uncompress);
CompressionCodecs[CompressionTypes.LZ4] = codec(lz4.compress, lz4.decompress);
CompressionCodecs[CompressionTypes.ZSTD] = codec((bytes) => zstd.compress(bytes, 3), (bytes) => zstd.decompress(bytes));

const [command, bootstrap = "", topic = "", ...rest] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.ERROR });

async function create(): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: true });
  await admin.disconnect();
}

async function produce(compression: number): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const waiting: Message[] = [];
  let sending: Promise<unknown> = Promise.resolve();
  // A send whose partitions have several leaders loses records without a word when one of these dies
  // (https://github.com/tulios/kafkajs/issues/1303). The records of one key are in one partition.
  const flush = async () => {
    const byKey = new Map<Message["key"], Message[]>();
    for (const message of waiting.splice(0)) byKey.set(message.key, [...(byKey.get(message.key) ?? []), message]);
    await Promise.all([...byKey.values()].map((messages) => producer.send({ topic, messages, compression })));
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [key = "", value = ""] = line.split("\t");
    if (waiting.push({ key, value }) === 1) {
      sending = sending.then(() => new Promise((resolve) => setTimeout(resolve, 5))).then(flush);
    }
  }
  await sending;
  await producer.disconnect();
}

async function consume(from: string, argument: string): Promise<void> {
  const groupId = from === "group" ? argument : `reader-${process.pid}`;
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, heartbeatInterval: 500, maxWaitTimeInMs: 200 });
  process.once("SIGTERM", () => void consumer.disconnect().then(() => process.exit()));
  const sought = from === "timestamp" ? await offsetsAt(Number(argument)) : new Map<number, string>();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    async eachMessage({ partition, message }: EachMessagePayload) {
      // A seek takes effect some time after it was asked for, and cannot be asked for before.
      if (Number(message.offset) < Number(sought.get(partition) ?? 0)) return;
      process.stdout.write(`${String(message.key)}\t${String(message.value)}\n`);
    },
  });
  for (const [partition, offset] of sought) consumer.seek({ topic, partition, offset });
}

async function offsetsAt(timestamp: number): Promise<Map<number, string>> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, timestamp);
  await admin.disconnect();
  return new Map(offsets.map(({ partition, offset }) => [partition, offset]));
}

if (command === "create") await create();
else if (command === "produce") await produce(codecs[rest[0] ?? ""] ?? 0);
else await consume(rest[0] ?? "", rest[1] ?? "");
