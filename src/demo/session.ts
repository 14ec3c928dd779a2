import type { Kafka, Producer } from "../index.ts";
import type { ProduceRequest, ProduceResult } from "../inspector/produce-form.ts";
import { readTopic } from "../inspector/topic-reader.ts";
import type { TopicReader } from "../inspector/topic-reader.ts";
import { AcknowledgedLedger } from "./acknowledged-ledger.ts";
import { FailoverGap } from "./failover-gap.ts";
import { LatencyWindow } from "./latency-window.ts";

const LATENCIES_KEPT = 1000;
/** The auditor starts so far before the end that it misses none of the records sent while it was opened. */
const AUDIT_FROM_NEWEST = 5000;

/** What this page sends, what it was promised, and whether the promises are kept. */
export class Session {
  readonly ledger = new AcknowledgedLedger();
  readonly failover = new FailoverGap();
  readonly latencies = new LatencyWindow(LATENCIES_KEPT);
  readonly #kafka: Kafka;
  readonly #producer: Producer;
  readonly #auditors = new Map<string, Promise<TopicReader | undefined>>();
  #acknowledged = 0;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
    this.#producer = kafka.producer();
  }

  /** Acknowledged by the leader, or by all in-sync copies; the ledger holds only the latter. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** The first call connects. */
  async send({ topic, key, value, partition, acks }: ProduceRequest): Promise<ProduceResult> {
    await this.#producer.connect();
    const sentMs = performance.now();
    const message = { key, value, ...(partition === undefined ? {} : { partition }) };
    const [metadata] = await this.#producer.send({ topic, acks, messages: [message] });
    const acknowledgedMs = performance.now();
    const waitedMs = acknowledgedMs - sentMs;
    const offset = Number(metadata?.baseOffset ?? -1);
    if (acks === 0 || metadata === undefined) return { partition: partition ?? -1, offset: undefined, waitedMs };
    this.#acknowledged++;
    this.latencies.add(waitedMs);
    this.failover.onAcknowledgement({ partition: `${topic}-${metadata.partition}`, sentMs, acknowledgedMs });
    if (acks === -1 && offset >= 0) {
      this.ledger.onAcknowledged(topic, metadata.partition, offset, value);
      this.#audit(topic);
    }
    return { partition: metadata.partition, offset: offset < 0 ? undefined : offset, waitedMs };
  }

  /** Stops checking a topic that has been deleted. */
  forget(topic: string): void {
    this.ledger.forget(topic);
    void this.#auditors.get(topic)?.then((auditor) => auditor?.close());
    this.#auditors.delete(topic);
  }

  /** Reads back the topics that this page has written to. */
  #audit(topic: string): void {
    if (this.#auditors.has(topic)) return;
    const isPresent = () => this.#auditors.get(topic) === auditor;
    const auditor: Promise<TopicReader | undefined> = readTopic(this.#kafka, {
      topic,
      from: { kind: "newest", count: AUDIT_FROM_NEWEST },
      onBatch: ({ records }) => {
        if (isPresent()) this.ledger.onRead(topic, records);
      },
    }).catch(() => {
      // A reader that cannot be opened is tried again with the next acknowledgement.
      if (isPresent()) this.#auditors.delete(topic);
      return undefined;
    });
    this.#auditors.set(topic, auditor);
  }
}
