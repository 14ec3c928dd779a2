import type { PartitionKey } from "../log/stored-log.ts";

/** A request that waits for something to happen to a partition, or for its time to run out. */
export interface Delayed {
  readonly keys: readonly PartitionKey[];
  readonly deadlineMs: number;
  /** Answers if it can by now, and says whether it did. */
  tryComplete(nowMs: number): boolean;
  /** Answers with what there is. Called once the deadline has passed. */
  expire(nowMs: number): void;
}

/** Kafka's name for the place where delayed requests wait. */
export class Purgatory {
  /** In the order in which they came. */
  readonly #waiting = new Map<PartitionKey, Set<Delayed>>();
  readonly #all = new Set<Delayed>();
  readonly #touched = new Set<PartitionKey>();
  /** Never later than the earliest deadline; waking too early costs one look. */
  #wakeAtMs = Number.POSITIVE_INFINITY;

  get wakeAtMs(): number {
    return this.#wakeAtMs;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Answers at once if possible, else keeps the request until one of its partitions is touched. */
  enter(delayed: Delayed, nowMs: number): void {
    if (delayed.tryComplete(nowMs)) return;
    if (delayed.deadlineMs <= nowMs) return delayed.expire(nowMs);
    this.#all.add(delayed);
    for (const key of delayed.keys) {
      const waiting = this.#waiting.get(key);
      if (waiting === undefined) this.#waiting.set(key, new Set([delayed]));
      else waiting.add(delayed);
    }
    this.#wakeAtMs = Math.min(this.#wakeAtMs, delayed.deadlineMs);
  }

  /** Forgets a request whose connection is gone, or that was answered from outside. */
  leave(delayed: Delayed): void {
    this.#all.delete(delayed);
    for (const key of delayed.keys) {
      const waiting = this.#waiting.get(key);
      if (waiting?.delete(delayed) === true && waiting.size === 0) this.#waiting.delete(key);
    }
  }

  /** Something about the partition changed: its log end, high watermark, role or existence. */
  touch(key: PartitionKey): void {
    if (this.#waiting.has(key)) this.#touched.add(key);
  }

  /** Looks again at every request whose partitions were touched. Requests in answering may touch more. */
  settle(nowMs: number): void {
    for (const key of this.#touched) {
      this.#touched.delete(key);
      // A copy, for an answer may make others come and go.
      for (const delayed of [...(this.#waiting.get(key) ?? [])]) {
        if (this.#all.has(delayed) && delayed.tryComplete(nowMs)) this.leave(delayed);
      }
    }
    if (nowMs >= this.#wakeAtMs) this.#expire(nowMs);
  }

  #expire(nowMs: number): void {
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    for (const delayed of this.#all) {
      if (delayed.deadlineMs <= nowMs) {
        this.leave(delayed);
        delayed.expire(nowMs);
      } else {
        this.#wakeAtMs = Math.min(this.#wakeAtMs, delayed.deadlineMs);
      }
    }
  }
}
