import { Chance } from "../../src/platform/simulated/chance.ts";

/** Everything that the schedule can do to the cluster. */
export const faultKinds = [
  "kill-tab", "reload-tab", "close-tab", "freeze-tab", "sleep-tab", "kill-profile", "sleep-profile", "lose-power",
  "wipe-storage", "restore-storage", "clone-storage", "damage-storage", "fill-storage", "stall-storage",
  "close-storage", "cut", "cut-one-way", "isolate-tab", "isolate-from-server", "isolate-from-tabs", "break-link",
  "half-open-link", "slow-link", "deaf-to-server", "mute-to-server", "deaf-to-tab",
  "kill-server", "pause-server", "slow-server-disk", "fill-server-disk", "crash-producer", "crash-consumer",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** One fault, as data. Targets are counted among whatever there is when it happens. */
export interface Fault {
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly target: number;
  readonly other: number;
  readonly durationMs: number;
}

/** The cluster that a seed makes, and all that goes wrong in it. */
export interface Schedule {
  readonly tabs: number;
  readonly profiles: number;
  readonly partitions: number;
  readonly producers: number;
  readonly consumers: number;
  /** How many of the producers are the shipped SDK's; the others are scripted. */
  readonly sdkProducers: number;
  /** How many of the consumers are. */
  readonly sdkConsumers: number;
  /** By all producers together. */
  readonly recordsPerSecond: number;
  /** `replica.lag.time.max.ms` of the brokers; a short one makes the ISR change often. */
  readonly replicaLagMs: number;
  /** How long a producer waits for more records before it sends a batch. */
  readonly lingerMs: number;
  /** The least size of a record. Large ones outgrow the caches, so that the disk is read. */
  readonly recordBytes: number;
  /** Tabs whose directory leaves every write with the operating system. */
  readonly relaxedTabs: number;
  /** Whether the topic does. */
  readonly relaxedTopic: boolean;
  /** After how many records the controller takes a snapshot. */
  readonly snapshotRecords: number;
  readonly faults: readonly Fault[];
}

const WINDOW_MS = 7_000;
/** What a swizzle does to one tab after the other. */
const swizzled = [
  "kill-tab", "freeze-tab", "sleep-tab", "isolate-tab", "isolate-from-tabs", "isolate-from-server",
] as const;

/** Each seed picks which kinds of faults there are at all, so that one kind does not always hide another (swarm). */
export function drawSchedule(seed: number, seconds: number): Schedule {
  const chance = new Chance(`${seed}/schedule`);
  const tabs = chance.between(3, 5);
  const enabled = faultKinds.filter(() => chance.permille(400));
  const busiest = chance.between(1, 8);
  const faults: Fault[] = [];
  for (let startMs = 2_000; startMs < seconds * 1000; startMs += WINDOW_MS) {
    if (enabled.length === 0 || chance.permille(250)) continue;
    const endMs = Math.min(startMs + WINDOW_MS, seconds * 1000);
    if (chance.permille(200)) {
      faults.push(...swizzle(chance, tabs, startMs));
      continue;
    }
    for (let count = chance.between(1, busiest); count > 0; count--) {
      faults.push({
        atMs: chance.between(startMs, endMs),
        kind: chance.pick(enabled),
        target: chance.below(60),
        other: chance.below(60),
        durationMs: chance.permille(500) ? chance.between(10, 1_500) : chance.between(1_500, 15_000),
      });
    }
  }
  const cluster = {
    tabs,
    profiles: chance.permille(700) ? tabs : tabs - 1,
    partitions: chance.between(1, 4),
    producers: chance.between(1, 3),
    consumers: chance.between(1, 2),
    recordsPerSecond: chance.pick([20, 60, 200]),
    replicaLagMs: chance.pick([10_000, 3_000, 1_000]),
    lingerMs: chance.pick([0, 10, 50]),
    recordBytes: chance.permille(50) ? 10_000 : 0,
    relaxedTabs: chance.permille(200) ? 1 : 0,
    relaxedTopic: chance.permille(150),
    snapshotRecords: chance.pick([5_000, 40]),
    faults: faults.sort((left, right) => left.atMs - right.atMs),
  };
  const sdk = new Chance(`${seed}/sdk`);
  const isSdk = sdk.permille(333);
  return {
    ...cluster,
    sdkProducers: isSdk ? Math.min(cluster.producers, sdk.below(3)) : 0,
    sdkConsumers: isSdk ? Math.min(cluster.consumers, sdk.below(3)) : 0,
  };
}

/**
 * Takes most tabs away one by one and gives them back in another order, so that those who come first are not those who
 * know most: the schedule behind FoundationDB's swizzle-clogging and Jepsen's pause-and-kill scripts.
 */
function swizzle(chance: Chance, tabs: number, startMs: number): Fault[] {
  const kind = chance.pick(swizzled);
  const first = chance.below(tabs);
  let atMs = startMs;
  return Array.from({ length: chance.between(2, tabs) }, (_, index) => {
    atMs += chance.between(20, 2_500);
    const anotherKind = chance.permille(300) ? chance.pick(swizzled) : kind;
    const durationMs = chance.between(200, 9_000);
    return { atMs, kind: anotherKind, target: first + index, other: 0, durationMs };
  });
}

export function describeFault({ atMs, kind, target, other, durationMs }: Fault): string {
  return `${(atMs / 1000).toFixed(3)} s  ${kind} ${target}/${other} for ${durationMs} ms`;
}
