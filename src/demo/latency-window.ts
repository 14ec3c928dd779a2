/** The waits of the newest acknowledgements, for percentiles. */
export class LatencyWindow {
  readonly #waitsMs: number[] = [];
  readonly #size: number;
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(waitMs: number): void {
    this.#waitsMs[this.#next] = waitMs;
    this.#next = (this.#next + 1) % this.#size;
  }

  /** The smallest wait that at least this share of the waits does not exceed; undefined while there is none. */
  percentile(share: number): number | undefined {
    const sorted = [...this.#waitsMs].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  }
}
