import { expect, test, vi } from "vitest";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { listOffsets } from "../../src/protocol/apis/02-list-offsets.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { findCoordinator } from "../../src/protocol/apis/10-find-coordinator.ts";
import { joinGroup } from "../../src/protocol/apis/11-join-group.ts";
import { describeGroups } from "../../src/protocol/apis/15-describe-groups.ts";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { describeConfigs } from "../../src/protocol/apis/32-describe-configs.ts";
import { listPartitionReassignments } from "../../src/protocol/apis/46-list-partition-reassignments.ts";
import { describeCluster } from "../../src/protocol/apis/60-describe-cluster.ts";
import { decodeCorrelationId } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { Connection, ConnectionHandlers } from "../../src/runtime/connection.ts";
import { defaultLimits } from "../../signaling-server/limits.ts";
import { encodeFrame } from "../protocol/encode-frame.ts";
import { KafkaClient } from "./kafka-client.ts";
import {
  batchOf,
  consumed,
  createTopic,
  fetchRequest,
  kafkaBrokers,
  leaderOf,
  produceRequest,
  produced,
} from "./kafka-brokers.ts";

vi.setConfig({ testTimeout: 20_000, expect: { poll: { timeout: 5_000, interval: 10 } } });

const SOFTWARE = { clientSoftwareName: "test", clientSoftwareVersion: "1" };

test("every broker names every broker by its port, and itself as the controller", async () => {
  const { bootstrapPort, portOf, tabs } = await kafkaBrokers(3);
  const brokers = [1, 2, 3].map((nodeId) => ({ nodeId, host: "127.0.0.1", port: portOf(nodeId) }));
  const bootstrap = await KafkaClient.connected(bootstrapPort);
  // The tabs follow the metadata log each at its own pace.
  await expect
    .poll(async () => (await bootstrap.ask(metadata, 12, { topics: [] })).brokers)
    .toMatchObject(brokers);
  for (const tab of tabs) {
    const client = await KafkaClient.connected(portOf(tab.brokerId));
    for (const version of [1, 4, 6, 12]) {
      const answer = await client.ask(metadata, version, { topics: [] });
      expect(answer.brokers).toMatchObject(brokers);
      expect(answer.controllerId).toBe(tab.brokerId);
    }
    const described = await client.ask(describeCluster, 1, {});
    expect(described.brokers).toMatchObject(brokers.map(({ nodeId, ...rest }) => ({ brokerId: nodeId, ...rest })));
    expect(described.controllerId).toBe(tab.brokerId);
  }
});

test("a group's coordinator is named by its port, in each layout of the answer", async () => {
  const { bootstrapPort, portOf } = await kafkaBrokers(1);
  const client = await KafkaClient.connected(bootstrapPort);
  const here = { nodeId: 1, host: "127.0.0.1", port: portOf(1), errorCode: 0 };
  await expect.poll(async () => await client.ask(findCoordinator, 0, { key: "g" })).toMatchObject(here);
  expect(await client.ask(findCoordinator, 2, { key: "g", keyType: 0 })).toMatchObject(here);
  const { coordinators } = await client.ask(findCoordinator, 4, { coordinatorKeys: ["g"], keyType: 0 });
  expect(coordinators).toMatchObject([here]);
});

test("a group tells from where its members came, through the relay as well", async () => {
  const { portOf } = await kafkaBrokers(1);
  const client = await KafkaClient.connected(portOf(1));
  await expect
    .poll(async () => (await client.ask(findCoordinator, 2, { key: "g", keyType: 0 })).errorCode)
    .toBe(0);
  const member = {
    groupId: "g",
    memberId: "",
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: new Uint8Array(0) }],
  };
  // The coordinator may still be reading its log.
  await expect.poll(async () => errorName((await client.ask(joinGroup, 2, member)).errorCode)).toBe("NONE");
  const { groups } = await client.ask(describeGroups, 2, { groups: ["g"] });
  expect(groups[0]!.members).toMatchObject([{ clientId: "test", clientHost: "/127.0.0.1" }]);
});

test("any broker creates a topic, which then takes records at its leader and gives them back", async () => {
  const { portOf, tabs } = await kafkaBrokers(3);
  for (const tab of tabs) {
    const topic = `by-${tab.brokerId}`;
    const admin = await KafkaClient.connected(portOf(tab.brokerId));
    const leader = await createTopic(admin, topic, { "max.message.bytes": "4242" });
    const client = await KafkaClient.connected(portOf(leader));
    await expect.poll(async () => (await produced(client, topic, batchOf(["a", "b"]))).error).toBe("NONE");
    expect(await consumed(client, topic)).toEqual(["a", "b"]);
    const resources = [{ resourceType: 2, resourceName: topic, configurationKeys: null }];
    const { results } = await admin.ask(describeConfigs, 1, { resources });
    expect(results[0]!.configs.find(({ name }) => name === "max.message.bytes")?.value).toBe("4242");
  }
});

test("when a broker's tab dies, its clients hear so at once, and find the new leader by any other", async () => {
  const { portOf, tabs } = await kafkaBrokers(3);
  const admins = await Promise.all(tabs.map((tab) => KafkaClient.connected(portOf(tab.brokerId))));
  const leader = await createTopic(admins[0]!, "quakes");
  const client = await KafkaClient.connected(portOf(leader));
  await expect.poll(async () => (await produced(client, "quakes", batchOf(["kept"]))).error).toBe("NONE");
  tabs.find(({ brokerId }) => brokerId === leader)!.kill();
  await client.ended;
  const other = admins[leader === tabs[0]!.brokerId ? 1 : 0]!;
  await expect.poll(async () => await leaderOf(other, "quakes")).not.toBe(leader);
  const next = await KafkaClient.connected(portOf(await leaderOf(other, "quakes")));
  await expect.poll(async () => (await produced(next, "quakes", batchOf(["more"]))).error).toBe("NONE");
  expect(await consumed(next, "quakes")).toEqual(["kept", "more"]);
});

test("requests sent without waiting are answered in their order, though the first has to wait", async () => {
  const { portOf } = await kafkaBrokers(1);
  const client = await KafkaClient.connected(portOf(1));
  await createTopic(client, "quakes");
  await expect.poll(async () => (await produced(client, "quakes", batchOf(["first"]))).error).toBe("NONE");
  const waiting = client.request(fetch, 11, fetchRequest("quakes", 1, 30_000));
  const admin = client.request(describeConfigs, 1, {
    resources: [{ resourceType: 2, resourceName: "quakes", configurationKeys: null }],
  });
  const versions = client.request(apiVersions, 3, SOFTWARE);
  const sent = Array.from({ length: 1_500 }, (_, at) =>
    client.request(produce, 7, produceRequest("quakes", batchOf([`record ${at}`]))),
  );
  const asked = client.request(metadata, 5, { topics: null });
  await client.answer(fetch, 11, waiting);
  await client.answer(describeConfigs, 1, admin);
  await client.answer(apiVersions, 3, versions);
  for (const [at, correlationId] of sent.entries()) {
    const { responses } = await client.answer(produce, 7, correlationId);
    expect(responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 1 + at });
  }
  await client.answer(metadata, 5, asked);
});

test("acks=0 is answered with nothing, and an error by the end of the connection", async () => {
  const { portOf } = await kafkaBrokers(1);
  const client = await KafkaClient.connected(portOf(1));
  await createTopic(client, "quakes");
  await expect.poll(async () => (await produced(client, "quakes", batchOf(["first"]))).error).toBe("NONE");
  client.request(produce, 7, produceRequest("quakes", batchOf(["silent"]), 0));
  // The next answer is that of the next request.
  await client.ask(metadata, 5, { topics: [] });
  expect(await consumed(client, "quakes", 1)).toEqual(["silent"]);
  client.request(produce, 7, produceRequest("nowhere", batchOf(["lost"]), 0));
  await client.ended;
  expect(client.received.length).toBe(0);
});

test("a client that is too new is told in version 0 what it may ask, by every broker alike", async () => {
  const { portOf } = await kafkaBrokers(2);
  const raw: Buffer[] = [];
  const ranges: unknown[] = [];
  for (const brokerId of [1, 2]) {
    const client = await KafkaClient.connected(portOf(brokerId));
    // Key 18, version 99, correlation id 7, no client id, and a body that nobody here can know.
    client.send(encodeFrame(Uint8Array.of(0, 18, 0, 99, 0, 0, 0, 7, 255, 255, 1, 2, 3, 4)));
    raw.push(Buffer.from(await client.nextFrame()));
    ranges.push((await client.ask(apiVersions, 4, SOFTWARE)).apiKeys);
  }
  // Correlation id, error 35, one entry: key 18 from 0 to 4. No throttle time, no tags.
  const downgrade = [0, 0, 0, 7, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4];
  expect(raw.map((bytes) => [...bytes])).toEqual([downgrade, downgrade]);
  expect(ranges[0]).toEqual(ranges[1]);
});

test("what one client asks of the controller without end, the others do not notice", async () => {
  const { portOf } = await kafkaBrokers(1);
  const greedy = await KafkaClient.connected(portOf(1));
  const other = await KafkaClient.connected(portOf(1));
  const asked = Array.from({ length: 1_500 }, () => greedy.request(listPartitionReassignments, 0, {}));
  await createTopic(other, "quakes");
  for (const correlationId of asked) await greedy.answer(listPartitionReassignments, 0, correlationId);
  expect([greedy.isOver, other.isOver]).toEqual([false, false]);
});

test("a broker outlives the largest answers that its clients ask for without waiting for one", async () => {
  const { portOf, tabs } = await kafkaBrokers(1);
  const [admin, greedy] = [await KafkaClient.connected(portOf(1)), await KafkaClient.connected(portOf(1))];
  const topicsNamed = (word: string, count: number) =>
    Array.from({ length: count }, (_, at) => ({ name: `${word}-${at}`, numPartitions: 1, replicationFactor: 1 }));
  const known = topicsNamed("known", 200);
  await admin.ask(createTopics, 4, { topics: known, timeoutMs: 10_000 });
  const described = {
    resources: known.map(({ name }) => ({ resourceType: 2, resourceName: name })),
    includeSynonyms: true,
    includeDocumentation: true,
  };
  const errors = async () => (await admin.ask(describeConfigs, 4, described)).results.map(({ errorCode }) => errorCode);
  await expect.poll(async () => new Set(await errors())).toEqual(new Set([0]));

  const planned = { topics: topicsNamed("planned", 3_000), timeoutMs: 10_000, validateOnly: true };
  const asked = [
    ...Array.from({ length: 6 }, () => greedy.request(createTopics, 7, planned)),
    ...Array.from({ length: 30 }, () => greedy.request(describeConfigs, 4, described)),
  ];
  let bytes = 0;
  for (const correlationId of asked) {
    const frame = await greedy.nextFrame();
    expect(decodeCorrelationId(frame)).toBe(correlationId);
    bytes += frame.length;
  }
  // Nearly twice what the server lets wait for a tab.
  expect(bytes).toBeGreaterThan(1.8 * defaultLimits.queuedBytes);
  expect(tabs[0]!.logged.filter((line) => /fenced|controller/.test(line))).toEqual([]);
  expect(admin.isOver).toBe(false);
});

test("a broker that does not lead names the port of the one that does", async () => {
  const { portOf, tabs } = await kafkaBrokers(2);
  const clients = await Promise.all(tabs.map((tab) => KafkaClient.connected(portOf(tab.brokerId))));
  const leaderId = await createTopic(clients[0]!, "quakes");
  const wrong = clients[leaderId === tabs[0]!.brokerId ? 1 : 0]!;
  // The other tab may not know of the topic yet.
  await expect.poll(async () => await leaderOf(wrong, "quakes")).toBe(leaderId);
  const leader = { nodeId: leaderId, host: "127.0.0.1", port: portOf(leaderId) };
  const refused = await wrong.ask(produce, 11, produceRequest("quakes", batchOf(["?"])));
  const [partition] = refused.responses[0]!.partitionResponses;
  expect(errorName(partition!.errorCode)).toBe("NOT_LEADER_OR_FOLLOWER");
  expect(partition!.currentLeader).toMatchObject({ leaderId });
  expect(refused.nodeEndpoints).toMatchObject([leader]);
  const { topics } = await wrong.ask(metadata, 12, { topics: [{ name: "quakes" }] });
  const asked = { ...fetchRequest("quakes", 0).topics[0]!, topicId: topics[0]!.topicId };
  const fetched = await wrong.ask(fetch, 16, { maxWaitMs: 0, minBytes: 1, topics: [asked] });
  expect(errorName(fetched.responses[0]!.partitions[0]!.errorCode)).toBe("NOT_LEADER_OR_FOLLOWER");
  expect(fetched.nodeEndpoints).toMatchObject([leader]);
});

test("a client that asks on and on without reading loses its connection, before its answers fill the tab", async () => {
  const { tabs } = await kafkaBrokers(1);
  let handlers: ConnectionHandlers | undefined;
  let unread = 0;
  let closedBecause = "";
  const deaf: Connection = {
    kind: "simulated",
    receive: (receiver) => (handlers = receiver),
    send: () => (unread += 10 * 1024 * 1024),
    get queuedBytes() {
      return unread;
    },
    close: (reason) => (closedBecause = reason),
  };
  tabs[0]!.accept(deaf, "KAFKA");
  for (let count = 1; count <= 7; count++) {
    expect(closedBecause).toBe("");
    handlers!.frame(Uint8Array.of(0, 18, 0, 0, 0, 0, 0, count, 255, 255));
  }
  expect(closedBecause).toContain("bytes of answers wait to be read");
});

test("a fetch of a replica is not taken from a client", async () => {
  const { portOf } = await kafkaBrokers(1);
  const client = await KafkaClient.connected(portOf(1));
  await createTopic(client, "quakes");
  await expect.poll(async () => (await produced(client, "quakes", batchOf(["first"]))).error).toBe("NONE");
  const { responses } = await client.ask(fetch, 11, { ...fetchRequest("quakes", 0), replicaId: 1 });
  const [partition] = responses[0]!.partitions;
  expect(errorName(partition!.errorCode)).not.toBe("NONE");
  expect(partition!.records ?? []).toHaveLength(0);
  const asked = [{ name: "quakes", partitions: [{ partitionIndex: 0, timestamp: -1 }] }];
  const { topics } = await client.ask(listOffsets, 3, { replicaId: -1, topics: asked });
  expect(topics[0]!.partitions[0]!.offset).toBe(1);
});
