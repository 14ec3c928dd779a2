import { defaultBrokerConfig } from "../../src/broker/broker-config.ts";
import type { BrokerConfig } from "../../src/broker/broker-config.ts";
import type { BrokerEffect } from "../../src/broker/effects.ts";
import type { BrokerEvent } from "../../src/broker/events.ts";
import { newIdentity } from "../../src/broker/storage-identity.ts";
import type { StorageIdentity } from "../../src/broker/storage-identity.ts";
import { Chance } from "../../src/platform/simulated/chance.ts";
import { SimulatedNetwork } from "../../src/platform/simulated/network.ts";
import type { NodeName } from "../../src/platform/simulated/network.ts";
import { SERVER, SimulatedServer } from "../../src/platform/simulated/simulated-server.ts";
import { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { SimulatedStorage } from "../../src/platform/simulated/storage.ts";
import type { DirectoryImage } from "../../src/platform/simulated/storage.ts";
import { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import { VirtualTime } from "../../src/platform/simulated/virtual-time.ts";
import { OFFSETS_TOPIC } from "../../src/coordinator/group-partition.ts";
import { Admin } from "./admin.ts";
import type { ClientContext } from "./broker-links.ts";
import { CompactedRecorder } from "./compacted-recorder.ts";
import { ControllerWatch } from "./controller-watch.ts";
import { expectDivided } from "./generation-rules.ts";
import { GroupTruth } from "./group-truth.ts";
import { GroupUse } from "./group-use.ts";
import type { GroupKind } from "./group-use.ts";
import { Oracle } from "./oracle.ts";
import { PassingRecorder } from "./passing-recorder.ts";
import { Recorder } from "./recorder.ts";
import type { ClientRecorder } from "./recorder.ts";
import { membersOf } from "./schedule.ts";
import type { Fault, Schedule } from "./schedule.ts";
import { ScriptedConsumer } from "./scripted-consumer.ts";
import { ScriptedProducer } from "./scripted-producer.ts";
import { SdkClient } from "./sdk-client.ts";
import type { SdkContext } from "./sdk-client.ts";
import { SdkConsumer } from "./sdk-consumer.ts";
import { SdkProducer } from "./sdk-producer.ts";
import { expectIntactEnds, isIntact } from "./storage-watch.ts";
import { TopicUse } from "./topic-use.ts";
import { COMPACTED_TOPIC, LEADER_ACKED_TOPIC, partitionLabel, PartitionNames, PASSING_TOPIC, TOPIC } from "./topics.ts";
import { TraceHash } from "./trace-hash.ts";
import { Truth } from "./truth.ts";

/** Shorter than the default, so that a short run sees replicas replaced. */
const REPLACEMENT_DELAY_MS = 10_000;
/** The same for records that are too many or too old. */
const RETENTION_CHECK_MS = 2_000;
/** The same for copies that were moved to other tabs. */
const STRAY_COPY_RETENTION_MS = 3_000;
/** Few, so that a group often has its coordinator where another one has it too. */
export const OFFSETS_PARTITIONS = 2;
/** The same for members that fall silent, so that groups come to rest within a run. */
const coordinatorConfig = {
  ...defaultBrokerConfig.coordinator,
  groupInitialRebalanceDelayMs: 500,
  groupConsumerSessionTimeoutMs: 6_000,
  groupConsumerHeartbeatIntervalMs: 500,
};
const KEPT_LOG_LINES = 4_000;

/** Real brokers, a real controller, clients of the SDK and scripted ones, in one thread, all made from one seed. */
export class SimulatedCluster {
  readonly time = new VirtualTime();
  readonly network: SimulatedNetwork;
  readonly server: SimulatedServer;
  readonly tabs: SimulatedTab[] = [];
  readonly truth = new Truth();
  readonly names = new PartitionNames();
  readonly recorder = new Recorder(TOPIC, this.truth, (name) => this.mark(name));
  readonly groupTruth = new GroupTruth(expectDivided);
  readonly compacted = new CompactedRecorder(this.truth, (name) => this.mark(name));
  readonly leaderAcked = new Recorder(LEADER_ACKED_TOPIC, this.truth, (name) => this.mark(name));
  readonly controllerWatch: ControllerWatch;
  readonly oracle: Oracle;
  readonly admin: Admin;
  readonly faultChance: Chance;
  readonly schedule: Schedule;
  readonly trace = new TraceHash();
  readonly log: string[] = [];
  readonly marks = new Map<string, number>();
  /** For whoever watches the run: told of every fault when it comes, and whether there was anything for it to do. */
  faultCame: ((fault: Fault, hadTarget: boolean) => void) | undefined;
  producers: (ScriptedProducer | SdkProducer)[] = [];
  consumers: (ScriptedConsumer | SdkConsumer)[] = [];
  /** How many events brokers and controller have dealt with. */
  events = 0;
  /** Whether the last event went to code that has promises, which have to settle before the next one. */
  unsettled = false;
  /** Why the run is over, found out where nobody could be told by throwing it. */
  failure: unknown;
  readonly #seed: number;
  readonly #config: Partial<BrokerConfig>;
  readonly #chance: Chance;
  readonly #workload: Chance;
  readonly #damaged = new Set<SimulatedStorage>();
  /** What serves although a batch within it is damaged, which shows when somebody reads it. */
  readonly #rotten = new Set<SimulatedStorage>();
  /** What ever was damaged: its page may be refused, or find that out, at any later start. */
  readonly #tampered = new Set<SimulatedStorage>();
  /** What each storage held when it was opened last, for a backup to bring back. */
  readonly backups = new Map<SimulatedTab, DirectoryImage>();
  readonly #clients: ClientContext;
  /** Who uses the topics beside the main one. */
  readonly topicUses: TopicUse[] = [];
  readonly groups: GroupUse[] = [];
  #lives = 0;
  #tabsMade = 0;
  #producing = true;

  /** `config`: what differs from the settings that short runs need. */
  constructor(seed: number, schedule: Schedule, config: Partial<BrokerConfig> = {}) {
    this.#seed = seed;
    this.#config = config;
    this.schedule = schedule;
    this.#chance = this.chanceFor("cluster");
    this.#workload = this.chanceFor("workload");
    const { time } = this;
    this.network = new SimulatedNetwork(time, this.chanceFor("network"), schedule.latencyMs);
    this.#clients = {
      time,
      network: this.network,
      bootstrap: () => this.tabs.filter(({ core }) => core !== undefined).map(({ name }) => name),
      resolve: (peer) => this.#resolve(peer),
      decidedEpoch: (topic, index) => this.server.image?.topicNamed(topic)?.partitions[index]?.leaderEpoch ?? -1,
      registeredPeer: (nodeId) => this.server.image?.brokers.get(nodeId)?.listeners[0]?.host,
    };
    this.faultChance = this.chanceFor("faults under way");
    const watched = {
      truth: this.truth,
      names: this.names,
      tabs: this.tabs,
      isDamaged: ({ storage }: SimulatedTab) => this.#damaged.has(storage),
      nowUs: () => time.nowUs,
      mark: (name: string) => this.mark(name),
      mostQueuedBytes: () => this.network.mostQueuedBytes,
      trimmed: (partition: string, offset: number) => {
        this.recorder.history.push({ f: "trim", type: "ok", partition, offset });
      },
    };
    this.controllerWatch = new ControllerWatch(watched);
    const groups = membersOf(schedule) > 0 ? this.groupTruth : undefined;
    this.oracle = new Oracle(watched, this.controllerWatch, defaultBrokerConfig.timeGapMs, groups);
    this.admin = new Admin(this.network, time, {
      "min.insync.replicas": String(schedule.minInsyncReplicas),
      durability: schedule.relaxedTopic ? "relaxed" : "strict",
      "replica.replacement.delay.ms": String(REPLACEMENT_DELAY_MS),
    });
    this.server = new SimulatedServer({
      time,
      network: this.network,
      chance: this.chanceFor("server"),
      clusterId: this.#chance.uuid(),
      config: { snapshotRecords: schedule.snapshotRecords },
      log: (message) => this.note(message),
      changed: (event, effects) => {
        this.events++;
        this.trace.add(time.nowUs, "", event.type, 0);
        this.controllerWatch.handled(event, effects, this.server.image!);
      },
      started: (image) => this.controllerWatch.restarted(image, this.server.startedFromSnapshot),
      stored: (endOffset) => this.controllerWatch.stored(endOffset),
    });
    this.network.relayUsed = () => this.mark("relay link used");
    this.network.relayThrough(
      SERVER,
      Array.from({ length: schedule.relayedTabs }, (_, index) => `tab-${schedule.tabs - index}`),
    );
    const { leaderAckedPartitions, passingPartitions } = schedule;
    if (leaderAckedPartitions > 0) this.#use(LEADER_ACKED_TOPIC, leaderAckedPartitions, this.leaderAcked);
    const passing = new PassingRecorder(this.names, this.truth, (name) => this.mark(name));
    if (passingPartitions > 0) this.#use(PASSING_TOPIC, passingPartitions, passing);
    if (schedule.compactedPartitions > 0) this.#use(COMPACTED_TOPIC, schedule.compactedPartitions, this.compacted);
    for (let index = 0; index < schedule.compactedPartitions; index++) this.truth.compact(partitionLabel(COMPACTED_TOPIC, index));
    for (let index = 0; index < OFFSETS_PARTITIONS; index++) {
      this.truth.compact(partitionLabel(OFFSETS_TOPIC, index), (record, leaderEpoch) => {
        this.groupTruth.replay(record, leaderEpoch);
      });
    }
    this.#meet("eager", schedule.eagerMembers);
    this.#meet("cooperative", schedule.cooperativeMembers);
    this.#meet("consumer", schedule.consumerMembers);
    this.#meet("sdk", schedule.sdkMembers);
    this.server.start();
    for (let index = 0; index < schedule.tabs; index++) {
      const durability = index < schedule.relaxedTabs ? "relaxed" : "strict";
      const empty = { identity: this.newIdentity(durability), logs: StoredLogs.empty };
      this.addTab(`profile-${index % schedule.profiles}`, empty);
    }
  }

  #use(topic: string, partitions: number, recorder: ClientRecorder): void {
    const chance = this.chanceFor(`topic ${topic}`);
    this.topicUses.push(new TopicUse(topic, partitions, this.schedule, this.#clients, chance, recorder));
  }

  #meet(kind: GroupKind, size: number): void {
    if (size === 0) return;
    const place = {
      clients: this.#clients,
      chance: this.chanceFor(`group ${kind}`),
      recorder: this.recorder,
      truth: this.groupTruth,
      sdkContext: (process: string) => this.#sdkContext(process),
      vanish: (node: NodeName) => this.network.vanish(node, () => this.faultChance.between(1, 50)),
    };
    this.groups.push(new GroupUse(kind, size, this.schedule.staticMembers, place));
  }

  chanceFor(purpose: string): Chance {
    return new Chance(`${this.#seed}/${purpose}`);
  }

  note(message: string): void {
    this.log.push(`${this.time.nowMs.toFixed(3)} ${message}`);
    if (this.log.length > KEPT_LOG_LINES) this.log.splice(0, KEPT_LOG_LINES / 2);
  }

  mark(name: string): void {
    this.marks.set(name, (this.marks.get(name) ?? 0) + 1);
  }

  addTab(profile: string, image: DirectoryImage): SimulatedTab {
    const name = `tab-${this.#tabsMade + 1}`;
    return this.#addTab(profile, new SimulatedStorage(this.time, this.chanceFor(name), image));
  }

  /** Another page opens the directory of one that has it open, on the same machine: the lock was stolen. */
  duplicateTab({ profile, storage, clockAheadMs }: SimulatedTab): void {
    this.#addTab(profile, storage, clockAheadMs);
  }

  #addTab(profile: string, storage: SimulatedStorage, clockAheadMs?: number): SimulatedTab {
    const { time, network } = this;
    const name = `tab-${++this.#tabsMade}`;
    const chance = this.chanceFor(`page ${name}`);
    const tab = new SimulatedTab(name, profile, storage, {
      time,
      network,
      chance,
      clockAheadMs: clockAheadMs ?? chance.between(0, 100_000_000),
      config: {
        ...defaultBrokerConfig,
        replicaLagTimeMaxMs: this.schedule.replicaLagMs,
        retentionCheckIntervalMs: RETENTION_CHECK_MS,
        joining: { chunkBytes: 4096, minChunks: 3 },
        strayCopyRetentionMs: STRAY_COPY_RETENTION_MS,
        coordinator: coordinatorConfig,
        ...this.#config,
      },
      resolve: (peer) => this.#resolve(peer),
      log: (message) => this.note(message),
      handled: (handled, event, effects) => this.#handled(handled, event, effects),
      ended: (ended) => this.#ended(ended),
    });
    this.tabs.push(tab);
    this.startTab(tab);
    return tab;
  }

  /** Loads the page, unless it is loaded, or closed because another one has taken its directory over. */
  startTab(tab: SimulatedTab): void {
    if (tab.core !== undefined || !this.tabs.includes(tab)) return;
    // A page that is loaded again finds the lock held, if another one has taken its directory over meanwhile.
    const isTaken = this.tabs.some((other) => other.storage === tab.storage && other.core !== undefined);
    if (tab.starts > 0 && isTaken) return this.#lostLock(tab);
    const { image } = tab.storage;
    tab.start();
    if (tab.core !== undefined) this.backups.set(tab, image);
  }

  newIdentity(durability: StorageIdentity["durability"] = "strict"): StorageIdentity {
    return newIdentity(this.#chance.uuid(), durability);
  }

  /** The storage no longer holds what its broker said it did. */
  damage(tab: SimulatedTab, image: DirectoryImage): void {
    this.noteDamage(tab);
    tab.storage.replace(image);
  }

  noteDamage({ storage }: SimulatedTab): void {
    this.#damaged.add(storage);
    this.#tampered.add(storage);
  }

  /** The page goes on with another directory, and the one that it had is never touched again. */
  #startOver(tab: SimulatedTab, evidence: string): void {
    if (!this.#tampered.has(tab.storage)) {
      this.recorder.violation("storage-is-not-lost", `${tab.name} gives up a directory that nobody damaged: ${evidence}`);
    }
    const { durability } = tab.storage.image.identity;
    this.damage(tab, { identity: this.newIdentity(durability), logs: StoredLogs.empty });
    this.#tampered.delete(tab.storage);
    this.#rotten.delete(tab.storage);
  }

  /**
   * Whether a tab that is gone can lose what it holds without an acknowledged record being lost: the controller knows
   * that it is gone, and for every partition that it is complete for somebody else is there who is complete too, for
   * certain and not in memory alone. No log survives the loss of all its copies. Where every restart may lose records,
   * the controller waits for whoever it knows to be complete (R11), so that nobody it waits for may be gone for good.
   */
  isSpare(tab: SimulatedTab): boolean {
    const { image, settled, paused } = this.server;
    const { brokerId } = tab.storage.image.identity;
    if (!settled || paused || image === undefined || image.isActive(brokerId)) return false;
    const intact = new Set<number>();
    const isSound = ({ storage }: SimulatedTab) => !this.#damaged.has(storage) && !this.#rotten.has(storage);
    for (const { core, storage, frozen } of this.tabs.filter(isSound)) {
      const { identity } = storage.image;
      const isThere = core?.self() !== undefined && !frozen && image.isActive(identity.brokerId);
      if (isThere && identity.durability === "strict") intact.add(identity.brokerId);
    }
    const { relaxedTopic } = this.schedule;
    return [...image.partitions()].every(({ isr, eligibleLeaderReplicas }) => {
      const complete = [...isr, ...eligibleLeaderReplicas];
      return !complete.includes(brokerId) || (!relaxedTopic && complete.some((nodeId) => intact.has(nodeId)));
    });
  }

  startClients(): void {
    const { producers, consumers, recordsPerSecond } = this.schedule;
    for (let index = 0; index < producers; index++) this.producers.push(this.#newProducer(index));
    for (let index = 0; index < consumers; index++) this.startConsumer(index);
    const everyMs = 1000 / recordsPerSecond;
    const produce = () => {
      if (!this.#producing || producers === 0) return;
      this.time.after(everyMs, produce);
      const index = this.#workload.below(producers);
      // An application whose producer gave up opens another one.
      if (this.producers[index]!.isOver) this.producers[index] = this.#newProducer(index);
      // The SDK refuses a partition that its metadata does not show yet.
      const isSdk = index < this.schedule.sdkProducers;
      const partitions = isSdk ? this.schedule.partitions : this.#partitionsOf(TOPIC);
      this.producers[index]!.send(this.#workload.below(partitions));
    };
    produce();
    for (const use of this.topicUses) use.start();
    for (const group of this.groups) group.start();
  }

  #partitionsOf(topic: string): number {
    return this.server.image?.topicNamed(topic)?.partitions.length ?? 1;
  }

  stopProducing(): void {
    this.#producing = false;
    for (const use of this.topicUses) use.stopProducing();
  }

  /** Opens a consumer in the place of one that is gone. */
  startConsumer(index: number): void {
    const node = `consumer-${index}`;
    this.consumers[index] = index < this.schedule.sdkConsumers ? this.#newSdkConsumer(node) : this.newConsumer(node);
  }

  newConsumer(node: NodeName): ScriptedConsumer {
    const { asksForEnds } = this.schedule;
    return new ScriptedConsumer(node, this.#lives++, TOPIC, asksForEnds, this.#clients, this.#workload, this.recorder);
  }

  /** The pages of the SDK's producers and consumers that are not over. */
  get sdkClients(): SdkClient[] {
    const clients = [...this.producers, ...this.consumers].filter(({ isOver }) => !isOver);
    const members = this.groups.flatMap(({ sdkMembers }) => sdkMembers.map(({ client }) => client));
    const own = clients.flatMap((one) => (one instanceof SdkProducer || one instanceof SdkConsumer ? [one.client] : []));
    return [...own, ...members];
  }

  /** A page with the SDK, for whatever a run wants to ask. */
  newSdkClient(node: NodeName): SdkClient {
    return new SdkClient(node, this.#sdkContext(`${node}.${this.#lives++}`));
  }

  #newProducer(index: number): ScriptedProducer | SdkProducer {
    const node = `producer-${index}`;
    const life = this.#lives++;
    if (index < this.schedule.sdkProducers) {
      return new SdkProducer(node, life, TOPIC, this.schedule, this.#sdkContext(`${node}.${life}`), this.recorder);
    }
    return new ScriptedProducer(node, life, TOPIC, this.schedule, this.#clients, this.#workload, this.recorder);
  }

  #newSdkConsumer(node: NodeName): SdkConsumer {
    const life = this.#lives++;
    return new SdkConsumer(node, life, TOPIC, this.schedule, this.#sdkContext(`${node}.${life}`), this.recorder);
  }

  #sdkContext(process: string): SdkContext {
    const { time, network } = this;
    return {
      time,
      network,
      chance: this.chanceFor(process),
      resolve: (peer) => this.#resolve(peer),
      entered: (client, what, bytes) => {
        this.unsettled = true;
        this.trace.add(time.nowUs, client, what, bytes);
      },
      note: (message) => this.note(message),
      failed: (error) => {
        this.failure ??= error;
      },
    };
  }

  #resolve(peer: string): NodeName | undefined {
    return this.tabs.find((tab) => tab.peer === peer && tab.core !== undefined)?.name;
  }

  #handled(tab: SimulatedTab, event: BrokerEvent, effects: readonly BrokerEffect[]): void {
    this.events++;
    const size = "frame" in event ? event.frame.length : 0;
    this.trace.add(this.time.nowUs, tab.name, event.type, size);
    if (this.#damaged.has(tab.storage) && tab.core?.self() !== undefined) this.#serves(tab);
    this.oracle.look(tab, event, effects);
  }

  /** A tab with a storage that was tampered with has passed for what it is now. */
  #serves(tab: SimulatedTab): void {
    this.#damaged.delete(tab.storage);
    expectIntactEnds(tab);
    if (!isIntact(tab.storage.image.logs)) this.#rotten.add(tab.storage);
    this.controllerWatch.expectCandidates(`${tab.name} serves again`);
  }

  /** What a browser, or its user, does about a broker that is over. */
  #ended(tab: SimulatedTab): void {
    if (this.tabs.some((other) => other !== tab && other.storage === tab.storage)) return this.#lostLock(tab);
    const reload = (afterMs: number) => this.time.after(afterMs, () => this.startTab(tab));
    if (tab.endedBecause.includes("the stored log")) this.mark("damaged log found at start");
    switch (tab.endedAs) {
      case "refused":
        this.mark("refused storage");
        this.#startOver(tab, tab.endedBecause);
        return reload(200);
      case "failed":
        this.mark("broker fenced itself");
        if (tab.endedBecause.includes("Quota")) this.mark("quota self-fence");
        return reload(this.#chance.between(500, 5_000));
      case "stopped":
        return this.mark("left gracefully");
    }
  }

  /** Another page has the directory: this one is of no use any more, and closed. */
  #lostLock(tab: SimulatedTab): void {
    const index = this.tabs.indexOf(tab);
    if (index === -1) return;
    this.mark("directory taken over by another tab");
    this.tabs.splice(index, 1);
  }
}
