import type { Kafka } from "../../../src/index.ts";

export interface LatencyOptions {
  readonly topic: string;
  readonly records: number;
  readonly recordsPerSecond: number;
}

const RECORD_BYTES = 1024;
const TICK_MS = 1;

/**
 * Milliseconds from `send` to the consumer's loop, of each record of 1 KiB, at a steady rate. The producer and the
 * consumer of a page share its clock. Throws when a record does not come, or not in its turn, or changed.
 */
export async function measureLatencies(kafka: Kafka, options: LatencyOptions): Promise<number[]> {
  const { topic, records, recordsPerSecond } = options;
  const producer = kafka.producer();
  const consumer = kafka.consumer();
  await Promise.all([producer.connect(), consumer.connect()]);
  consumer.assign([{ topic, partition: 0, offset: "latest" }]);
  const stream = consumer.stream();
  const sentAtMs: number[] = [];
  const latencies: number[] = [];
  const failed: unknown[] = [];
  const body = crypto.getRandomValues(new Uint8Array(RECORD_BYTES));
  const sendOne = () => {
    const value = body.slice();
    new DataView(value.buffer).setUint32(0, sentAtMs.length);
    sentAtMs.push(performance.now());
    producer.send({ topic, messages: [{ value, partition: 0 }] }).catch((error: unknown) => failed.push(error));
  };
  // The position at the end must be known before anything is sent.
  const first = stream.next();
  while (consumer.positions()[0]?.offset === undefined) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  const startMs = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const dueInMs = () => startMs + (sentAtMs.length * 1000) / recordsPerSecond - performance.now();
  // Once for each record that is due: a timer that only looks at the time keeps a core busier than the records do.
  const sendDue = () => {
    while (sentAtMs.length < records && dueInMs() <= 0) sendOne();
    if (sentAtMs.length < records) timer = setTimeout(sendDue, Math.max(TICK_MS, dueInMs()));
  };
  sendDue();
  for (let step = await first; step.done !== true && latencies.length < records; ) {
    const { value } = step.value;
    if (value === null || !isRecord(value, latencies.length, body)) {
      throw new Error(`record ${latencies.length} of ${topic} is missing, out of turn or damaged`);
    }
    latencies.push(performance.now() - sentAtMs[latencies.length]!);
    if (latencies.length < records) step = await stream.next();
  }
  clearTimeout(timer);
  await stream.return();
  await Promise.all([producer.disconnect(), consumer.disconnect()]);
  if (failed.length > 0) throw failed[0];
  return latencies;
}

function isRecord(value: Uint8Array, index: number, body: Uint8Array): boolean {
  if (value.length !== RECORD_BYTES) return false;
  if (new DataView(value.buffer, value.byteOffset).getUint32(0) !== index) return false;
  for (let at = 4; at < RECORD_BYTES; at++) if (value[at] !== body[at]) return false;
  return true;
}
