import { checkHistory } from "../history/check-history.ts";
import { Faults } from "./faults.ts";
import { ViolationFound } from "./recorder.ts";
import type { Violation } from "./recorder.ts";
import type { ScriptedConsumer } from "./scripted-consumer.ts";
import { drawSchedule } from "./schedule.ts";
import type { Schedule } from "./schedule.ts";
import { SimulatedCluster, TOPIC } from "./simulated-cluster.ts";

export interface SimulationOptions {
  /** Virtual seconds of faults and load; what is before and after them comes on top. */
  readonly seconds: number;
  /** Instead of the one that the seed makes. */
  readonly schedule?: Schedule;
}

export interface SimulationResult {
  readonly seed: number;
  readonly schedule: Schedule;
  /** What rule was broken first; undefined for a run that passed. */
  readonly violation: Violation | undefined;
  readonly traceHash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly acknowledged: number;
  readonly read: number;
  readonly marks: ReadonlyMap<string, number>;
  readonly log: readonly string[];
}

/** How long a healed cluster has to be whole again. */
const CONVERGENCE_MS = 60_000;

/** One run: a cluster comes up, lives through its schedule under load, is healed, and has to prove itself whole. */
export function simulate(seed: number, options: SimulationOptions): SimulationResult {
  const { seconds, schedule = drawSchedule(seed, seconds) } = options;
  const cluster = new SimulatedCluster(seed, schedule);
  return {
    seed,
    schedule,
    violation: violationOf(cluster, seconds),
    traceHash: cluster.trace.value,
    virtualMs: cluster.time.nowMs,
    events: cluster.events,
    acknowledged: cluster.recorder.acknowledgements,
    read: cluster.recorder.reads,
    marks: cluster.marks,
    log: cluster.log,
  };
}

function violationOf(cluster: SimulatedCluster, seconds: number): Violation | undefined {
  try {
    live(cluster, seconds);
    return undefined;
  } catch (error) {
    if (error instanceof ViolationFound) return error.violation;
    // A broken invariant of the core itself is a finding like any other.
    const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
    return { rule: `crash: ${message}`, evidence: `${name}\n${stack.split("\n").slice(1, 8).join("\n")}` };
  }
}

function live(cluster: SimulatedCluster, seconds: number): void {
  const { recorder, time } = cluster;
  const faults = new Faults(cluster);
  if (!cluster.createTopic()) recorder.violation("liveness: start", "no topic could be made in a healthy cluster");
  cluster.startClients();
  faults.begin(cluster.schedule.faults, time.nowUs);
  cluster.run(seconds * 1000);
  cluster.note("everything is healed from here on");
  faults.healAll();
  converge(cluster);
}

function converge(cluster: SimulatedCluster): void {
  const { recorder } = cluster;
  const expect = (rule: string, condition: () => boolean, evidence: () => string) => {
    if (!cluster.runUntil(condition, endMs - cluster.time.nowMs)) recorder.violation(`liveness: ${rule}`, evidence());
  };
  const endMs = cluster.time.nowMs + CONVERGENCE_MS;
  cluster.stopProducing();
  const isAnswered = () => cluster.producers.every(({ isIdle }) => isIdle);
  expect("every partition is led and in sync", () => isWhole(cluster), () => describePartitions(cluster));
  expect("every producer has its answers", isAnswered, () => "one still waits");
  const reader = cluster.newConsumer("reader");
  const isRead = () => hasReadAll(cluster, reader);
  expect("everything committed can be read", isRead, () => describePositions(cluster, reader));
  const { anomalies, acknowledged, read } = checkHistory(recorder.history, { finalReaders: [reader.process] });
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

function hasReadAll({ truth, schedule }: SimulatedCluster, reader: ScriptedConsumer): boolean {
  return positions(schedule).every((partition) => reader.position(partition) >= truth.endOffset(partition));
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

function describePositions({ truth, schedule }: SimulatedCluster, reader: ScriptedConsumer): string {
  return positions(schedule)
    .map((partition) => `partition ${partition} read to ${reader.position(partition)} of ${truth.endOffset(partition)}`)
    .join("; ");
}

function positions({ partitions }: Schedule): number[] {
  return Array.from({ length: partitions }, (_, partition) => partition);
}
