import type { HistoryEvent, SendEvent } from "./history.ts";
import { Names } from "./names.ts";
import { FAILED, OK, UNKNOWN } from "./outcome.ts";
import type { Transactions } from "./transactions.ts";

/**
 * Every value of a history as columns, indexed by the value's number. Values are numbered in the order in which they
 * are first seen; one that turns up in several partitions has a number for each.
 */
export class Sends {
  count = 0;
  readonly partitions: Names;
  readonly processes: Names;
  readonly partition: Int32Array;
  /** -1 for a value that nobody sent there. */
  readonly process: Int32Array;
  /** -1 for a send that is no part of one. */
  readonly operation: Int32Array;
  readonly outcome: Uint8Array;
  /** 1 for acks=1. */
  readonly isOfLeader: Uint8Array;
  /** -1 where no acknowledgement said it. */
  readonly ackedOffset: Float64Array;
  /** The event that brought the value up first; of a sent one, its invocation. */
  readonly bornAt: Int32Array;
  /** The event that acknowledged it, or -1. */
  readonly completedAt: Int32Array;
  /** The value's number where it was sent to; itself, but for a topic that was made again. */
  readonly origin: Int32Array;
  readonly #events: readonly HistoryEvent[];
  readonly #numbers = new Map<string, number>();
  readonly #elsewhere = new Map<string, number>();
  readonly #isCompleted: Uint8Array;

  /** Throws when a value is sent twice, or completes without an invocation. */
  constructor(events: readonly HistoryEvent[], partitions: Names, processes: Names, transactions: Transactions) {
    let most = 0;
    for (const { f, type } of events) if (f === "poll" || (f === "send" && type !== "fail")) most++;
    this.#events = events;
    this.partitions = partitions;
    this.processes = processes;
    this.partition = new Int32Array(most);
    this.process = new Int32Array(most);
    this.operation = new Int32Array(most);
    this.outcome = new Uint8Array(most);
    this.isOfLeader = new Uint8Array(most);
    this.ackedOffset = new Float64Array(most);
    this.bornAt = new Int32Array(most);
    this.completedAt = new Int32Array(most);
    this.origin = new Int32Array(most);
    this.#isCompleted = new Uint8Array(most);
    const { operations } = transactions;
    for (let at = 0; at < events.length; at++) {
      const event = events[at]!;
      if (event.f !== "send") continue;
      if (event.type !== "invoke") {
        this.#complete(event, at);
        continue;
      }
      const operation = event.operation === undefined ? -1 : operations.number(event.operation);
      this.#invoke(event, at, operation);
    }
  }

  /** The number of a value that was read; a new one if it was not sent there. */
  read(value: string, partition: number, at: number): number {
    const home = this.#numbers.get(value);
    if (home !== undefined && this.partition[home] === partition) return home;
    return this.#numberElsewhere(value, partition, home, at);
  }

  name(value: number): string {
    const event = this.#events[this.bornAt[value]!];
    return event?.f === "send" || event?.f === "poll" ? event.value : "?";
  }

  partitionName(value: number): string {
    return this.partitions.name(this.partition[value]!);
  }

  processName(value: number): string {
    return this.processes.name(this.process[value]!);
  }

  /** What was sent; undefined if nothing was, or the history does not say. */
  content(value: number): string | undefined {
    const event = this.#events[this.bornAt[this.origin[value]!]!];
    return event?.f === "send" ? event.content : undefined;
  }

  #invoke({ value, partition, process, acks }: SendEvent, at: number, operation: number): void {
    const number = this.count;
    const { size } = this.#numbers;
    this.#numbers.set(value, number);
    // One look-up less than asking first: a value that was there already does not make the map grow.
    if (this.#numbers.size === size) throw new Error(`the value ${value} is sent twice: values must be unique`);
    this.#add(this.partitions.number(partition), this.processes.number(process), operation, at);
    if (acks === "leader") this.isOfLeader[number] = 1;
  }

  #complete(event: SendEvent, at: number): void {
    const { value, type } = event;
    const home = this.#numbers.get(value);
    const partition = this.partitions.number(event.partition);
    if (home === undefined || !this.#isSentAs(home, partition, event.process)) {
      throw new Error(`the value ${value} completes in ${event.partition} without having been sent there`);
    }
    if (this.#isCompleted[home] === 1) throw new Error(`the value ${value} completes twice`);
    this.#isCompleted[home] = 1;
    if (type !== "ok") {
      this.outcome[home] = type === "fail" ? FAILED : UNKNOWN;
      return;
    }
    const isHome = this.partition[home] === partition;
    const number = isHome ? home : this.#numberElsewhere(value, partition, home, at);
    this.outcome[number] = OK;
    this.completedAt[number] = at;
    if (event.offset !== undefined) this.ackedOffset[number] = event.offset;
  }

  #isSentAs(home: number, partition: number, process: string): boolean {
    if (this.processName(home) !== process) return false;
    return this.partition[home] === partition || this.#isSameName(this.partition[home]!, partition);
  }

  #isSameName(one: number, other: number): boolean {
    return withoutTopicId(this.partitions.name(one)) === withoutTopicId(this.partitions.name(other));
  }

  #numberElsewhere(value: string, partition: number, home: number | undefined, at: number): number {
    const key = `${partition} ${value}`;
    const known = this.#elsewhere.get(key);
    if (known !== undefined) return known;
    const number = this.count;
    this.#elsewhere.set(key, number);
    if (home === undefined || !this.#isSameName(this.partition[home]!, partition)) this.#add(partition, -1, -1, at);
    else {
      this.#add(partition, this.process[home]!, this.operation[home]!, at);
      this.origin[number] = home;
      this.isOfLeader[number] = this.isOfLeader[home]!;
    }
    return number;
  }

  #add(partition: number, process: number, operation: number, at: number): void {
    const number = this.count++;
    this.partition[number] = partition;
    this.process[number] = process;
    this.operation[number] = operation;
    this.ackedOffset[number] = -1;
    this.bornAt[number] = at;
    this.completedAt[number] = -1;
    this.origin[number] = number;
  }
}

function withoutTopicId(partition: string): string {
  const at = partition.indexOf("@");
  return at === -1 ? partition : partition.slice(0, at);
}
