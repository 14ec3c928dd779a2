import fc from "fast-check";
import { expect, test } from "vitest";
import { createPartitions } from "../../src/protocol/apis/37-create-partitions.ts";
import { deleteTopics } from "../../src/protocol/apis/20-delete-topics.ts";
import { electLeaders } from "../../src/protocol/apis/43-elect-leaders.ts";
import { incrementalAlterConfigs } from "../../src/protocol/apis/44-incremental-alter-configs.ts";
import { alterPartitionReassignments } from "../../src/protocol/apis/45-alter-partition-reassignments.ts";
import { TOPIC_RESOURCE } from "../../src/metadata/image.ts";
import { imageOf, takeSnapshot } from "../../src/metadata/metadata-batch.ts";
import { effectiveMinIsr, isReassigning } from "../../src/metadata/partition.ts";
import type { Partition } from "../../src/metadata/partition.ts";
import { topicConfig } from "../../src/metadata/topic-config.ts";
import { ControllerDriver, newDirectory, TestBroker } from "./controller-driver.ts";
import type { Directory } from "./controller-driver.ts";

/**
 * Random lives of a cluster. Beside the controller runs a model of the records themselves: which copy holds which, and
 * which are committed by the leader's rule. Whatever happens, the controller must never choose a leader that lacks a
 * committed record, unless the topic allows just that.
 */
interface Step {
  readonly act: keyof typeof acts;
  readonly a: number;
  readonly b: number;
}

interface Copies {
  /** By broker: the records of its copy, in order. */
  readonly logs: Map<number, number[]>;
  committed: number[];
  /** A relaxed disk took what nobody else had. */
  isForgiven: boolean;
}

class World {
  readonly driver = new ControllerDriver({ snapshotRecords: 40 });
  readonly brokers: TestBroker[] = [];
  readonly dead = new Set<TestBroker>();
  readonly copies = new Map<string, Copies>();
  readonly idsByDirectory = new Map<string, number>();
  nextDirectory = 1;
  nextTopic = 1;
  nextRecord = 1;
  before = new Map<string, Partition>();

  pick<T>(items: readonly T[], by: number): T | undefined {
    return items.length === 0 ? undefined : items[by % items.length];
  }

  get partitions(): Partition[] {
    return [...this.driver.image.partitions()];
  }

  brokerOf(id: number): TestBroker | undefined {
    return this.brokers.find((broker) => broker.id === id && !this.dead.has(broker));
  }

  copiesOf(partition: Partition): Copies {
    const key = `${partition.topicId}/${partition.partitionIndex}`;
    const copies = this.copies.get(key) ?? { logs: new Map(), committed: [], isForgiven: false };
    this.copies.set(key, copies);
    return copies;
  }

  join(directory: Directory, rack: string): void {
    this.brokers.push(TestBroker.start(this.driver, directory, rack));
  }

  /** What leaders commit by themselves: the prefix that the whole ISR holds, while the ISR is large enough. */
  commit(): void {
    for (const partition of this.partitions) {
      const copies = this.copiesOf(partition);
      const { image } = this.driver;
      const { minInsyncReplicas } = topicConfig(image, image.topics.get(partition.topicId)!.name);
      if (partition.leader < 0 || partition.isr.length < effectiveMinIsr(partition, minInsyncReplicas)) continue;
      const log = copies.logs.get(partition.leader) ?? [];
      let end = log.length;
      for (const node of partition.isr) {
        const other = copies.logs.get(node) ?? [];
        const differs = log.findIndex((record, index) => other[index] !== record);
        if (differs >= 0) end = Math.min(end, differs);
      }
      if (end > copies.committed.length) copies.committed = log.slice(0, end);
    }
  }
}

function liveBroker(world: World, by: number): TestBroker | undefined {
  return world.pick(world.brokers.filter((broker) => !world.dead.has(broker)), by);
}

/** A step does something if it can, and nothing otherwise. */
const acts = {
  join(world: World, a: number, b: number) {
    if (world.nextDirectory > 6) return;
    world.join(newDirectory(world.nextDirectory++, b % 2 === 0 ? "relaxed" : "strict"), `rack ${a % 3}`);
  },
  die(world: World, a: number) {
    const broker = liveBroker(world, a);
    if (broker === undefined) return;
    broker.die();
    world.dead.add(broker);
  },
  leave(world: World, a: number) {
    const broker = liveBroker(world, a);
    for (let tries = 0; broker !== undefined && tries < 3; tries++) {
      const live = world.brokers.filter((other) => !world.dead.has(other));
      for (const other of live) other.heartbeat({ wantShutDown: other === broker });
    }
    if (broker !== undefined) world.dead.add(broker);
    broker?.die();
  },
  comeBack(world: World, a: number, b: number) {
    const broker = world.pick([...world.dead], a);
    if (broker === undefined) return;
    if (broker.directory.durability === "relaxed") loseTail(world, broker, b % 4);
    world.dead.delete(broker);
    broker.connectionId = world.driver.open();
    const response = broker.register();
    // A live session of the same storage, after a restart of the controller, has to end first.
    if (response.errorCode !== 0) return void world.dead.add(broker);
    broker.store(response);
    broker.heartbeat();
  },
  wipe(world: World, a: number, b: number) {
    const broker = world.pick([...world.dead], a);
    if (broker === undefined || world.nextDirectory > 8) return;
    world.dead.delete(broker);
    world.brokers.splice(world.brokers.indexOf(broker), 1);
    for (const { logs } of world.copies.values()) logs.delete(broker.id);
    world.join(newDirectory(world.nextDirectory++), `rack ${b % 3}`);
  },
  clone(world: World, a: number) {
    const broker = liveBroker(world, a);
    if (broker === undefined || broker.registration!.fenced) return;
    const copy = new TestBroker(world.driver, { ...broker.directory });
    expect(copy.register().errorCode).not.toBe(0);
    copy.die();
  },
  append(world: World, a: number) {
    const partition = world.pick(world.partitions, a);
    if (partition === undefined || partition.leader < 0) return;
    const { logs } = world.copiesOf(partition);
    logs.set(partition.leader, [...(logs.get(partition.leader) ?? []), world.nextRecord++]);
  },
  replicate(world: World, a: number, b: number) {
    const partition = world.pick(world.partitions, a);
    const leader = partition && world.brokerOf(partition.leader);
    if (partition === undefined || leader === undefined) return;
    const { logs } = world.copiesOf(partition);
    const log = logs.get(leader.id) ?? [];
    for (const node of partition.replicas) {
      if ((b >> (node % 5)) % 2 === 0 && world.brokerOf(node) !== undefined) logs.set(node, [...log]);
    }
    // Whoever holds the leader's whole log may join.
    const mayJoin = (node: number) => sameLog(logs.get(node) ?? [], log) && world.driver.image.isActive(node);
    const isr = partition.replicas.filter((node) => partition.isr.includes(node) || mayJoin(node));
    if (isr.length > partition.isr.length) leader.proposeIsr(partition, isr);
  },
  shrink(world: World, a: number, b: number) {
    const partition = world.pick(world.partitions, a);
    const leader = partition && world.brokerOf(partition.leader);
    if (partition === undefined || leader === undefined) return;
    leader.proposeIsr(partition, partition.isr.filter((node) => node === leader.id || (b >> (node % 5)) % 2 === 0));
  },
  proposeStale(world: World, a: number, b: number) {
    const partition = world.pick(world.partitions, a);
    const broker = liveBroker(world, b);
    if (partition === undefined || broker === undefined) return;
    const stale = { partitionEpoch: partition.partitionEpoch - 1 };
    const { topics } = broker.proposeIsr(partition, partition.replicas, stale);
    expect(topics[0]?.partitions[0]?.errorCode ?? -1).not.toBe(0);
  },
  createTopic(world: World, a: number, b: number) {
    if (world.nextTopic > 4) return;
    const name = a % 5 === 0 ? `unclean-${world.nextTopic++}` : `topic-${world.nextTopic++}`;
    const configs = a % 5 === 0 ? [{ name: "unclean.leader.election.enable", value: "true" }] : [];
    world.driver.createTopic(name, 1 + (b % 3), { replicationFactor: b % 2 === 0 ? -1 : 1 + (b % 4), configs });
  },
  deleteTopic(world: World, a: number) {
    const topic = a % 4 === 0 ? world.pick([...world.driver.image.topics.values()], a) : undefined;
    if (topic === undefined) return;
    world.driver.ask(world.driver.open(), deleteTopics, 5, { topicNames: [topic.name], timeoutMs: 0 });
  },
  grow(world: World, a: number) {
    const topic = world.pick([...world.driver.image.topics.values()], a);
    if (topic === undefined || topic.partitions.length > 3) return;
    const grown = { name: topic.name, count: topic.partitions.length + 1 };
    world.driver.ask(world.driver.open(), createPartitions, 3, { topics: [grown], timeoutMs: 0, validateOnly: false });
  },
  configure(world: World, a: number, b: number) {
    const topic = world.pick([...world.driver.image.topics.values()], a);
    if (topic === undefined) return;
    const name = b % 2 === 0 ? "min.insync.replicas" : "replication.factor";
    const configs = [{ name, configOperation: b % 5 === 0 ? 1 : 0, value: b % 5 === 0 ? null : String(1 + (b % 3)) }];
    world.driver.ask(world.driver.open(), incrementalAlterConfigs, 1, {
      resources: [{ resourceType: TOPIC_RESOURCE, resourceName: topic.name, configs }],
      validateOnly: false,
    });
  },
  reassign(world: World, a: number, b: number) {
    const partition = world.pick(world.partitions, a);
    if (partition === undefined) return;
    const ids = [...world.driver.image.brokers.keys()];
    const chosen = ids.filter((_, index) => (b >> index) % 2 === 0);
    const start = b % Math.max(1, chosen.length);
    alterReassignment(world, partition, [...chosen.slice(start), ...chosen.slice(0, start)]);
  },
  cancelReassignment(world: World, a: number) {
    const partition = world.pick(world.partitions.filter(isReassigning), a);
    if (partition !== undefined) alterReassignment(world, partition, null);
  },
  electPreferred(world: World) {
    world.driver.ask(world.driver.open(), electLeaders, 2, { electionType: 0, topicPartitions: null });
  },
  electUnclean(world: World, a: number) {
    const partition = world.pick(world.partitions.filter(({ leader }) => leader === -1), a);
    if (partition === undefined) return;
    const { topicId, partitionIndex } = partition;
    const topic = world.driver.image.topics.get(topicId)!.name;
    world.driver.ask(world.driver.open(), electLeaders, 2, {
      electionType: 1,
      topicPartitions: [{ topic, partitions: [partitionIndex] }],
    });
    // Whoever asks for this gives up what was committed.
    const isElected = world.driver.image.partition(topicId, partitionIndex)!.leader !== -1;
    if (isElected) world.copiesOf(partition).isForgiven = true;
  },
  beat(world: World, a: number) {
    for (let beats = 0; beats <= a % 8; beats++) {
      for (const broker of world.brokers) if (!world.dead.has(broker)) broker.heartbeat();
      world.driver.advance(900);
    }
  },
  freeze(world: World, a: number) {
    // Nobody is heard for so long, and then everybody is again.
    world.driver.advance(a % 100_000);
    for (const broker of world.brokers) if (!world.dead.has(broker)) broker.heartbeat();
  },
  restartController(world: World) {
    const before = world.partitions;
    world.driver.restart();
    expect(world.partitions, "a restart costs no leadership").toEqual(before);
    for (const broker of world.brokers) {
      if (world.dead.has(broker)) continue;
      broker.connectionId = world.driver.open();
      broker.heartbeat();
    }
  },
};

function alterReassignment(world: World, { topicId, partitionIndex }: Partition, replicas: number[] | null): void {
  const { name } = world.driver.image.topics.get(topicId)!;
  world.driver.ask(world.driver.open(), alterPartitionReassignments, 1, {
    topics: [{ name, partitions: [{ partitionIndex, replicas }] }],
  });
}

/** A relaxed disk forgets its last records when the machine loses power. */
function loseTail(world: World, broker: TestBroker, count: number): void {
  for (const partition of world.partitions) {
    const copies = world.copiesOf(partition);
    const log = copies.logs.get(broker.id) ?? [];
    copies.logs.set(broker.id, log.slice(0, log.length - count));
    const others = [...partition.isr, ...partition.eligibleLeaderReplicas].filter((node) => node !== broker.id);
    if (others.length === 0 && count > 0) copies.isForgiven = true;
  }
}

function sameLog(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((record, index) => record === right[index]);
}

/** Cheaper than `expect`, which these loops would call some hundred thousand times. */
function must(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(sentence);
}

function check(world: World): void {
  const { image } = world.driver;
  for (const partition of world.partitions) {
    const { leader, isr, replicas, addingReplicas, eligibleLeaderReplicas: elr, topicId, partitionIndex } = partition;
    const { name } = image.topics.get(topicId)!;
    const what = `${name}-${partitionIndex}`;
    must(isr.length > 0, `${what} has no in-sync replica`);
    const { removingReplicas, reassignedFrom } = partition;
    must(isReassigning(partition) || removingReplicas.length === 0, `${what} removes replicas for no reason`);
    must(new Set(reassignedFrom).size === reassignedFrom.length, `${what} came from a broker twice`);
    for (const list of [isr, replicas, addingReplicas, removingReplicas, elr, partition.lastKnownElr]) {
      must(new Set(list).size === list.length, `${what} names a broker twice`);
      must(list.every((node) => replicas.includes(node)), `${what} names a broker that is no replica`);
    }
    must(!isr.some((node) => elr.includes(node)), `${what} has a broker in both ISR and ELR`);
    must(!isr.some((node) => addingReplicas.includes(node)), `${what} still adds a broker that is in sync`);
    if (leader === -1) {
      must(isr.length === 1, `${what} has no leader, and ${isr.length} brokers in sync`);
      must(![...isr, ...elr].some((node) => image.isActive(node)), `${what} has somebody who could lead`);
    } else {
      must(isr.includes(leader), `${what} is led by a broker that is not in sync`);
      must(isr.every((node) => image.isActive(node)), `${what} has a broker in sync that is not active`);
    }
    const { minInsyncReplicas } = topicConfig(image, name);
    if (isr.length >= effectiveMinIsr(partition, minInsyncReplicas)) must(elr.length === 0, `${what} needs no ELR`);

    const before = world.before.get(what);
    if (before !== undefined && before.topicId === topicId && before !== partition) {
      const elections = partition.leaderEpoch - before.leaderEpoch;
      must(elections >= 0 && partition.partitionEpoch >= before.partitionEpoch, `${what} has epochs that go back`);
      must(elections > 0 || leader === before.leader, `${what} has a new leader in an old epoch`);
    }
    world.before.set(what, partition);

    const { logs, committed, isForgiven } = world.copiesOf(partition);
    if (leader !== -1 && !isForgiven && !name.startsWith("unclean")) {
      must(sameLog((logs.get(leader) ?? []).slice(0, committed.length), committed), `${what} lost committed records`);
    }
  }
  for (const { directoryId, brokerId } of image.directories.values()) {
    const before = world.idsByDirectory.get(directoryId) ?? brokerId;
    must(before === brokerId, "a directory has another node id than before");
    world.idsByDirectory.set(directoryId, brokerId);
  }
  must(new Set(world.idsByDirectory.values()).size === world.idsByDirectory.size, "a node id was given twice");
}

const common: (keyof typeof acts)[] = ["die", "comeBack", "append", "replicate"];
const step: fc.Arbitrary<Step> = fc.record({
  act: fc.oneof(
    fc.constantFrom(...common),
    fc.constantFrom(...(Object.keys(acts) as (keyof typeof acts)[])),
  ),
  a: fc.nat(1_000_000),
  b: fc.nat(1_000_000),
});

test("[R1] [R9] [R10] [R11] [R12] [R13] whatever happens, leaders are complete and the image follows its rules", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: "max" }), (steps) => {
      const world = new World();
      acts.join(world, 0, 1);
      acts.join(world, 1, 1);
      acts.createTopic(world, 1, 0);
      for (const { act, a, b } of steps) {
        world.commit();
        acts[act](world, a, b);
        check(world);
        world.commit();
      }
      const { image } = world.driver;
      expect(world.driver.replayed(), "the log replays to the image").toEqual(image);
      expect(imageOf(takeSnapshot(image)), "a snapshot makes an equal image").toEqual(image);
    }),
    { numRuns: 150 },
  );
}, 120_000);

test("the cluster comes to rest: once tabs stay, replicas and leaders stop moving", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 50, size: "max" }), (steps) => {
      const world = new World();
      acts.join(world, 0, 1);
      acts.createTopic(world, 1, 2);
      for (const { act, a, b } of steps) acts[act](world, a, b);
      const settle = () => {
        for (let index = 0; index < world.partitions.length; index++) acts.replicate(world, index, 0);
        for (const broker of world.brokers) if (!world.dead.has(broker)) broker.heartbeat();
        world.driver.advance(1_000);
      };
      for (let second = 0; second < 100; second++) settle();
      const { endOffset } = world.driver.image;
      for (let second = 0; second < 10; second++) settle();
      expect(world.driver.image.endOffset).toBe(endOffset);
      for (const partition of world.partitions.filter(isReassigning)) {
        const { replicas, removingReplicas, leader } = partition;
        const isWaiting = (node: number) => !removingReplicas.includes(node) && !world.driver.image.isActive(node);
        must(leader === -1 || replicas.some(isWaiting), "a reassignment does not come to its end");
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);
