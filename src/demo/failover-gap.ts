/** When a record was sent and acknowledged, on the page's clock. */
export interface Acknowledgement {
  readonly partition: string;
  readonly sentMs: number;
  readonly acknowledgedMs: number;
}

/** A page may hear of an election a little after its producer has already used the new leader. */
const HEARD_LATE_MS = 2000;

interface Stall {
  readonly partition: string;
  /** From the acknowledgement before, or from the sending when nothing else was waited for. */
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * How long this page's producer stood still because a partition changed leaders: the longest time without an
 * acknowledgement, while one was waited for, around an election. Undefined until an election has held something up.
 */
export class FailoverGap {
  readonly #electedMs = new Map<string, number>();
  readonly #acknowledgedMs = new Map<string, number>();
  #recent: Stall[] = [];
  #longestMs: number | undefined;

  get longestMs(): number | undefined {
    return this.#longestMs;
  }

  onElection(partition: string, nowMs: number): void {
    this.#electedMs.set(partition, nowMs);
    for (const stall of this.#recent) this.#consider(stall);
  }

  /** Acknowledgements of a partition come in the order in which its records were sent. */
  onAcknowledgement({ partition, sentMs, acknowledgedMs }: Acknowledgement): void {
    const fromMs = Math.max(sentMs, this.#acknowledgedMs.get(partition) ?? sentMs);
    this.#acknowledgedMs.set(partition, acknowledgedMs);
    const stall = { partition, fromMs, toMs: acknowledgedMs };
    this.#recent = this.#recent.filter((known) => known.toMs >= acknowledgedMs - HEARD_LATE_MS);
    this.#recent.push(stall);
    this.#consider(stall);
  }

  #consider({ partition, fromMs, toMs }: Stall): void {
    const electedMs = this.#electedMs.get(partition);
    if (electedMs === undefined || fromMs > electedMs || toMs < electedMs - HEARD_LATE_MS) return;
    this.#longestMs = Math.max(this.#longestMs ?? 0, toMs - fromMs);
  }
}
