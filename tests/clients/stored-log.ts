import { setTimeout as sleep } from "node:timers/promises";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { loadCodec } from "../../src/protocol/compression/codecs.ts";
import { errorName, isRetriable } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import { batches, codecNames, recordsSection } from "../../src/protocol/record-batch.ts";
import type { CodecName } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import { ConnectionEnded, KafkaSocket } from "./kafka-socket.ts";

export interface StoredRecord {
  readonly partition: number;
  readonly offset: number;
  /** What its batch is compressed with. */
  readonly codec: CodecName;
  /** A key, a tab and a value. */
  readonly line: string;
}

const MAX_RECORDS_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 20_000;

/** Everything that a topic holds, as the leaders of its partitions serve it. */
export async function readTopic(bootstrap: string, topic: string): Promise<StoredRecord[]> {
  const { partitions } = await describeTopic(bootstrap, topic);
  const records: StoredRecord[] = [];
  for (const { partitionIndex } of partitions) {
    records.push(...await readPartition(bootstrap, topic, partitionIndex));
  }
  return records;
}

/** Whoever led when it was asked for may lead no longer when it is read from: the next leader is looked for then. */
async function readPartition(bootstrap: string, topic: string, partition: number): Promise<StoredRecord[]> {
  for (const endMs = Date.now() + TIMEOUT_MS; ; await sleep(50)) {
    const { partitions, addresses } = await describeTopic(bootstrap, topic);
    const leader = addresses.get(partitions.find(({ partitionIndex }) => partitionIndex === partition)?.leaderId ?? -1);
    const read = leader === undefined ? "LEADER_NOT_AVAILABLE" : await readFrom(leader, topic, partition);
    if (typeof read !== "string") return read;
    if (!isRetriable(read) || Date.now() > endMs) throw new Error(`${topic}-${partition} answers ${read}`);
  }
}

/** All that this broker has of a partition, or why it does not tell. */
async function readFrom(address: string, topic: string, partition: number): Promise<StoredRecord[] | ErrorName> {
  const socket = await KafkaSocket.connect(address);
  try {
    return await fetchAll(socket, topic, partition);
  } catch (error) {
    if (error instanceof ConnectionEnded) return "NETWORK_EXCEPTION";
    throw error;
  } finally {
    socket.close();
  }
}

/** The partitions of a topic that may not be known everywhere yet, and the address of every broker by its id. */
export async function describeTopic(bootstrap: string, topic: string) {
  const socket = await KafkaSocket.connect(bootstrap);
  const asked = { topics: [{ name: topic }], allowAutoTopicCreation: false };
  const { brokers, topics } = await socket.ask(metadata, 9, asked);
  socket.close();
  const addresses = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]));
  return { partitions: topics[0]?.partitions ?? [], addresses };
}

async function fetchAll(socket: KafkaSocket, topic: string, partition: number): Promise<StoredRecord[] | ErrorName> {
  const records: StoredRecord[] = [];
  for (let offset = 0; ; ) {
    const asked = { partition, fetchOffset: offset, partitionMaxBytes: MAX_RECORDS_BYTES };
    const { responses } = await socket.ask(fetch, 11, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic, partitions: [asked] }],
    });
    const answer = responses[0]!.partitions[0]!;
    if (answer.errorCode !== 0) return errorName(answer.errorCode);
    for (const { header, bytes } of batches(answer.records ?? new Uint8Array(), "ignored")) {
      const codec = codecNames[header.attributes.codec] ?? "none";
      const section = recordsSection(bytes);
      const plain = codec === "none" ? section : await (await loadCodec(codec)).decompress(section, MAX_RECORDS_BYTES);
      for (const record of decodeRecords(plain, header)) {
        records.push({ partition, offset: record.offset, codec, line: `${text(record.key)}\t${text(record.value)}` });
      }
      offset = header.lastOffset + 1;
    }
    if (offset >= answer.highWatermark) return records;
  }
}

function text(bytes: Uint8Array | null): string {
  return bytes === null ? "" : new TextDecoder().decode(bytes);
}
