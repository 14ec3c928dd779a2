import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { BrokerRegistration, ClusterImage, Topic } from "./image.ts";
import { NO_LEADER } from "./partition.ts";
import type { Partition } from "./partition.ts";
import { changePartitions } from "./partition-changes.ts";
import { topicConfig } from "./topic-config.ts";

/** The values of `fenced` in a BrokerRegistrationChangeRecord. */
const FENCE = 1;
const UNFENCE = -1;

/** A broker is away: it leads nothing any more, and leaves every ISR that has another member. */
export function fenceBroker(image: ClusterImage, broker: BrokerRegistration): MetadataRecordInit[] {
  const { brokerId, brokerEpoch } = broker;
  return [
    { type: "BrokerRegistrationChangeRecord", brokerId, brokerEpoch, fenced: FENCE },
    ...partitionsWithout(image, brokerId),
  ];
}

/** A broker is ready: it may lead what waits for a leader. It joins ISRs by catching up, on its leaders' word. */
export function unfenceBroker(image: ClusterImage, broker: BrokerRegistration): MetadataRecordInit[] {
  const { brokerId, brokerEpoch } = broker;
  const waits = ({ leader, replicas }: Partition) => leader === NO_LEADER && replicas.includes(brokerId);
  return [
    { type: "BrokerRegistrationChangeRecord", brokerId, brokerEpoch, fenced: UNFENCE },
    ...changePartitions(
      image,
      (partition) => (waits(partition) ? {} : undefined),
      (node) => node === brokerId || image.isActive(node),
    ),
  ];
}

/** A broker wants to leave: others take over what it leads while it still answers. */
export function beginControlledShutdown(image: ClusterImage, broker: BrokerRegistration): MetadataRecordInit[] {
  const { brokerId, brokerEpoch } = broker;
  return [
    { type: "BrokerRegistrationChangeRecord", brokerId, brokerEpoch, inControlledShutdown: 1 },
    ...partitionsWithout(image, brokerId),
  ];
}

/** R11: a broker gives up its places in the ISR and ELR of every topic of which it may have lost what it held. */
export function disqualifyBroker(
  image: ClusterImage,
  brokerId: number,
  mayHaveLost: (topic: Topic) => boolean,
): MetadataRecordInit[] {
  const counts = ({ topicId, isr, eligibleLeaderReplicas }: Partition) =>
    (isr.includes(brokerId) || eligibleLeaderReplicas.includes(brokerId)) && mayHaveLost(image.topics.get(topicId)!);
  return changePartitions(image, (partition) => (counts(partition) ? { unclean: [brokerId] } : undefined));
}

/**
 * Whether each partition that a broker is complete for has somebody else who is there and complete, and would be so
 * after a restart too (R11): then nothing is lost with its storage.
 */
export function isSpare(image: ClusterImage, brokerId: number): boolean {
  const lasting = new Set<number>();
  for (const directory of image.directories.values()) {
    if (directory.brokerId === brokerId || directory.durability !== "strict") continue;
    if (image.isActive(directory.brokerId)) lasting.add(directory.brokerId);
  }
  for (const { name, partitions } of image.topics.values()) {
    const isStrict = topicConfig(image, name).durability === "strict";
    for (const { isr, eligibleLeaderReplicas } of partitions) {
      const complete = [...isr, ...eligibleLeaderReplicas];
      if (!complete.includes(brokerId)) continue;
      if (!isStrict || !complete.some((other) => lasting.has(other))) return false;
    }
  }
  return true;
}

function partitionsWithout(image: ClusterImage, brokerId: number): MetadataRecordInit[] {
  return changePartitions(
    image,
    ({ isr }) => (isr.includes(brokerId) ? {} : undefined),
    (node) => node !== brokerId && image.isActive(node),
  );
}
