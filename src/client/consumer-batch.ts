import type { Fetched } from "./assigned-partition.ts";
import type { TopicPartition } from "./fetch-position.ts";
import type { KafkaMessage } from "./messages.ts";

/** KafkaJS's batch: what one fetch brought of one partition. */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  /** The offset behind the last committed message, when this was fetched. */
  readonly highWatermark: string;
  readonly messages: KafkaMessage[];
  isEmpty(): boolean;
  firstOffset(): string | null;
  /** The last offset that the batch covers, whether a message has it or not. */
  lastOffset(): string;
  /** Messages between the end of this batch and the end of the partition. */
  offsetLag(): string;
  /** Messages between the beginning of this batch and the end of the partition. */
  offsetLagLow(): string;
}

export function consumerBatch(where: TopicPartition, fetched: Fetched, messages: KafkaMessage[]): Batch {
  const { batches, highWatermark } = fetched;
  const lastOffset = batches.next.offset - 1;
  const firstOffset = messages[0]?.offset ?? null;
  const lag = (from: number) => String(Math.max(0, highWatermark - 1 - from));
  return {
    topic: where.topic,
    partition: where.partition,
    highWatermark: String(highWatermark),
    messages,
    isEmpty: () => messages.length === 0,
    firstOffset: () => firstOffset,
    lastOffset: () => String(lastOffset),
    offsetLag: () => lag(lastOffset),
    offsetLagLow: () => (firstOffset === null ? "0" : lag(Number(firstOffset))),
  };
}
