import type { InternedHistory } from "./interned-history.ts";
import { LabelledGraph } from "./labelled-graph.ts";
import type { PartitionOrder } from "./partition-order.ts";

/** Kinds of edges. A record was read by, or lies in the log next before, ... */
export const READ = 1;
export const WRITE = 2;
/** The same, where one of the two was sent in a transaction, so that its place says nothing about the others of it. */
export const INTERLEAVED = 4;
/** What had ended before something began: in the same process, or by the times of the history. */
export const PROCESS = 8;
export const REALTIME = 16;

/**
 * What must have happened before what. The nodes are transactions that committed, sends and polls outside of them, and
 * moments. A moment stands between everything that had ended by then and everything that began after it, which takes
 * two edges for each and not one for each pair.
 */
export class Dependencies {
  readonly graph = new LabelledGraph();
  readonly #history: InternedHistory;
  readonly #order: PartitionOrder;
  /** Nodes below this are transactions; then values, polls and moments. */
  readonly #firstValue: number;
  readonly #firstPoll: number;
  readonly #firstMoment: number;
  #nextMoment: number;
  /** By event: the node that it begins or ends, or -1. */
  readonly #nodeOf: Int32Array;
  /** By poll, 1: something came after it. */
  readonly #isFollowed: Uint8Array;

  constructor(history: InternedHistory, order: PartitionOrder) {
    const { transactions, sends, polls, events } = history;
    this.#history = history;
    this.#order = order;
    this.#firstValue = transactions.operations.count;
    this.#firstPoll = this.#firstValue + sends.count;
    this.#firstMoment = this.#nextMoment = this.#firstPoll + polls.count;
    this.#nodeOf = new Int32Array(events.length).fill(-1);
    this.#isFollowed = new Uint8Array(polls.count);
    this.#markNodes();
    this.#addProcesses();
    this.#addRealtime();
    this.#addReads();
    this.#addWrites();
  }

  describe(node: number): string | undefined {
    const { transactions, sends, processes, polls, events } = this.#history;
    if (node >= this.#firstMoment) return undefined;
    if (node < this.#firstValue) {
      const begin = events[transactions.invokedAt(node)];
      const process = begin?.f === "transaction" ? begin.process : "?";
      return `transaction ${transactions.operations.name(node)} of ${process}`;
    }
    if (node < this.#firstPoll) {
      const value = node - this.#firstValue;
      return `${this.describeValue(value)} of ${sends.processName(value)}`;
    }
    const poll = node - this.#firstPoll;
    return `${processes.name(polls.process[poll]!)}'s poll of ${this.#history.describePoll(poll)}`;
  }

  /** For evidence: `a1 at t-0 offset 7`. */
  describeValue(value: number): string {
    const { sends } = this.#history;
    return `${sends.name(value)} at ${sends.partitionName(value)} offset ${this.#order.offset[value]}`;
  }

  #markNodes(): void {
    const { transactions, sends, polls, isCommitted } = this.#history;
    for (let value = 0; value < sends.count; value++) {
      if (!this.#isSound(value) || this.#history.isTransactional(value)) continue;
      if (sends.origin[value] === value) this.#nodeOf[sends.bornAt[value]!] = this.#firstValue + value;
      if (sends.completedAt[value] !== -1) this.#nodeOf[sends.completedAt[value]!] = this.#firstValue + value;
    }
    for (let poll = 0; poll < polls.count; poll++) {
      if (polls.isUncommitted[poll] === 0 && !this.#isCommittedPoll(poll)) {
        this.#nodeOf[polls.at[poll]!] = this.#firstPoll + poll;
      }
    }
    for (let operation = 0; operation < isCommitted.length; operation++) {
      if (isCommitted[operation] === 0) continue;
      this.#nodeOf[transactions.invokedAt(operation)] = operation;
      if (transactions.completedAt(operation) !== -1) this.#nodeOf[transactions.completedAt(operation)] = operation;
    }
  }

  /** A value whose place is beyond doubt. */
  #isSound(value: number): boolean {
    const place = this.#order.place[value]!;
    if (place === -1 || this.#history.sends.process[value] === -1) return false;
    return !this.#order.scattered.has(value) && !this.#order.contested.has(place);
  }

  #isCommittedPoll(poll: number): boolean {
    return this.#history.isCommitted[this.#history.polls.operation[poll]!] === 1;
  }

  #addProcesses(): void {
    const { events, processes } = this.#history;
    const moments = new Map<number, Moments>();
    /** Whoever only reads begins nothing that a read of its own could come before. */
    const writers = new Set<number>();
    events.forEach((event) => {
      if (event.type === "invoke") writers.add(processes.number(event.process));
    });
    for (let at = 0; at < events.length; at++) {
      const node = this.#nodeOf[at]!;
      const event = events[at]!;
      if (node === -1 || event.f === "trim") continue;
      const process = processes.number(event.process);
      if (!writers.has(process)) continue;
      let chain = moments.get(process);
      if (chain === undefined) moments.set(process, (chain = new Moments(this.graph, PROCESS)));
      this.#pass(chain, at, node);
    }
  }

  #addRealtime(): void {
    const chain = new Moments(this.graph, REALTIME);
    const ordered = this.#timedEvents();
    const isKnown = new Uint8Array(this.#history.sends.count);
    for (let from = 0, to = 0; from < ordered.length; from = to) {
      const timeMs = this.#timeOf(ordered[from]!);
      while (to < ordered.length && this.#timeOf(ordered[to]!) === timeMs) to++;
      const together = ordered.subarray(from, to);
      // What ended at the very time at which something began may have ended after it.
      for (const at of together) if (this.#begins(at)) this.#pass(chain, at, this.#nodeOf[at]!);
      for (const at of together) {
        if (this.#begins(at)) continue;
        const node = this.#nodeOf[at]!;
        if (node >= this.#firstPoll) {
          // Only the first read of a value says anything new.
          const value = this.#history.polls.value[node - this.#firstPoll]!;
          if (isKnown[value] === 1) continue;
          isKnown[value] = 1;
        }
        this.#pass(chain, at, node);
      }
    }
  }

  #begins(at: number): boolean {
    return this.#history.events[at]!.type === "invoke";
  }

  #timeOf(at: number): number {
    const event = this.#history.events[at]!;
    return "timeMs" in event ? (event.timeMs ?? NaN) : NaN;
  }

  /** Those that begin or end a node and have a time, in the order of their times. */
  #timedEvents(): Int32Array {
    const { events } = this.#history;
    const timed = new Int32Array(events.length);
    let count = 0;
    let isAscending = true;
    let lastMs = -Infinity;
    for (let at = 0; at < events.length; at++) {
      if (this.#nodeOf[at] === -1) continue;
      const timeMs = this.#timeOf(at);
      if (Number.isNaN(timeMs)) continue;
      timed[count++] = at;
      if (timeMs < lastMs) isAscending = false;
      lastMs = timeMs;
    }
    const all = timed.subarray(0, count);
    return isAscending ? all : all.sort((one, other) => this.#timeOf(one) - this.#timeOf(other));
  }

  #pass(chain: Moments, at: number, node: number): void {
    if (this.#begins(at)) {
      chain.begin(node);
      return;
    }
    if (node >= this.#firstPoll) this.#isFollowed[node - this.#firstPoll] = 1;
    this.#nextMoment = chain.end(node, this.#nextMoment);
  }

  #addReads(): void {
    const { polls, isCommitted, sends } = this.#history;
    for (let poll = 0; poll < polls.count; poll++) {
      const isCommittedPoll = this.#isCommittedPoll(poll);
      if (polls.isUncommitted[poll] === 1 || (!isCommittedPoll && this.#isFollowed[poll] === 0)) continue;
      const value = polls.value[poll]!;
      const operation = sends.operation[value]!;
      const isTransactional = this.#history.isTransactional(value);
      if (isTransactional ? isCommitted[operation] === 0 : !this.#isSound(value)) continue;
      const writer = isTransactional ? operation : this.#firstValue + value;
      this.graph.add(writer, isCommittedPoll ? polls.operation[poll]! : this.#firstPoll + poll, READ, value);
    }
  }

  #addWrites(): void {
    const { partitions, transactions } = this.#history;
    for (let partition = 0; partition < partitions.count; partition++) {
      let last = -1;
      let isLastPlain = true;
      let lastPlain = -1;
      for (let place = this.#order.start(partition); place < this.#order.end(partition); place++) {
        const value = this.#order.valueAt[place]!;
        if (!this.#isSound(value)) continue;
        const isPlain = transactions.count === 0 || !this.#history.isTransactional(value);
        const node = isPlain ? this.#firstValue + value : this.#history.sends.operation[value]!;
        if (isPlain) {
          if (lastPlain !== -1) this.graph.add(lastPlain, node, WRITE, value);
          lastPlain = node;
        }
        if (last !== -1 && !(isPlain && isLastPlain)) this.graph.add(last, node, INTERLEAVED, value);
        last = node;
        isLastPlain = isPlain;
      }
    }
  }
}

/** The moments of one process, or of all of them: a chain, each before the next. */
class Moments {
  readonly #graph: LabelledGraph;
  readonly #kind: number;
  #last = -1;
  #isUsed = false;

  constructor(graph: LabelledGraph, kind: number) {
    this.#graph = graph;
    this.#kind = kind;
  }

  begin(node: number): void {
    if (this.#last === -1) return;
    this.#graph.add(this.#last, node, this.#kind, -1);
    this.#isUsed = true;
  }

  /** Moments in which nothing began are one. Returns the number for the next moment, `free` if that was not needed. */
  end(node: number, free: number): number {
    let next = free;
    if (this.#last === -1 || this.#isUsed) {
      if (this.#last !== -1) this.#graph.add(this.#last, free, this.#kind, -1);
      this.#last = free;
      this.#isUsed = false;
      next++;
    }
    this.#graph.add(node, this.#last, this.#kind, -1);
    return next;
  }
}
