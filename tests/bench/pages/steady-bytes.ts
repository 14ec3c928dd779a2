import type { Kafka } from "../../../src/index.ts";

export interface SteadyOptions {
  readonly topic: string;
  readonly bytesPerSecond: number;
  readonly recordBytes: number;
  readonly durationMs: number;
}

const TICK_MS = 10;

/** Sends random records with acks=all at a steady rate; each begins with its index as four bytes. */
export async function produceSteadily(kafka: Kafka, options: SteadyOptions): Promise<number> {
  const { topic, bytesPerSecond, recordBytes, durationMs } = options;
  const producer = kafka.producer();
  await producer.connect();
  const body = crypto.getRandomValues(new Uint8Array(recordBytes));
  const record = (index: number) => {
    const value = body.slice();
    new DataView(value.buffer).setUint32(0, index);
    return { value, partition: 0 };
  };
  const open = new Set<Promise<unknown>>();
  let sent = 0;
  const startMs = performance.now();
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = performance.now() - startMs) {
    const due = Math.floor(((elapsedMs / 1000) * bytesPerSecond) / recordBytes);
    if (due > sent) {
      const messages = Array.from({ length: due - sent }, (_, index) => record(sent + index));
      sent = due;
      const sending = producer.send({ topic, messages });
      open.add(sending);
      void sending.finally(() => open.delete(sending)).catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(open);
  await producer.disconnect();
  return sent;
}
