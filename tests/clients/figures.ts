import { performance } from "node:perf_hooks";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import type { Command } from "./client-program.ts";
import { KafkaSocket } from "./kafka-socket.ts";
import { kcat } from "./kcat.ts";
import { RunningProgram, run } from "./running-program.ts";
import { setTimeout as sleep } from "node:timers/promises";

const RECORDS = 20_000;
const RECORD_BYTES = 1_024;
const KCAT_LINES = 20_000;
const TIMEOUT_MS = 300_000;

/**
 * Prints what Apache Kafka's own performance tool and kcat measure at the tabs, with three replicas behind the
 * listener, and at one real broker on the same machine, which has one replica and nobody to ask.
 */
export async function showFigures(java: Command, tabs: string, kafka: string): Promise<void> {
  console.log(`\nkafka-producer-perf-test, ${RECORDS} records of ${RECORD_BYTES} bytes, acks=all:`);
  console.log(`  tabs, 3 replicas:     ${await perfTest(java, tabs, 3)}`);
  console.log(`  real broker, 1 copy:  ${await perfTest(java, kafka, 1)}`);
  console.log(`kafka-producer-perf-test at 100 records a second, acks=all:`);
  console.log(`  tabs, 3 replicas:     ${await perfTest(java, tabs, 3, 100)}`);
  console.log(`  real broker, 1 copy:  ${await perfTest(java, kafka, 1, 100)}`);
  try {
    await kcat.install();
  } catch {
    return;
  }
  console.log(`kcat, ${KCAT_LINES} records of ${RECORD_BYTES} bytes, written and read:`);
  console.log(`  tabs, 3 replicas:     ${await kcatTest(tabs, 3)}`);
  console.log(`  real broker, 1 copy:  ${await kcatTest(kafka, 1)}`);
}

async function makeTopic(bootstrap: string, name: string, replicationFactor: number): Promise<void> {
  const socket = await KafkaSocket.connect(bootstrap);
  await socket.ask(createTopics, 5, { topics: [{ name, numPartitions: 1, replicationFactor }] });
  socket.close();
  await sleep(2_000);
}

/** The tool's last line, which sums up the run. */
async function perfTest(java: Command, bootstrap: string, replicas: number, perSecond = -1): Promise<string> {
  const topic = `figures-${perSecond}`;
  await makeTopic(bootstrap, topic, replicas);
  const records = perSecond === -1 ? RECORDS : perSecond * 20;
  const lines = await run([
    ...java, "org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", String(records),
    "--record-size", String(RECORD_BYTES), "--throughput", String(perSecond),
    "--producer-props", `bootstrap.servers=${bootstrap}`, "acks=all",
  ]);
  return lines.at(-1) ?? "no figures";
}

async function kcatTest(bootstrap: string, replicas: number): Promise<string> {
  await makeTopic(bootstrap, "figures-kcat", replicas);
  const line = `key\t${"x".repeat(RECORD_BYTES - 3)}`;
  const startedMs = performance.now();
  const producer = new RunningProgram([...kcat.produce(bootstrap, "figures-kcat", "none"), "-X", "acks=all"]);
  producer.write(Array.from({ length: KCAT_LINES }, () => line));
  await producer.finish(TIMEOUT_MS);
  const writtenMs = performance.now();
  const end = ["-c", String(KCAT_LINES)];
  await run([...kcat.consume(bootstrap, "figures-kcat", { from: "beginning" })!, ...end]);
  const readMs = performance.now();
  const rate = (ms: number) => `${((KCAT_LINES * RECORD_BYTES) / 1_048_576 / (ms / 1_000)).toFixed(1)} MiB/s`;
  return `written at ${rate(writtenMs - startedMs)}, read at ${rate(readMs - writtenMs)}`;
}
