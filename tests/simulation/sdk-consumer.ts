import type { Consumer } from "../../src/client/consumer.ts";
import type { NodeName } from "../../src/platform/simulated/network.ts";
import { withoutPadding } from "./padding.ts";
import { ViolationFound } from "./recorder.ts";
import type { Recorder } from "./recorder.ts";
import type { Schedule } from "./schedule.ts";
import { SdkClient } from "./sdk-client.ts";
import type { SdkContext } from "./sdk-client.ts";

/** The SDK's consumer as an application uses it: it reads all partitions from their beginning. */
export class SdkConsumer {
  readonly process: string;
  readonly client: SdkClient;
  readonly #context: SdkContext;
  readonly #recorder: Recorder;
  readonly #consumer: Consumer;
  readonly #topic: string;
  readonly #partitions: number;
  isOver = false;

  constructor(
    node: NodeName,
    life: number,
    topic: string,
    { partitions, retentionBytes, faults }: Schedule,
    context: SdkContext,
    recorder: Recorder,
  ) {
    this.process = `${node}.${life}`;
    this.#topic = topic;
    this.#partitions = partitions;
    this.#context = context;
    this.#recorder = recorder;
    this.client = new SdkClient(node, context);
    const { chance } = context;
    this.#consumer = this.client.kafka.consumer({
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: chance.pick([300, 5_000]),
      maxBytesPerPartition: chance.pick([500, 50_000, 1024 * 1024]),
    });
    const { CRASH, OFFSET_RESET } = this.#consumer.events;
    const fails = (why: string) => {
      context.failed(new ViolationFound({ rule: "consumer", evidence: `${this.process}: ${why}` }));
    };
    this.#consumer.on<{ readonly error: Error }>(CRASH, ({ payload }) => fails(payload.error.message));
    // What retention removed is passed over; nothing else may move a position.
    const isKept = retentionBytes < 0 && faults.every(({ kind }) => kind !== "alter-retention" && kind !== "delete-records");
    if (isKept) this.#consumer.on<{ readonly reason: string }>(OFFSET_RESET, ({ payload }) => fails(payload.reason));
    this.client.act(() => this.#start());
  }

  /** The offset behind the last message that the application has had. */
  position(partition: number): number {
    const position = this.#consumer.positions().find((other) => other.partition === partition);
    return Number(position?.offset ?? 0);
  }

  crash(): void {
    this.isOver = true;
    this.client.vanish();
  }

  async close(): Promise<void> {
    await this.#consumer.disconnect();
    this.isOver = true;
  }

  async #start(): Promise<void> {
    const { chance } = this.#context;
    await this.client.connect(this.#consumer);
    if (chance.permille(500)) await this.#consumer.subscribe({ topic: this.#topic, fromBeginning: true });
    else this.#consumer.assign(this.#assignment());
    if (chance.permille(300)) return this.#loop();
    await this.#consumer.run({
      partitionsConsumedConcurrently: chance.between(1, 3),
      eachMessage: ({ partition, message }) => this.#onMessage({ ...message, partition }),
    });
  }

  #assignment() {
    return Array.from({ length: this.#partitions }, (_, partition) => {
      return { topic: this.#topic, partition, offset: "earliest" as const };
    });
  }

  async #loop(): Promise<void> {
    for await (const message of this.#consumer) this.#onMessage(message);
  }

  #onMessage({ partition, offset, value }: MessageSeen): void {
    try {
      this.#recorder.read(this.process, partition, Number(offset), withoutPadding(String(value)));
    } catch (violation) {
      // Thrown at the SDK, it would only make the message come again.
      this.#context.failed(violation);
    }
  }
}

interface MessageSeen {
  readonly partition: number;
  readonly offset: string;
  readonly value: Uint8Array | null;
}
