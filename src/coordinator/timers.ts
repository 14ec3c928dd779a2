/** Something that is due at a time that may be put off or given up. */
export interface Timer {
  /** Infinity while it is not set. */
  readonly atMs: number;
  set(atMs: number): void;
  clear(): void;
}

interface Entry {
  readonly timer: QueuedTimer;
  readonly atMs: number;
  readonly number: number;
}

class QueuedTimer implements Timer {
  atMs = Number.POSITIVE_INFINITY;
  /** The time of its entry that counts; putting a timer off leaves the entry where it is. */
  queuedAtMs = Number.POSITIVE_INFINITY;
  readonly fire: () => void;
  readonly #queue: (timer: QueuedTimer) => void;

  constructor(fire: () => void, queue: (timer: QueuedTimer) => void) {
    this.fire = fire;
    this.#queue = queue;
  }

  set(atMs: number): void {
    this.atMs = atMs;
    if (atMs < this.queuedAtMs) this.#queue(this);
  }

  clear(): void {
    this.atMs = Number.POSITIVE_INFINITY;
  }
}

/**
 * Deadlines without a clock. Most of them, such as sessions, are put off again and again and never come: setting one
 * later costs nothing, and the entry that comes too early is queued anew.
 */
export class Timers {
  /** A binary heap. */
  readonly #entries: Entry[] = [];
  #nextNumber = 0;

  timer(fire: () => void): Timer {
    return new QueuedTimer(fire, (timer) => this.#queue(timer));
  }

  /** Never later than the earliest deadline; waking too early costs one look. */
  get wakeAtMs(): number {
    return this.#entries[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Fires what is due, in the order of the deadlines. */
  run(nowMs: number): void {
    while (this.wakeAtMs <= nowMs) {
      const { timer, atMs } = this.#pop();
      if (atMs !== timer.queuedAtMs) continue;
      timer.queuedAtMs = Number.POSITIVE_INFINITY;
      if (timer.atMs === atMs) {
        timer.clear();
        timer.fire();
      } else if (timer.atMs < Number.POSITIVE_INFINITY) {
        // It was put off, perhaps behind others that are due as well.
        this.#queue(timer);
      }
    }
  }

  #queue(timer: QueuedTimer): void {
    timer.queuedAtMs = timer.atMs;
    const entries = this.#entries;
    const entry = { timer, atMs: timer.atMs, number: this.#nextNumber++ };
    let at = entries.length;
    for (let parent = (at - 1) >> 1; at > 0 && isBefore(entry, entries[parent]!); parent = (at - 1) >> 1) {
      entries[at] = entries[parent]!;
      at = parent;
    }
    entries[at] = entry;
  }

  #pop(): Entry {
    const entries = this.#entries;
    const first = entries[0]!;
    const last = entries.pop()!;
    if (entries.length === 0) return first;
    let at = 0;
    for (let child = 1; child < entries.length; child = 2 * at + 1) {
      if (child + 1 < entries.length && isBefore(entries[child + 1]!, entries[child]!)) child++;
      if (!isBefore(entries[child]!, last)) break;
      entries[at] = entries[child]!;
      at = child;
    }
    entries[at] = last;
    return first;
  }
}

/** Equal deadlines fire in the order in which they were queued. */
function isBefore(left: Entry, right: Entry): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.number < right.number);
}
