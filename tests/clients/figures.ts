import { existsSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { ListenerCost } from "../signaling-server/listener-cost.ts";
import type { Command } from "./client-program.ts";
import { KafkaSocket } from "./kafka-socket.ts";
import { kcat } from "./kcat.ts";
import { RunningProgram, run } from "./running-program.ts";

const RECORDS = 20_000;
const RECORD_BYTES = 1_024;
const SLOW_RATE = 100;
const SLOW_RECORDS = 2_000;
/** Requests and batches of the size that producers of much data are set to. */
const LARGE_BATCH = ["batch.size=900000", "linger.ms=50"];
const TIMEOUT_MS = 300_000;

const IDLE_CONNECTIONS = 200;
const MAX_IDLE_MB = 50;
const MAX_ADDED_MS = 1;
const ROUNDS = 5;

type Row = readonly [what: string, tabs: string, kafka: string];

/**
 * Prints what Apache Kafka's own performance tool and kcat measure at the tabs, with three replicas behind the
 * listener, and at one real broker on the same machine, which has one replica and nobody to ask; and what the listener
 * itself costs.
 */
export async function showFigures(java: Command, tabs: string, kafka: string): Promise<void> {
  const rows: Row[] = [];
  const both = async (what: string, measure: (bootstrap: string, replicas: number) => Promise<string>) =>
    void rows.push([what, await measure(tabs, 3), await measure(kafka, 1)]);
  const perf = (settings: readonly string[]) => (bootstrap: string, replicas: number) =>
    perfTest(java, bootstrap, replicas, RECORDS, -1, settings);
  await both("producer-perf-test, as it comes", perf([]));
  await both("producer-perf-test, batches of 900 kB", perf(LARGE_BATCH));
  await both(`producer-perf-test, ${SLOW_RATE} records/s`, (bootstrap, replicas) =>
    perfTest(java, bootstrap, replicas, SLOW_RECORDS, SLOW_RATE, []),
  );
  if (await isInstalled(kcat)) await both("kcat, written · read", kcatTest);
  console.log(`\nrecords of ${RECORD_BYTES} bytes, acks=all:`);
  console.log(aligned([["", "tabs, 3 replicas", "Apache Kafka, 1 copy"], ...rows]));
  console.log(`\n${aligned([["goal", "wanted", "measured"], ...(await listenerRows())])}`);
}

async function listenerRows(): Promise<Row[]> {
  const listener = await ListenerCost.start();
  try {
    const added: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { straightMs, relayedMs } = await listener.roundTrips();
      added.push(relayedMs - straightMs);
    }
    const [least, middle] = [Math.min(...added), added.toSorted((left, right) => left - right)[ROUNDS >> 1]!];
    const shown = `${middle.toFixed(2)} ms, least ${least.toFixed(2)} ms of ${ROUNDS} rounds`;
    const rows: Row[] = [["the listener adds to the median round trip", `≤ ${MAX_ADDED_MS} ms`, shown]];
    if (existsSync("/proc/self/status")) {
      const megabytes = ((await listener.idleBytes(IDLE_CONNECTIONS)) / 1e6).toFixed(1);
      rows.push([`memory for ${IDLE_CONNECTIONS} idle connections`, `< ${MAX_IDLE_MB} MB`, `${megabytes} MB`]);
    }
    return rows;
  } finally {
    await listener.close();
  }
}

async function isInstalled(program: { install(): Promise<void> }): Promise<boolean> {
  return await program.install().then(() => true, () => false);
}

let topics = 0;

async function makeTopic(bootstrap: string, replicationFactor: number): Promise<string> {
  const name = `figures-${topics++}`;
  const socket = await KafkaSocket.connect(bootstrap);
  await socket.ask(createTopics, 5, { topics: [{ name, numPartitions: 1, replicationFactor }] });
  socket.close();
  await sleep(2_000);
  return name;
}

/** `perSecond` of -1 is as fast as can be. */
async function perfTest(
  java: Command,
  bootstrap: string,
  replicas: number,
  records: number,
  perSecond: number,
  settings: readonly string[],
): Promise<string> {
  const lines = await run([
    ...java, "org.apache.kafka.tools.ProducerPerformance", "--topic", await makeTopic(bootstrap, replicas),
    "--num-records", String(records), "--record-size", String(RECORD_BYTES), "--throughput", String(perSecond),
    "--producer-props", `bootstrap.servers=${bootstrap}`, "acks=all", ...settings,
  ]);
  // The tool's last line sums up the run.
  const line = lines.at(-1) ?? "";
  const [, rate] = /\(([\d.]+) MB\/sec\)/.exec(line) ?? [];
  const [, p50, p99] = /(\d+) ms 50th.* (\d+) ms 99th/.exec(line) ?? [];
  if (rate === undefined || p50 === undefined) throw new Error(`the performance tool said: ${line}`);
  return `${perSecond === -1 ? `${rate} MiB/s, ` : ""}p50 ${p50} ms, p99 ${p99} ms`;
}

async function kcatTest(bootstrap: string, replicas: number): Promise<string> {
  const topic = await makeTopic(bootstrap, replicas);
  const line = `key\t${"x".repeat(RECORD_BYTES - 3)}`;
  const startedMs = performance.now();
  const producer = new RunningProgram([...kcat.produce(bootstrap, topic, "none"), "-X", "acks=all"]);
  producer.write(Array.from({ length: RECORDS }, () => line));
  await producer.finish(TIMEOUT_MS);
  const writtenMs = performance.now();
  await run([...kcat.consume(bootstrap, topic, { from: "beginning" })!, "-c", String(RECORDS)]);
  const readMs = performance.now();
  const rate = (ms: number) => `${((RECORDS * RECORD_BYTES) / 1_048_576 / (ms / 1_000)).toFixed(1)} MiB/s`;
  return `${rate(writtenMs - startedMs)} · ${rate(readMs - writtenMs)}`;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("   ").trimEnd()).join("\n");
}
