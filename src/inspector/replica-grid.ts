import type { ClusterView } from "../index.ts";

/**
 * The cluster as a picture has it: brokers are columns, partitions are rows, and each crossing says what that broker's
 * copy of that partition is. Pure, so that what the picture claims is tested without drawing it.
 */
export interface ReplicaGrid {
  readonly columns: readonly GridColumn[];
  readonly topics: readonly GridTopic[];
  /** Brokers that are gone and hold no shown copy; they are counted, not drawn. */
  readonly hiddenBrokers: number;
  readonly hiddenTopics: number;
}

export interface GridColumn {
  readonly nodeId: number;
  readonly own: boolean;
  readonly fenced: boolean;
  readonly rack: string;
  /** "A", "B" … in the order in which the profiles first registered. */
  readonly profile: string;
}

export interface GridTopic {
  readonly topicId: string;
  readonly name: string;
  readonly replicationFactor: number;
  readonly rows: readonly GridRow[];
  /** Partitions that the picture leaves out. */
  readonly hiddenPartitions: number;
}

export interface GridRow {
  readonly partitionIndex: number;
  readonly leader: number;
  readonly leaderEpoch: number;
  /** One per column. */
  readonly copies: readonly Copy[];
  readonly copyCount: number;
  readonly inSyncCount: number;
  readonly worry: Worry | undefined;
}

export type Copy = "leader" | "in-sync" | "catching-up" | "offline" | "none";

/** In falling order of weight: a row shows the heaviest. */
export type Worry = "no-leader" | "one-copy" | "one-profile";

/** What is read from: whose tab it is drawn in, and the topic it is about. */
export interface GridFocus {
  readonly ownId: number;
  readonly topic: string | undefined;
}

/** More rows than these are slow to draw and no longer a picture. */
const TOPICS_SHOWN = 6;
const PARTITIONS_OF_FOCUS = 48;
const PARTITIONS_OF_OTHERS = 6;

type Broker = ClusterView["brokers"][number];
type Topic = ClusterView["topics"][number];
type Partition = Topic["partitions"][number];

export function replicaGrid(view: ClusterView, focus: GridFocus): ReplicaGrid {
  const brokers = new Map(view.brokers.map((broker) => [broker.nodeId, broker]));
  const topics = shownTopics(view, focus);
  const holders = new Set(topics.flatMap((topic) => topic.partitions.flatMap(copiesOf)));
  const profiles = profileNames(view.brokers);
  const columns = view.brokers
    .filter((broker) => !broker.fenced || broker.nodeId === focus.ownId || holders.has(broker.nodeId))
    .map((broker) => column(broker, focus.ownId, profiles))
    .sort((a, b) => compareLetters(a.profile, b.profile) || a.nodeId - b.nodeId);
  return {
    columns,
    topics: topics.map((topic) => {
      const limit = topic.name === focus.topic ? PARTITIONS_OF_FOCUS : PARTITIONS_OF_OTHERS;
      return {
        topicId: topic.topicId,
        name: topic.name,
        replicationFactor: topic.replicationFactor,
        rows: topic.partitions.slice(0, limit).map((partition) => row(partition, columns, brokers)),
        hiddenPartitions: Math.max(0, topic.partitions.length - limit),
      };
    }),
    hiddenBrokers: view.brokers.length - columns.length,
    hiddenTopics: view.topics.length - topics.length,
  };
}

function shownTopics(view: ClusterView, focus: GridFocus): readonly Topic[] {
  const focused = view.topics.filter((topic) => topic.name === focus.topic);
  const others = view.topics.filter((topic) => topic.name !== focus.topic).sort(byPurpose);
  return [...focused, ...others.slice(0, TOPICS_SHOWN - focused.length)];
}

/** Topics of the cluster itself come after those that people have made. */
export function byPurpose(a: { readonly name: string }, b: { readonly name: string }): number {
  return Number(isInternal(a.name)) - Number(isInternal(b.name)) || compare(a.name, b.name);
}

/** As Kafka names the topics that brokers keep for themselves. */
export function isInternal(topic: string): boolean {
  return topic.startsWith("__");
}

/** Profiles by letter, in the order of their lowest node id: the same in every tab. */
export function profileNames(brokers: readonly Broker[]): ReadonlyMap<string, string> {
  const racks = new Set([...brokers].sort((a, b) => a.nodeId - b.nodeId).map((broker) => broker.rack));
  return new Map([...racks].map((rack, index) => [rack, letters(index)]));
}

/** Every broker that holds, or is about to hold, a copy. */
export function copiesOf(partition: Partition): readonly number[] {
  return [...new Set([...partition.replicas, ...partition.addingReplicas])];
}

function column(broker: Broker, ownId: number, profiles: ReadonlyMap<string, string>): GridColumn {
  return {
    nodeId: broker.nodeId,
    own: broker.nodeId === ownId,
    fenced: broker.fenced,
    rack: broker.rack,
    profile: profiles.get(broker.rack) ?? "?",
  };
}

function row(partition: Partition, columns: readonly GridColumn[], brokers: ReadonlyMap<number, Broker>): GridRow {
  return {
    partitionIndex: partition.partitionIndex,
    leader: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    copies: columns.map((broker) => copyAt(partition, broker)),
    copyCount: copiesOf(partition).length,
    inSyncCount: partition.isr.length,
    worry: worryOf(partition, brokers),
  };
}

function copyAt(partition: Partition, broker: GridColumn): Copy {
  if (!copiesOf(partition).includes(broker.nodeId)) return "none";
  if (broker.fenced) return "offline";
  if (partition.leader === broker.nodeId) return "leader";
  return partition.isr.includes(broker.nodeId) ? "in-sync" : "catching-up";
}

function worryOf(partition: Partition, brokers: ReadonlyMap<number, Broker>): Worry | undefined {
  if (partition.leader < 0) return "no-leader";
  const holders = partition.isr.map((id) => brokers.get(id)).filter((broker) => broker !== undefined);
  if (holders.length < 2) return "one-copy";
  return new Set(holders.map((broker) => broker.rack)).size === 1 ? "one-profile" : undefined;
}

function letters(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : letters(Math.floor(index / 26) - 1) + letter;
}

/** "Z" comes before "AA". */
function compareLetters(a: string, b: string): number {
  return a.length - b.length || compare(a, b);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
