import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { decodeCorrelationId } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { readBatchHeader } from "../../src/protocol/record-batch.ts";
import {
  CORRELATION_ID,
  batchAround,
  batchOfSize,
  batchWithGap,
  bytes,
  forged,
  frame,
  header,
  i16,
  i32,
  request,
  taggedRequest,
  text,
} from "./bad-input.ts";
import type { Part } from "./bad-input.ts";
import { KafkaClient } from "./kafka-client.ts";
import { batchOf, createTopic, fetchRequest, produceRequest, produced, startKafkaBrokers } from "./kafka-brokers.ts";
import type { KafkaBrokers } from "./kafka-brokers.ts";

/**
 * What clients may send by mistake or on purpose, through the real listener to a real broker. Each case says what
 * becomes of the connection; in every case a bystander is served meanwhile, on a connection of its own.
 */
vi.setConfig({ testTimeout: 20_000, expect: { poll: { timeout: 5_000, interval: 10 } } });

const IDLE_MS = 2_000;
const MAX_BATCH = 2_000;
const CAP = 32 * 1024 * 1024;
const MOST = 2 ** 31 - 1;

let brokers: KafkaBrokers;
let rssBefore: number;

beforeAll(async () => {
  brokers = await startKafkaBrokers(1, { kafkaIdleMs: IDLE_MS, kafkaSweepMs: 50 });
  rssBefore = process.memoryUsage.rss();
  const admin = new KafkaClient(brokers.portOf(1));
  await createTopic(admin, "quakes", { "max.message.bytes": String(MAX_BATCH) });
  await createTopic(admin, "compacted", { "cleanup.policy": "compact" });
  await createTopic(admin, "a.b");
  for (const topic of ["quakes", "a.b"]) {
    // The leader may hear of the topic a moment later.
    while ((await produced(admin, topic, batchOf(["first"]))).error !== "NONE") await sleep(10);
  }
  admin.socket.destroy();
}, 30_000);

afterAll(() => brokers.stop());

async function connected(): Promise<KafkaClient> {
  return await KafkaClient.connected(brokers.portOf(1));
}

/** Another client, which must notice nothing. */
async function expectServed(): Promise<void> {
  const bystander = await connected();
  expect((await bystander.ask(metadata, 5, { topics: [{ name: "quakes" }] })).topics[0]!.errorCode).toBe(0);
  bystander.socket.destroy();
}

type Outcome = "closed" | "idle" | "answered" | "answered twice";

/** `idle`: nothing shows that more will not come, so that only the idle time ends it. */
async function expectOutcome(input: Uint8Array, outcome: Outcome): Promise<void> {
  const client = await connected();
  const idleBefore = await reading(CLOSED_FOR_IDLENESS);
  client.send(input);
  if (outcome.startsWith("answered")) {
    expect(decodeCorrelationId(await client.nextFrame())).toBe(CORRELATION_ID);
    if (outcome === "answered twice") expect(decodeCorrelationId(await client.nextFrame())).toBe(CORRELATION_ID);
  } else {
    await expectServed();
    await client.ended;
    expect(client.received.length).toBe(0);
    expect((await reading(CLOSED_FOR_IDLENESS)) - idleBefore).toBe(outcome === "idle" ? 1 : 0);
  }
  await expectServed();
}

const versions = request(18, 0);
/** Metadata of topics, with the count of the array to be told. */
const topicsOf = (count: number, ...rest: readonly Part[]) => request(3, 1, i32(count), ...rest);
const TLS_HELLO = bytes(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, randomBytes(505));

describe("frames", () => {
  test.each<readonly [id: string, what: string, input: Uint8Array, Outcome]>([
    ["F01", "garbage", bytes(0xde, 0xad, 0xbe, 0xef, randomBytes(1_000)), "closed"],
    ["F02", "TLS", TLS_HELLO, "closed"],
    ["F03", "an HTTP request", bytes("GET / HTTP/1.1\r\nHost: localhost:9092\r\n\r\n"), "closed"],
    ["F04", "an HTTP request of a page", bytes("POST / HTTP/1.1\r\nContent-Length: 22\r\n\r\n", versions), "closed"],
    ["F05", "HTTP/2", bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "closed"],
    ["F06", "SSH", bytes("SSH-2.0-OpenSSH_9.2\r\n"), "closed"],
    ["F07", "a length of 2^31-1", bytes(i32(0x7fffffff), randomBytes(100)), "closed"],
    ["F08", "a length of -1", bytes(i32(-1)), "closed"],
    ["F09", "a length of -2^31", bytes(i32(-(2 ** 31))), "closed"],
    ["F10", "a length of 0", bytes(i32(0)), "closed"],
    ["F11", "a length of 1", frame(0), "closed"],
    ["F12", "a length of 3", frame(0, 3, 0), "closed"],
    ["F13", "a length above the limit", bytes(i32(CAP + 1)), "closed"],
    ["F14", "a length that is too small", bytes(i32(10), versions.subarray(4)), "closed"],
    ["F15", "a length that is too large, and silence", bytes(i32(1_000), versions.subarray(4)), "idle"],
    ["F16", "half a length, and silence", bytes(0, 0), "idle"],
    ["F17", "nothing", bytes(), "idle"],
    ["F18", "two frames at once", bytes(versions, versions), "answered twice"],
    ["F19", "a frame behind one that is none", bytes(request(99, 0), versions), "closed"],
  ])("[%s] %s", async (_id, _what, input, outcome) => {
    await expectOutcome(input, outcome);
  });

  test("[F20] a frame as large as the limit, of zeros", async () => {
    const client = await connected();
    client.send(i32(CAP));
    client.send(new Uint8Array(CAP));
    await expectServed();
    await client.ended;
    expect(client.received.length).toBe(0);
  });

  test("[F21] a request cut short at every byte", async () => {
    const whole = request(3, 4, i32(1), text("quakes"), 0);
    for (let length = 0; length < whole.length; length++) {
      const client = await connected();
      client.socket.end(whole.subarray(0, length));
      await client.ended;
      expect(client.received.length).toBe(0);
    }
    await expectServed();
  });

  test("[F22] a request in single bytes", async () => {
    const client = await connected();
    for (const byte of versions) {
      client.send(Uint8Array.of(byte));
      await sleep(2);
    }
    expect(decodeCorrelationId(await client.nextFrame())).toBe(CORRELATION_ID);
  });

  test("[F23] a hundred frames at once", async () => {
    const client = await connected();
    client.send(bytes(...Array.from({ length: 100 }, () => versions)));
    for (let count = 0; count < 100; count++) await client.nextFrame();
  });

  test("[F24] answers that are never read", async () => {
    const client = await connected();
    client.socket.pause();
    // Each answer has all that the partition holds.
    for (let count = 0; count < 500; count++) client.request(fetch, 11, fetchRequest("quakes", 0));
    await expectServed();
    await expect.poll(() => reading(CONNECTIONS)).toBe(0);
  });
});

const CONNECTIONS = "tabstream_kafka_connections";
const CLOSED_FOR_IDLENESS = 'tabstream_kafka_connections_closed_total{reason="idle"}';

async function reading(metric: string): Promise<number> {
  const lines = (await (await globalThis.fetch(`${brokers.server.url}/metrics`)).text()).split("\n");
  const line = lines.find((candidate) => candidate.startsWith(`${metric} `));
  return Number(line?.slice(metric.length + 1) ?? 0);
}

describe("headers", () => {
  const empty = i32(0);
  test.each<readonly [id: string, what: string, input: Uint8Array, Outcome]>([
    ["H01", "api -1", request(-1, 0), "closed"],
    ["H02", "api 999", request(999, 0), "closed"],
    ["H03", "api 32767", request(32767, 0), "closed"],
    ["H04", "an api for controllers alone", request(62, 4), "closed"],
    ["H05", "a version that is no longer served", request(0, 2, i16(-1), i32(0), i32(0)), "closed"],
    ["H06", "a version that is not served yet", request(3, 13), "closed"],
    ["H07", "version -1", request(3, -1, empty), "closed"],
    ["H08", "version 32767 of ApiVersions", request(18, 32767), "answered"],
    ["H09", "version -1 of ApiVersions", request(18, -1), "answered"],
    ["H10", "a flexible version under the old header", request(3, 9, 0xff, 1, 0, 0, 0), "closed"],
    ["H11", "no client id", frame(header(18, 0, i16(-1))), "answered"],
    ["H12", "an empty client id", frame(header(18, 0, i16(0))), "answered"],
    ["H13", "a client id of 32767 bytes", frame(header(18, 0, text("c".repeat(32_767)))), "answered"],
    ["H14", "a client id of -2 bytes", frame(header(18, 0, i16(-2))), "closed"],
    ["H15", "a client id past the end", frame(header(18, 0, i16(100))), "closed"],
    ["H16", "a client id that is no UTF-8", frame(header(18, 0, text(bytes(0xff, 0xfe, 0x80)))), "answered"],
    ["H17", "a tag that nobody knows", taggedRequest([1, 90, 3, 1, 2, 3]), "answered"],
    ["H18", "a tag twice", taggedRequest([2, 90, 0, 90, 0]), "closed"],
    ["H19", "tags out of order", taggedRequest([2, 91, 0, 90, 0]), "closed"],
    ["H20", "2^31 tags", taggedRequest([0x80, 0x80, 0x80, 0x80, 8]), "closed"],
    ["H21", "a tag past the end", taggedRequest([1, 90, 0xff, 0x7f]), "closed"],
    ["H22", "five million tags", taggedRequest([0xc0, 0x96, 0xb1, 2, new Uint8Array(10_000_000)]), "closed"],
  ])("[%s] %s", async (_id, _what, input, outcome) => {
    await expectOutcome(input, outcome);
  });

  test("[H23] correlation ids that come twice, or at the ends of their range", async () => {
    const client = await connected();
    const ids = [5, 5, 0x7fffffff, -(2 ** 31), -1, 0];
    for (const id of ids) client.send(frame(header(18, 0, i16(-1), id)));
    for (const id of ids) expect(decodeCorrelationId(await client.nextFrame())).toBe(id);
  });
});

describe("types", () => {
  test.each<readonly [id: string, what: string, input: Uint8Array, Outcome]>([
    ["T01", "an array of -2", topicsOf(-2), "closed"],
    ["T02", "an array of 2^31-1", topicsOf(0x7fffffff), "closed"],
    ["T03", "an array of one more than there are", topicsOf(2, text("quakes")), "closed"],
    ["T04", "a compact array of 2^32-2", request(3, 9, 0, 0xff, 0xff, 0xff, 0xff, 0x0f), "closed"],
    ["T05", "no array where there must be one", request(3, 0, i32(-1)), "closed"],
    [
      "T06",
      "a million arrays in an array",
      request(1, 4, i32(-1), i32(0), i32(0), i32(1), 0, i32(1_000_000), new Uint8Array(6_000_000)),
      "closed",
    ],
    ["T07", "a varint of eleven bytes", request(3, 9, 0, new Uint8Array(11).fill(0x80)), "closed"],
    ["T08", "a varint that is longer than it need be", request(3, 9, 0x80, 0, 0x81, 0x80, 0, 1, 0, 0, 0), "answered"],
    ["T09", "a text past the end", topicsOf(1, i16(32_767), "quakes"), "closed"],
    ["T10", "a text of -2 bytes", topicsOf(1, i16(-2)), "closed"],
    ["T11", "no text where there must be one", topicsOf(1, i16(-1)), "closed"],
    ["T12", "bytes behind the end", bytes(request(18, 0, 1, 2, 3)), "closed"],
    ["T13", "an API's body under another's key", request(19, 2, text("quakes")), "closed"],
  ])("[%s] %s", async (_id, _what, input, outcome) => {
    await expectOutcome(input, outcome);
  });

  test.each([
    ["T20", "249 characters", "x".repeat(249), "NONE"],
    ["T21", "250 characters", "x".repeat(250), "INVALID_TOPIC_EXCEPTION"],
    ["T22", "nothing", "", "INVALID_TOPIC_EXCEPTION"],
    ["T23", "a dot", ".", "INVALID_TOPIC_EXCEPTION"],
    ["T24", "two dots", "..", "INVALID_TOPIC_EXCEPTION"],
    ["T25", "a path upwards", "../x", "INVALID_TOPIC_EXCEPTION"],
    ["T26", "a path", "a/b", "INVALID_TOPIC_EXCEPTION"],
    ["T27", "an escape", "%2e", "INVALID_TOPIC_EXCEPTION"],
    ["T28", "a NUL", "a\0b", "INVALID_TOPIC_EXCEPTION"],
    ["T29", "a mark that turns the text around", "a\u202Eb", "INVALID_TOPIC_EXCEPTION"],
    ["T30", "what is no UTF-8", bytes("a", 0xff), "INVALID_TOPIC_EXCEPTION"],
    ["T31", "half a surrogate pair", bytes(0xed, 0xa0, 0x80), "INVALID_TOPIC_EXCEPTION"],
    ["T32", "__proto__", "__proto__", "NONE"],
    ["T33", "constructor", "constructor", "NONE"],
    ["T34", "prototype", "prototype", "NONE"],
    ["T35", "toString", "toString", "NONE"],
    ["T36", "one that is taken but for a dot", "a_b", "INVALID_TOPIC_EXCEPTION"],
    // As in Kafka, whose tools make it too. It is compacted whoever makes it.
    ["T37", "that of the offsets", "__consumer_offsets", "NONE"],
  ])("[%s] a topic named %s", async (_id, _what, name, error) => {
    const client = await connected();
    const encoded = Buffer.from(name);
    client.send(request(19, 2, i32(1), text(encoded), i32(1), i16(1), i32(0), i32(0), i32(5_000), 0));
    const answer = await client.answer(createTopics, 2, CORRELATION_ID);
    expect(errorName(answer.topics[0]!.errorCode)).toBe(error);
    await expectServed();
  });
});

describe("batches", () => {
  const one = batchOf(["one"]);
  const two = batchOf(["one", "two"]);
  const ofProducer = (producerId: number, baseSequence: number, producerEpoch = 0) =>
    batchOf(["one"], { producerId, producerEpoch, baseSequence });

  test.each<readonly [id: string, what: string, records: Uint8Array, error: string]>([
    ["B01", "of version 0", one.with(16, 0), "INVALID_RECORD"],
    ["B02", "of version 1", one.with(16, 1), "INVALID_RECORD"],
    ["B03", "of version 3", one.with(16, 3), "CORRUPT_MESSAGE"],
    ["B04", "with a wrong checksum", one.with(20, one[20]! ^ 1), "CORRUPT_MESSAGE"],
    ["B05", "whose last byte was changed", one.with(-1, one.at(-1)! ^ 1), "CORRUPT_MESSAGE"],
    ["B06", "with the right checksum of records that are none", batchAround(randomBytes(100)), "INVALID_RECORD"],
    ["B07", "that claims to be longer", one.with(11, one[11]! + 1), "INVALID_RECORD"],
    ["B08", "that claims to be shorter", one.with(11, one[11]! - 1), "CORRUPT_MESSAGE"],
    ["B09", "that claims to have 2^31-1 bytes", forged(one, [8, i32(0x7fffffff)]), "INVALID_RECORD"],
    ["B10", "that claims to have -1 byte", forged(one, [8, i32(-1)]), "CORRUPT_MESSAGE"],
    ["B11", "of 0 records", forged(two, [57, i32(0)]), "INVALID_RECORD"],
    ["B12", "of -1 record", forged(two, [57, i32(-1)]), "INVALID_RECORD"],
    ["B13", "of 2^31-1 records", forged(two, [57, i32(0x7fffffff)]), "INVALID_RECORD"],
    ["B14", "of 2^31-1 records by each count", forged(two, [57, i32(MOST)], [23, i32(MOST - 1)]), "INVALID_RECORD"],
    ["B15", "of fewer records than there are", forged(two, [57, i32(1)], [23, i32(0)]), "INVALID_RECORD"],
    ["B16", "of more records than there are", forged(two, [57, i32(3)], [23, i32(2)]), "INVALID_RECORD"],
    ["B17", "with a gap between its offsets", batchWithGap([0, 2], {}), "INVALID_RECORD"],
    ["B18", "with a gap, and a last offset to match", batchWithGap([0, 2], { lastOffsetDelta: 2 }), "INVALID_RECORD"],
    ["B19", "with a negative last offset", forged(one, [23, i32(-1)]), "CORRUPT_MESSAGE"],
    ["B20", "with a timestamp beyond 2^53", forged(one, [27, i32(0x7fffffff)]), "CORRUPT_MESSAGE"],
    ["B21", "with a time before 1970", batchAround(one.subarray(61), { baseTimestamp: -5, maxTimestamp: -5 }), "NONE"],
    ["B22", "with a base offset", batchOf(["one"], { baseOffset: 5 }), "INVALID_RECORD"],
    ["B23", "with a negative base offset", batchOf(["one"], { baseOffset: -5 }), "INVALID_RECORD"],
    ["B24", "with a leader epoch", batchOf(["one"], { partitionLeaderEpoch: 99 }), "NONE"],
    ["B25", "of codec 5", forged(one, [22, Uint8Array.of(5)]), "UNSUPPORTED_COMPRESSION_TYPE"],
    ["B26", "of codec 7", forged(one, [22, Uint8Array.of(7)]), "UNSUPPORTED_COMPRESSION_TYPE"],
    ["B27", "of control records", batchOf(["one"], { control: true }), "INVALID_RECORD"],
    ["B28", "with a delete horizon", batchOf(["one"], { hasDeleteHorizon: true }), "INVALID_RECORD"],
    ["B29", "stamped by a broker", batchOf(["one"], { timestampType: "LogAppendTime" }), "INVALID_TIMESTAMP"],
    ["B30", "of a transaction, and no producer", batchOf(["one"], { transactional: true }), "INVALID_RECORD"],
    [
      "B31",
      "of a transaction that was never begun",
      batchOf(["one"], { transactional: true, producerId: 77, producerEpoch: 0, baseSequence: 0 }),
      "INVALID_TXN_STATE",
    ],
    ["B32", "of a producer, with a negative sequence", ofProducer(70, -5), "INVALID_RECORD"],
    ["B33", "of a producer, with a negative epoch", ofProducer(70, 0, -1), "INVALID_RECORD"],
    ["B34", "with headers past the end", batchAround(bytes(16, 0, 0, 0, 1, 1, 0xfe, 0xff, 0x0f)), "INVALID_RECORD"],
    ["B35", "of a record of negative length", batchAround(bytes(1, 0, 0, 0, 1, 1, 0)), "INVALID_RECORD"],
    ["B36", "one byte below the limit", batchOfSize(MAX_BATCH - 1), "NONE"],
    ["B37", "at the limit", batchOfSize(MAX_BATCH), "NONE"],
    ["B38", "one byte above the limit", batchOfSize(MAX_BATCH + 1), "MESSAGE_TOO_LARGE"],
    ["B39", "with another behind it", bytes(one, two), "INVALID_RECORD"],
    ["B40", "of no bytes", bytes(), "INVALID_RECORD"],
    ["B41", "that is cut short", one.subarray(0, -1), "INVALID_RECORD"],
    ["B42", "with garbage behind it", bytes(one, 1, 2, 3), "INVALID_RECORD"],
  ])("[%s] one %s", async (_id, _what, records, error) => {
    const client = await connected();
    expect((await produced(client, "quakes", records)).error).toBe(error);
    await expectServed();
  });

  test("[B50] a record without a key, in a compacted topic", async () => {
    const client = await connected();
    await expect.poll(async () => (await produced(client, "compacted", one)).error).toBe("INVALID_RECORD");
  });

  test("[B51] a sequence out of order, an old epoch, and what was sent before", async () => {
    const client = await connected();
    const send = async (sequence: number, epoch = 3) => {
      return await produced(client, "quakes", ofProducer(90, sequence, epoch));
    };
    const first = await send(0);
    expect(first.error).toBe("NONE");
    expect((await send(5)).error).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
    expect((await send(1, 2)).error).toBe("INVALID_PRODUCER_EPOCH");
    for (let sequence = 1; sequence < 5; sequence++) expect((await send(sequence)).error).toBe("NONE");
    // Within the last five batches an answer is given again, before them it is forgotten.
    expect(await send(0)).toEqual(first);
    expect((await send(5)).error).toBe("NONE");
    expect((await send(0)).error).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
  });

  test("[B52] a sequence that runs over its end", async () => {
    const client = await connected();
    const last = 2 ** 31 - 1;
    const records = batchOf(["one", "two"], { producerId: 91, producerEpoch: 0, baseSequence: last });
    const first = await produced(client, "quakes", records);
    const next = await produced(client, "quakes", ofProducer(91, 1));
    expect([first.error, next.error]).toEqual(["NONE", "NONE"]);
  });

  test("[B53] a leader epoch of the client's is replaced by the true one", async () => {
    const client = await connected();
    const { baseOffset } = await produced(client, "a.b", batchOf(["mine"], { partitionLeaderEpoch: 99 }));
    const { responses } = await client.ask(fetch, 11, fetchRequest("a.b", baseOffset));
    expect(readBatchHeader(responses[0]!.partitions[0]!.records!).partitionLeaderEpoch).toBe(0);
  });

  test("[B54] partitions that are not there, and no batch at all", async () => {
    const client = await connected();
    const partitionData = [-1, 1, 0x7fffffff].map((index) => ({ index, records: one }));
    const topicData = [{ name: "quakes", partitionData: [...partitionData, { index: 0, records: null }] }];
    const { responses } = await client.ask(produce, 7, { acks: 1, timeoutMs: 1_000, topicData });
    const errors = responses[0]!.partitionResponses.map(({ errorCode }) => errorName(errorCode));
    const unknown = "UNKNOWN_TOPIC_OR_PARTITION";
    expect(errors).toEqual([unknown, unknown, unknown, "INVALID_RECORD"]);
  });

  test("[B55] records for the topic of the offsets", async () => {
    const client = await connected();
    expect((await produced(client, "__consumer_offsets", one)).error).toBe("INVALID_TOPIC_EXCEPTION");
  });

  test("[B56] acknowledgements that there are not", async () => {
    const client = await connected();
    for (const acks of [2, -2, 32_767]) {
      const { responses } = await client.ask(produce, 7, produceRequest("quakes", one, acks));
      expect(errorName(responses[0]!.partitionResponses[0]!.errorCode)).toBe("INVALID_REQUIRED_ACKS");
    }
  });
});

test("after all of it, the process holds little more than before, and nobody was forgotten", async () => {
  await expect.poll(() => reading(CONNECTIONS)).toBe(0);
  const client = await connected();
  await client.ask(apiVersions, 3, { clientSoftwareName: "test", clientSoftwareVersion: "1" });
  expect(brokers.tabs[0]!.running.status().state).toBe("running");
  const grownMiB = (process.memoryUsage.rss() - rssBefore) / 1024 ** 2;
  console.log(`    bad input: the process grew by ${Math.round(grownMiB)} MiB`);
  // Server, broker and clients are one process here, and a frame may have 32 MiB on each of its ways.
  expect(grownMiB).toBeLessThan(400);
});
