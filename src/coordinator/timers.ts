/** Something that is due at a time that may be put off or given up. */
export interface Timer {
  /** Infinity while it is not set. */
  readonly atMs: number;
  set(atMs: number): void;
  clear(): void;
}

class QueuedTimer implements Timer {
  atMs = Number.POSITIVE_INFINITY;
  /** When it is looked at: putting it off leaves it where it is in the queue. Infinity while it is not there. */
  queuedAtMs = Number.POSITIVE_INFINITY;
  /** Where it is in the queue. */
  index = -1;
  /** Counts up with every entry into the queue. */
  number = 0;
  readonly fire: () => void;
  readonly #queue: TimerQueue;

  constructor(fire: () => void, queue: TimerQueue) {
    this.fire = fire;
    this.#queue = queue;
  }

  set(atMs: number): void {
    this.atMs = atMs;
    if (atMs < this.queuedAtMs) this.#queue.put(this);
  }

  clear(): void {
    this.atMs = Number.POSITIVE_INFINITY;
    this.#queue.remove(this);
  }
}

/**
 * Deadlines without a clock. Most of them, such as sessions, are put off again and again and never come: setting one
 * later costs nothing, and one that is looked at too early is queued anew.
 */
export class Timers {
  readonly #queue = new TimerQueue();

  timer(fire: () => void): Timer {
    return new QueuedTimer(fire, this.#queue);
  }

  /** How many are set. */
  get size(): number {
    return this.#queue.size;
  }

  /** Never later than the earliest deadline; waking too early costs one look. */
  get wakeAtMs(): number {
    return this.#queue.first?.queuedAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** Fires what is due, in the order of the deadlines. */
  run(nowMs: number): void {
    for (let timer = this.#queue.first; timer !== undefined; timer = this.#queue.first) {
      const { atMs, queuedAtMs } = timer;
      if (queuedAtMs > nowMs) return;
      if (atMs > queuedAtMs) {
        // It was put off, perhaps behind others that are due as well.
        this.#queue.put(timer);
      } else {
        timer.clear();
        timer.fire();
      }
    }
  }
}

/** A binary heap in which each timer knows its place, so that one that is cleared leaves nothing behind. */
class TimerQueue {
  readonly #timers: QueuedTimer[] = [];
  #nextNumber = 0;

  get first(): QueuedTimer | undefined {
    return this.#timers[0];
  }

  get size(): number {
    return this.#timers.length;
  }

  /** Puts it where it belongs by its deadline, behind those that have the same. */
  put(timer: QueuedTimer): void {
    this.remove(timer);
    timer.queuedAtMs = timer.atMs;
    timer.number = this.#nextNumber++;
    this.#rise(timer, this.#timers.length);
  }

  remove(timer: QueuedTimer): void {
    const { index } = timer;
    if (index === -1) return;
    timer.index = -1;
    timer.queuedAtMs = Number.POSITIVE_INFINITY;
    const last = this.#timers.pop()!;
    if (last === timer) return;
    this.#sink(last, index);
    this.#rise(last, last.index);
  }

  /** Puts it at `index`, or at a place above, for which others come down. */
  #rise(timer: QueuedTimer, index: number): void {
    let at = index;
    for (let parent = (at - 1) >> 1; at > 0 && isBefore(timer, this.#timers[parent]!); parent = (at - 1) >> 1) {
      this.#place(this.#timers[parent]!, at);
      at = parent;
    }
    this.#place(timer, at);
  }

  /** Puts it at `index`, or at a place below, for which others go up. */
  #sink(timer: QueuedTimer, index: number): void {
    const timers = this.#timers;
    let at = index;
    for (let child = 2 * at + 1; child < timers.length; child = 2 * at + 1) {
      if (child + 1 < timers.length && isBefore(timers[child + 1]!, timers[child]!)) child++;
      if (!isBefore(timers[child]!, timer)) break;
      this.#place(timers[child]!, at);
      at = child;
    }
    this.#place(timer, at);
  }

  #place(timer: QueuedTimer, index: number): void {
    this.#timers[index] = timer;
    timer.index = index;
  }
}

/** Equal deadlines fire in the order in which they were queued. */
function isBefore(left: QueuedTimer, right: QueuedTimer): boolean {
  return left.queuedAtMs < right.queuedAtMs || (left.queuedAtMs === right.queuedAtMs && left.number < right.number);
}
