import { Chance } from "../../src/platform/simulated/chance.ts";
import { assert } from "../../src/protocol/assert.ts";
import { scriptedSchedules } from "./scripted-schedules.ts";

/** Everything that the schedule can do to the cluster. */
export const faultKinds = [
  "kill-tab", "reload-tab", "reload-storm", "close-tab", "discard-tab", "freeze-tab", "sleep-tab", "kill-profile",
  "sleep-profile", "duplicate-tab", "throttle-timers", "tab-clock-rate",
  "lose-power", "wipe-storage", "restore-storage", "clone-storage", "damage-storage", "fill-storage", "stall-storage",
  "slow-storage", "close-storage",
  "cut", "cut-one-way", "flap-link", "isolate-tab", "isolate-from-server", "isolate-from-tabs", "break-link",
  "half-open-link", "slow-link", "slow-from-server", "slow-to-server", "slow-reader", "deaf-to-server",
  "mute-to-server", "deaf-to-tab", "relay-outage",
  "kill-server", "pause-server", "slow-server-disk", "fill-server-disk", "server-clock-jump", "server-clock-stop",
  "server-clock-rate",
  "crash-producer", "crash-consumer", "freeze-client", "isolate-client", "break-client-links",
  "remake-topic", "add-partitions", "alter-min-isr", "alter-retention",
] as const;

/** What can befall members of groups. */
export const memberFaultKinds = [
  "crash-member", "close-member", "freeze-member", "pause-member", "isolate-member", "join-member", "replace-member",
] as const;

/** What whoever runs a cluster does to its partitions, while everything else goes wrong. */
export const adminFaultKinds = ["reassign-partition", "delete-records"] as const;

export type FaultKind = (typeof faultKinds | typeof memberFaultKinds | typeof adminFaultKinds)[number];

/** Whom a fault is after: a tab, the leader of a partition, or one of the partition's other replicas. */
export const aims = ["any", "leader", "follower"] as const;
/** The tab that coordinates groups: the leader of a partition of `__consumer_offsets`. */
export const COORDINATOR = "coordinator";
export type Aim = (typeof aims)[number] | typeof COORDINATOR;

/**
 * What a fault waits for once its time has come: nothing, or the next decision of the controller; of any kind, or one
 * that elects a leader, changes an ISR, or registers or fences a broker.
 */
export const occasions = ["time", "decision", "election", "isr-change", "broker-change"] as const;
/** Or the next step of a group: a member joins or asks for its assignment, one commits, a coordinator loads. */
export const groupOccasions = ["rebalance", "commit", "load"] as const;
export type Occasion = (typeof occasions)[number] | (typeof groupOccasions)[number];

/** One fault, as data. Targets are counted among whatever there is when it happens. */
export interface Fault {
  readonly atMs: number;
  readonly on: Occasion;
  readonly kind: FaultKind;
  readonly aim: Aim;
  /** Among the tabs or, unless the aim is any tab, among the partitions, of which those of the main topic come first. */
  readonly target: number;
  /**
   * Among what else there is to choose: the other end of a link, the follower aimed at. The other ends are the server,
   * then the tabs, those first that hold a copy of the partition aimed at, then the clients.
   */
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
  /** How long a frame takes one way, on average: between tabs of one machine, of one town, or of two continents. */
  readonly latencyMs: number;
  /** `min.insync.replicas` of all topics. */
  readonly minInsyncReplicas: number;
  /** `retention.bytes` of the topic, -1 for no limit. */
  readonly retentionBytes: number;
  /** Partitions of a topic whose records are produced with acks=1 and may be lost by an election; 0 for no such topic. */
  readonly leaderAckedPartitions: number;
  /** Partitions of a topic that `remake-topic` deletes and makes again under its clients; 0 for no such topic. */
  readonly passingPartitions: number;
  /** Partitions of a compacted topic; 0 for no such topic. */
  readonly compactedPartitions: number;
  /** Members of a group of each kind, all of which read the main topic; 0 for no such group. */
  readonly eagerMembers: number;
  readonly cooperativeMembers: number;
  /** Of a group that speaks KIP-848's protocol. */
  readonly consumerMembers: number;
  /** Of a group of the shipped SDK's consumers. */
  readonly sdkMembers: number;
  /** So many of each group but the SDK's have a name that outlives them (KIP-345). */
  readonly staticMembers: number;
  /** `replica.lag.time.max.ms` of the brokers; a short one makes the ISR change often. */
  readonly replicaLagMs: number;
  /** How long a producer waits for more records before it sends a batch. */
  readonly lingerMs: number;
  /** How long a leader may wait for the others before it answers a produce request with an error. */
  readonly produceTimeoutMs: number;
  /** Of each scripted producer in each partition; a little below 2^31 its sequences soon start from 0 again. */
  readonly firstSequence: number;
  /**
   * After about so many batches a scripted producer counts its epoch up, and a request of the epoch before comes late;
   * 0 for never.
   */
  readonly batchesPerEpoch: number;
  /** Whether scripted consumers ask every new leader where its log ends. */
  readonly asksForEnds: boolean;
  /** The least size of a record. Large ones outgrow the caches, so that the disk is read. */
  readonly recordBytes: number;
  /** Tabs whose directory leaves every write with the operating system. */
  readonly relaxedTabs: number;
  /** Whether the topic does. */
  readonly relaxedTopic: boolean;
  /** After how many records the controller takes a snapshot. */
  readonly snapshotRecords: number;
  /** Tabs, the last ones, that nobody but the server reaches directly: their links go through its relay. */
  readonly relayedTabs: number;
  readonly faults: readonly Fault[];
}

/** A small healthy cluster, for schedules that are written out to change what they are about. */
export const plainSchedule: Schedule = {
  tabs: 3,
  profiles: 3,
  partitions: 2,
  producers: 2,
  consumers: 1,
  sdkProducers: 0,
  sdkConsumers: 0,
  recordsPerSecond: 60,
  latencyMs: 2,
  minInsyncReplicas: 2,
  retentionBytes: -1,
  leaderAckedPartitions: 0,
  passingPartitions: 0,
  compactedPartitions: 0,
  eagerMembers: 0,
  cooperativeMembers: 0,
  consumerMembers: 0,
  sdkMembers: 0,
  staticMembers: 0,
  replicaLagMs: 10_000,
  lingerMs: 0,
  produceTimeoutMs: 5_000,
  firstSequence: 0,
  batchesPerEpoch: 0,
  asksForEnds: false,
  recordBytes: 0,
  relaxedTabs: 0,
  relaxedTopic: false,
  snapshotRecords: 5_000,
  relayedTabs: 0,
  faults: [],
};

/** One seed in so many follows a script, with parameters of its own; each script has its turn. */
const SCRIPTED_EVERY = 4;

export function drawSchedule(seed: number, seconds: number): Schedule {
  const drawn = { ...drawCluster(seed), faults: drawFaults(seed, seconds) };
  const script = scriptedSchedules.get(scriptOf(seed) ?? "");
  if (script !== undefined) return inOrder(script(drawn, new Chance(`${seed}/script's parameters`), seconds));
  const withAdmin = { ...drawn, faults: [...drawn.faults, ...drawAdminFaults(new Chance(`${seed}/admin`), seconds)] };
  return inOrder(withGroups(withAdmin, new Chance(`${seed}/groups`), seconds));
}

/** Members of all groups together, of whom there is one at least. */
export function membersOf({ eagerMembers, cooperativeMembers, consumerMembers, sdkMembers }: Schedule): number {
  return eagerMembers + cooperativeMembers + consumerMembers + sdkMembers;
}

/** Which script the seed follows, if it follows one. */
export function scriptOf(seed: number): string | undefined {
  const names = [...scriptedSchedules.keys()];
  return seed % SCRIPTED_EVERY === 0 ? names[(seed / SCRIPTED_EVERY) % names.length] : undefined;
}

/** The seed that follows the script for the `turn`th time, counted from 0. */
export function seedOf(script: string, turn: number): number {
  const names = [...scriptedSchedules.keys()];
  assert(names.includes(script), `${script} is the name of a script`);
  const at = names.indexOf(script) + turn * names.length;
  // Seed 0 is nobody's: counting begins with 1.
  return SCRIPTED_EVERY * (names.indexOf(script) === 0 ? at + names.length : at);
}

/** Faults happen in the order of their times, whatever order they were thought of in. */
export function inOrder(schedule: Schedule): Schedule {
  return { ...schedule, faults: [...schedule.faults].sort((left, right) => left.atMs - right.atMs) };
}

function drawCluster(seed: number): Schedule {
  const chance = new Chance(`${seed}/schedule`);
  const tabs = chance.between(3, 5);
  const cluster = {
    tabs,
    profiles: chance.permille(700) ? tabs : tabs - 1,
    partitions: chance.between(1, 4),
    producers: chance.between(1, 4),
    consumers: chance.between(1, 3),
    // Few records a second leave the most time for faults; some runs are as busy as clusters are.
    recordsPerSecond: chance.permille(50) ? 200 : chance.pick([2, 5, 5, 10, 20, 60]),
    replicaLagMs: chance.pick([10_000, 3_000, 1_000]),
    lingerMs: chance.pick([0, 10, 50]),
    recordBytes: chance.permille(50) ? 10_000 : 0,
    relaxedTabs: chance.permille(200) ? 1 : 0,
    relaxedTopic: chance.permille(150),
    snapshotRecords: chance.pick([5_000, 40]),
  };
  const topics = new Chance(`${seed}/topics`);
  const relay = new Chance(`${seed}/relay`);
  const network = new Chance(`${seed}/network`);
  const sdk = new Chance(`${seed}/sdk`);
  const isSdk = sdk.permille(250);
  const clients = new Chance(`${seed}/clients`);
  return {
    ...plainSchedule,
    ...cluster,
    latencyMs: network.pick([2, 2, 2, 10, 10, 40]),
    minInsyncReplicas: topics.pick([2, 2, 2, 2, 2, 2, 1, 1, 3]),
    retentionBytes: topics.permille(200) ? topics.pick([2_000, 20_000]) : -1,
    leaderAckedPartitions: topics.permille(300) ? topics.between(1, 2) : 0,
    passingPartitions: topics.permille(300) ? topics.between(1, 2) : 0,
    produceTimeoutMs: clients.pick([5_000, 5_000, 5_000, 200]),
    firstSequence: clients.permille(150) ? 2 ** 31 - clients.between(1, 200) : 0,
    batchesPerEpoch: clients.permille(250) ? clients.between(5, 60) : 0,
    asksForEnds: clients.permille(500),
    relayedTabs: relay.permille(250) ? relay.between(1, 2) : 0,
    sdkProducers: isSdk ? Math.min(cluster.producers, sdk.below(3)) : 0,
    sdkConsumers: isSdk ? Math.min(cluster.consumers, sdk.below(3)) : 0,
  };
}

/** About one seed in four has groups, with faults that are after them. */
function withGroups(drawn: Schedule, chance: Chance, seconds: number): Schedule {
  if (chance.permille(200)) return { ...drawn, compactedPartitions: chance.between(1, 2) };
  if (!chance.permille(450)) return drawn;
  const size = (permille: number) => (chance.permille(permille) ? chance.between(1, 4) : 0);
  const groups = {
    eagerMembers: size(450),
    cooperativeMembers: size(450),
    consumerMembers: size(600),
    sdkMembers: Math.min(size(150), 2),
    staticMembers: chance.permille(400) ? chance.between(1, 2) : 0,
    compactedPartitions: chance.permille(200) ? 1 : 0,
  };
  const faults = [...drawn.faults, ...drawGroupFaults(chance, seconds)];
  return { ...drawn, ...groups, faults };
}

/** What coordinators go through beside what all tabs do. */
const coordinatorFaultKinds = [
  "kill-tab", "kill-tab", "reload-tab", "close-tab", "freeze-tab", "isolate-tab", "isolate-from-tabs",
  "isolate-from-server", "slow-storage", "cut",
] as const;

function drawGroupFaults(chance: Chance, seconds: number): Fault[] {
  const enabled = memberFaultKinds.filter(() => chance.permille(500));
  const faults: Fault[] = [];
  const everyMs = chance.pick([1_500, 3_000, 6_000]);
  for (let atMs = SOONEST_MS; atMs < seconds * 1000; atMs += chance.between(everyMs / 2, 2 * everyMs)) {
    const isMember = enabled.length > 0 && chance.permille(700);
    const kind = chance.pick(isMember ? enabled : coordinatorFaultKinds);
    faults.push({
      atMs,
      on: chance.permille(isMember ? 800 : 400) ? "time" : chance.pick(groupOccasions),
      kind,
      aim: isMember ? "any" : COORDINATOR,
      target: chance.below(60),
      other: chance.below(60),
      durationMs: chance.permille(500) ? chance.between(10, 1_500) : chance.between(1_500, 12_000),
    });
  }
  return faults;
}

/** One seed in five has somebody who moves partitions, or deletes records. */
function drawAdminFaults(chance: Chance, seconds: number): Fault[] {
  if (!chance.permille(200)) return [];
  const enabled = chance.pick([adminFaultKinds, ["reassign-partition"], ["delete-records"]] as const);
  const faults: Fault[] = [];
  for (let atMs = SOONEST_MS; atMs < seconds * 1000; atMs += chance.between(1_000, 8_000)) {
    faults.push({
      atMs,
      on: chance.permille(700) ? "time" : chance.pick(occasions),
      kind: chance.pick(enabled),
      aim: "any",
      target: chance.below(60),
      other: chance.below(60),
      durationMs: chance.between(500, 8_000),
    });
  }
  return faults;
}

const WINDOW_MS = 7_000;
const SOONEST_MS = 2_000;

/** Each seed picks which kinds of faults there are at all, so that one kind does not always hide another (swarm). */
function drawFaults(seed: number, seconds: number): Fault[] {
  const chance = new Chance(`${seed}/faults`);
  const enabled = faultKinds.filter(() => chance.permille(350));
  const busiest = chance.between(1, 8);
  const faults: Fault[] = [];
  for (let startMs = SOONEST_MS; startMs < seconds * 1000; startMs += WINDOW_MS) {
    if (enabled.length === 0 || chance.permille(250)) continue;
    const endMs = Math.min(startMs + WINDOW_MS, seconds * 1000);
    if (chance.permille(200)) {
      faults.push(...swizzle(chance, startMs));
      continue;
    }
    for (let count = chance.between(1, busiest); count > 0; count--) {
      faults.push({
        atMs: chance.between(startMs, endMs),
        on: chance.permille(800) ? "time" : chance.pick(occasions),
        kind: chance.pick(enabled),
        aim: chance.permille(500) ? "any" : chance.pick(aims),
        target: chance.below(60),
        other: chance.below(60),
        durationMs: chance.permille(500) ? chance.between(10, 1_500) : chance.between(1_500, 15_000),
      });
    }
  }
  return faults.sort((left, right) => left.atMs - right.atMs);
}

/** What a swizzle does to one tab after the other. */
const swizzled = [
  "kill-tab", "freeze-tab", "sleep-tab", "isolate-tab", "isolate-from-tabs", "isolate-from-server",
] as const;

/**
 * Takes most tabs away one by one and gives them back in another order, so that those who come first are not those who
 * know most: the schedule behind FoundationDB's swizzle-clogging and Jepsen's pause-and-kill scripts.
 */
function swizzle(chance: Chance, startMs: number): Fault[] {
  const kind = chance.pick(swizzled);
  const first = chance.below(60);
  let atMs = startMs;
  return Array.from({ length: chance.between(2, 5) }, (_, index) => {
    atMs += chance.between(20, 2_500);
    const anotherKind = chance.permille(300) ? chance.pick(swizzled) : kind;
    const durationMs = chance.between(200, 9_000);
    return { atMs, on: "time", kind: anotherKind, aim: "any", target: first + index, other: 0, durationMs };
  });
}

export function describeFault({ atMs, on, kind, aim, target, other, durationMs }: Fault): string {
  const when = `${(atMs / 1000).toFixed(3)} s${on === "time" ? "" : `, at the next ${on}`}`;
  const whom = aim === "any" ? `${target}/${other}` : `${aim} ${target}/${other}`;
  return `${when}  ${kind} ${whom} for ${durationMs} ms`;
}
