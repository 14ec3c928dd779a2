import type { HistoryEvent } from "../history/history.ts";
import { LEADER_ACKED_TOPIC, partitionLabel, TOPIC } from "./topics.ts";
import type { Truth } from "./truth.ts";

/** What went wrong, in words that hold still: shrinking keeps faults while the rule stays the same. */
export interface Violation {
  readonly rule: string;
  readonly evidence: string;
}

/** Thrown to end a run at the first violation. */
export class ViolationFound extends Error {
  override readonly name = "ViolationFound";
  readonly violation: Violation;

  constructor(violation: Violation) {
    super(`${violation.rule}: ${violation.evidence}`);
    this.violation = violation;
  }
}

/** Whom clients tell what they do with one topic, and see of it. */
export interface ClientRecorder {
  /** How the topic is produced to: with acks=1 its leaders may lose what they acknowledged. */
  readonly acks: 1 | -1;
  /** Whether a producer may be refused for good, because what it wrote before is gone. */
  readonly mayForgetProducers: boolean;
  mark(name: string): void;
  /** For a topic of keys: of which one a record is, and its value, null for a tombstone. Others have no keys. */
  keyedRecord?(value: string): { readonly key: string; readonly value: string | null };
  /** How far the partition is committed; 0 where nobody can say. */
  endOffset(partition: number): number;
  /** Up to where leaders have deleted the partition's records. */
  trimmedTo(partition: number): number;
  sent(process: string, partition: number, value: string): void;
  acknowledged(process: string, partition: number, value: string, offset: number): void;
  gaveUp(process: string, partition: number, value: string, wasSent: boolean): void;
  read(process: string, partition: number, offset: number, value: string, topicId: string): void;
  violation(rule: string, evidence: string): never;
}

/** Writes down what clients do and see, for the checker, and compares it with the truth at once. */
export class Recorder implements ClientRecorder {
  readonly history: HistoryEvent[] = [];
  readonly acks: 1 | -1;
  readonly mayForgetProducers: boolean;
  acknowledgements = 0;
  reads = 0;
  readonly #topic: string;
  readonly #truth: Truth;
  readonly #labels: string[] = [];
  /** By partition and offset, what leaders alone have acknowledged. */
  readonly #leaderAcked = new Map<string, string>();
  readonly mark: (name: string) => void;

  constructor(topic: string, truth: Truth, mark: (name: string) => void) {
    this.#topic = topic;
    this.#truth = truth;
    this.mark = mark;
    this.acks = topic === LEADER_ACKED_TOPIC ? 1 : -1;
    this.mayForgetProducers = topic !== TOPIC;
  }

  endOffset(partition: number): number {
    return this.#truth.endOffset(this.#label(partition));
  }

  trimmedTo(partition: number): number {
    return this.#truth.trimmedTo(this.#label(partition));
  }

  sent(process: string, partition: number, value: string): void {
    const acks = this.acks === 1 ? "leader" : "all";
    const name = this.#label(partition);
    this.history.push({ f: "send", type: "invoke", process, partition: name, value, acks, content: value });
  }

  acknowledged(process: string, partition: number, value: string, offset: number): void {
    this.acknowledgements++;
    const name = this.#label(partition);
    this.history.push({ f: "send", type: "ok", process, partition: name, value, offset });
    if (this.acks === 1) return void this.#leaderAcked.set(`${name}/${offset}`, value);
    if (this.#truth.isCommitted(name, offset)) return;
    this.violation("acknowledged-is-committed", `${value} was acknowledged at uncommitted offset ${offset}`);
  }

  gaveUp(process: string, partition: number, value: string, wasSent: boolean): void {
    const type = wasSent ? "info" : "fail";
    this.history.push({ f: "send", type, process, partition: this.#label(partition), value });
  }

  read(process: string, partition: number, offset: number, value: string): void {
    this.reads++;
    const name = this.#label(partition);
    this.history.push({ f: "poll", type: "ok", process, partition: name, value, offset, content: value });
    if (!this.#truth.isCommitted(name, offset)) {
      this.violation("read-is-committed", `${process} read ${value} at uncommitted offset ${offset}`);
    }
    if ((this.#leaderAcked.get(`${name}/${offset}`) ?? value) !== value) this.mark("acks=1 record lost at failover");
  }

  violation(rule: string, evidence: string): never {
    throw new ViolationFound({ rule, evidence });
  }

  /** One text for each partition, which every line of the history has. */
  #label(partition: number): string {
    return (this.#labels[partition] ??= partitionLabel(this.#topic, partition));
  }
}
