import type { Kafka } from "../../../src/index.ts";
import type { BulkResult } from "./bulk-producer.ts";

export interface ConsumeOptions {
  readonly topic: string;
  /** How many values the topic's only partition holds, each beginning with its index as four bytes. */
  readonly records: number;
  readonly recordBytes: number;
}

/** Reads a partition from its beginning to its end at full speed, and checks each record's turn and length. */
export async function consumeAll(kafka: Kafka, { topic, records, recordBytes }: ConsumeOptions): Promise<BulkResult> {
  const consumer = kafka.consumer();
  await consumer.connect();
  consumer.assign([{ topic, partition: 0, offset: "earliest" }]);
  let read = 0;
  let startMs = Number.NaN;
  const elapsedMs = await new Promise<number>((resolve, reject) => {
    const eachBatch = ({ batch }: { batch: { messages: readonly { readonly value: Uint8Array | null }[] } }) => {
      for (const { value } of batch.messages) {
        if (value === null) continue;
        if (value.length !== recordBytes || int32At(value) !== read) {
          reject(new Error(`record ${read} of ${topic} is missing or out of turn`));
        }
        read++;
      }
      if (read === records) resolve(performance.now() - startMs);
    };
    startMs = performance.now();
    consumer.run({ eachBatch }).catch(reject);
  });
  await consumer.disconnect();
  return { elapsedMs, records, bytes: records * recordBytes };
}

function int32At(value: Uint8Array): number {
  return (value[0]! << 24) | (value[1]! << 16) | (value[2]! << 8) | value[3]!;
}
