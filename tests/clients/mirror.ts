import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "../cluster/temporary-folder.ts";
import type { Command } from "./client-program.ts";
import { KafkaSocket } from "./kafka-socket.ts";
import { javaClients } from "./java.ts";
import { RunningProgram } from "./running-program.ts";
import { describeTopic, readTopic } from "./stored-log.ts";
import type { StoredRecord } from "./stored-log.ts";

const TOPIC = "mirrored";
const RECORDS = 500;
const TIMEOUT_MS = 180_000;

/**
 * MirrorMaker 2 copies a topic of the tabs into Apache Kafka, as `tabs.mirrored`, and that copy back into the tabs, as
 * `kafka.tabs.mirrored`. Throws unless both copies hold what the topic holds, partition by partition.
 */
export async function mirrorThereAndBack(java: Command, tabs: string, kafka: string): Promise<string> {
  await javaClients.install();
  const folder = await makeTemporaryFolder("mirror");
  const settingsFile = join(folder, "mirror.properties");
  await writeFile(settingsFile, mirrorProperties(tabs, kafka));
  await fill(tabs);
  const original = await readTopic(tabs, TOPIC);
  const mirrorMaker = new RunningProgram([...java, "org.apache.kafka.connect.mirror.MirrorMaker", settingsFile]);
  try {
    const startedMs = Date.now();
    await untilCopied(mirrorMaker, kafka, `tabs.${TOPIC}`, original);
    const thereMs = Date.now() - startedMs;
    await untilCopied(mirrorMaker, tabs, `kafka.tabs.${TOPIC}`, original);
    const backMs = Date.now() - startedMs;
    const count = `${original.length} records`;
    return `MirrorMaker 2 copied ${count} into Apache Kafka within ${thereMs} ms, and back within ${backMs} ms`;
  } finally {
    await mirrorMaker.kill();
    await removeTemporaryFolder(folder);
  }
}

/**
 * The way back leads to the same tabs under another name, `home`: MirrorMaker brings no topic back to the cluster whose
 * name it carries, lest it go round for ever.
 */
function mirrorProperties(tabs: string, kafka: string): string {
  const factors = (cluster: string, factor: number) =>
    ["config", "offset", "status"].map((name) => [`${cluster}.${name}.storage.replication.factor`, factor]);
  const flow = (from: string, to: string, topics: string, factor: number) => [
    [`${from}->${to}.enabled`, true],
    [`${from}->${to}.topics`, topics],
    [`${from}->${to}.replication.factor`, factor],
    [`${from}->${to}.checkpoints.topic.replication.factor`, factor],
    [`${from}->${to}.offset-syncs.topic.replication.factor`, 1],
  ];
  const settings = [
    ["clusters", "tabs, kafka, home"],
    ["tabs.bootstrap.servers", tabs],
    ["kafka.bootstrap.servers", kafka],
    ["home.bootstrap.servers", tabs],
    ...factors("kafka", 1),
    ...factors("home", 3),
    ...flow("tabs", "kafka", TOPIC, 1),
    ...flow("kafka", "home", `tabs.${TOPIC}`, 3),
    // Neither side has access control.
    ["sync.topic.acls.enabled", false],
    ["emit.heartbeats.enabled", false],
    ["refresh.topics.interval.seconds", 5],
  ];
  return settings.map(([name, value]) => `${name} = ${value}\n`).join("");
}

async function fill(tabs: string): Promise<void> {
  const socket = await KafkaSocket.connect(tabs);
  await socket.ask(createTopics, 5, { topics: [{ name: TOPIC, numPartitions: 3, replicationFactor: 3 }] });
  await socket.ask(metadata, 9, { topics: [{ name: TOPIC }] });
  socket.close();
  const producer = new RunningProgram(javaClients.produce(tabs, TOPIC, "zstd"));
  producer.write(Array.from({ length: RECORDS }, (_, index) => `key-${index % 7}\tvalue ${index}`));
  await producer.finish(60_000);
}

async function untilCopied(
  mirrorMaker: RunningProgram,
  bootstrap: string,
  topic: string,
  original: readonly StoredRecord[],
): Promise<void> {
  const summary = (records: readonly StoredRecord[]) =>
    JSON.stringify([...records].map(({ partition, line }) => `${partition} ${line}`).sort());
  const wanted = summary(original);
  let copied: readonly StoredRecord[] = [];
  for (const endMs = Date.now() + TIMEOUT_MS; summary(copied) !== wanted; await sleep(500)) {
    mirrorMaker.expectRunning();
    if (Date.now() > endMs) throw new Error(`${topic} holds ${copied.length} records of ${original.length}`);
    const { partitions } = await describeTopic(bootstrap, topic);
    const isThere = partitions.length > 0 && partitions.every(({ leaderId }) => leaderId >= 0);
    if (isThere) copied = await readTopic(bootstrap, topic);
  }
}
