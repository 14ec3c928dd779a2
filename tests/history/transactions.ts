import type { HistoryEvent, TransactionEvent } from "./history.ts";
import { Names } from "./names.ts";
import { FAILED, NO_TRANSACTION, OK, UNKNOWN } from "./outcome.ts";

/** The operations of a history, of which some are transactions; columns are indexed by the operation's number. */
export class Transactions {
  readonly operations = new Names();
  readonly #outcomes: number[] = [];
  /** Indices of events; -1 for a transaction that did not commit. */
  readonly #invokedAt: number[] = [];
  readonly #completedAt: number[] = [];
  readonly #isCompleted = new Set<number>();
  count = 0;

  constructor(events: readonly HistoryEvent[]) {
    events.forEach((event, at) => {
      if (event.f === "transaction") this.#add(event, at);
    });
  }

  isTransaction(operation: number): boolean {
    return this.outcome(operation) !== NO_TRANSACTION;
  }

  outcome(operation: number): number {
    return this.#outcomes[operation] ?? NO_TRANSACTION;
  }

  invokedAt(operation: number): number {
    return this.#invokedAt[operation] ?? -1;
  }

  completedAt(operation: number): number {
    return this.#completedAt[operation] ?? -1;
  }

  #add({ operation, type }: TransactionEvent, at: number): void {
    const number = this.operations.number(operation);
    if (type === "invoke") {
      if (this.isTransaction(number)) throw new Error(`the transaction ${operation} begins twice`);
      this.count++;
      this.#outcomes[number] = UNKNOWN;
      this.#invokedAt[number] = at;
      this.#completedAt[number] = -1;
      return;
    }
    if (!this.isTransaction(number)) throw new Error(`the transaction ${operation} completes before it begins`);
    if (this.#isCompleted.has(number)) throw new Error(`the transaction ${operation} completes twice`);
    this.#isCompleted.add(number);
    if (type === "fail") this.#outcomes[number] = FAILED;
    if (type !== "ok") return;
    this.#outcomes[number] = OK;
    this.#completedAt[number] = at;
  }
}
