import type { ClusterView } from "../index.ts";
import { countOf, listOf } from "./figures.ts";
import { isInternal } from "./replica-grid.ts";
import { visibleText } from "./visible-text.ts";

type Topic = ClusterView["topics"][number];
type Partition = Topic["partitions"][number];

/** More partitions than these are counted, not named. */
const PARTITIONS_NAMED = 6;

/**
 * What has happened to tabs, topics and leaders from one view to the next, in sentences. Topics that brokers keep for
 * themselves are left out.
 */
export function clusterNews(before: ClusterView, after: ClusterView): readonly string[] {
  const known = new Map(before.topics.map((topic) => [topic.topicId, topic]));
  return [
    ...aboutBrokers(before, after),
    ...aboutGoneTopics(before, after),
    ...after.topics.filter(({ name }) => !isInternal(name)).flatMap((topic) => {
      const last = known.get(topic.topicId);
      return last === undefined ? [aboutNewTopic(topic)] : [...aboutLeaders(last, topic), ...aboutCopies(last, topic)];
    }),
  ];
}

function aboutBrokers(before: ClusterView, after: ClusterView): readonly string[] {
  const wereUp = new Set(before.brokers.filter(({ fenced }) => !fenced).map(({ nodeId }) => nodeId));
  return after.brokers
    .filter(({ nodeId, fenced }) => fenced === wereUp.has(nodeId))
    .map(({ nodeId, fenced }) => `Broker ${nodeId} is ${fenced ? "gone" : "up"}.`);
}

function aboutNewTopic({ name, partitions }: Topic): string {
  return `Topic ${shown(name)} is made, of ${countOf(partitions.length, "partition", "partitions")}.`;
}

function aboutGoneTopics(before: ClusterView, after: ClusterView): readonly string[] {
  const present = new Set(after.topics.map(({ topicId }) => topicId));
  return before.topics
    .filter(({ name, topicId }) => !isInternal(name) && !present.has(topicId))
    .map(({ name }) => `Topic ${shown(name)} is deleted.`);
}

function aboutLeaders(before: Topic, after: Topic): readonly string[] {
  const led = changed(before, after, (last, now) => (last.leader === now.leader ? [] : [now.leader]));
  return [...led].map(([leader, partitions]) =>
    leader < 0
      ? `Nobody leads ${partsOf(after, partitions)}.`
      : `Broker ${leader} leads ${partsOf(after, partitions)}.`,
  );
}

/** Copies that have caught up. Those that are lost were in a tab that is gone, which is told already. */
function aboutCopies(before: Topic, after: Topic): readonly string[] {
  const caughtUp = changed(before, after, (last, now) => now.isr.filter((id) => !last.isr.includes(id)));
  return [...caughtUp].map(([id, partitions]) => `Broker ${id} is in sync with ${partsOf(after, partitions)}.`);
}

/** The partitions for which `find` names a broker, by that broker. */
function changed(
  before: Topic,
  after: Topic,
  find: (last: Partition, now: Partition) => readonly number[],
): ReadonlyMap<number, readonly number[]> {
  const known = new Map(before.partitions.map((partition) => [partition.partitionIndex, partition]));
  const found = new Map<number, number[]>();
  for (const now of after.partitions) {
    const last = known.get(now.partitionIndex);
    if (last === undefined) continue;
    for (const id of find(last, now)) found.set(id, [...(found.get(id) ?? []), now.partitionIndex]);
  }
  return found;
}

function partsOf({ name, partitions }: Topic, indexes: readonly number[]): string {
  if (indexes.length === partitions.length) return `all of ${shown(name)}`;
  const numbers = [...indexes].sort((a, b) => a - b).map(String);
  const named =
    numbers.length > PARTITIONS_NAMED
      ? countOf(numbers.length, "partition", "partitions")
      : `${numbers.length === 1 ? "partition" : "partitions"} ${listOf(numbers)}`;
  return `${named} of ${shown(name)}`;
}

function shown(topic: string): string {
  return visibleText(topic, 40);
}
