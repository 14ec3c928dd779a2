import type { HistoryEvent } from "../history/history.ts";
import { partitionLabel, TOPIC } from "./topics.ts";
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

/** Writes down what clients do and see, for the checker, and compares it with the truth at once. */
export class Recorder {
  readonly history: HistoryEvent[] = [];
  acknowledgements = 0;
  reads = 0;
  readonly #truth: Truth;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  sent(process: string, partition: number, value: string): void {
    this.history.push({ f: "send", type: "invoke", process, partition: name(partition), value, content: value });
  }

  acknowledged(process: string, partition: number, value: string, offset: number): void {
    this.acknowledgements++;
    this.history.push({ f: "send", type: "ok", process, partition: name(partition), value, offset });
    if (!this.#truth.isCommitted(partitionLabel(TOPIC, partition), offset)) {
      this.violation("acknowledged-is-committed", `${value} was acknowledged at uncommitted offset ${offset}`);
    }
  }

  gaveUp(process: string, partition: number, value: string, wasSent: boolean): void {
    this.history.push({ f: "send", type: wasSent ? "info" : "fail", process, partition: name(partition), value });
  }

  read(process: string, partition: number, offset: number, value: string): void {
    this.reads++;
    this.history.push({ f: "poll", type: "ok", process, partition: name(partition), value, offset, content: value });
    if (!this.#truth.isCommitted(partitionLabel(TOPIC, partition), offset)) {
      this.violation("read-is-committed", `${process} read ${value} at uncommitted offset ${offset}`);
    }
  }

  violation(rule: string, evidence: string): never {
    throw new ViolationFound({ rule, evidence });
  }
}

function name(partition: number): string {
  return partitionLabel(TOPIC, partition);
}
