import type { Kafka } from "../index.ts";

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

/** Reads every partition of one topic, without a group and without committing anything. */
export async function readTopic(kafka: Kafka, reading: TopicReading): Promise<TopicReader> {
  const { topic } = reading;
  const starts = await startOffsets(kafka, reading);
  const consumer = kafka.consumer();
  await consumer.connect();
  consumer.assign(starts.map(({ partition, start }) => ({ topic, partition, offset: String(start) })));
  const ends = new Map<number, number>();
  await consumer.run({
    eachBatch: async ({ batch }) => {
      ends.set(batch.partition, Number(batch.highWatermark));
      await reading.onBatch({
        partition: batch.partition,
        records: batch.messages.map((message) => ({
          partition: batch.partition,
          offset: Number(message.offset),
          timestampMs: Number(message.timestamp),
          key: message.key,
          value: message.value,
        })),
        behind: Math.max(0, Number(batch.highWatermark) - 1 - Number(batch.lastOffset())),
      });
    },
  });
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

async function startOffsets(kafka: Kafka, { topic, from }: TopicReading) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const ends = await admin.fetchTopicOffsets(topic);
    const at = from.kind === "timestamp" ? await admin.fetchTopicOffsetsByTimestamp(topic, from.timestampMs) : [];
    const byTimestamp = new Map(at.map(({ partition, offset }) => [partition, Number(offset)]));
    return ends.map(({ partition, low, high }) => {
      const wanted = wantedOffset(from, Number(low), Number(high), byTimestamp.get(partition));
      return { partition, start: Math.min(Math.max(wanted, Number(low)), Number(high)) };
    });
  } finally {
    await admin.disconnect();
  }
}

function wantedOffset(from: ReadFrom, low: number, high: number, atTimestamp: number | undefined): number {
  switch (from.kind) {
    case "earliest":
      return low;
    case "newest":
      return high - from.count;
    case "offset":
      return from.offset;
    case "timestamp":
      return atTimestamp ?? high;
  }
}
