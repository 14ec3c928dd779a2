import { ViolationFound } from "./recorder.ts";
import type { ClientRecorder } from "./recorder.ts";

/** Writes no history for the checker: what clients of such a topic see is compared with what is committed, at once. */
export abstract class TruthOnlyRecorder implements ClientRecorder {
  readonly acks = -1;
  readonly mayForgetProducers = true;
  readonly mark: (name: string) => void;

  constructor(mark: (name: string) => void) {
    this.mark = mark;
  }

  abstract acknowledged(process: string, partition: number, value: string, offset: number): void;
  abstract read(process: string, partition: number, offset: number, value: string, topicId: string): void;

  endOffset(): number {
    return 0;
  }

  trimmedTo(): number {
    return 0;
  }

  sent(): void {}

  gaveUp(): void {}

  violation(rule: string, evidence: string): never {
    throw new ViolationFound({ rule, evidence });
  }
}
