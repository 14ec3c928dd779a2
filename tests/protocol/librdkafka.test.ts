import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { produce } from "../../src/protocol/apis/00-produce.ts";
import { apis } from "../../src/protocol/apis/registry.ts";
import { decodeCompressedBatch } from "./compressed-batch.ts";
import { decodeRequest, decodeRequestHeader, encodeRequest } from "../../src/protocol/envelope.ts";
import { findProducedBatchFault } from "../../src/protocol/produced-batch.ts";
import { assembleBatch, codecNames, readBatchHeader, recordsSection } from "../../src/protocol/record-batch.ts";
import { encodeRecords } from "../../src/protocol/records.ts";

const folder = new URL("../fixtures/librdkafka/", import.meta.url);

function load(name: string): Uint8Array {
  return Uint8Array.from(Buffer.from(readFileSync(new URL(name, folder), "utf8").trim(), "hex"));
}

const fixtures = readdirSync(folder).filter((name) => name.endsWith(".hex"));

describe("every request of librdkafka", () => {
  test.each(fixtures)("%s is decoded, and encoded to the same bytes", (name) => {
    const bytes = load(name);
    const header = decodeRequestHeader(bytes);
    const api = apis.get(header.apiKey);
    expect(`${api?.name}-v${header.apiVersion}`).toBe(name.split(".")[0]?.replace(/(v\d+)-.*/, "$1"));
    const body = decodeRequest(api!, header);
    expect(header.clientId).toBe("rdkafka");
    expect(encodeRequest(api!, header.apiVersion, header, body as never)).toEqual(bytes);
  });
});

test("the fields are where they belong", () => {
  const bodyOf = (name: string) => {
    const header = decodeRequestHeader(load(name));
    return decodeRequest(apis.get(header.apiKey)!, header);
  };
  expect(bodyOf("ApiVersions-v3.hex")).toEqual({ clientSoftwareName: "librdkafka", clientSoftwareVersion: "2.0.2" });
  expect(bodyOf("Metadata-v4.hex")).toMatchObject({ topics: [{ name: "quakes" }] });
  expect(bodyOf("InitProducerId-v4.hex")).toMatchObject({ transactionalId: null, producerId: -1, producerEpoch: -1 });
  expect(bodyOf("ListOffsets-v2.hex")).toMatchObject({
    replicaId: -1,
    topics: [{ name: "quakes", partitions: [{ partitionIndex: 0 }] }],
  });
  expect(bodyOf("Fetch-v11.hex")).toMatchObject({
    replicaId: -1,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic: "quakes", partitions: [{ partition: 0, currentLeaderEpoch: -1, logStartOffset: -1 }] }],
    rackId: "",
  });
});

describe("a batch that librdkafka produced", () => {
  const text = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString();

  test.each(codecNames)("with %s is accepted, and its records are read", async (codec) => {
    const batch = producedBatch(`Produce-v7-${codec}.hex`);
    expect(findProducedBatchFault(batch, { maxMessageBytes: batch.length, produceVersion: 7 })).toBeUndefined();
    expect(codecNames[readBatchHeader(batch).attributes.codec]).toBe(codec);
    const records = await decodeCompressedBatch(batch, 100_000);
    expect(records).toHaveLength(50);
    records.forEach(({ offset, key, value, headers }, index) => {
      expect([offset, text(key)]).toEqual([index, `key-${index}`]);
      expect(JSON.parse(text(value))).toEqual({ id: index, place: "12 km NW of Ridgecrest, CA" });
      expect(headers.map((header) => [header.key, text(header.value)])).toEqual([["source", "kcat"]]);
    });
  });

  test("of an idempotent producer has its id, epoch and sequence", () => {
    const batch = producedBatch("Produce-v7-idempotent.hex");
    expect(findProducedBatchFault(batch, { maxMessageBytes: batch.length, produceVersion: 7 })).toBeUndefined();
    expect(readBatchHeader(batch)).toMatchObject({ producerId: 4000, producerEpoch: 0, baseSequence: 0 });
  });

  test("is made of the same bytes when its records are encoded here", async () => {
    const batch = producedBatch("Produce-v7-none.hex");
    const header = readBatchHeader(batch);
    const records = await decodeCompressedBatch(batch, 100_000);
    expect(encodeRecords(records)).toEqual(recordsSection(batch));
    expect(assembleBatch({ ...header, ...header.attributes }, recordsSection(batch))).toEqual(batch);
  });

  function producedBatch(name: string): Uint8Array {
    const { topicData } = decodeRequest(produce, decodeRequestHeader(load(name)));
    return topicData[0]?.partitionData[0]?.records ?? new Uint8Array(0);
  }
});
