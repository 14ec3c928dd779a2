import type { AssignEvent, HistoryEvent, IdleEvent, RebalanceEvent, TrimEvent } from "./history.ts";
import type { Sends } from "./sends.ts";
import type { Transactions } from "./transactions.ts";

/** An event that says something about the polls behind it: `before` is the number of the next poll. */
export interface Control {
  readonly before: number;
  readonly event: AssignEvent | RebalanceEvent | TrimEvent | IdleEvent;
}

/** Every record that was read, as columns, in the order of the history. */
export class Polls {
  count = 0;
  readonly process: Int32Array;
  readonly partition: Int32Array;
  readonly value: Int32Array;
  readonly offset: Float64Array;
  /** -1 for a poll that is no part of one. */
  readonly operation: Int32Array;
  /** The event. */
  readonly at: Int32Array;
  /** 1 if the consumer's group chose what it reads. */
  readonly isSubscribed: Uint8Array;
  /** 1 if the consumer wanted to read uncommitted records too. */
  readonly isUncommitted: Uint8Array;
  readonly controls: Control[] = [];

  constructor(events: readonly HistoryEvent[], sends: Sends, { operations }: Transactions) {
    let most = 0;
    for (const { f } of events) if (f === "poll") most++;
    this.process = new Int32Array(most);
    this.partition = new Int32Array(most);
    this.value = new Int32Array(most);
    this.offset = new Float64Array(most);
    this.operation = new Int32Array(most);
    this.at = new Int32Array(most);
    this.isSubscribed = new Uint8Array(most);
    this.isUncommitted = new Uint8Array(most);
    /** How each process reads; absent while it is the usual way. */
    const subscribed = new Set<number>();
    const uncommitted = new Set<number>();
    for (let at = 0; at < events.length; at++) {
      const event = events[at]!;
      if (event.f === "poll") {
        const poll = this.count++;
        const process = sends.processes.number(event.process);
        const partition = sends.partitions.number(event.partition);
        this.process[poll] = process;
        this.partition[poll] = partition;
        this.value[poll] = sends.read(event.value, partition, at);
        this.offset[poll] = event.offset;
        this.operation[poll] = event.operation === undefined ? -1 : operations.number(event.operation);
        this.at[poll] = at;
        if (subscribed.size > 0 && subscribed.has(process)) this.isSubscribed[poll] = 1;
        if (uncommitted.size > 0 && uncommitted.has(process)) this.isUncommitted[poll] = 1;
        continue;
      }
      if (event.f === "send" || event.f === "transaction") continue;
      this.controls.push({ before: this.count, event });
      if (event.f !== "assign" && event.f !== "subscribe") continue;
      const process = sends.processes.number(event.process);
      mark(subscribed, process, event.f === "subscribe");
      mark(uncommitted, process, event.isolation === "read_uncommitted");
    }
  }
}

function mark(set: Set<number>, member: number, isIn: boolean): void {
  if (isIn) set.add(member);
  else set.delete(member);
}
