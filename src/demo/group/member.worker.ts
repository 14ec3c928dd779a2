import { Kafka, PartitionAssigners } from "../../index.ts";
import type { Consumer, ConsumerConfig } from "../../index.ts";
import { partitionName } from "../../inspector/partition-name.ts";
import { reasonOf } from "../../inspector/reason.ts";
import type { ProtocolName, ReaderReport, ReaderStart, ToReader } from "./member-messages.ts";
import { sharedNow } from "./member-messages.ts";

/**
 * One reader of a group. It has a worker to itself so that it can die, or stand still, as a tab does: at once, and
 * without telling anybody.
 */

/** How closely hand-overs are timed. */
const LOOK_EVERY_MS = 40;
const REPORT_EVERY_MS = 200;
/** Small fetches, so that a reader that is behind takes turns between its partitions. */
const BYTES_PER_PARTITION = 2048;
const COMMIT_EVERY_MS = 250;
/** Pauses shorter than this are saved up. */
const PAUSE_MIN_MS = 8;

let consumer: Consumer | undefined;
let phase: ReaderReport["phase"] = "joining";
let memberId = "";
let generation = -1;
let rebalancing = false;
let owned: readonly string[] = [];
let processed = 0;
let reason: string | undefined;
let recordsPerSecond = Infinity;
/** When the next record may be processed. */
let dueMs = 0;
let reportedMs = 0;

onmessage = ({ data }: MessageEvent<ToReader>) => {
  if (data.type === "start") void run(data);
  if (data.type === "pace") recordsPerSecond = data.recordsPerSecond;
  if (data.type === "freeze") freeze(data.forMs);
  if (data.type === "leave") void leave();
  if (data.type === "pagehide") dispatchEvent(new Event("pagehide"));
  if (data.type === "pageshow") dispatchEvent(Object.assign(new Event("pageshow"), { persisted: data.persisted }));
};

async function run(start: ReaderStart): Promise<void> {
  recordsPerSecond = start.recordsPerSecond;
  try {
    const kafka = new Kafka({ clientId: start.clientId, brokers: [start.server] });
    consumer = kafka.consumer({
      groupId: start.groupId,
      ...protocolOf(start.protocol, start.sessionTimeoutMs),
      maxBytesPerPartition: BYTES_PER_PARTITION,
    });
    listen(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics: start.topics, fromBeginning: true });
    setInterval(look, LOOK_EVERY_MS);
    await consumer.run({ autoCommitInterval: COMMIT_EVERY_MS, eachMessage: processOne });
  } catch (error) {
    fail(reasonOf(error));
  }
}

function protocolOf(protocol: ProtocolName, sessionTimeout: number): Partial<ConsumerConfig> {
  if (protocol === "consumer") return { groupProtocol: "consumer" };
  return { sessionTimeout, partitionAssigners: [PartitionAssigners[protocol]] };
}

function listen(reader: Consumer): void {
  const { GROUP_JOIN, HEARTBEAT, REBALANCING, CRASH } = reader.events;
  reader.on<{ memberId: string }>(GROUP_JOIN, ({ payload }) => {
    memberId = payload.memberId;
    rebalancing = false;
    look();
  });
  reader.on(REBALANCING, () => {
    rebalancing = true;
    report();
  });
  reader.on<{ memberId: string; groupGenerationId: number }>(HEARTBEAT, ({ payload }) => {
    if (payload.memberId === "") return;
    memberId = payload.memberId;
    generation = payload.groupGenerationId;
  });
  reader.on<{ error: Error; restart: boolean }>(CRASH, ({ payload }) => {
    if (!payload.restart) fail(reasonOf(payload.error));
  });
}

/** Takes as long as the record's share of the pace. */
async function processOne(): Promise<void> {
  const nowMs = performance.now();
  dueMs = Math.max(dueMs, nowMs) + 1000 / recordsPerSecond;
  if (dueMs - nowMs > PAUSE_MIN_MS) await new Promise((resolve) => setTimeout(resolve, dueMs - nowMs));
  processed++;
}

function look(): void {
  if (consumer === undefined || (phase !== "joining" && phase !== "reading")) return;
  const found = consumer.positions().map(({ topic, partition }) => partitionName(topic, partition));
  const changed = found.length !== owned.length || found.some((name, index) => name !== owned[index]);
  owned = found;
  if (phase === "joining" && memberId !== "") phase = "reading";
  if (changed || sharedNow() - reportedMs >= REPORT_EVERY_MS) report();
}

async function leave(): Promise<void> {
  // It reads no more from here on, though its partitions are its own until the group has let it go.
  phase = "leaving";
  owned = [];
  report();
  await consumer?.disconnect().catch((error: unknown) => (reason = reasonOf(error)));
  phase = "left";
  report();
}

function fail(why: string): void {
  owned = [];
  phase = "failed";
  reason = why;
  report();
}

function report(): void {
  reportedMs = sharedNow();
  const said: ReaderReport = { atMs: reportedMs, phase, memberId, generation, rebalancing, owned, processed, reason };
  postMessage(said);
}

/** Waits without computing, on memory that nobody else has; a browser that forbids it has the thread compute. */
function freeze(forMs: number): void {
  try {
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    Atomics.wait(new Int32Array(buffer), 0, 0, forMs);
  } catch {
    const endMs = performance.now() + forMs;
    while (performance.now() < endMs);
  }
  look();
}
