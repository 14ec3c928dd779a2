import { CompressionTypes } from "../../../src/index.ts";
import type { Kafka, RecordMetadata } from "../../../src/index.ts";
import { checkHistory } from "../../history/check-history.ts";
import type { HistoryEvent } from "../../history/history.ts";
import { Corpus } from "./corpus.ts";
import type { CorpusShape } from "./corpus.ts";

export interface BulkOptions {
  readonly topic: string;
  /** Sent to in turn. */
  readonly partitions: number;
  readonly corpus: CorpusShape;
  readonly acks: -1 | 1;
  readonly compression: keyof typeof CompressionTypes;
}

export interface BulkResult {
  /** From the first `send` until everything is acknowledged. */
  readonly elapsedMs: number;
  readonly records: number;
  /** Of the application's values, before compression. */
  readonly bytes: number;
}

/** How much is sent and not yet acknowledged at a time, as a program would that wants throughput. */
const WINDOW_BYTES = 4 << 20;
const SEND_BYTES = 64 << 10;
const READ_TIMEOUT_MS = 60_000;

interface Sent {
  readonly first: number;
  readonly partition: number;
  readonly metadata: RecordMetadata;
}

/**
 * Produces a corpus at full speed, then reads it back and has the history judged: a round that lost, doubled, reordered
 * or damaged a record throws instead of having a speed.
 */
export async function produceBulk(kafka: Kafka, options: BulkOptions): Promise<BulkResult> {
  const { topic, partitions, acks, compression } = options;
  const corpus = await Corpus.make(options.corpus);
  const recordsPerSend = Math.max(1, Math.round(SEND_BYTES / (corpus.bytes / corpus.records)));
  const producer = kafka.producer();
  await producer.connect();
  // Connects, and gets a producer id.
  await producer.send({ topic, acks, messages: warmUp(partitions) });
  const sent: Sent[] = [];
  let next = 0;
  const startMs = performance.now();
  const sendInTurn = async () => {
    while (next < corpus.records) {
      const first = next;
      next = Math.min(corpus.records, first + recordsPerSend);
      const partition = Math.floor(first / recordsPerSend) % partitions;
      const messages = [];
      for (let index = first; index < next; index++) messages.push({ value: corpus.value(index), partition });
      const [metadata] = await producer.send({ topic, acks, messages, compression: CompressionTypes[compression] });
      if (metadata === undefined) throw new Error("a send resolved without naming an offset");
      sent.push({ first, partition, metadata });
    }
  };
  await Promise.all(Array.from({ length: WINDOW_BYTES / SEND_BYTES }, sendInTurn));
  const elapsedMs = performance.now() - startMs;
  await producer.disconnect();
  await judge(kafka, options, corpus, sent, recordsPerSend);
  return { elapsedMs, records: corpus.records, bytes: corpus.bytes };
}

function warmUp(partitions: number) {
  return Array.from({ length: partitions }, (_, partition) => ({ value: null, partition }));
}

async function judge(
  kafka: Kafka,
  { topic, partitions, acks }: BulkOptions,
  corpus: Corpus,
  sent: readonly Sent[],
  recordsPerSend: number,
): Promise<void> {
  const history: HistoryEvent[] = [];
  const durable = acks === 1 ? ({ acks: "leader" } as const) : {};
  for (let index = 0; index < corpus.records; index++) {
    const partition = `${topic}-${Math.floor(index / recordsPerSend) % partitions}`;
    const value = String(index);
    history.push({ f: "send", type: "invoke", process: "producer", partition, value, content: value, ...durable });
  }
  for (const { first, partition, metadata } of sent) {
    for (let index = first; index < Math.min(first + recordsPerSend, corpus.records); index++) {
      const offset = Number(metadata.baseOffset) + index - first;
      const where = { process: "producer", partition: `${topic}-${partition}`, offset };
      history.push({ f: "send", type: "ok", value: String(index), ...where });
    }
  }
  const read = await readBack(kafka, topic, partitions, corpus);
  const { anomalies, acknowledged } = checkHistory(history.concat(read), { finalReaders: ["final"] });
  if (anomalies.length > 0) throw new Error(`the history is wrong: ${JSON.stringify(anomalies.slice(0, 5))}`);
  if (acknowledged !== corpus.records) throw new Error(`${acknowledged} of ${corpus.records} records are acknowledged`);
}

/** What is in the topic behind the records of the warm-up. */
async function readBack(kafka: Kafka, topic: string, partitions: number, corpus: Corpus): Promise<HistoryEvent[]> {
  const history: HistoryEvent[] = [{ f: "assign", type: "ok", process: "final" }];
  const consumer = kafka.consumer();
  await consumer.connect();
  consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: "earliest" })));
  await new Promise<void>((resolve, reject) => {
    const late = () => reject(new Error(`${history.length - 1} of ${corpus.records} records are read`));
    const timer = setTimeout(late, READ_TIMEOUT_MS);
    const eachBatch = ({ batch }: { batch: { partition: number; messages: readonly ReadMessage[] } }) => {
      for (const { value, offset } of batch.messages) {
        if (value === null) continue;
        const where = { process: "final", partition: `${topic}-${batch.partition}`, offset: Number(offset) };
        const index = indexOf(value);
        const content = corpus.holds(index, value) ? String(index) : "damaged";
        history.push({ f: "poll", type: "ok", ...where, value: String(index), content });
      }
      if (history.length > corpus.records) resolve(clearTimeout(timer));
    };
    consumer.run({ eachBatch }).catch(reject);
  });
  await consumer.disconnect();
  return history;
}

interface ReadMessage {
  readonly value: Uint8Array | null;
  readonly offset: string;
}

/** Which record of the corpus a value says it is. */
function indexOf(value: Uint8Array): number {
  if (value[0] !== 0x7b) return new DataView(value.buffer, value.byteOffset, value.length).getUint32(0);
  const head = new TextDecoder().decode(value.subarray(0, 32));
  return Number(/^\{"sequence":(\d+)/.exec(head)?.[1] ?? Number.NaN);
}
