import { partitionKey } from "../../src/log/stored-log.ts";
import type { ControllerEffect, ControllerEvent } from "../../src/metadata/controller.ts";
import type { BrokerRegistration, ClusterImage, StorageDirectory } from "../../src/metadata/image.ts";
import { effectiveMinIsr, samePartition } from "../../src/metadata/partition.ts";
import type { Partition } from "../../src/metadata/partition.ts";
import { topicConfig } from "../../src/metadata/topic-config.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { IsrDecisions } from "./isr-decisions.ts";
import { expectComplete, fail } from "./oracle-context.ts";
import type { OracleContext } from "./oracle-context.ts";
import type { Occasion } from "./schedule.ts";
import { expectPresentable } from "./storage-watch.ts";

/** A state that the controller gave a partition, and where its log ended then. */
interface Decided {
  readonly partition: Partition;
  readonly endOffset: number;
}

/**
 * Watches the controller: each decision against the rules for ISR, ELR, leaders and epochs, and what is on its disk
 * against what brokers have heard. It looks at a partition when it changed, and at all of them only for what one look
 * at each costs little.
 */
export class ControllerWatch {
  readonly #context: OracleContext;
  readonly #isrDecisions: IsrDecisions;
  /** The partitions as decided last, by their keys. */
  /** A broker may go on with a topic that is deleted, until it has heard of it. */
  readonly #keys = new Set<string>();
  readonly #partitions = new Map<string, Partition>();
  /** The same as they are on the controller's disk, and what was decided since, oldest first. */
  readonly #storedPartitions = new Map<string, Partition>();
  readonly #unstored: Decided[] = [];
  readonly #brokers = new Map<number, BrokerRegistration>();
  readonly #directories = new Map<string, StorageDirectory>();
  /** Where the next block of producer ids started, each time that it moved, oldest first. */
  readonly #producerIds: { readonly start: number; readonly endOffset: number }[] = [];
  /** Every state of every partition, by its key and partition epoch. */
  readonly #history = new Map<string, Decided>();
  #image: ClusterImage | undefined;
  #endOffset = 0;
  #storedEnd = 0;
  #listener: ((occasion: Occasion) => void) | undefined;
  /** When the leader of any partition changed last, and where the log ended then. */
  lastElectionUs = Number.NEGATIVE_INFINITY;
  lastElectionEnd = 0;

  constructor(context: OracleContext) {
    this.#context = context;
    this.#isrDecisions = new IsrDecisions(context);
  }

  /** The end of what the controller's disk holds. */
  get storedEnd(): number {
    return this.#storedEnd;
  }

  /** As decided last; undefined once its topic is deleted, and everybody may delete it. */
  partition(key: string): Partition | undefined {
    const partition = this.#partitions.get(key);
    return partition !== undefined && this.#image?.topics.has(partition.topicId) === true ? partition : undefined;
  }

  /** What the partition was from that partition epoch on, oldest first, without what it was within one event only. */
  statesSince(key: string, partitionEpoch: number): readonly Partition[] {
    const states: Partition[] = [];
    const last = this.#partitions.get(key)?.partitionEpoch ?? -1;
    for (let epoch = partitionEpoch; epoch <= last; epoch++) {
      const decided = this.#history.get(`${key}/${epoch}`);
      if (decided !== undefined) states.push(decided.partition);
    }
    return states;
  }

  /** As another controller would find it, if this one died now. */
  storedPartition(key: string): Partition | undefined {
    const partition = this.#storedPartitions.get(key);
    return partition !== undefined && this.#image?.topics.has(partition.topicId) === true ? partition : undefined;
  }

  /** The keys of all partitions that ever were. */
  get keys(): IterableIterator<string> {
    return this.#keys.values();
  }

  onOccasion(listener: (occasion: Occasion) => void): void {
    this.#listener = listener;
  }

  stored(endOffset: number): void {
    this.#storedEnd = endOffset;
    while (this.#unstored.length > 0 && this.#unstored[0]!.endOffset <= endOffset) {
      const { partition } = this.#unstored.shift()!;
      this.#storedPartitions.set(keyOf(partition), partition);
    }
  }

  /** Another controller takes over, from the disk: what was decided and not stored never was. */
  restarted(image: ClusterImage, fromSnapshot: boolean): void {
    if (image.endOffset !== this.#storedEnd) {
      fail("metadata-is-durable", `the controller starts at ${image.endOffset}, and ${this.#storedEnd} was stored`);
    }
    if (fromSnapshot) this.#context.mark("controller restarted from snapshot");
    for (const [key, { endOffset }] of this.#history) if (endOffset > this.#storedEnd) this.#history.delete(key);
    this.#image = image;
    this.#endOffset = image.endOffset;
    this.#partitions.clear();
    this.#storedPartitions.clear();
    this.#unstored.length = 0;
    this.#brokers.clear();
    this.#directories.clear();
    for (const partition of image.partitions()) {
      this.#take(partition, image.endOffset);
      this.#storedPartitions.set(keyOf(partition), partition);
      this.#expectComplete(partition, "the controller starts");
    }
    while ((this.#producerIds.at(-1)?.endOffset ?? 0) > this.#storedEnd) this.#producerIds.pop();
    const start = this.#producerIds.at(-1)?.start ?? 0;
    if (image.nextProducerId !== start) {
      fail("producer-ids-are-unique", `the controller starts at producer id ${image.nextProducerId}, ${start} is due`);
    }
    for (const broker of image.brokers.values()) this.#brokers.set(broker.brokerId, broker);
  }

  handled(event: ControllerEvent, effects: readonly ControllerEffect[], image: ClusterImage): void {
    if (event.type === "request") this.#isrDecisions.asked(event, image, (key) => this.partition(key));
    this.#isrDecisions.answered(effects);
    if (image === this.#image && image.endOffset === this.#endOffset) return;
    this.#image = image;
    this.#endOffset = image.endOffset;
    const occasions = new Set<Occasion>(["decision"]);
    for (const topic of image.topics.values()) {
      const { names, mark } = this.#context;
      if (names.add(topic.topicId, topic.name)) mark("topic deleted and made again");
      for (const partition of topic.partitions) this.#look(image, topic.name, partition, occasions);
    }
    for (const broker of image.brokers.values()) {
      const before = this.#brokers.get(broker.brokerId);
      if (before === broker) continue;
      if (before !== undefined && broker.brokerEpoch < before.brokerEpoch) fail("broker-epoch-monotonic", describe(broker));
      if (before !== undefined && broker.brokerEpoch > before.brokerEpoch && !broker.fenced) {
        fail("new-epoch-is-fenced", `${describe(broker)} serves at once`);
      }
      this.#brokers.set(broker.brokerId, broker);
      occasions.add("broker-change");
    }
    for (const directory of image.directories.values()) {
      if (this.#directories.get(directory.directoryId) === directory) continue;
      this.#directories.set(directory.directoryId, directory);
      expectPresentable(this.#context, directory);
    }
    if (image.nextProducerId !== (this.#producerIds.at(-1)?.start ?? 0)) {
      this.#producerIds.push({ start: image.nextProducerId, endOffset: image.endOffset });
    }
    if (this.#listener !== undefined) for (const occasion of occasions) this.#listener(occasion);
  }

  /** The tab has stored another identity. */
  expectPresentable({ storage }: SimulatedTab): void {
    const directory = this.#image?.directories.get(storage.image.identity.directoryId);
    if (directory !== undefined) expectPresentable(this.#context, directory);
  }

  /** A tab whose storage may have lost records counts again: it is a candidate only where it has all of them (R11). */
  expectCandidates(when: string): void {
    for (const partition of this.#image?.partitions() ?? []) this.#expectComplete(partition, when);
  }

  /** A broker has applied the metadata up to `image.endOffset`: it is a prefix of what the controller stored. */
  expectPrefix(name: string, image: ClusterImage): void {
    if (image.endOffset > this.#storedEnd) {
      fail("told-is-durable", `${name} knows the metadata to ${image.endOffset}, the disk holds it to ${this.#storedEnd}`);
    }
    for (const partition of image.partitions()) {
      const decided = this.#history.get(stateKey(partition));
      if (decided?.partition === partition) continue;
      if (decided === undefined || decided.endOffset > this.#storedEnd || !samePartition(decided.partition, partition)) {
        fail("metadata-log-matching", `${name} has ${JSON.stringify(partition)}, not ${JSON.stringify(decided)}`);
      }
    }
  }

  #look(image: ClusterImage, topic: string, partition: Partition, occasions: Set<Occasion>): void {
    const before = this.#partitions.get(keyOf(partition));
    const { minInsyncReplicas } = topicConfig(image, topic);
    const minimum = effectiveMinIsr(partition, minInsyncReplicas);
    this.#expectSound(image, partition, minimum);
    if (before === partition) return;
    if (before !== undefined) {
      this.#expectForward(before, partition);
      this.#markChange(image, before, partition, minimum);
      if (before.isr.length !== partition.isr.length) occasions.add("isr-change");
      if (before.leader !== partition.leader) {
        occasions.add("election");
        this.lastElectionUs = this.#context.nowUs();
        this.lastElectionEnd = image.endOffset;
      }
    }
    this.#take(partition, image.endOffset);
    this.#unstored.push({ partition, endOffset: image.endOffset });
    this.#expectComplete(partition, "the controller decides");
  }

  #expectComplete(partition: Partition, when: string): void {
    const label = this.#context.names.labelOf(partition.topicId, partition.partitionIndex)!;
    expectComplete(this.#context, partition, this.#context.truth.endOffset(label), when);
  }

  #take(partition: Partition, endOffset: number): void {
    this.#keys.add(keyOf(partition));
    this.#partitions.set(keyOf(partition), partition);
    this.#history.set(stateKey(partition), { partition, endOffset });
  }

  /** What one state of a partition must be, whatever it was before. */
  #expectSound(image: ClusterImage, partition: Partition, minimum: number): void {
    const { isr, eligibleLeaderReplicas: elr, replicas, leader } = partition;
    const unsound = (what: string) => fail("partition-is-sound", `${what}: ${JSON.stringify(partition)}`);
    if (isr.length === 0) unsound("nobody is in sync");
    if (!isr.every((node) => replicas.includes(node))) unsound("a member of the ISR is no replica");
    if (!elr.every((node) => replicas.includes(node))) unsound("a member of the ELR is no replica");
    if (elr.some((node) => isr.includes(node))) unsound("ISR and ELR have a member in common");
    if (elr.length > 0 && isr.length >= minimum) unsound("the ISR has its minimum, and the ELR is not empty");
    if (leader >= 0 && !isr.includes(leader)) unsound("the leader is not in sync");
    const isLast = isr.length === 1 && leader < 0;
    if (!isLast && isr.some((node) => !image.isActive(node))) unsound("a broker that is away is in sync");
  }

  #expectForward(before: Partition, after: Partition): void {
    if (after.partitionEpoch <= before.partitionEpoch) fail("partition-epoch-monotonic", JSON.stringify([before, after]));
    if (after.leaderEpoch < before.leaderEpoch) fail("leader-epoch-monotonic", JSON.stringify([before, after]));
    if (after.leader !== before.leader && after.leaderEpoch === before.leaderEpoch) {
      fail("election-has-an-epoch", JSON.stringify([before, after]));
    }
  }

  #markChange(image: ClusterImage, before: Partition, after: Partition, minimum: number): void {
    const { mark } = this.#context;
    if (after.isr.length < before.isr.length) mark("ISR shrunk");
    if (after.isr.length > before.isr.length) mark("ISR expanded");
    if (after.isr.length === minimum && minimum < after.replicas.length) mark("ISR at its minimum");
    const gone = before.replicas.filter((node) => !after.replicas.includes(node));
    const added = after.replicas.filter((node) => !before.replicas.includes(node));
    if (added.length > 0) mark("replica added");
    if (gone.some((node) => !image.isActive(node))) mark(added.length > 0 ? "replica replaced" : "lost replica given up");
    if (gone.some((node) => image.isActive(node))) mark("spare replica given up");
    if (after.leader === before.leader || after.leader < 0) return;
    const { leader } = after;
    if (before.eligibleLeaderReplicas.includes(leader) && !before.isr.includes(leader)) mark("ELR election");
    if (before.leader >= 0 && after.isr.includes(before.leader)) mark("leader balanced");
    if (before.leader < 0 && before.isr.includes(leader)) mark("last in-sync replica came back");
  }
}

export function keyOf({ topicId, partitionIndex }: Partition): string {
  return partitionKey(topicId, partitionIndex);
}

function stateKey(partition: Partition): string {
  return `${keyOf(partition)}/${partition.partitionEpoch}`;
}

function describe({ brokerId, brokerEpoch }: BrokerRegistration): string {
  return `broker ${brokerId} in epoch ${brokerEpoch}`;
}
