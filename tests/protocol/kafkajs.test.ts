import { describe, expect, test } from "vitest";

import { produce } from "../../src/protocol/apis/00-produce.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { listOffsets } from "../../src/protocol/apis/02-list-offsets.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { deleteTopics } from "../../src/protocol/apis/20-delete-topics.ts";
import { initProducerId } from "../../src/protocol/apis/22-init-producer-id.ts";
import { describeConfigs } from "../../src/protocol/apis/32-describe-configs.ts";
import { createPartitions } from "../../src/protocol/apis/37-create-partitions.ts";
import { decodeCompressedBatch, encodeCompressedBatch } from "./compressed-batch.ts";
import { decodeRequest, decodeRequestHeader, encodeRequest, encodeResponse } from "../../src/protocol/envelope.ts";
import { findProducedBatchFault } from "../../src/protocol/produced-batch.ts";
import { encodeBatch, readBatchHeader } from "../../src/protocol/record-batch.ts";
import { encodeUtf8 } from "../../src/protocol/utf8.ts";
import { decodeWithKafkaJs, eachVersion, encodeWithKafkaJs, expectSameRequest, versions } from "./kafkajs.ts";
import type { RequestCase } from "./kafkajs.ts";

function eachWith<A, B>(as: readonly A[], bs: readonly B[]): (readonly [A, B])[] {
  return as.flatMap((a) => bs.map((b) => [a, b] as const));
}

const requestCases: readonly RequestCase[] = [
  {
    api: fetch,
    versions: versions(4, 11),
    options: {
      replicaId: -1,
      maxWaitTime: 500,
      minBytes: 1,
      maxBytes: 1_048_576,
      isolationLevel: 1,
      rackId: "rack",
      topics: [
        { topic: "t", partitions: [{ partition: 3, fetchOffset: 2 ** 40, currentLeaderEpoch: 6, maxBytes: 9 }] },
      ],
      forgottenTopics: [],
    },
    fields: {
      4: { replicaId: -1, maxWaitMs: 500, minBytes: 1, maxBytes: 1_048_576, isolationLevel: 1, sessionEpoch: -1 },
      9: { topics: [{ topic: "t", partitions: [{ partition: 3, fetchOffset: 2 ** 40, currentLeaderEpoch: 6 }] }] },
      11: { rackId: "rack" },
    },
  },
  {
    api: listOffsets,
    versions: versions(1, 3),
    options: {
      replicaId: -1,
      isolationLevel: 1,
      topics: [{ topic: "t", partitions: [{ partition: 3, timestamp: -2 }] }],
    },
    fields: {
      1: { replicaId: -1, topics: [{ name: "t", partitions: [{ partitionIndex: 3, timestamp: -2 }] }] },
      2: { isolationLevel: 1 },
    },
  },
  {
    api: metadata,
    versions: versions(0, 6),
    options: { topics: ["a", "b"], allowAutoTopicCreation: false },
    fields: { 0: { topics: [{ name: "a" }, { name: "b" }] }, 4: { allowAutoTopicCreation: false } },
  },
  { api: metadata, versions: versions(1, 6), options: { topics: [] }, fields: { 1: { topics: null } } },
  { api: apiVersions, versions: versions(0, 2), options: {}, fields: { 0: { clientSoftwareName: "" } } },
  {
    api: createTopics,
    versions: versions(2, 3),
    options: {
      timeout: 5000,
      validateOnly: true,
      topics: [
        { topic: "a", numPartitions: 3, replicationFactor: 2, configEntries: [{ name: "retention.ms", value: "5" }] },
        { topic: "b", replicaAssignment: [{ partition: 0, replicas: [1, 2] }] },
      ],
    },
    fields: {
      2: {
        timeoutMs: 5000,
        validateOnly: true,
        topics: [
          { name: "a", numPartitions: 3, replicationFactor: 2, configs: [{ name: "retention.ms", value: "5" }] },
          { name: "b", numPartitions: -1, assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }] },
        ],
      },
    },
  },
  {
    api: deleteTopics,
    versions: [1],
    options: { topics: ["a", "b"], timeout: 4000 },
    fields: { 1: { topicNames: ["a", "b"], topics: [], timeoutMs: 4000 } },
  },
  {
    api: initProducerId,
    versions: versions(0, 1),
    options: { transactionalId: "x", transactionTimeout: 3000 },
    fields: { 0: { transactionalId: "x", transactionTimeoutMs: 3000, producerId: -1 } },
  },
  {
    api: initProducerId,
    versions: versions(0, 1),
    options: { transactionalId: null, transactionTimeout: 3000 },
    fields: { 0: { transactionalId: null } },
  },
  {
    api: describeConfigs,
    versions: versions(1, 2),
    options: { includeSynonyms: true, resources: [{ type: 2, name: "t", configNames: ["retention.ms"] }] },
    fields: {
      1: {
        includeSynonyms: true,
        resources: [{ resourceType: 2, resourceName: "t", configurationKeys: ["retention.ms"] }],
      },
    },
  },
  {
    api: createPartitions,
    versions: versions(0, 1),
    options: {
      timeout: 5000,
      topicPartitions: [
        { topic: "a", count: 4, assignments: [[1, 2]] },
        { topic: "b", count: 2 },
      ],
    },
    fields: {
      0: {
        timeoutMs: 5000,
        validateOnly: false,
        topics: [
          { name: "a", count: 4, assignments: [{ brokerIds: [1, 2] }] },
          { name: "b", count: 2, assignments: null },
        ],
      },
    },
  },
];

describe("a request of KafkaJS is decoded, and encoded to the same bytes", () => {
  test.each(eachVersion(requestCases))("$name v$version", expectSameRequest);
});

describe("a batch of KafkaJS", () => {
  const messages = [
    { key: Buffer.from("k"), value: Buffer.from("v"), timestamp: "1700000000000", headers: { h: Buffer.from("1") } },
    { key: null, value: null, timestamp: "1700000000005" },
  ];

  test.each(eachWith(versions(3, 7), [0, 1]))(
    "in Produce v%i with codec %i is accepted and read",
    async (version, compression) => {
      const topicData = [{ topic: "t", partitions: [{ partition: 1, firstSequence: 0, messages }] }];
      const options = { acks: -1, timeout: 1000, transactionalId: null, compression, topicData };
      const bytes = await encodeWithKafkaJs("produce", version, options);
      const header = decodeRequestHeader(bytes);
      const body = decodeRequest(produce, header);
      expect(body).toMatchObject({ acks: -1, timeoutMs: 1000, topicData: [{ name: "t" }] });
      expect(encodeRequest(produce, version, header, body)).toEqual(bytes);

      const batch = body.topicData[0]?.partitionData[0]?.records ?? new Uint8Array(0);
      expect(findProducedBatchFault(batch, { maxMessageBytes: 1000, produceVersion: version })).toBeUndefined();
      expect(readBatchHeader(batch).attributes.codec).toBe(compression);
      expect(await decodeCompressedBatch(batch, 1000)).toEqual([
        {
          offset: 0,
          timestamp: 1_700_000_000_000,
          key: encodeUtf8("k"),
          value: encodeUtf8("v"),
          headers: [{ key: "h", value: encodeUtf8("1") }],
        },
        { offset: 1, timestamp: 1_700_000_000_005, key: null, value: null, headers: [] },
      ]);
    },
  );
});

describe("KafkaJS reads a response", () => {
  test.each(versions(3, 7))("to Produce v%i", async (version) => {
    const bytes = encodeResponse(produce, version, 7, {
      responses: [
        {
          name: "t",
          partitionResponses: [{ index: 1, errorCode: 3, baseOffset: 2 ** 40, logAppendTimeMs: 5, logStartOffset: 6 }],
        },
      ],
      throttleTimeMs: 9,
    });
    const partition = { partition: 1, errorCode: 3, baseOffset: `${2 ** 40}`, logAppendTime: "5" };
    expect(await decodeWithKafkaJs("produce", version, bytes)).toMatchObject({
      topics: [{ topicName: "t", partitions: [version < 5 ? partition : { ...partition, logStartOffset: "6" }] }],
      [version < 6 ? "throttleTime" : "clientSideThrottleTime"]: 9,
    });
  });

  test.each(eachWith(versions(4, 11), ["none", "gzip"] as const))(
    "to Fetch v%i with records in %s",
    async (version, codec) => {
      const record = { offset: 40, timestamp: 1000, key: null, value: encodeUtf8("v") };
      const whole = await encodeCompressedBatch([record, { ...record, offset: 42, timestamp: 1003 }], codec);
      const cut = encodeBatch([record]).subarray(0, 65);
      const bytes = encodeResponse(fetch, version, 7, {
        throttleTimeMs: 9,
        sessionId: 0,
        responses: [
          {
            topic: "t",
            partitions: [
              {
                partitionIndex: 1,
                errorCode: 0,
                highWatermark: 43,
                lastStableOffset: 43,
                logStartOffset: 4,
                abortedTransactions: [{ producerId: 8, firstOffset: 41 }],
                preferredReadReplica: 5,
                records: Uint8Array.of(...whole, ...cut),
              },
            ],
          },
        ],
      });
      expect(await decodeWithKafkaJs("fetch", version, bytes)).toMatchObject({
        [version < 8 ? "throttleTime" : "clientSideThrottleTime"]: 9,
        responses: [
          {
            topicName: "t",
            partitions: [
              {
                partition: 1,
                errorCode: 0,
                highWatermark: "43",
                abortedTransactions: [{ producerId: "8", firstOffset: "41" }],
                ...(version < 11 ? {} : { preferredReadReplica: 5 }),
                messages: [
                  { offset: "40", timestamp: "1000", key: null, value: Buffer.from("v") },
                  { offset: "42", timestamp: "1003", key: null, value: Buffer.from("v") },
                ],
              },
            ],
          },
        ],
      });
    },
  );

  test.each(versions(1, 3))("to ListOffsets v%i", async (version) => {
    const partitions = [{ partitionIndex: 1, errorCode: 0, timestamp: 5, offset: 2 ** 40 }];
    const bytes = encodeResponse(listOffsets, version, 7, { topics: [{ name: "t", partitions }] });
    expect(await decodeWithKafkaJs("listOffsets", version, bytes)).toMatchObject({
      responses: [{ topic: "t", partitions: [{ partition: 1, errorCode: 0, timestamp: "5", offset: `${2 ** 40}` }] }],
    });
  });

  test.each(versions(0, 6))("to Metadata v%i", async (version) => {
    const partition = { errorCode: 5, partitionIndex: 2, leaderId: -1, replicaNodes: [1, 2], isrNodes: [2] };
    const bytes = encodeResponse(metadata, version, 7, {
      brokers: [{ nodeId: 1, host: "h", port: 9092, rack: "r" }],
      clusterId: "c",
      controllerId: 1,
      topics: [{ errorCode: 0, name: "t", isInternal: true, partitions: [{ ...partition, offlineReplicas: [1] }] }],
    });
    const read = { partitionErrorCode: 5, partitionId: 2, leader: -1, replicas: [1, 2], isr: [2] };
    expect(await decodeWithKafkaJs("metadata", version, bytes)).toMatchObject({
      brokers: [{ nodeId: 1, host: "h", port: 9092, ...(version < 1 ? {} : { rack: "r" }) }],
      ...(version < 1 ? {} : { controllerId: 1 }),
      ...(version < 2 ? {} : { clusterId: "c" }),
      topicMetadata: [
        {
          topicErrorCode: 0,
          topic: "t",
          ...(version < 1 ? {} : { isInternal: true }),
          partitionMetadata: [version < 5 ? read : { ...read, offlineReplicas: [1] }],
        },
      ],
    });
  });

  test.each(versions(0, 2))("to ApiVersions v%i", async (version) => {
    const range = { apiKey: 18, minVersion: 0, maxVersion: 4 };
    const bytes = encodeResponse(apiVersions, version, 7, { errorCode: 0, apiKeys: [range] });
    expect(await decodeWithKafkaJs("apiVersions", version, bytes)).toMatchObject({
      errorCode: 0,
      apiVersions: [range],
    });
  });

  test.each(versions(2, 3))("to CreateTopics v%i", async (version) => {
    const bytes = encodeResponse(createTopics, version, 7, {
      topics: [{ name: "t", errorCode: 36, errorMessage: "there" }],
    });
    expect(await decodeWithKafkaJs("createTopics", version, bytes)).toMatchObject({
      topicErrors: [{ topic: "t", errorCode: 36, errorMessage: "there" }],
    });
  });

  test("to DeleteTopics v1", async () => {
    const bytes = encodeResponse(deleteTopics, 1, 7, { responses: [{ name: "t", errorCode: 3 }] });
    expect(await decodeWithKafkaJs("deleteTopics", 1, bytes)).toMatchObject({
      topicErrors: [{ topic: "t", errorCode: 3 }],
    });
  });

  test.each(versions(0, 1))("to InitProducerId v%i", async (version) => {
    const bytes = encodeResponse(initProducerId, version, 7, { errorCode: 0, producerId: 4000, producerEpoch: 2 });
    expect(await decodeWithKafkaJs("initProducerId", version, bytes)).toMatchObject({
      errorCode: 0,
      producerId: "4000",
      producerEpoch: 2,
    });
  });

  test.each(versions(1, 2))("to DescribeConfigs v%i", async (version) => {
    const bytes = encodeResponse(describeConfigs, version, 7, {
      results: [
        {
          errorCode: 0,
          errorMessage: null,
          resourceType: 2,
          resourceName: "t",
          configs: [
            {
              name: "retention.ms",
              value: "5",
              readOnly: false,
              configSource: 1,
              isSensitive: false,
              synonyms: [{ name: "log.retention.ms", value: "6", source: 5 }],
            },
          ],
        },
      ],
    });
    expect(await decodeWithKafkaJs("describeConfigs", version, bytes)).toMatchObject({
      resources: [
        {
          errorCode: 0,
          resourceType: 2,
          resourceName: "t",
          configEntries: [
            {
              configName: "retention.ms",
              configValue: "5",
              configSource: 1,
              configSynonyms: [{ configName: "log.retention.ms", configValue: "6", configSource: 5 }],
            },
          ],
        },
      ],
    });
  });

  test.each(versions(0, 1))("to CreatePartitions v%i", async (version) => {
    const bytes = encodeResponse(createPartitions, version, 7, {
      results: [{ name: "t", errorCode: 37, errorMessage: "too few" }],
    });
    expect(await decodeWithKafkaJs("createPartitions", version, bytes)).toMatchObject({
      topicErrors: [{ topic: "t", errorCode: 37, errorMessage: "too few" }],
    });
  });
});
