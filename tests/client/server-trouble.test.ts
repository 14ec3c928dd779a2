import { describe, expect, test } from "vitest";
import { loadAll } from "../../src/client/on-demand.ts";
import { RareWarnings } from "../../src/runtime/rare-warnings.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";

/** What refuses a client reaches whoever waits for it, and the log. */

const FULL = "the server's socket closed (1013 the server has its 64 clusters open)";

const warnings = ({ logged }: ScriptedCluster) =>
  logged.filter(({ label }) => label === "WARN").map(({ log }) => log.message);

describe("a server that refuses the page", () => {
  test("is told of at once by the log, and by connect() when its time is over", async () => {
    const cluster = new ScriptedCluster();
    cluster.setOnline(false);
    await loadAll();
    const connecting = cluster.kafka({ requestTimeout: 60 }).consumer().connect();
    await new Promise((resolve) => setImmediate(resolve));
    for (let attempt = 0; attempt < 5; attempt++) cluster.refuse(FULL);
    expect(warnings(cluster)).toEqual([`The metadata server cannot be reached: ${FULL}`]);
    await expect(connecting).rejects.toThrow(
      `ms for the cluster's metadata in vain. The metadata server cannot be reached: ${FULL}`,
    );
  });

  test("is told of by a call that waits for it", async () => {
    const cluster = new ScriptedCluster();
    const admin = cluster.kafka().admin();
    await admin.connect();
    cluster.setOnline(false);
    const created = admin.createTopics({ topics: [{ topic: "t" }], timeout: 40 });
    cluster.refuse(FULL);
    await expect(created).rejects.toThrow(`not be reached within 40 ms (${FULL}), so CreateTopics was not sent`);
    expect(warnings(cluster)[0]).toBe("The metadata server cannot be reached: the server went away");
    await admin.disconnect();
  });
});

test("a controller that does not tell the metadata is named too, also by later calls", async () => {
  const cluster = new ScriptedCluster();
  const kafka = cluster.kafka({ requestTimeout: 60 });
  const admin = kafka.admin();
  await admin.connect();
  cluster.metadataError = "INCONSISTENT_CLUSTER_ID";
  cluster.fence(9);
  const trouble = "The metadata cannot be followed: the controller belongs to another cluster than scripted; reload";
  await expect.poll(() => warnings(cluster)).toEqual([expect.stringContaining(trouble)]);
  const created = admin.createTopics({ topics: [{ topic: "late" }], timeout: 60 });
  await expect(created).rejects.toThrow(trouble);
  await admin.disconnect();
});

test("a topic is asked for again when the link breaks before the server has answered", async () => {
  const cluster = new ScriptedCluster();
  const createTopic = cluster.createTopic.bind(cluster);
  cluster.createTopic = (...topic) => {
    cluster.createTopic = createTopic;
    cluster.setOnline(false);
    setTimeout(() => cluster.setOnline(true), 20);
    return createTopic(...topic);
  };
  const producer = cluster.kafka().producer();
  await producer.connect();
  await producer.send({ topic: "new", messages: [{ value: "a" }] });
  expect(cluster.topics.get("new")!.partitions[0]!.values()).toEqual(["a"]);
  expect(cluster.requests("CreateTopics")).toHaveLength(2);
  await producer.disconnect();
});

test("what is asked of the server ends with the client that asked", async () => {
  const cluster = new ScriptedCluster();
  const admin = cluster.kafka().admin();
  await admin.connect();
  cluster.setOnline(false);
  const created = admin.createTopics({ topics: [{ topic: "t" }] });
  await admin.disconnect();
  await expect(created).rejects.toThrow("The client was closed");
});

test("who connects when all had left begins with the metadata of that time", async () => {
  const cluster = new ScriptedCluster();
  const admin = cluster.kafka({ requestTimeout: 60 }).admin();
  await admin.connect();
  await admin.disconnect();
  cluster.createTopic("later", [1]);
  await admin.connect();
  expect(await admin.listTopics()).toEqual(["later"]);
  await admin.disconnect();
  cluster.setOnline(false);
  await expect(admin.connect()).rejects.toThrow("The metadata server cannot be reached");
});

test("the same is said once a minute, and anything once a second, at most", () => {
  let nowMs = 0;
  const said: [number, string][] = [];
  const rare = new RareWarnings({ now: () => nowMs }, (message) => void said.push([nowMs, message]));
  for (; nowMs < 130_000; nowMs += 100) rare.warn("full");
  for (; nowMs < 132_000; nowMs += 100) rare.warn(nowMs % 200 === 0 ? "full" : "away");
  expect(said).toEqual([
    [0, "full"],
    [60_000, "full"],
    [120_000, "full"],
    [130_100, "away"],
    [131_200, "full"],
  ]);
});
