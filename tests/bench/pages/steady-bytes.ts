import type { Kafka } from "../../../src/index.ts";

export interface SteadyOptions {
  readonly topic: string;
  readonly bytesPerSecond: number;
  readonly recordBytes: number;
  readonly durationMs: number;
}

/** `records` took `elapsedMs` until the last of them was acknowledged. */
export interface SteadyResult {
  readonly records: number;
  readonly elapsedMs: number;
}

const TICK_MS = 10;
/** On a machine that is too slow for the rate, records wait for those before them instead of for their timeout. */
const MOST_OPEN_MS = 2_000;

/** Sends random records with acks=all at a steady rate, or slower; each begins with its index as four bytes. */
export async function produceSteadily(kafka: Kafka, options: SteadyOptions): Promise<SteadyResult> {
  const { topic, bytesPerSecond, recordBytes, durationMs } = options;
  const producer = kafka.producer();
  await producer.connect();
  const body = crypto.getRandomValues(new Uint8Array(recordBytes));
  const record = (index: number) => {
    const value = body.slice();
    new DataView(value.buffer).setUint32(0, index);
    return { value, partition: 0 };
  };
  const recordsPerMs = bytesPerSecond / recordBytes / 1000;
  const open = new Set<Promise<unknown>>();
  let sent = 0;
  let acknowledged = 0;
  const startMs = performance.now();
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = performance.now() - startMs) {
    const due = Math.min(Math.floor(elapsedMs * recordsPerMs), acknowledged + Math.floor(MOST_OPEN_MS * recordsPerMs));
    if (due > sent) {
      const messages = Array.from({ length: due - sent }, (_, index) => record(sent + index));
      sent = due;
      const sending = producer.send({ topic, messages }).then(() => {
        acknowledged += messages.length;
        open.delete(sending);
      });
      sending.catch(() => {});
      open.add(sending);
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(open);
  const elapsedMs = performance.now() - startMs;
  await producer.disconnect();
  return { records: sent, elapsedMs };
}
