import type { Chance } from "../../src/platform/simulated/chance.ts";
import type { ClientContext } from "./broker-links.ts";
import type { ClientRecorder } from "./recorder.ts";
import type { Schedule } from "./schedule.ts";
import { ScriptedConsumer } from "./scripted-consumer.ts";
import { ScriptedProducer } from "./scripted-producer.ts";
import { COMPACTED_TOPIC, PASSING_TOPIC } from "./topics.ts";

/** Of each topic beside the main one. */
const RECORDS_PER_SECOND = 20;

/** One producer and one consumer of a topic beside the main one. */
export class TopicUse {
  readonly topic: string;
  readonly partitions: number;
  readonly #schedule: Schedule;
  readonly #context: ClientContext;
  readonly #chance: Chance;
  readonly #recorder: ClientRecorder;
  #producer: ScriptedProducer | undefined;
  #lives = 0;
  #producing = true;

  constructor(
    topic: string,
    partitions: number,
    schedule: Schedule,
    context: ClientContext,
    chance: Chance,
    recorder: ClientRecorder,
  ) {
    this.topic = topic;
    this.partitions = partitions;
    this.#schedule = schedule;
    this.#context = context;
    this.#chance = chance;
    this.#recorder = recorder;
  }

  start(): void {
    this.newConsumer(`${this.topic}-consumer`);
    const produce = () => {
      if (!this.#producing) return;
      this.#context.time.after(1000 / RECORDS_PER_SECOND, produce);
      if (this.#producer?.isOver !== false) this.#producer = this.#newProducer();
      this.#producer.send(this.#chance.below(this.partitions));
    };
    produce();
  }

  stopProducing(): void {
    this.#producing = false;
  }

  get isIdle(): boolean {
    return this.#producer?.isIdle ?? true;
  }

  newConsumer(node: string): ScriptedConsumer {
    // A broker that is asked by the topic's name may know of another one of that name, and the record that was read last
    // may be gone from a log that is compacted.
    const isKept = this.topic !== PASSING_TOPIC && this.topic !== COMPACTED_TOPIC;
    const asksForEnds = this.#schedule.asksForEnds && isKept;
    const life = this.#lives++;
    return new ScriptedConsumer(node, life, this.topic, asksForEnds, this.#context, this.#chance, this.#recorder);
  }

  #newProducer(): ScriptedProducer {
    const node = `${this.topic}-producer`;
    const life = this.#lives++;
    return new ScriptedProducer(node, life, this.topic, this.#schedule, this.#context, this.#chance, this.#recorder);
  }
}
