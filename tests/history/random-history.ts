import type { HistoryEvent, PollEvent, SendEvent } from "./history.ts";

/** Uniform integers in [0, limit), the same ones for the same seed (mulberry32). */
export function randomIntegers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** A legal history of a tiny correct cluster, made of about `steps` steps. */
export function randomHistory(seed: number, steps: number): HistoryEvent[] {
  const cluster = new TinyCluster(seed);
  for (let step = 0; step < steps; step++) cluster.step();
  return cluster.end();
}

interface StoredRecord {
  readonly offset: number;
  readonly value: string;
  /** Of a transaction: undefined outside of one. */
  readonly operation: string | undefined;
  state: "open" | "committed" | "aborted";
}

interface Log {
  readonly partition: string;
  readonly records: StoredRecord[];
  endOffset: number;
  startOffset: number;
}

/** A send on its way to the log, or its acknowledgement on the way back. */
interface OpenSend {
  readonly send: Omit<SendEvent, "type">;
  readonly log: Log;
  acknowledgement: HistoryEvent | undefined;
}

interface OpenTransaction {
  readonly operation: string;
  readonly positionsBefore: ReadonlyMap<string, number>;
}

/** Two of everything is the least that lets them be confused. */
const PARTITIONS = ["t-0", "t-1"];
const PRODUCERS = ["a", "b"];

/**
 * Producers whose sends are stored late, acknowledged late, lost, or fail, `b` in some histories with acks=1; `x`,
 * which produces and consumes in transactions; the consumers `c`, which was assigned its partitions, `d` in a group,
 * and `u`, which reads uncommitted records; offsets with holes; and retention.
 */
class TinyCluster {
  readonly #random: (limit: number) => number;
  readonly #history: HistoryEvent[] = [];
  readonly #logs: Log[] = PARTITIONS.map((partition) => ({ partition, records: [], endOffset: 0, startOffset: 0 }));
  readonly #open: OpenSend[] = [];
  /** Where a consumer goes on, by its name and the partition's: an index into the records. */
  readonly #positions = new Map<string, number>();
  readonly #isTimed: boolean;
  readonly #leaderAcks: boolean;
  readonly #hasRetention: boolean;
  #transaction: OpenTransaction | undefined;
  #timeMs = 0;
  #names = 0;

  constructor(seed: number) {
    this.#random = randomIntegers(seed);
    this.#isTimed = this.#random(2) === 0;
    this.#leaderAcks = this.#random(3) === 0;
    this.#hasRetention = this.#random(2) === 0;
    this.#history.push({ f: "subscribe", type: "ok", process: "d" });
    this.#history.push({ f: "assign", type: "ok", process: "u", isolation: "read_uncommitted" });
  }

  step(): void {
    this.#timeMs += this.#random(3);
    const choice = this.#random(24);
    if (choice < 6) this.#send();
    else if (choice < 10) this.#advance();
    else if (choice < 13) this.#transact();
    else if (choice < 20) this.#poll(this.#pick(["c", "d", "u"]), this.#pick(this.#logs), this.#name("op"));
    else if (choice < 21) this.#seekToBeginning("c");
    else if (choice < 22) this.#rebalance();
    else if (choice < 23) this.#trim();
    else this.#idle("c");
  }

  /** What is open comes to its end, and a final reader reads everything. */
  end(): HistoryEvent[] {
    this.#timeMs += 5;
    while (this.#open.length > 0) this.#advance();
    this.#endTransaction();
    for (const log of this.#logs) while (this.#poll("final", log, this.#name("op")));
    return this.#history;
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random(items.length)]!;
  }

  #name(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  #record(event: HistoryEvent): void {
    const isDated = this.#isTimed && (event.f === "send" || event.f === "poll" || event.f === "transaction");
    this.#history.push(isDated ? { ...event, timeMs: this.#timeMs } : event);
  }

  #send(): void {
    const process = this.#pick(PRODUCERS);
    const log = this.#pick(this.#logs);
    const value = this.#name(process);
    const send = { f: "send", process, partition: log.partition, value } as const;
    const acks = process === "b" && this.#leaderAcks ? ({ acks: "leader" } as const) : {};
    this.#record({ ...send, ...acks, type: "invoke", content: contentOf(value) });
    if (this.#random(10) === 0) this.#record({ ...send, type: "fail" });
    else this.#open.push({ send, log, acknowledgement: undefined });
  }

  /** Some open send is stored or, if it is already, acknowledged. Those of one producer are stored in their order. */
  #advance(): void {
    const next = this.#open.filter((one, index) => one.acknowledgement !== undefined || this.#isNext(one, index));
    if (next.length === 0) return;
    const open = this.#pick(next);
    if (open.acknowledgement === undefined) return this.#store(open);
    this.#open.splice(this.#open.indexOf(open), 1);
    this.#record(open.acknowledgement);
  }

  #isNext({ send, log }: OpenSend, index: number): boolean {
    const first = this.#open.findIndex((one) => {
      return one.send.process === send.process && one.log === log && one.acknowledgement === undefined;
    });
    return first === index;
  }

  #store(open: OpenSend): void {
    const { send, log } = open;
    const isLeaderAcked = send.process === "b" && this.#leaderAcks;
    const fate = this.#random(10);
    if (fate === 0) {
      open.acknowledgement = { ...send, type: "info" };
      return;
    }
    // The leader dies right after its acknowledgement, and the next one gives the offset to another record.
    const isLost = isLeaderAcked && fate === 1;
    const offset = isLost ? log.endOffset : this.#append(log, send.value, undefined);
    open.acknowledgement = fate === 2 ? { ...send, type: "info" } : { ...send, type: "ok", offset };
  }

  #append(log: Log, value: string, operation: string | undefined): number {
    const offset = log.endOffset + (this.#random(8) === 0 ? 1 : 0);
    log.endOffset = offset + 1;
    log.records.push({ offset, value, operation, state: operation === undefined ? "committed" : "open" });
    return offset;
  }

  #transact(): void {
    if (this.#transaction === undefined) {
      const operation = this.#name("tx");
      this.#transaction = { operation, positionsBefore: new Map(this.#positions) };
      this.#record({ f: "transaction", type: "invoke", process: "x", operation });
      return;
    }
    const choice = this.#random(8);
    if (choice === 0) return this.#endTransaction();
    const { operation } = this.#transaction;
    const log = this.#pick(this.#logs);
    if (choice < 4) return void this.#poll("x", log, operation);
    const value = this.#name("x");
    const send = { f: "send", process: "x", partition: log.partition, value } as const;
    this.#record({ ...send, type: "invoke", content: contentOf(value), operation });
    this.#record({ ...send, type: "ok", offset: this.#append(log, value, operation) });
  }

  #endTransaction(): void {
    const open = this.#transaction;
    if (open === undefined) return;
    this.#transaction = undefined;
    const isCommitted = this.#random(3) > 0;
    const isKnown = this.#random(4) > 0;
    for (const { records } of this.#logs) {
      for (const record of records) {
        if (record.operation === open.operation) record.state = isCommitted ? "committed" : "aborted";
      }
    }
    const outcome = isCommitted ? "ok" : "fail";
    this.#record({ f: "transaction", type: isKnown ? outcome : "info", process: "x", operation: open.operation });
    if (isCommitted) return;
    for (const { partition } of this.#logs) {
      this.#positions.set(`x ${partition}`, open.positionsBefore.get(`x ${partition}`) ?? 0);
    }
  }

  /** Hands over some records; says whether there was one. */
  #poll(process: string, log: Log, operation: string): boolean {
    const key = `${process} ${log.partition}`;
    const { records } = log;
    const firstOpen = records.findIndex(({ state }) => state === "open");
    const end = process === "u" || firstOpen === -1 ? records.length : firstOpen;
    let position = this.#positions.get(key) ?? 0;
    let wanted = 1 + this.#random(3);
    const invokedAtMs = this.#timeMs;
    for (; position < end && wanted > 0; position++) {
      const { offset, value, state } = records[position]!;
      if (offset < log.startOffset || (process !== "u" && state === "aborted")) continue;
      wanted--;
      const content = contentOf(value);
      const where = { process, partition: log.partition, offset };
      const read: PollEvent = { f: "poll", type: "ok", ...where, value, content, operation };
      this.#record(this.#isTimed ? { ...read, invokedAtMs } : read);
    }
    this.#positions.set(key, position);
    return position < end;
  }

  #seekToBeginning(process: string): void {
    const kept = this.#random(2) === 0 ? [] : [PARTITIONS[0]!];
    this.#record({ f: "assign", type: "ok", process, kept });
    for (const partition of PARTITIONS) {
      if (!kept.includes(partition)) this.#positions.delete(`${process} ${partition}`);
    }
  }

  /** The group moves a partition away and back, which the consumer may not even notice. */
  #rebalance(): void {
    const { partition, records } = this.#pick(this.#logs);
    if (this.#random(2) === 0) this.#record({ f: "rebalance", type: "ok", process: "d", partitions: [partition] });
    this.#positions.set(`d ${partition}`, this.#random(records.length + 1));
  }

  /** Only what is neither open nor before it in the log is removed. */
  #trim(): void {
    if (!this.#hasRetention || this.#random(2) > 0) return;
    const log = this.#pick(this.#logs);
    const firstOpen = log.records.find(({ state }) => state === "open")?.offset ?? log.endOffset;
    log.startOffset = Math.max(log.startOffset, this.#random(firstOpen + 1));
    this.#record({ f: "trim", type: "ok", partition: log.partition, offset: log.startOffset });
  }

  #idle(process: string): void {
    this.#record({ f: "idle", type: "ok", process, partitions: PARTITIONS, invokedAtMs: this.#timeMs });
  }
}

function contentOf(value: string): string {
  return `bytes of ${value}`;
}
