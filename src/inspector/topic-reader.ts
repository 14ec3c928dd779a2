import type { EachBatchPayload, Kafka, PartitionAssignment } from "../index.ts";

/** Where a reader starts, in every partition alike. Offsets out of range are moved to the nearest end. */
export type ReadFrom =
  | { readonly kind: "earliest" }
  /** The newest `count` records of each partition, then what arrives. */
  | { readonly kind: "newest"; readonly count: number }
  | { readonly kind: "offset"; readonly offset: number }
  | { readonly kind: "timestamp"; readonly timestampMs: number };

export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

export interface ReadBatch {
  readonly partition: number;
  readonly records: readonly ReadRecord[];
  /** Records between the end of this batch and the high watermark. */
  readonly behind: number;
}

export interface TopicReading {
  readonly topic: string;
  readonly from: ReadFrom;
  /** The next batch waits for the returned promise: a slow reader is never flooded. */
  readonly onBatch: (batch: ReadBatch) => Promise<void> | void;
}

export interface TopicReader {
  pause(): void;
  resume(): void;
  /** Goes on with the newest `count` records of one partition. */
  skipAhead(partition: number, count: number): void;
  close(): Promise<void>;
}

type Clients = Pick<Kafka, "admin" | "consumer">;

/** A partition without a leader does not tell its end; the others are not kept waiting for it longer than this. */
const ENDS_WITHIN_MS = 4000;

/** Reads every partition of one topic, without a group and without committing anything. */
export async function readTopic(kafka: Clients, reading: TopicReading): Promise<TopicReader> {
  const { topic } = reading;
  const assignments = await startsOf(kafka, reading);
  const ends = new Map<number, number>();
  // Where records were deleted by retention, or a log was truncated, the first that is left is the next to show.
  const consumer = kafka.consumer({ autoOffsetReset: "earliest" });
  const eachBatch = async ({ batch }: EachBatchPayload): Promise<void> => {
    const highWatermark = Number(batch.highWatermark);
    ends.set(batch.partition, highWatermark);
    await reading.onBatch({
      partition: batch.partition,
      records: batch.messages.map((message) => ({
        partition: batch.partition,
        offset: Number(message.offset),
        timestampMs: Number(message.timestamp),
        key: message.key,
        value: message.value,
      })),
      behind: Math.max(0, highWatermark - 1 - Number(batch.lastOffset())),
    });
  };
  try {
    await consumer.connect();
    consumer.assign(assignments);
    await consumer.run({ eachBatch });
  } catch (error) {
    await consumer.disconnect();
    throw error;
  }
  return {
    pause: () => consumer.pause([{ topic }]),
    resume: () => consumer.resume([{ topic }]),
    skipAhead(partition, count) {
      const offset = Math.max(0, (ends.get(partition) ?? 0) - count);
      consumer.seek({ topic, partition, offset: String(offset) });
    },
    close: () => consumer.disconnect(),
  };
}

async function startsOf(kafka: Clients, { topic, from }: TopicReading): Promise<PartitionAssignment[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = (topics[0]?.partitions ?? []).map(({ partitionId }) => ({ topic, partition: partitionId }));
    if (from.kind === "earliest") return partitions.map((partition) => ({ ...partition, offset: "earliest" }));
    if (from.kind === "timestamp")
      return partitions.map((partition) => ({ ...partition, timestamp: from.timestampMs }));
    const ends = await Promise.race([admin.fetchTopicOffsets(topic), sleep(ENDS_WITHIN_MS)]);
    const byPartition = new Map(
      ends?.map(({ partition, low, high }) => [partition, [Number(low), Number(high)] as const]),
    );
    return partitions.map((partition) => {
      const [low, high] = byPartition.get(partition.partition) ?? [];
      if (low === undefined || high === undefined) return { ...partition, offset: "latest" };
      const wanted = from.kind === "offset" ? from.offset : high - from.count;
      return { ...partition, offset: Math.min(Math.max(wanted, low), high) };
    });
  } finally {
    await admin.disconnect();
  }
}

function sleep(durationMs: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), durationMs));
}
