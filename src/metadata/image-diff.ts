import type { ClusterImage, ImageChange } from "./image.ts";
import { BROKER_RESOURCE, TOPIC_RESOURCE } from "./image.ts";
import { samePartition } from "./partition.ts";

/** What changed from one image to a later one, for a reader who skipped the records between them. */
export function imageDiff(before: ClusterImage, after: ClusterImage): ImageChange[] {
  return [...brokerChanges(before, after), ...topicChanges(before, after), ...configChanges(before, after)];
}

function* brokerChanges(before: ClusterImage, after: ClusterImage): Generator<ImageChange> {
  for (const brokerId of new Set([...before.brokers.keys(), ...after.brokers.keys()])) {
    const old = before.brokers.get(brokerId);
    const current = after.brokers.get(brokerId);
    // A registration differs in its epoch. Later these two may change, and an endpoint, on which nobody acts.
    const isSame =
      old?.brokerEpoch === current?.brokerEpoch &&
      old?.fenced === current?.fenced &&
      old?.inControlledShutdown === current?.inControlledShutdown;
    if (!isSame) yield { kind: "broker", brokerId };
  }
}

function* topicChanges(before: ClusterImage, after: ClusterImage): Generator<ImageChange> {
  for (const topicId of before.topics.keys()) {
    if (!after.topics.has(topicId)) yield { kind: "topic", topicId };
  }
  for (const { topicId, partitions } of after.topics.values()) {
    const old = before.topics.get(topicId);
    if (old === undefined) yield { kind: "topic", topicId };
    for (const partition of partitions) {
      const { partitionIndex } = partition;
      const previous = old?.partitions[partitionIndex];
      if (previous === undefined || !samePartition(previous, partition)) {
        yield { kind: "partition", topicId, partitionIndex };
      }
    }
  }
}

function* configChanges(before: ClusterImage, after: ClusterImage): Generator<ImageChange> {
  const resources: [number, string][] = [[BROKER_RESOURCE, ""]];
  for (const name of after.topicsByName.keys()) resources.push([TOPIC_RESOURCE, name]);
  for (const [resourceType, resourceName] of resources) {
    const old = before.configOf(resourceType, resourceName);
    const current = after.configOf(resourceType, resourceName);
    const isSame = old.size === current.size && [...current].every(([name, value]) => old.get(name) === value);
    if (!isSame) yield { kind: "config", resourceType, resourceName };
  }
}
