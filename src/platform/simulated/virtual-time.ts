interface Entry {
  readonly timeUs: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * The only clock of a simulation, and everything that is to happen on it. Time is counted in whole microseconds, so
 * that sums are exact; what is due at the same time happens in the order in which it was asked for.
 */
export class VirtualTime {
  #nowUs = 0;
  #nextOrder = 0;
  /** A binary heap: each entry is due before those at twice its index. */
  readonly #heap: Entry[] = [];

  get nowUs(): number {
    return this.#nowUs;
  }

  get nowMs(): number {
    return this.#nowUs / 1000;
  }

  /** When the next thing is due; infinite if there is none. */
  get nextUs(): number {
    return this.#heap[0]?.timeUs ?? Number.POSITIVE_INFINITY;
  }

  /** Runs something `delayMs` from now. It cannot be taken back: whoever asks looks whether it still matters. */
  after(delayMs: number, run: () => void): void {
    this.at(this.#nowUs + Math.max(0, Math.round(delayMs * 1000)), run);
  }

  at(timeUs: number, run: () => void): void {
    const entry = { timeUs: Math.max(timeUs, this.#nowUs), order: this.#nextOrder++, run };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Runs the next thing that is due at `untilUs` or before; false, with the clock at `untilUs`, if there is none. */
  step(untilUs: number): boolean {
    const next = this.#heap[0];
    if (next === undefined || next.timeUs > untilUs) {
      this.#nowUs = Math.max(this.#nowUs, untilUs);
      return false;
    }
    this.#removeFirst();
    this.#nowUs = next.timeUs;
    next.run();
    return true;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const size = heap.length;
    if (size === 0) return;
    let index = 0;
    for (let child = 1; child < size; child = index * 2 + 1) {
      if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.timeUs === right.timeUs ? left.order < right.order : left.timeUs < right.timeUs;
}
