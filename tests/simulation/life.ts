import { OFFSETS_TOPIC } from "../../src/coordinator/group-partition.ts";
import { checkHistory } from "../history/check-history.ts";
import { Faults } from "./faults.ts";
import type { Recorder } from "./recorder.ts";
import { closeAll, createTopicBySdk, getThrough, hasSdkClients } from "./sdk-life.ts";
import type { Expect } from "./sdk-life.ts";
import { SdkConsumer } from "./sdk-consumer.ts";
import { OFFSETS_PARTITIONS } from "./simulated-cluster.ts";
import type { SimulatedCluster } from "./simulated-cluster.ts";
import { COMPACTED_TOPIC, LEADER_ACKED_TOPIC, partitionLabel, TOPIC } from "./topics.ts";
import { until } from "./wait.ts";
import type { Life } from "./wait.ts";

/** Compacted often, and forgetting tombstones soon, so that a short run sees both. */
const compactedConfigs = {
  "cleanup.policy": "compact",
  "min.cleanable.dirty.ratio": "0.2",
  "delete.retention.ms": "4000",
};
/** How long a healed cluster has to be whole again. */
const CONVERGENCE_MS = 60_000;
/** What a fetch takes at most, on average, in latencies of the network: it and its answer, of which some are very late. */
const LATENCIES_PER_FETCH = 3;
/** And what the disk adds at most, on average. */
const DISK_MS = 10;

/** One run: a cluster comes up, lives through its schedule under load, is healed, and has to prove itself whole. */
export function* live(cluster: SimulatedCluster, seconds: number): Life<void> {
  const { recorder, time } = cluster;
  const faults = new Faults(cluster);
  if (!(yield* createTopics(cluster))) recorder.violation("liveness: start", "no topic could be made in a healthy cluster");
  cluster.startClients();
  faults.begin(cluster.schedule.faults, time.nowUs);
  yield* until(cluster, () => false, seconds * 1000);
  cluster.note("everything is healed from here on");
  faults.healAll();
  yield* converge(cluster);
}

/** Makes the topics once there are brokers enough for three copies of each. */
export function* createTopics(cluster: SimulatedCluster): Life<boolean> {
  const { admin, schedule, server } = cluster;
  const enough = () => [...(server.image?.brokers.keys() ?? [])].filter((id) => server.image!.isActive(id)).length >= 3;
  if (!(yield* until(cluster, enough, 30_000))) return false;
  for (const { topic, partitions } of cluster.topicUses) {
    admin.createTopic(topic, partitions, topic === COMPACTED_TOPIC ? compactedConfigs : {});
  }
  if (cluster.groups.length > 0) admin.createTopic(OFFSETS_TOPIC, OFFSETS_PARTITIONS, compactedConfigs);
  const configs = { "retention.bytes": String(schedule.retentionBytes) };
  if (!hasSdkClients(cluster)) admin.createTopic(TOPIC, schedule.partitions, configs);
  else if (!(yield* createTopicBySdk(cluster, TOPIC, schedule.partitions, { ...admin.configs, ...configs }))) return false;
  return yield* until(cluster, () => admin.isIdle, 10_000);
}

function* converge(cluster: SimulatedCluster): Life<void> {
  const { recorder, time } = cluster;
  let endMs = time.nowMs + CONVERGENCE_MS;
  function* expect(rule: string, condition: () => boolean, evidence: () => string): Life<void> {
    if (!(yield* until(cluster, condition, endMs - time.nowMs))) recorder.violation(`liveness: ${rule}`, evidence());
  }
  function* expectRead(reader: Reader): Life<void> {
    const isRead = () => hasReadAll(cluster, TOPIC, reader);
    yield* expect("everything committed can be read", isRead, () => describePositions(cluster, TOPIC, reader));
  }
  cluster.stopProducing();
  const isAnswered = () => [...cluster.producers, ...cluster.topicUses].every(({ isIdle }) => isIdle);
  yield* expect("every change of a topic is made", () => cluster.admin.isIdle, () => "one is still tried");
  yield* expect("every partition is led and in sync", () => isWhole(cluster), () => describePartitions(cluster));
  yield* expect("every producer has its answers", isAnswered, () => "one still waits");
  yield* getThrough(cluster, expect);
  const reader = cluster.newConsumer("reader");
  yield* expectRead(reader);
  const sdkConsumers = cluster.consumers.filter((consumer) => consumer instanceof SdkConsumer);
  for (const consumer of sdkConsumers) {
    // One that has small answers may be slower than the producers were. What it takes is not lost to those who follow.
    const startedMs = time.nowMs;
    const dueMs = endMs;
    endMs += mostCatchUpMs(cluster, TOPIC, consumer);
    yield* expectRead(consumer);
    if (time.nowMs > dueMs) cluster.mark("consumer caught up late");
    endMs = dueMs + time.nowMs - startedMs;
  }
  yield* settleGroups(cluster, expect);
  yield* closeAll(cluster, expect);
  check(recorder, [reader, ...sdkConsumers].map(({ process }) => process));
  yield* readLeaderAcked(cluster, expect);
  yield* readCompacted(cluster, expect);
}

/** Every partition has one reader, all have about as many, and everything committed to the log is committed as read. */
function* settleGroups(cluster: SimulatedCluster, expect: Expect): Life<void> {
  for (const group of cluster.groups) for (let index = 0; index < group.size; index++) group.beginAgain(index);
  for (const group of cluster.groups) {
    const endOffset = (partition: number) => ends(cluster, TOPIC)[partition]!;
    const isDone = () => group.isDone(ends(cluster, TOPIC).length, endOffset);
    yield* expect("every group comes to rest", isDone, () => group.describe(ends(cluster, TOPIC).length));
  }
}

function* readCompacted(cluster: SimulatedCluster, expect: Expect): Life<void> {
  const use = cluster.topicUses.find(({ topic }) => topic === COMPACTED_TOPIC);
  if (use === undefined) return;
  const reader = use.newConsumer("compacted-reader");
  const isRead = () => hasReadAll(cluster, use.topic, reader);
  yield* expect("everything committed can be read", isRead, () => describePositions(cluster, use.topic, reader));
  for (let partition = 0; partition < use.partitions; partition++) cluster.compacted.expectNewest(reader.process, partition);
}

/** Also what leaders alone acknowledged has to be in its order, and once, as far as it is there. */
function* readLeaderAcked(cluster: SimulatedCluster, expect: Expect): Life<void> {
  const use = cluster.topicUses.find(({ topic }) => topic === LEADER_ACKED_TOPIC);
  if (use === undefined) return;
  const reader = use.newConsumer("leader-acked-reader");
  const isRead = () => hasReadAll(cluster, use.topic, reader);
  yield* expect("everything committed can be read", isRead, () => describePositions(cluster, use.topic, reader));
  check(cluster.leaderAcked, [reader.process]);
}

function check(recorder: Recorder, finalReaders: readonly string[]): void {
  const { anomalies, acknowledged, read } = checkHistory(recorder.history, { finalReaders });
  const [anomaly] = anomalies;
  if (anomaly !== undefined) recorder.violation(anomaly.class, `${anomaly.partition}: ${anomaly.evidence}`);
  if (acknowledged > 0 && read > 0) return;
  recorder.violation("nothing happened", `${acknowledged} acknowledged, ${read} read`);
}

function isWhole({ server, tabs }: SimulatedCluster): boolean {
  const partitions = [...(server.image?.partitions() ?? [])];
  const alive = new Set(tabs.flatMap(({ core }) => (core?.self() === undefined ? [] : [core.nodeId])));
  if (partitions.length === 0 || alive.size < tabs.length) return false;
  return partitions.every(({ leader, isr, replicas, addingReplicas }) => {
    const isComplete = isr.length === 3 && replicas.length === 3 && addingReplicas.length === 0;
    return leader >= 0 && isComplete && isr.every((node) => alive.has(node));
  });
}

interface Reader {
  position(partition: number): number;
}

function hasReadAll(cluster: SimulatedCluster, topic: string, reader: Reader): boolean {
  return ends(cluster, topic).every((end, partition) => reader.position(partition) >= end);
}

/** However little a consumer wants at once, each fetch brings it a batch, if there is one, and so a record at least. */
function mostCatchUpMs(cluster: SimulatedCluster, topic: string, reader: Reader): number {
  const { latencyMs, relayedTabs } = cluster.schedule;
  const fetchMs = LATENCIES_PER_FETCH * latencyMs * (relayedTabs > 0 ? 2 : 1) + DISK_MS;
  const behind = ends(cluster, topic).map((end, partition) => Math.max(0, end - reader.position(partition)));
  return behind.reduce((sum, records) => sum + records * fetchMs, 0);
}

function describePartitions({ server, tabs }: SimulatedCluster): string {
  const partitions = [...(server.image?.topics.values() ?? [])].flatMap(({ name, partitions: all }) =>
    all.map(
      ({ partitionIndex, leader, leaderEpoch, replicas, isr, eligibleLeaderReplicas }) =>
        `${name}-${partitionIndex}: leader ${leader} in epoch ${leaderEpoch}, replicas ${replicas.join()}, ` +
        `isr ${isr.join()}, elr ${eligibleLeaderReplicas.join()}`,
    ),
  );
  const states = tabs.map(({ name, core, storage }) => {
    return `${name} is broker ${storage.image.identity.brokerId}, ${core?.state ?? "away"}`;
  });
  return [...partitions, ...states].join("; ");
}

function describePositions(cluster: SimulatedCluster, topic: string, reader: Reader): string {
  return ends(cluster, topic)
    .map((end, partition) => `${topic}-${partition} read to ${reader.position(partition)} of ${end}`)
    .join("; ");
}

/** How far each partition is committed. */
function ends({ truth, server }: SimulatedCluster, topic: string): number[] {
  const partitions = server.image?.topicNamed(topic)?.partitions ?? [];
  return partitions.map(({ partitionIndex }) => truth.endOffset(partitionLabel(topic, partitionIndex)));
}
