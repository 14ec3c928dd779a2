import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { loadCodec } from "../../src/protocol/compression/codecs.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { batches, codecNames, recordsSection } from "../../src/protocol/record-batch.ts";
import type { CodecName } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import { KafkaSocket } from "./kafka-socket.ts";

export interface StoredRecord {
  readonly partition: number;
  readonly offset: number;
  /** What its batch is compressed with. */
  readonly codec: CodecName;
  /** A key, a tab and a value. */
  readonly line: string;
}

const MAX_RECORDS_BYTES = 8 * 1024 * 1024;

/** Everything that a topic holds, as the leaders of its partitions serve it. */
export async function readTopic(bootstrap: string, topic: string): Promise<StoredRecord[]> {
  const { partitions, addresses } = await describeTopic(bootstrap, topic);
  const records: StoredRecord[] = [];
  for (const { partitionIndex, leaderId } of partitions) {
    const socket = await KafkaSocket.connect(addresses.get(leaderId)!);
    for await (const record of readPartition(socket, topic, partitionIndex)) records.push(record);
    socket.close();
  }
  return records;
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

async function* readPartition(socket: KafkaSocket, topic: string, partition: number): AsyncGenerator<StoredRecord> {
  for (let offset = 0; ; ) {
    const asked = { partition, fetchOffset: offset, partitionMaxBytes: MAX_RECORDS_BYTES };
    const { responses } = await socket.ask(fetch, 11, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic, partitions: [asked] }],
    });
    const answer = responses[0]!.partitions[0]!;
    if (answer.errorCode !== 0) throw new Error(`${topic}-${partition} answers ${errorName(answer.errorCode)}`);
    for (const { header, bytes } of batches(answer.records ?? new Uint8Array(), "ignored")) {
      const codec = codecNames[header.attributes.codec] ?? "none";
      const section = recordsSection(bytes);
      const plain = codec === "none" ? section : await (await loadCodec(codec)).decompress(section, MAX_RECORDS_BYTES);
      for (const record of decodeRecords(plain, header)) {
        yield { partition, offset: record.offset, codec, line: `${text(record.key)}\t${text(record.value)}` };
      }
      offset = header.lastOffset + 1;
    }
    if (offset >= answer.highWatermark) return;
  }
}

function text(bytes: Uint8Array | null): string {
  return bytes === null ? "" : new TextDecoder().decode(bytes);
}
