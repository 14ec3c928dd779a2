import { randomBytes } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";
import type { Command } from "../../clients/client-program.ts";
import { RealKafka } from "../../clients/real-kafka.ts";

export interface ProducedRecords {
  readonly topic: string;
  readonly records: number;
  readonly recordBytes: number;
}

/** KafkaJS leaves it to its user what makes a batch, and several sends at a time do not keep their order. */
const SEND_BYTES = 900_000;
/** What a record takes beside its value. */
const OVERHEAD_BYTES = 12;
const READ_TIMEOUT_MS = 60_000;

/** A broker of Apache Kafka, reached with KafkaJS from Node by TCP: what those use who need no browser. */
export class KafkaPeer {
  readonly #broker: RealKafka;
  readonly #kafka: Kafka;

  private constructor(broker: RealKafka) {
    this.#broker = broker;
    this.#kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING });
  }

  /** `java` is what `installJava` gives. */
  static async start(java: Command): Promise<KafkaPeer> {
    return new KafkaPeer(await RealKafka.start(java));
  }

  async close(): Promise<void> {
    await this.#broker.close();
  }

  /** Milliseconds until the records are all acknowledged, in one partition. Throws if they are not read as sent. */
  async produce({ topic, records, recordBytes }: ProducedRecords): Promise<number> {
    const admin = this.#kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    await admin.disconnect();
    const producer = this.#kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const body = randomBytes(recordBytes);
    const perSend = Math.floor(SEND_BYTES / (recordBytes + OVERHEAD_BYTES));
    const startMs = performance.now();
    for (let next = 0; next < records; next += perSend) {
      const length = Math.min(perSend, records - next);
      const messages = Array.from({ length }, (_, index) => ({ value: valueOf(body, next + index) }));
      await producer.send({ topic, acks: -1, messages });
    }
    const elapsedMs = performance.now() - startMs;
    await producer.disconnect();
    await this.#expectStored(topic, records, body);
    return elapsedMs;
  }

  async #expectStored(topic: string, records: number, body: Buffer): Promise<void> {
    const consumer = this.#kafka.consumer({ groupId: topic });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    let read = 0;
    try {
      await new Promise<void>((resolve, reject) => {
        const late = () => reject(new Error(`${read} of ${records} records were read`));
        const timer = setTimeout(late, READ_TIMEOUT_MS);
        const eachBatch = async ({ batch }: { readonly batch: { readonly messages: readonly KafkaMessage[] } }) => {
          for (const { value } of batch.messages) {
            if (value === null || !valueOf(body, read).equals(value)) {
              clearTimeout(timer);
              return reject(new Error(`record ${read} is missing, out of turn or damaged`));
            }
            if (++read !== records) continue;
            clearTimeout(timer);
            resolve();
          }
        };
        consumer.run({ eachBatch }).catch(reject);
      });
    } finally {
      await consumer.disconnect();
    }
  }
}

interface KafkaMessage {
  readonly value: Buffer | null;
}

/** Bytes that begin with their index. */
function valueOf(body: Buffer, index: number): Buffer {
  const value = Buffer.from(body);
  value.writeUInt32BE(index);
  return value;
}
