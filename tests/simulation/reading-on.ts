import { plainSchedule } from "./schedule.ts";
import type { Fault, FaultKind } from "./schedule.ts";
import type { SdkAssigner } from "./sdk-member.ts";
import { Simulation } from "./simulate.ts";
import { partitionLabel, TOPIC } from "./topics.ts";

/** What happens to a group, and how the members that stay went on reading meanwhile. */
export interface Change {
  readonly what: string;
  /** Partitions that one member read all the while, and those that moved. */
  readonly kept: number;
  readonly moved: number;
  /** The longest that such a member got nothing of such a partition while there was something to read, in milliseconds. */
  readonly longestWaitMs: number;
}

interface Delivery {
  readonly process: string;
  readonly atMs: number;
  /** How long the record had been there, or the member had had the one before, if that is less. */
  readonly waitedMs: number;
}

const PARTITIONS = 12;
const SECONDS = 20;
/** Virtual milliseconds from the start of the load. By the end of each span the group has settled. */
const spans = [
  { what: "nobody comes or goes", fromMs: 2_000, toMs: 3_000 },
  { what: "a member comes", fromMs: 3_000, toMs: 5_000 },
  { what: "it leaves", fromMs: 5_000, toMs: 7_000 },
  { what: "another one leaves", fromMs: 7_000, toMs: 9_000 },
  { what: "it comes back", fromMs: 9_000, toMs: 11_000 },
  { what: "a member is killed", fromMs: 11_000, toMs: 18_500 },
  { what: "nobody comes or goes again", fromMs: 18_500, toMs: 20_000 },
];
/** Who read a partition so long before is the one who had it. */
const BEFORE_MS = 500;

const schedule = {
  ...plainSchedule,
  partitions: PARTITIONS,
  consumers: 0,
  recordsPerSecond: 1_000,
  latencyMs: 1,
  sdkMembers: 3,
  faults: [fault("join-member", 3_000, 2_000, 0), fault("close-member", 7_000, 2_000, 1), fault("crash-member", 11_000, 20_000, 2)],
};

function fault(kind: FaultKind, atMs: number, durationMs: number, target: number): Fault {
  return { kind, atMs, durationMs, target, on: "time", aim: "any", other: 1 };
}

/** The SDK's consumers read 1,000 records a second as a group, while members come, leave and are killed. */
export async function readThroughChanges(seed: number, assigner: SdkAssigner): Promise<Change[]> {
  const simulation = new Simulation(seed, { seconds: SECONDS, schedule });
  const { cluster } = simulation;
  const [group] = cluster.groups;
  group!.assigner = assigner;
  const labels = Array.from({ length: PARTITIONS }, (_, partition) => partitionLabel(TOPIC, partition));
  /** By partition and offset: when the record was there to be read. */
  const committedMs: number[][] = labels.map(() => []);
  const delivered: Delivery[][] = labels.map(() => []);
  group!.recorder.delivered = (process, partition, offset) => {
    const atMs = cluster.time.nowMs;
    const before = delivered[partition]!.at(-1)?.atMs ?? 0;
    const waitedMs = atMs - Math.max(before, committedMs[partition]![offset]!);
    delivered[partition]!.push({ process, atMs, waitedMs });
  };
  let startedMs: number | undefined;
  while (await simulation.next()) {
    if (cluster.producers.length > 0) startedMs ??= cluster.time.nowMs;
    for (const [partition, label] of labels.entries()) {
      const times = committedMs[partition]!;
      while (times.length < cluster.truth.endOffset(label)) times.push(cluster.time.nowMs);
    }
  }
  const { violation } = simulation.result;
  if (violation !== undefined) throw new Error(`${violation.rule}: ${violation.evidence}`);
  return spans.map(({ what, fromMs, toMs }) => {
    const deliveries = delivered.map((all) => within(all, startedMs! + fromMs - BEFORE_MS, startedMs! + toMs));
    const kept = deliveries.filter((those) => new Set(those.map(({ process }) => process)).size === 1);
    const waits = kept.flatMap((those) => those.map(({ waitedMs }) => waitedMs));
    return { what, kept: kept.length, moved: PARTITIONS - kept.length, longestWaitMs: Math.max(...waits) };
  });
}

function within(deliveries: readonly Delivery[], fromMs: number, toMs: number): Delivery[] {
  return deliveries.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
}
