import { createRequire } from "node:module";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { CompressionTypes } from "../../src/client/compression-types.ts";
import {
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSTimeout,
  KafkaJSTopicMetadataNotLoaded,
} from "../../src/client/errors.ts";
import type { IHeaders, Message } from "../../src/client/messages.ts";
import type { Producer, ProducerConfig } from "../../src/client/producer.ts";
import type { ProduceRequest } from "../../src/protocol/apis/00-produce.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";
import type { SeenRequest, Verdict } from "./scripted-cluster.ts";

const producers: Producer[] = [];

afterEach(async () => {
  await Promise.all(producers.splice(0).map((producer) => producer.disconnect()));
});

async function connected(cluster: ScriptedCluster, config: ProducerConfig = {}): Promise<Producer> {
  const producer = cluster.kafka().producer(config);
  producers.push(producer);
  await producer.connect();
  return producer;
}

/** The first requests of an API get these verdicts, in order; the others are done as usual. */
function script(cluster: ScriptedCluster, api: string, ...verdicts: (Verdict | undefined)[]): void {
  cluster.judge = (request) => (request.api === api ? verdicts.shift() : undefined);
}

const produceBodies = (cluster: ScriptedCluster) =>
  cluster.requests("Produce").map(({ body }) => body as ProduceRequest);
const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));

describe("send", () => {
  test("resolves with an entry for each partition, as in KafkaJS", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    const topic = cluster.createTopic("t", [1, 2]);
    const producer = await connected(cluster);
    await producer.send({ topic: "t", messages: [{ value: "before", partition: 1 }] });
    const metadata = await producer.send({
      topic: "t",
      messages: [
        { value: "a", partition: 0 },
        { value: "b", partition: 1 },
        { value: "c", partition: 1 },
      ],
    });
    const entry = { topicName: "t", errorCode: 0, logAppendTime: "-1", logStartOffset: "-1" };
    expect(metadata).toHaveLength(2);
    expect(metadata).toContainEqual({ ...entry, partition: 0, baseOffset: "0" });
    expect(metadata).toContainEqual({ ...entry, partition: 1, baseOffset: "1" });
    expect(topic.partitions[1]!.values()).toEqual(["before", "b", "c"]);
  });

  test("what is sent in one task shares a batch, and each call is told its own offset", async () => {
    const cluster = new ScriptedCluster();
    cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    const sent = numbers(10).map((value) => producer.send({ topic: "t", messages: [{ value }] }));
    const offsets = (await Promise.all(sent)).map(([metadata]) => metadata!.baseOffset);
    expect(offsets).toEqual(numbers(10));
    expect(cluster.requests("Produce")).toHaveLength(1);
  });

  test("lingers for more messages when told to", async () => {
    const cluster = new ScriptedCluster();
    cluster.createTopic("t", [1]);
    const producer = await connected(cluster, { lingerMs: 60_000 });
    const first = producer.send({ topic: "t", messages: [{ value: "a" }] });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = producer.send({ topic: "t", messages: [{ value: "b" }] });
    expect(cluster.requests("Produce")).toHaveLength(0);
    await producer.flush();
    await Promise.all([first, second]);
    expect(cluster.requests("Produce")).toHaveLength(1);
  });

  test("fills batches up to batchSize, and keeps the order over all of them", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster, { batchSize: 2000 });
    const values = numbers(200).map((value) => value.padEnd(100));
    await producer.send({ topic: "t", messages: values.map((value) => ({ value })) });
    expect(topic.partitions[0]!.values()).toEqual(values);
    for (const { bytes } of topic.partitions[0]!.batches) expect(bytes.length).toBeLessThanOrEqual(2000);
    expect(topic.partitions[0]!.batches.length).toBeGreaterThan(10);
  });

  test("an empty call sends nothing", async () => {
    const cluster = new ScriptedCluster();
    cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    expect(await producer.send({ topic: "t", messages: [] })).toEqual([]);
    expect(await producer.sendBatch({})).toEqual([]);
    expect(cluster.requests("Produce")).toHaveLength(0);
  });

  test("acks 0 resolves without an answer, and keeps the order", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    for (const value of numbers(5)) {
      expect(await producer.send({ topic: "t", acks: 0, messages: [{ value }] })).toEqual([]);
    }
    await producer.send({ topic: "t", messages: [{ value: "5" }] });
    expect(topic.partitions[0]!.values()).toEqual(numbers(6));
  });

  test("acks 1 is sent as such, with sequences", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    await producer.send({ topic: "t", acks: 1, messages: [{ value: "a" }] });
    expect(produceBodies(cluster)[0]).toMatchObject({ acks: 1, timeoutMs: 30_000, transactionalId: null });
    expect(topic.partitions[0]!.batches[0]!.header).toMatchObject({
      producerId: 1000,
      producerEpoch: 0,
      baseSequence: 0,
    });
  });

  test("idempotent: false sends without a producer id", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster, { idempotent: false });
    await producer.send({ topic: "t", messages: [{ value: "a" }] });
    expect(producer.isIdempotent()).toBe(false);
    expect(cluster.requests("InitProducerId")).toHaveLength(0);
    expect(topic.partitions[0]!.batches[0]!.header).toMatchObject({ producerId: -1, baseSequence: -1 });
  });

  test("the buffer is bounded: later calls wait, in order, and all get through", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    let inFlight = 0;
    cluster.judge = ({ api, body }) => {
      if (api === "Produce") {
        const [partition] = (body as ProduceRequest).topicData[0]!.partitionData;
        inFlight = Math.max(inFlight, partition!.records!.length);
      }
      return undefined;
    };
    const producer = await connected(cluster, { bufferMemory: 4000, batchSize: 2000 });
    const values = numbers(100).map((value) => value.padEnd(200));
    await Promise.all(values.map((value) => producer.send({ topic: "t", messages: [{ value }] })));
    expect(topic.partitions[0]!.values()).toEqual(values);
    expect(inFlight).toBeLessThanOrEqual(2000);
  });

  test("what finds no room in the buffer in time fails, naming the bound", async () => {
    const cluster = new ScriptedCluster();
    cluster.createTopic("t", [1]);
    const producer = await connected(cluster, { bufferMemory: 1000, deliveryTimeout: 100 });
    cluster.judge = ({ api }) => (api === "Produce" ? { kind: "stall" } : undefined);
    const sent = ["a", "b", "c"].map((value) =>
      producer.send({ topic: "t", messages: [{ value: value.repeat(900) }] }),
    );
    const errors = await Promise.all(sent.map((promise) => promise.catch((error: Error) => error.message)));
    expect(errors[0]).toMatch(/^Messages for partition 0 of topic t \(2 in the batch\) were not acknowledged within/);
    expect(errors[2]).toMatch(/^1 of the messages found no room in the buffer of 1000 bytes \(bufferMemory\) within 100 ms/);
  });

  test("any messages arrive byte for byte, in any codec, as KafkaJS decodes them", { timeout: 30_000 }, async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    // KafkaJS's decoder trips over header names such as "toString"; ours is tested with them in consumer.test.ts.
    const bytes = fc.option(fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array()), { nil: null });
    const message = fc.record({
      key: bytes,
      value: bytes,
      timestamp: fc.nat().map(String),
      headers: fc.dictionary(
        fc.string().map((name) => `h-${name}`),
        fc.oneof(fc.string(), fc.uint8Array(), fc.array(fc.string(), { minLength: 2, maxLength: 3 })),
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(CompressionTypes.None, CompressionTypes.GZIP),
        async (messages, compression) => {
          await producer.send({ topic: "t", messages: messages as Message[], compression });
          const batch = topic.partitions[0]!.batches.at(-1)!.bytes;
          const decoded = await decodeWithKafkaJS(batch);
          expect(decoded.map(comparable)).toEqual((messages as Message[]).map(comparable));
        },
      ),
      { numRuns: 50 },
    );
  });
});

interface TheirRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: string;
  readonly headers: IHeaders;
}

async function decodeWithKafkaJS(batch: Uint8Array): Promise<TheirRecord[]> {
  const require = createRequire(import.meta.url);
  const decode = require("kafkajs/src/protocol/recordBatch/v0/decoder.js") as (
    decoder: unknown,
  ) => Promise<{ records: TheirRecord[] }>;
  const Decoder = require("kafkajs/src/protocol/decoder.js") as new (buffer: Buffer) => unknown;
  return (await decode(new Decoder(Buffer.from(batch)))).records;
}

function comparable({ key, value, timestamp, headers = {} }: TheirRecord | Message) {
  const hex = (data: string | Uint8Array | null | undefined) =>
    data === null || data === undefined
      ? null
      : Buffer.from(typeof data === "string" ? new TextEncoder().encode(data) : data).toString("hex");
  const named = Object.entries(headers).map(([name, values]) => [
    Buffer.from(new TextEncoder().encode(name)).toString("hex"),
    (Array.isArray(values) ? values : [values]).map(hex),
  ]);
  return { key: hex(key), value: hex(value), timestamp, headers: named.sort() };
}

describe("what is refused", () => {
  const refuse = async (send: (producer: Producer) => Promise<unknown>, config: ProducerConfig = {}) => {
    const cluster = new ScriptedCluster();
    cluster.createTopic("t", [1], { "max.message.bytes": "1000" });
    const producer = await connected(cluster, config);
    return send(producer).then(
      () => expect.fail("it was sent"),
      (error: unknown) => error as Error,
    );
  };

  test("a message larger than the topic takes, naming size and limit", async () => {
    const error = await refuse((producer) => producer.send({ topic: "t", messages: [{ value: "x".repeat(2000) }] }));
    expect(error).toBeInstanceOf(KafkaJSProtocolError);
    expect(error).toMatchObject({ type: "MESSAGE_TOO_LARGE", code: 10, retriable: false });
    expect(error.message).toMatch(/2070 bytes.*max\.message\.bytes 1000/);
  });

  test("a batch that the broker finds too large, naming its size", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    script(cluster, "Produce", { kind: "error", error: "MESSAGE_TOO_LARGE" });
    const first = producer.send({ topic: "t", messages: [{ value: "large" }] });
    await expect(first).rejects.toThrow(/a batch of 73 bytes/);
    await producer.send({ topic: "t", messages: [{ value: "small" }] });
    expect(topic.partitions[0]!.values()).toEqual(["small"]);
  });

  test.each([
    ["a missing value", { topic: "t", messages: [{} as Message] }, /has no value/],
    ["a value that is no bytes", { topic: "t", messages: [{ value: 5 as unknown as string }] }, /type number/],
    [
      "a key that is no bytes",
      { topic: "t", messages: [{ key: {} as unknown as string, value: "a" }] },
      /key of type object/,
    ],
    ["a timestamp that is none", { topic: "t", messages: [{ value: "a", timestamp: "soon" }] }, /timestamp soon/],
    ["messages that are no list", { topic: "t", messages: "a" as unknown as Message[] }, /must be an array/],
    ["an empty topic", { topic: "", messages: [] }, /Invalid topic/],
    ["unknown acks", { topic: "t", acks: 2, messages: [] }, /acks is 2/],
    ["an unknown codec", { topic: "t", compression: 9 as 0, messages: [] }, /compression is 9/],
    [
      "a partition that is not there",
      { topic: "t", messages: [{ value: "a", partition: 3 }] },
      /Partition 3 of topic t does not exist/,
    ],
  ])("%s", async (_, record, message) => {
    const error = await refuse((producer) => producer.send(record));
    expect(error).toBeInstanceOf(KafkaJSNonRetriableError);
    expect(error.message).toMatch(message);
  });

  test("other acks than -1 when idempotence was asked for, as in KafkaJS", async () => {
    const error = await refuse((producer) => producer.send({ topic: "t", acks: 1, messages: [] }), {
      idempotent: true,
    });
    expect(error).toBeInstanceOf(KafkaJSNonRetriableError);
  });

  test("sending before connect, and after disconnect", async () => {
    const producer = new ScriptedCluster().kafka().producer();
    await expect(producer.send({ topic: "t", messages: [] })).rejects.toThrow(/call connect\(\) first/);
    await producer.connect();
    await producer.disconnect();
    await expect(producer.send({ topic: "t", messages: [] })).rejects.toThrow(KafkaJSError);
  });
});

describe("topics", () => {
  test("an unknown one is created on first use", async () => {
    const cluster = new ScriptedCluster();
    const producer = await connected(cluster);
    await Promise.all(numbers(3).map((value) => producer.send({ topic: "new", messages: [{ value }] })));
    expect(cluster.topics.get("new")!.partitions[0]!.values()).toEqual(numbers(3));
    expect(cluster.requests("CreateTopics")).toHaveLength(1);
  });

  test("unless that is not wanted", async () => {
    const cluster = new ScriptedCluster();
    const producer = await connected(cluster, { allowAutoTopicCreation: false, deliveryTimeout: 50 });
    const sent = producer.send({ topic: "new", messages: [{ value: "a" }] });
    await expect(sent).rejects.toThrow(KafkaJSTopicMetadataNotLoaded);
  });

  test.each(["__proto__", "constructor"])("%s is a name like any other", async (topic) => {
    const cluster = new ScriptedCluster();
    const producer = await connected(cluster);
    await producer.send({ topic, messages: [{ value: "a", headers: { constructor: "h" } }] });
    expect(cluster.topics.get(topic)!.partitions[0]!.values()).toEqual(["a"]);
  });

  test.each([".", "..", "a/b", "x".repeat(250)])("%s is refused", async (topic) => {
    const producer = await connected(new ScriptedCluster());
    await expect(producer.send({ topic, messages: [{ value: "a" }] })).rejects.toThrow(/topic/);
  });
});

describe("when something goes wrong", () => {
  const lossOf = (kind: "lose-response" | "lose-request"): Verdict => ({ kind });

  test("a lost answer is repeated, found to be a duplicate, and told its first offset", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    await producer.send({ topic: "t", messages: [{ value: "0" }] });
    script(cluster, "Produce", lossOf("lose-response"));
    const [metadata] = await producer.send({ topic: "t", messages: [{ value: "1" }] });
    expect(metadata!.baseOffset).toBe("1");
    expect(topic.partitions[0]!.values()).toEqual(["0", "1"]);
    expect(topic.partitions[0]!.duplicates).toBe(1);
  });

  test("up to five requests are under way, and a loss in the middle keeps the order", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster, { batchSize: 100 });
    await producer.send({ topic: "t", messages: [{ value: "first" }] });
    script(
      cluster,
      "Produce",
      undefined,
      { kind: "delay", ms: 50 },
      lossOf("lose-request"),
      undefined,
      lossOf("lose-response"),
    );
    const values = numbers(30).map((value) => value.padEnd(80));
    await Promise.all(values.map((value) => producer.send({ topic: "t", messages: [{ value }] })));
    expect(topic.partitions[0]!.values()).toEqual(["first", ...values]);
  });

  test("an error that may pass is tried again, and the batches behind it wait their turn", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster, { batchSize: 100 });
    await producer.send({ topic: "t", messages: [{ value: "first" }] });
    script(cluster, "Produce", undefined, { kind: "error", error: "NOT_ENOUGH_REPLICAS" }, undefined, {
      kind: "error",
      error: "REQUEST_TIMED_OUT",
    });
    const values = numbers(10).map((value) => value.padEnd(80));
    await Promise.all(values.map((value) => producer.send({ topic: "t", messages: [{ value }] })));
    expect(topic.partitions[0]!.values()).toEqual(["first", ...values]);
  });

  test("a leader that changes under load keeps the order, and nothing is written twice", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster, { batchSize: 200 });
    const values = numbers(300);
    const sent: Promise<unknown>[] = [];
    for (const value of values) {
      sent.push(producer.send({ topic: "t", messages: [{ value }] }));
      if (value === "100") {
        cluster.elect("t", 0, 2);
        cluster.broker(1).hangUp();
      }
      if (value === "200") cluster.elect("t", 0, 1);
      if (Number(value) % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(sent);
    expect(topic.partitions[0]!.values()).toEqual(values);
  });

  test("a fenced leader's connection is given up at once, whatever it does", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    await producer.send({ topic: "t", messages: [{ value: "0" }] });
    cluster.judge = ({ api, nodeId }) => (api === "Produce" && nodeId === 1 ? { kind: "stall" } : undefined);
    const sent = producer.send({ topic: "t", messages: [{ value: "1" }] });
    await new Promise((resolve) => setTimeout(resolve, 20));
    cluster.fence(1);
    cluster.elect("t", 0, 2);
    await sent;
    expect(topic.partitions[0]!.values()).toEqual(["0", "1"]);
  });

  test("no leader: what is sent waits for one", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    const topic = cluster.createTopic("t", [-1]);
    const producer = await connected(cluster);
    const sent = producer.send({ topic: "t", messages: [{ value: "a", partition: 0 }] });
    setTimeout(() => cluster.elect("t", 0, 2), 30);
    await sent;
    expect(topic.partitions[0]!.values()).toEqual(["a"]);
    cluster.elect("t", 0, -1);
    const impatient = await connected(cluster, { deliveryTimeout: 50 });
    const error = await impatient
      .send({ topic: "t", messages: [{ value: "b" }] })
      .catch((thrown: Error) => thrown.message);
    expect(error).toMatch(/never sent; there is no leader/);
  });

  test("without the metadata server, leaders that are known go on", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    cluster.setOnline(false);
    await producer.send({ topic: "t", messages: [{ value: "a" }] });
    expect(topic.partitions[0]!.values()).toEqual(["a"]);
    cluster.setOnline(true);
    cluster.createTopic("later", [1]);
    await producer.send({ topic: "later", messages: [{ value: "b" }] });
    expect(cluster.topics.get("later")!.partitions[0]!.values()).toEqual(["b"]);
  });

  test("what cannot be delivered in time fails, and what follows is neither skipped nor reordered", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster, { deliveryTimeout: 300 });
    await producer.send({ topic: "t", messages: [{ value: "0" }] });
    cluster.judge = ({ api }) => (api === "Produce" ? { kind: "stall" } : undefined);
    const lost = producer.send({ topic: "t", messages: [{ value: "1" }] });
    const error: unknown = await lost.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KafkaJSTimeout);
    expect((error as Error).message).toMatch(/may or may not have been written/);
    cluster.judge = () => undefined;
    cluster.broker(1).hangUp();
    await producer.send({ topic: "t", messages: [{ value: "2" }] });
    expect(topic.partitions[0]!.values()).toEqual(["0", "2"]);
    expect(topic.partitions[0]!.batches.at(-1)!.header).toMatchObject({ producerEpoch: 1, baseSequence: 0 });
  });

  test("a leader that lost acknowledged records is told a new epoch, and what follows is written once", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    for (const value of numbers(3)) await producer.send({ topic: "t", acks: 1, messages: [{ value }] });
    topic.partitions[0]!.truncate(1);
    await producer.send({ topic: "t", acks: 1, messages: [{ value: "3" }] });
    expect(topic.partitions[0]!.values()).toEqual(["0", "3"]);
    expect(topic.partitions[0]!.batches.at(-1)!.header.producerEpoch).toBe(1);
  });

  test("a leader that was replaced proves nothing by lacking a batch", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    await producer.send({ topic: "t", messages: [{ value: "0" }] });
    let attempts = 0;
    cluster.judge = ({ api, nodeId }) => {
      if (api !== "Produce" || nodeId !== 1) return undefined;
      if (attempts++ === 0) return { kind: "lose-response" };
      cluster.elect("t", 0, 2);
      return { kind: "error", error: "OUT_OF_ORDER_SEQUENCE_NUMBER", afterMs: 50 };
    };
    await producer.send({ topic: "t", messages: [{ value: "1" }] });
    expect(attempts).toBe(2);
    expect(topic.partitions[0]!.values()).toEqual(["0", "1"]);
  });

  test("retries can be limited", async () => {
    const cluster = new ScriptedCluster();
    cluster.createTopic("t", [1]);
    const producer = await connected(cluster, { retry: { retries: 2, initialRetryTime: 1 } });
    cluster.judge = ({ api }) => (api === "Produce" ? { kind: "error", error: "NOT_ENOUGH_REPLICAS" } : undefined);
    const error: unknown = await producer
      .send({ topic: "t", messages: [{ value: "a" }] })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KafkaJSNumberOfRetriesExceeded);
    expect(error).toMatchObject({ retryCount: 2, retriable: false, cause: { type: "NOT_ENOUGH_REPLICAS" } });
    expect(cluster.requests("Produce")).toHaveLength(3);
  });

  test("an answer that is not one closes the connection, and the batch is sent again", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    script(cluster, "Produce", { kind: "answer", change: (frame) => frame.subarray(0, frame.length - 1) });
    await producer.send({ topic: "t", messages: [{ value: "a" }] });
    expect(topic.partitions[0]!.values()).toEqual(["a"]);
    expect(topic.partitions[0]!.duplicates).toBe(1);
  });

  test("producer ids are asked for again until one is granted, at any broker", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster);
    script(cluster, "InitProducerId", { kind: "error", error: "COORDINATOR_NOT_AVAILABLE" });
    await producer.send({ topic: "t", messages: [{ value: "a" }] });
    expect(topic.partitions[0]!.values()).toEqual(["a"]);
    expect(cluster.requests("InitProducerId").map(({ nodeId }) => nodeId)).toEqual([1, 2]);
  });

  test("random faults: each record once, in order", { timeout: 30_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat({ max: 99 })), async (chance) => {
        const cluster = new ScriptedCluster([1, 2]);
        const topic = cluster.createTopic("t", [1, 2]);
        const producer = await connected(cluster, { batchSize: 120, retry: { initialRetryTime: 1, maxRetryTime: 5 } });
        cluster.judge = (request) => faultOf(request, chance.next().value);
        const values = numbers(60);
        const sent = values.map((value) =>
          producer.send({ topic: "t", messages: [{ value, partition: Number(value) % 2 }] }),
        );
        setTimeout(() => cluster.elect("t", 0, 2), 5);
        await Promise.all(sent);
        for (const partition of [0, 1]) {
          const expected = values.filter((value) => Number(value) % 2 === partition);
          expect(topic.partitions[partition]!.values()).toEqual(expected);
        }
      }),
      { numRuns: 20 },
    );
  });
});

function faultOf({ api }: SeenRequest, chance: number): Verdict | undefined {
  if (api !== "Produce") return undefined;
  if (chance < 8) return { kind: "lose-request" };
  if (chance < 16) return { kind: "lose-response" };
  if (chance < 24) return { kind: "error", error: "NOT_ENOUGH_REPLICAS" };
  if (chance < 32) return { kind: "delay", ms: 2 };
  return undefined;
}

describe("partitions", () => {
  test("a key decides, as in every Kafka client", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic(
      "t",
      Array.from({ length: 10 }, () => 1),
    );
    const producer = await connected(cluster);
    for (const key of ["21", "foobar", new TextEncoder().encode("abc")]) {
      await producer.send({ topic: "t", messages: [{ key, value: String(key) }] });
    }
    // Each is (murmur2(key) & 0x7fffffff) % 10, with the hashes that murmur2.test.ts names.
    const found = topic.partitions.flatMap((partition, index) => (partition.endOffset > 0 ? [index] : []));
    expect(found).toEqual([0, 6, 7]);
  });

  test("messages without a key stay together in a batch, and the next batch goes elsewhere", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1, 1, 1]);
    const producer = await connected(cluster);
    for (let batch = 0; batch < 6; batch++) {
      await producer.send({ topic: "t", messages: numbers(5).map((value) => ({ value })) });
    }
    const sizes = topic.partitions.map(({ batches }) => batches.map(({ header }) => header.recordCount));
    expect(sizes.flat()).toEqual(Array.from({ length: 6 }, () => 5));
    expect(sizes.filter((batches) => batches.length > 0).length).toBeGreaterThan(1);
  });

  test("an own partitioner sees what KafkaJS would show it", async () => {
    const cluster = new ScriptedCluster([1, 2]);
    const topic = cluster.createTopic("t", [1, 2]);
    const message = { key: "k", value: "v", headers: { h: "1" } };
    let seen: unknown;
    const producer = await connected(cluster, {
      createPartitioner: () => (args) => {
        seen = args;
        return 1;
      },
    });
    await producer.send({ topic: "t", messages: [message] });
    expect(topic.partitions[1]!.values()).toEqual(["v"]);
    expect(seen).toMatchObject({
      topic: "t",
      message,
      partitionMetadata: [
        { partitionId: 0, leader: 1, partitionErrorCode: 0, replicas: [1, 2], isr: [1, 2], offlineReplicas: [] },
        { partitionId: 1, leader: 2 },
      ],
    });
  });
});

describe("the rest of the interface", () => {
  test("events have KafkaJS's shapes", async () => {
    const cluster = new ScriptedCluster();
    cluster.createTopic("t", [1]);
    const producer = cluster.kafka({ clientId: "me" }).producer();
    const events: { type: string; payload: unknown }[] = [];
    for (const name of Object.values(producer.events)) producer.on(name, (event) => events.push(event));
    const remove = producer.on(producer.events.CONNECT, () => expect.fail("it was removed"));
    remove();
    await producer.connect();
    await producer.send({ topic: "t", messages: [{ value: "a" }] });
    await producer.disconnect();
    expect(events[0]).toMatchObject({ type: "producer.connect", payload: null });
    expect(events.at(-1)).toMatchObject({ type: "producer.disconnect", payload: null });
    const request = events.find(
      ({ type, payload }) => type === "producer.network.request" && (payload as { apiKey: number }).apiKey === 0,
    );
    expect(request!.payload).toEqual({
      apiKey: 0,
      apiName: "Produce",
      apiVersion: 11,
      broker: "1",
      clientId: "me",
      correlationId: expect.any(Number),
      createdAt: expect.any(Number),
      sentAt: expect.any(Number),
      pendingDuration: expect.any(Number),
      duration: expect.any(Number),
      size: expect.any(Number),
    });
    expect(events.map(({ type }) => type)).toContain("producer.network.request_queue_size");
  });

  test("disconnect sends what is waiting first", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = await connected(cluster, { lingerMs: 60_000 });
    const sent = producer.send({ topic: "t", messages: [{ value: "a" }] });
    await producer.disconnect();
    await sent;
    expect(topic.partitions[0]!.values()).toEqual(["a"]);
  });

  test("it can be connected again, and disposed of", async () => {
    const cluster = new ScriptedCluster();
    const topic = cluster.createTopic("t", [1]);
    const producer = cluster.kafka().producer();
    for (const value of ["a", "b"]) {
      await producer.connect();
      await producer.send({ topic: "t", messages: [{ value }] });
      await producer.disconnect();
    }
    {
      await using another = cluster.kafka().producer();
      await another.connect();
      await another.send({ topic: "t", messages: [{ value: "c" }] });
    }
    expect(topic.partitions[0]!.values()).toEqual(["a", "b", "c"]);
  });

  test("connect fails with the reason when there is no server", async () => {
    const cluster = new ScriptedCluster();
    cluster.setOnline(false);
    const producer = cluster.kafka({ requestTimeout: 50 }).producer();
    await expect(producer.connect()).rejects.toThrow(KafkaJSConnectionError);
    await expect(producer.connect()).rejects.toThrow(/metadata server cannot be reached/);
  });

  test("transactions are not there, and say so", async () => {
    const kafka = new ScriptedCluster().kafka();
    expect(() => kafka.producer({ transactionalId: "x" })).toThrow(/Transactions are not there yet/);
    await expect(kafka.producer().transaction()).rejects.toThrow(/Transactions are not there yet/);
  });
});
