import fc from "fast-check";
import { expect, test } from "vitest";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { deleteTopics } from "../../src/protocol/apis/20-delete-topics.ts";
import { describeConfigs } from "../../src/protocol/apis/32-describe-configs.ts";
import { createPartitions } from "../../src/protocol/apis/37-create-partitions.ts";
import { incrementalAlterConfigs } from "../../src/protocol/apis/44-incremental-alter-configs.ts";
import { alterPartition } from "../../src/protocol/apis/56-alter-partition.ts";
import { fetchSnapshot } from "../../src/protocol/apis/59-fetch-snapshot.ts";
import { brokerRegistration } from "../../src/protocol/apis/62-broker-registration.ts";
import { brokerHeartbeat } from "../../src/protocol/apis/63-broker-heartbeat.ts";
import { allocateProducerIds } from "../../src/protocol/apis/67-allocate-producer-ids.ts";
import { encodeRequest } from "../../src/protocol/envelope.ts";
import type { Api, RequestInit } from "../../src/protocol/schema.ts";
import { METADATA_TOPIC, METADATA_TOPIC_ID } from "../../src/metadata/metadata-batch.ts";
import { ControllerDriver, newDirectory, TestBroker, uuidOf } from "./controller-driver.ts";

/** A valid frame of every version of every API, to be spoilt. */
function frames(driver: ControllerDriver, broker: TestBroker): Uint8Array[] {
  const frame = <A extends Api>(api: A, body: RequestInit<A>, first = api.versions[0]) =>
    Array.from({ length: api.versions[1] - first + 1 }, (_, more) =>
      encodeRequest(api, first + more, { correlationId: 7, clientId: "fuzz" }, body),
    );
  const topicId = driver.image.topicsByName.get("quakes")!;
  const { id: brokerId, brokerEpoch } = broker;
  const configs = [{ name: "retention.ms", configOperation: 0, value: "1" }];
  return [
    frame(fetch, {
      maxWaitMs: 100,
      minBytes: 1,
      topics: [{ topicId: METADATA_TOPIC_ID, partitions: [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 100 }] }],
    }),
    frame(metadata, { topics: [{ topicId, name: null }, { topicId: uuidOf(9), name: null }, { name: "quakes" }] }, 10),
    frame(metadata, { topics: [{ name: "quakes" }] }),
    frame(createTopics, {
      topics: [
        { name: "a", numPartitions: 2, replicationFactor: 1, configs: [{ name: "durability", value: "relaxed" }] },
        { name: "b", numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
      ],
    }),
    frame(deleteTopics, { topics: [{ name: "quakes" }, { topicId }], timeoutMs: 0 }),
    frame(describeConfigs, { resources: [{ resourceType: 2, resourceName: "quakes" }], includeSynonyms: true }),
    frame(createPartitions, { topics: [{ name: "quakes", count: 3 }], timeoutMs: 0, validateOnly: false }),
    frame(incrementalAlterConfigs, {
      resources: [{ resourceType: 2, resourceName: "quakes", configs }],
      validateOnly: false,
    }),
    frame(alterPartition, {
      brokerId,
      brokerEpoch,
      topics: [
        {
          topicId,
          partitions: [
            { partitionIndex: 0, leaderEpoch: 0, partitionEpoch: 0, newIsrWithEpochs: [{ brokerId, brokerEpoch }] },
          ],
        },
      ],
    }),
    frame(fetchSnapshot, {
      topics: [
        {
          name: METADATA_TOPIC,
          partitions: [{ partition: 0, currentLeaderEpoch: 1, snapshotId: { endOffset: 1, epoch: 1 }, position: 0 }],
        },
      ],
    }),
    frame(brokerRegistration, {
      brokerId: -1,
      clusterId: "",
      incarnationId: uuidOf(50),
      listeners: [{ name: "TAB", host: "peer", port: 0, securityProtocol: 0 }],
      rack: "profile",
      logDirs: [uuidOf(51)],
      pendingNonce: "nonce",
    }),
    frame(brokerHeartbeat, {
      brokerId,
      brokerEpoch,
      currentMetadataOffset: 100,
      wantFence: false,
      wantShutDown: false,
      confirmedGeneration: 1,
    }),
    frame(allocateProducerIds, { brokerId, brokerEpoch }),
  ].flat();
}

const damage = fc.record({
  frame: fc.nat(),
  cutAt: fc.option(fc.nat(), { freq: 4 }),
  bytes: fc.array(fc.record({ at: fc.nat(), value: fc.oneof(fc.constantFrom(0, 1, 2, 127, 128, 255), fc.nat(255)) }), {
    maxLength: 4,
  }),
});

test("whatever bytes come, the controller answers or closes that connection, and its log stays sound", () => {
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 30, size: "max" }), (damages) => {
      const driver = new ControllerDriver({ snapshotRecords: 30, maxPartitionsPerTopic: 50, maxPartitions: 100 });
      const broker = TestBroker.start(driver, newDirectory(1));
      const bystander = TestBroker.start(driver, newDirectory(2));
      driver.createTopic("quakes", 1);
      const originals = frames(driver, broker);
      for (const { frame, cutAt, bytes } of damages) {
        const spoilt = originals[frame % originals.length]!.slice();
        for (const { at, value } of bytes) spoilt[at % spoilt.length] = value;
        const connectionId = driver.open();
        const sent = cutAt === null ? spoilt : spoilt.slice(0, cutAt % spoilt.length);
        driver.handle({ type: "request", connectionId, frame: sent });
        driver.advance(10);
      }
      expect(driver.closed.has(bystander.connectionId)).toBe(false);
      expect(driver.logged.filter((line) => line.includes("cannot be written"))).toEqual([]);
      expect(bystander.heartbeat().errorCode).toBe(0);
      expect(driver.replayed()).toEqual(driver.image);
      driver.restart();
    }),
    { numRuns: 300 },
  );
}, 120_000);
