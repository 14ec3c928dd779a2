import { checkHistory } from "../history/check-history.ts";
import { Faults } from "./faults.ts";
import type { Schedule } from "./schedule.ts";
import { closeAll, createTopicBySdk, getThrough, hasSdkClients } from "./sdk-life.ts";
import { SdkConsumer } from "./sdk-consumer.ts";
import type { SimulatedCluster } from "./simulated-cluster.ts";
import { partitionLabel, TOPIC } from "./topics.ts";
import { until } from "./wait.ts";
import type { Life } from "./wait.ts";

/** How long a healed cluster has to be whole again. */
const CONVERGENCE_MS = 60_000;

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
function* createTopics(cluster: SimulatedCluster): Life<boolean> {
  const { admin, schedule, server } = cluster;
  const enough = () => [...(server.image?.brokers.keys() ?? [])].filter((id) => server.image!.isActive(id)).length >= 3;
  if (!(yield* until(cluster, enough, 30_000))) return false;
  const configs = { "retention.bytes": String(schedule.retentionBytes) };
  if (hasSdkClients(cluster)) {
    return yield* createTopicBySdk(cluster, TOPIC, schedule.partitions, { ...admin.configs, ...configs });
  }
  admin.createTopic(TOPIC, schedule.partitions, configs);
  return yield* until(cluster, () => admin.isIdle, 10_000);
}

function* converge(cluster: SimulatedCluster): Life<void> {
  const { recorder, time } = cluster;
  const endMs = time.nowMs + CONVERGENCE_MS;
  function* expect(rule: string, condition: () => boolean, evidence: () => string): Life<void> {
    if (!(yield* until(cluster, condition, endMs - time.nowMs))) recorder.violation(`liveness: ${rule}`, evidence());
  }
  cluster.stopProducing();
  const isAnswered = () => cluster.producers.every(({ isIdle }) => isIdle);
  yield* expect("every partition is led and in sync", () => isWhole(cluster), () => describePartitions(cluster));
  yield* expect("every producer has its answers", isAnswered, () => "one still waits");
  yield* getThrough(cluster, expect);
  const reader = cluster.newConsumer("reader");
  const readers = [reader, ...cluster.consumers.filter((consumer) => consumer instanceof SdkConsumer)];
  for (const one of readers) {
    const isRead = () => hasReadAll(cluster, one);
    yield* expect("everything committed can be read", isRead, () => describePositions(cluster, one));
  }
  yield* closeAll(cluster, expect);
  const finalReaders = readers.map(({ process }) => process);
  const { anomalies, acknowledged, read } = checkHistory(recorder.history, { finalReaders });
  const [anomaly] = anomalies;
  if (anomaly !== undefined) recorder.violation(anomaly.class, `${anomaly.partition}: ${anomaly.evidence}`);
  if (acknowledged > 0 && read > 0) return;
  recorder.violation("nothing happened", `${acknowledged} acknowledged, ${read} read`);
}

function isWhole({ server, tabs }: SimulatedCluster): boolean {
  const partitions = server.image?.topicNamed(TOPIC)?.partitions ?? [];
  const alive = new Set(tabs.flatMap(({ core }) => (core?.self() === undefined ? [] : [core.nodeId])));
  if (partitions.length === 0 || alive.size < tabs.length) return false;
  return partitions.every(({ leader, isr, replicas, addingReplicas }) => {
    const isComplete = isr.length === 3 && replicas.length === 3 && addingReplicas.length === 0;
    return leader >= 0 && isComplete && isr.every((node) => alive.has(node));
  });
}

function hasReadAll({ truth, schedule }: SimulatedCluster, reader: { position(partition: number): number }): boolean {
  return positions(schedule).every((partition) => reader.position(partition) >= truth.endOffset(partitionLabel(TOPIC, partition)));
}

function describePartitions({ server, tabs }: SimulatedCluster): string {
  const partitions = (server.image?.topicNamed(TOPIC)?.partitions ?? []).map(
    ({ partitionIndex, leader, leaderEpoch, isr, replicas, eligibleLeaderReplicas }) =>
      `${partitionIndex}: leader ${leader} in epoch ${leaderEpoch}, replicas ${replicas.join()}, ` +
      `isr ${isr.join()}, elr ${eligibleLeaderReplicas.join()}`,
  );
  const states = tabs.map(({ name, core, storage }) => {
    return `${name} is broker ${storage.image.identity.brokerId}, ${core?.state ?? "away"}`;
  });
  return [...partitions, ...states].join("; ");
}

function describePositions({ truth, schedule }: SimulatedCluster, reader: { position(partition: number): number }): string {
  return positions(schedule)
    .map((partition) => `partition ${partition} read to ${reader.position(partition)} of ${truth.endOffset(partitionLabel(TOPIC, partition))}`)
    .join("; ");
}

function positions({ partitions }: Schedule): number[] {
  return Array.from({ length: partitions }, (_, partition) => partition);
}
