import { Kafka } from "../../../src/index.ts";
import { rawChannel } from "./raw-channel.ts";
import type { RawChannel } from "./raw-channel.ts";

/** The page of the first figures: a client of the cluster, and one end of a bare data channel. */
export interface FiguresPage {
  /** Another one each time it is called. */
  newRawChannel(): RawChannel;
  /** Milliseconds to send the records with acks=1 and have all of them acknowledged. */
  produce(options: BulkOptions): Promise<number>;
  /** Milliseconds from `send` to the consumer's hands, of each record. */
  latencies(options: LatencyOptions): Promise<number[]>;
  /** Milliseconds of each of so many IndexedDB transactions that put 1 KiB and flush it to the disk. */
  flushes(count: number): Promise<number[]>;
}

export interface BulkOptions {
  readonly topic: string;
  readonly records: number;
  readonly recordBytes: number;
}

export interface LatencyOptions {
  readonly topic: string;
  readonly records: number;
  readonly recordsPerSecond: number;
}

declare global {
  interface Window {
    figures: FiguresPage;
    raw: RawChannel;
  }
}

/** Unacknowledged records that the bulk producer keeps, 4 MiB of 1 KiB records. */
const WINDOW_RECORDS = 4_096;
const RECORDS_PER_SEND = 64;

const kafka = new Kafka({ brokers: [`${location.origin.replace("http", "ws")}/tests`] });

window.figures = {
  newRawChannel: () => (window.raw = rawChannel()),
  async produce({ topic, records, recordBytes }) {
    const producer = kafka.producer();
    await producer.connect();
    const value = crypto.getRandomValues(new Uint8Array(recordBytes));
    const messages = Array.from({ length: RECORDS_PER_SEND }, () => ({ value, partition: 0 }));
    const sendAll = async (count: number) => {
      let left = count;
      const startMs = performance.now();
      const sendInTurn = async () => {
        while (left > 0) {
          left -= RECORDS_PER_SEND;
          await producer.send({ topic, acks: 1, messages });
        }
      };
      await Promise.all(Array.from({ length: WINDOW_RECORDS / RECORDS_PER_SEND }, sendInTurn));
      return performance.now() - startMs;
    };
    await sendAll(records / 8);
    const elapsedMs = await sendAll(records);
    await producer.disconnect();
    return elapsedMs;
  },
  async latencies({ topic, records, recordsPerSecond }) {
    const producer = kafka.producer();
    const consumer = kafka.consumer();
    await Promise.all([producer.connect(), consumer.connect()]);
    consumer.assign([{ topic, partition: 0, offset: "earliest" }]);
    const sentAtMs: number[] = [];
    const latencies: number[] = [];
    const startMs = performance.now();
    const timer = setInterval(() => {
      while (sentAtMs.length < records && performance.now() - startMs > (sentAtMs.length * 1000) / recordsPerSecond) {
        const value = String(sentAtMs.length);
        sentAtMs.push(performance.now());
        void producer.send({ topic, messages: [{ value, partition: 0 }] });
      }
    }, 1);
    for await (const { value } of consumer) {
      latencies.push(performance.now() - (sentAtMs[Number(value?.toString())] ?? 0));
      if (latencies.length === records) break;
    }
    clearInterval(timer);
    await Promise.all([producer.disconnect(), consumer.disconnect()]);
    return latencies;
  },
  async flushes(count) {
    const opening = indexedDB.open("flushes");
    opening.onupgradeneeded = () => opening.result.createObjectStore("rows");
    await settled(opening, "success");
    const value = crypto.getRandomValues(new Uint8Array(1024));
    const flushes: number[] = [];
    for (let key = 0; key < count; key++) {
      const startMs = performance.now();
      const transaction = opening.result.transaction("rows", "readwrite", { durability: "strict" });
      transaction.objectStore("rows").put(value, key);
      await settled(transaction, "complete");
      flushes.push(performance.now() - startMs);
    }
    opening.result.close();
    return flushes;
  },
};

function settled(target: EventTarget, event: "success" | "complete"): Promise<Event> {
  return new Promise((resolve, reject) => {
    target.addEventListener(event, resolve);
    target.addEventListener("error", reject);
  });
}
