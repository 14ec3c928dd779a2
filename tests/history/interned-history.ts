import type { HistoryEvent, PollEvent } from "./history.ts";
import { Names } from "./names.ts";
import { FAILED, OK, UNKNOWN } from "./outcome.ts";
import { Polls } from "./polls.ts";
import { Sends } from "./sends.ts";
import { Transactions } from "./transactions.ts";

/** A history with every name replaced by a small number, in columns, and with what follows from it about each value. */
export class InternedHistory {
  readonly events: readonly HistoryEvent[];
  readonly partitions = new Names();
  readonly processes = new Names();
  readonly transactions: Transactions;
  readonly sends: Sends;
  readonly polls: Polls;
  /** By operation, 1: a transaction that must have committed, for it said so or because one of its records was read. */
  readonly isCommitted: Uint8Array;
  /** By value, what became of it when all that is known is put together: `OK` if it must be in the log. */
  readonly fate: Uint8Array;
  /** By poll, 1: a consumer of uncommitted records saw one that others need not ever see. */
  readonly isHidden: Uint8Array;
  /** By value, 1: some consumer was handed it. */
  readonly isRead: Uint8Array;
  /** By partition: the offset below which records were removed on purpose. */
  readonly trimmedTo: Float64Array;

  constructor(events: readonly HistoryEvent[]) {
    this.events = events;
    this.transactions = new Transactions(events);
    this.sends = new Sends(events, this.partitions, this.processes, this.transactions);
    this.polls = new Polls(events, this.sends, this.transactions);
    this.isCommitted = new Uint8Array(this.transactions.operations.count);
    if (this.transactions.count > 0) this.#commit();
    this.fate = this.transactions.count > 0 ? this.#fates() : this.sends.outcome;
    this.isHidden = new Uint8Array(this.polls.count);
    this.isRead = new Uint8Array(this.sends.count);
    this.#read();
    this.trimmedTo = this.#trims();
  }

  /** Whether the value was sent within a transaction. */
  isTransactional(value: number): boolean {
    const operation = this.sends.operation[value]!;
    return operation !== -1 && this.transactions.isTransaction(operation);
  }

  poll(poll: number): PollEvent {
    return this.events[this.polls.at[poll]!] as PollEvent;
  }

  /** For evidence: `a1 at offset 7`. */
  describePoll(poll: number): string {
    return `${this.sends.name(this.polls.value[poll]!)} at offset ${this.polls.offset[poll]}`;
  }

  reader(poll: number): string {
    return this.processes.name(this.polls.process[poll]!);
  }

  #commit(): void {
    const { transactions, isCommitted, polls, sends } = this;
    for (let operation = 0; operation < isCommitted.length; operation++) {
      if (transactions.outcome(operation) === OK) isCommitted[operation] = 1;
    }
    for (let poll = 0; poll < polls.count; poll++) {
      const operation = sends.operation[polls.value[poll]!]!;
      if (operation === -1 || polls.isUncommitted[poll] === 1) continue;
      if (transactions.outcome(operation) === UNKNOWN) isCommitted[operation] = 1;
    }
  }

  /** A transaction commits all its records or none, so its outcome is theirs. */
  #fates(): Uint8Array {
    const { transactions, isCommitted, sends } = this;
    const fate = sends.outcome.slice();
    for (let value = 0; value < sends.count; value++) {
      const operation = sends.operation[value]!;
      if (operation === -1 || !transactions.isTransaction(operation) || fate[value] === FAILED) continue;
      fate[value] = isCommitted[operation] === 1 ? OK : transactions.outcome(operation);
    }
    return fate;
  }

  #read(): void {
    const { polls, isHidden, isRead, fate } = this;
    for (let poll = 0; poll < polls.count; poll++) {
      const value = polls.value[poll]!;
      if (polls.isUncommitted[poll] === 1 && fate[value] !== OK && this.isTransactional(value)) isHidden[poll] = 1;
      else isRead[value] = 1;
    }
  }

  #trims(): Float64Array {
    const { partitions, polls } = this;
    for (const { event } of polls.controls) if (event.f === "trim") partitions.number(event.partition);
    const trimmedTo = new Float64Array(partitions.count);
    for (const { event } of polls.controls) {
      if (event.f !== "trim") continue;
      const partition = partitions.number(event.partition);
      trimmedTo[partition] = Math.max(trimmedTo[partition]!, event.offset);
    }
    return trimmedTo;
  }
}
