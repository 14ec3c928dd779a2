import { KafkaJSNotImplemented } from "./errors.ts";
import type { Message } from "./messages.ts";
import { bytesOf } from "./messages.ts";
import { murmur2 } from "./murmur2.ts";

/** KafkaJS's description of a partition, which partitioners receive and `fetchTopicMetadata` returns. */
export interface PartitionMetadata {
  readonly partitionErrorCode: number;
  readonly partitionId: number;
  /** -1 while there is none. */
  readonly leader: number;
  readonly replicas: number[];
  readonly isr: number[];
  readonly offlineReplicas: number[];
}

export interface PartitionerArgs {
  readonly topic: string;
  /** All partitions, by their index. */
  readonly partitionMetadata: PartitionMetadata[];
  readonly message: Message;
}

/** Chooses the partition of a message. */
export interface Partitioner {
  (args: PartitionerArgs): number;
  /** Called when a batch for `partition` is complete, so that a sticky partitioner can move on. */
  batchClosed?(topic: string, partition: number): void;
}

/** Makes a partitioner; called once per producer. `random` is uniform in [0, 1). */
export type ICustomPartitioner = (random?: () => number) => Partitioner;

/**
 * The choice of Kafka's Java client: a key is hashed over all partitions; messages without one stay with a random
 * partition that has a leader until it loses it, or a batch is full or sent (KIP-480), which makes few, large batches.
 */
export const DefaultPartitioner: ICustomPartitioner = (random = Math.random) => {
  const current = new Map<string, number>();
  const previous = new Map<string, number>();

  const choose = (topic: string, partitions: readonly PartitionMetadata[]): number => {
    const led = partitions.filter(({ leader }) => leader >= 0);
    const kept = partitions[current.get(topic) ?? -1];
    if (led.length === 0 && kept !== undefined) return kept.partitionId;
    const candidates = led.length > 0 ? led : partitions;
    const others = candidates.filter(({ partitionId }) => partitionId !== previous.get(topic));
    const choices = others.length > 0 ? others : candidates;
    const chosen = choices[Math.floor(random() * choices.length)]?.partitionId ?? 0;
    current.set(topic, chosen);
    return chosen;
  };

  const partitioner: Partitioner = ({ topic, partitionMetadata, message }) => {
    if (message.partition !== undefined && message.partition !== null) return message.partition;
    const key = bytesOf(topic, "key", message.key);
    if (key !== null) return (murmur2(key) & 0x7fffffff) % partitionMetadata.length;
    const kept = partitionMetadata[current.get(topic) ?? -1];
    // What waits for the leader of one partition must not keep from the others what could be sent at once.
    return kept !== undefined && kept.leader >= 0 ? kept.partitionId : choose(topic, partitionMetadata);
  };
  partitioner.batchClosed = (topic, partition) => {
    if (current.get(topic) !== partition) return;
    current.delete(topic);
    previous.set(topic, partition);
  };
  return partitioner;
};

/** Refuses: an application that keeps its keys where they were has to hear that here they would go elsewhere. */
const LegacyPartitioner: ICustomPartitioner = () => {
  throw new KafkaJSNotImplemented(
    "LegacyPartitioner is not there: it hashes keys differently from every other client. Take DefaultPartitioner, or, " +
      "where keys must stay in their partitions, a createPartitioner of your own",
  );
};

/** KafkaJS's partitioners. */
export const Partitioners = {
  DefaultPartitioner,
  JavaCompatiblePartitioner: DefaultPartitioner,
  LegacyPartitioner,
} as const;
