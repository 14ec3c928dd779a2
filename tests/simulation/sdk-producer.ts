import { KafkaJSTimeout } from "../../src/client/errors.ts";
import type { Producer } from "../../src/client/producer.ts";
import type { NodeName } from "../../src/platform/simulated/network.ts";
import { ViolationFound } from "./recorder.ts";
import type { Recorder } from "./recorder.ts";
import type { Schedule } from "./schedule.ts";
import { PADDING } from "./padding.ts";
import { SdkClient } from "./sdk-client.ts";
import type { SdkContext } from "./sdk-client.ts";
import { SequenceWatch } from "./sequence-watch.ts";

/** An application waits when so many of its messages have no answer. */
const MAX_OPEN = 400;
/** Timers are not exact. */
const LATE_MS = 5;

/** The SDK's producer as an application uses it, with acks=all: mostly one message a call, many calls open at once. */
export class SdkProducer {
  readonly process: string;
  readonly client: SdkClient;
  readonly #topic: string;
  readonly #deliveryTimeoutMs: number;
  readonly #partitions: number;
  readonly #recordBytes: number;
  readonly #produceTimeoutMs: number;
  readonly #context: SdkContext;
  readonly #recorder: Recorder;
  readonly #producer: Producer;
  readonly #sequences: SequenceWatch;
  /** Values without an answer, and their partitions. */
  readonly #open = new Map<string, number>();
  #values = 0;
  isConnected = false;
  isOver = false;
  /** How many of its messages were acknowledged. */
  acknowledged = 0;

  constructor(
    node: NodeName,
    life: number,
    topic: string,
    { lingerMs, partitions, recordBytes, produceTimeoutMs }: Schedule,
    context: SdkContext,
    recorder: Recorder,
  ) {
    this.process = `${node}.${life}`;
    this.#topic = topic;
    this.#partitions = partitions;
    this.#recordBytes = recordBytes;
    this.#produceTimeoutMs = produceTimeoutMs;
    this.#context = context;
    this.#recorder = recorder;
    this.#sequences = new SequenceWatch(this.process);
    this.client = new SdkClient(node, {
      ...context,
      exchanged: (connection, frame, isSent) => {
        try {
          this.#sequences.exchanged(connection, frame, isSent);
        } catch (error) {
          context.failed(error);
        }
      },
    });
    const { chance } = context;
    this.#deliveryTimeoutMs = chance.pick([8_000, 20_000, 40_000]);
    this.#producer = this.client.kafka.producer({
      lingerMs,
      allowAutoTopicCreation: false,
      maxInFlightRequests: chance.between(1, 5),
      deliveryTimeout: this.#deliveryTimeoutMs,
      bufferMemory: chance.pick([2_000, 32 * 1024 * 1024]),
    });
    this.client.act(async () => {
      await this.client.connect(this.#producer);
      this.isConnected = true;
    });
  }

  get isIdle(): boolean {
    return this.isOver || this.#open.size === 0;
  }

  send(partition: number): void {
    if (!this.isConnected || this.isOver || this.#open.size >= MAX_OPEN) return;
    const isForAll = this.#context.chance.permille(50);
    const partitions = Array.from({ length: this.#partitions }, (_, index) => index);
    this.client.act(() => this.#send(isForAll ? partitions : [partition]));
  }

  /** The page is gone: what has no answer may have been written, or be written yet. */
  crash(): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const [value, partition] of this.#open) this.#recorder.gaveUp(this.process, partition, value, true);
    this.#open.clear();
    this.client.vanish();
  }

  /** Resolves when everything sent has its answer. */
  async close(): Promise<void> {
    await this.#producer.disconnect();
    this.isOver = true;
  }

  /** Sends one message to each of the partitions, in one call. */
  async #send(partitions: readonly number[]): Promise<void> {
    const { process } = this;
    const sent = partitions.map((partition) => ({ partition, value: `${process}-${this.#values++}` }));
    for (const { partition, value } of sent) {
      this.#recorder.sent(process, partition, value);
      this.#open.set(value, partition);
    }
    const messages = sent.map(({ partition, value }) => {
      return { partition, value: value.padEnd(this.#recordBytes, PADDING) };
    });
    const sentAtUs = this.#context.time.nowUs;
    const timeout = this.#produceTimeoutMs;
    const answer = await this.#producer.send({ topic: this.#topic, messages, timeout }).catch(asTimeout);
    this.#checkDuration(sent[0]!.value, sentAtUs);
    for (const { partition, value } of sent) {
      this.#open.delete(value);
      if (answer instanceof KafkaJSTimeout) {
        // Of several messages some may have been written though one was not sent.
        const wasSent = partitions.length > 1 || !answer.message.includes("never sent");
        this.#context.note(`${value} has failed: ${answer.message}`);
        this.#sequences.gaveUp(`${this.#topic}-${partition}`, value);
        this.#recorder.gaveUp(process, partition, value, wasSent);
      } else {
        const { baseOffset } = answer.find((metadata) => metadata.partition === partition)!;
        this.acknowledged++;
        this.#recorder.acknowledged(process, partition, value, Number(baseOffset));
      }
    }
  }

  /** However the cluster fares, an answer comes within the time that the application has set. */
  #checkDuration(value: string, sentAtUs: number): void {
    const tookMs = (this.#context.time.nowUs - sentAtUs) / 1000;
    if (tookMs <= this.#deliveryTimeoutMs + LATE_MS || !this.client.hasRunSince(sentAtUs)) return;
    const limit = `a deliveryTimeout of ${this.#deliveryTimeoutMs} ms`;
    this.#recorder.violation("producer", `${value} was answered after ${tookMs} ms, with ${limit}`);
  }
}

/** Time is all that a healed cluster may have cost a message; any other refusal is a finding. */
function asTimeout(error: unknown): KafkaJSTimeout {
  if (error instanceof KafkaJSTimeout) return error;
  throw new ViolationFound({ rule: "producer", evidence: String(error) });
}
