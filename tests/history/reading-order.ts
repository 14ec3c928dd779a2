import type { InternedHistory } from "./interned-history.ts";
import { FAILED, UNKNOWN } from "./outcome.ts";
import type { Control } from "./polls.ts";

/** A consumer that asked in vain, having read `lastPoll` of that partition last. */
export interface Idle {
  readonly lastPoll: number;
  readonly invokedAtMs: number;
}

/**
 * Which poll of a consumer's goes on where which other stopped. A transaction that failed hands its records over anew,
 * so only one that committed moves the place where the next operation has to go on (Jepsen's rule).
 */
export class ReadingOrder {
  /** By poll: the one of the same consumer and partition that it follows, or -1 if it may be anywhere. */
  readonly previous: Int32Array;
  /** By poll, 1: the previous one belongs to the same operation. */
  readonly isInternal: Uint8Array;
  /** By poll: the offset below which records had been removed on purpose by then; undefined if nothing ever was. */
  readonly trimmedTo: Float64Array | undefined;
  readonly idles: Idle[] = [];
  readonly #history: InternedHistory;
  /** A number for each consumer and partition; the following columns are indexed by it. */
  readonly #cursors = new Map<number, number>();
  readonly #lastPoll: number[] = [];
  readonly #settledPoll: number[] = [];
  readonly #assignment: number[] = [];
  /** By process: how often it was told anew what to read. */
  readonly #assignments: Int32Array;

  constructor(history: InternedHistory) {
    this.#history = history;
    const { polls, processes, partitions } = history;
    this.previous = new Int32Array(polls.count).fill(-1);
    this.isInternal = new Uint8Array(polls.count);
    this.#assignments = new Int32Array(processes.count);
    const isTrimmed = polls.controls.some(({ event }) => event.f === "trim");
    this.trimmedTo = isTrimmed ? new Float64Array(polls.count) : undefined;
    const trims = new Float64Array(partitions.count);
    let control = 0;
    for (let poll = 0; poll < polls.count; poll++) {
      while (control < polls.controls.length && polls.controls[control]!.before <= poll) {
        this.#obey(polls.controls[control++]!, trims);
      }
      if (this.trimmedTo !== undefined) this.trimmedTo[poll] = trims[polls.partition[poll]!]!;
      this.#follow(poll);
    }
    while (control < polls.controls.length) this.#obey(polls.controls[control++]!, trims);
  }

  #follow(poll: number): void {
    const { polls, transactions } = this.#history;
    const cursor = this.#cursor(polls.process[poll]!, polls.partition[poll]!);
    const last = this.#lastPoll[cursor]!;
    const operation = polls.operation[poll]!;
    const outcome = operation === -1 ? undefined : transactions.outcome(operation);
    if (last !== -1 && operation !== -1 && polls.operation[last] === operation) {
      this.previous[poll] = last;
      this.isInternal[poll] = 1;
    } else if (outcome !== FAILED && outcome !== UNKNOWN) this.previous[poll] = this.#settledPoll[cursor]!;
    this.#lastPoll[cursor] = poll;
    if (outcome === FAILED) return;
    this.#settledPoll[cursor] = outcome === UNKNOWN ? -1 : poll;
  }

  #cursor(process: number, partition: number): number {
    const cursor = this.#cursorNumber(process, partition);
    if (this.#assignment[cursor] !== this.#assignments[process]) this.#drop(cursor, process);
    return cursor;
  }

  #cursorNumber(process: number, partition: number): number {
    const key = process * this.#history.partitions.count + partition;
    const known = this.#cursors.get(key);
    if (known !== undefined) return known;
    const cursor = this.#cursors.size;
    this.#cursors.set(key, cursor);
    this.#drop(cursor, process);
    return cursor;
  }

  #drop(cursor: number, process: number): void {
    this.#assignment[cursor] = this.#assignments[process]!;
    this.#lastPoll[cursor] = -1;
    this.#settledPoll[cursor] = -1;
  }

  #obey({ event }: Control, trims: Float64Array): void {
    const { partitions, processes } = this.#history;
    if (event.f === "trim") {
      const partition = partitions.number(event.partition);
      trims[partition] = Math.max(trims[partition]!, event.offset);
      return;
    }
    const process = processes.find(event.process);
    // A consumer that never reads anything is of no interest.
    if (process === undefined) return;
    if (event.f === "idle") {
      for (const partition of this.#numbers(event.partitions)) {
        const lastPoll = this.#settledPoll[this.#cursor(process, partition)]!;
        if (lastPoll !== -1) this.idles.push({ lastPoll, invokedAtMs: event.invokedAtMs });
      }
      return;
    }
    if (event.f === "rebalance") {
      for (const partition of this.#numbers(event.partitions)) this.#drop(this.#cursor(process, partition), process);
      return;
    }
    const kept = this.#numbers(event.kept ?? []).map((partition) => this.#cursor(process, partition));
    this.#assignments[process]!++;
    for (const cursor of kept) this.#assignment[cursor] = this.#assignments[process]!;
  }

  #numbers(names: readonly string[]): number[] {
    return names.flatMap((name) => this.#history.partitions.find(name) ?? []);
  }
}
