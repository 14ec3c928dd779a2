import { PASSING_TOPIC } from "./topics.ts";
import type { PartitionNames } from "./topics.ts";
import { TruthOnlyRecorder } from "./truth-only-recorder.ts";
import type { Truth } from "./truth.ts";

/** What one life of a partition was seen to hold. */
interface SeenLog {
  readonly offsets: Map<string, number>;
  readonly values: Map<number, string>;
  /** By producer, where its newest record seen lies, and which one it is. */
  readonly newest: Map<string, { readonly offset: number; readonly number: number }>;
}

/**
 * Whom the clients of the topic tell that is deleted and made again. Neither a producer nor its acknowledgements say
 * which life of the topic a record landed in, so that nothing can be missed here; but within one life no record is
 * there twice, in another order or uncommitted.
 */
export class PassingRecorder extends TruthOnlyRecorder {
  readonly #names: PartitionNames;
  readonly #truth: Truth;
  readonly #logs = new Map<string, SeenLog>();

  constructor(names: PartitionNames, truth: Truth, mark: (name: string) => void) {
    super(mark);
    this.#names = names;
    this.#truth = truth;
  }

  acknowledged(_process: string, partition: number, value: string, offset: number): void {
    const labels = this.#names.labelsOf(PASSING_TOPIC, partition);
    if (labels.some((label) => this.#truth.isCommitted(label, offset))) return;
    this.violation("acknowledged-is-committed", `${value} was acknowledged at uncommitted offset ${offset}`);
  }

  read(process: string, partition: number, offset: number, value: string, topicId: string): void {
    const label = this.#names.labelOf(topicId, partition);
    if (label === undefined || !this.#truth.isCommitted(label, offset)) {
      this.violation("read-is-committed", `${process} read ${value} of ${label} at uncommitted offset ${offset}`);
    }
    const log = this.#logs.get(label) ?? { offsets: new Map(), values: new Map(), newest: new Map() };
    this.#logs.set(label, log);
    const known = log.values.get(offset);
    if (known === value) return;
    if (known !== undefined) this.violation("inconsistent-offsets", `${label} has ${known} and ${value} at ${offset}`);
    const twice = log.offsets.get(value);
    if (twice !== undefined) this.violation("duplicate", `${label} has ${value} at ${twice} and ${offset}`);
    log.values.set(offset, value);
    log.offsets.set(value, offset);
    this.#expectOrder(label, log, offset, value);
  }

  /** Consumers may come to the same records at different times; what is behind the newest one is judged by it alone. */
  #expectOrder(label: string, { newest }: SeenLog, offset: number, value: string): void {
    const at = value.lastIndexOf("-");
    const producer = value.slice(0, at);
    const number = Number(value.slice(at + 1));
    const last = newest.get(producer);
    if (last !== undefined && offset > last.offset !== number > last.number) {
      this.violation("nonmonotonic-send", `${label} has ${value} at ${offset}, ${producer}-${last.number} at ${last.offset}`);
    }
    if (last === undefined || offset > last.offset) newest.set(producer, { offset, number });
  }
}
