import type { VirtualTime } from "./virtual-time.ts";

/** One machine's clock: it differs from the virtual time, may run at another rate, jump, or stand still. */
export class SkewedClock {
  readonly #time: VirtualTime;
  /** What this clock said when the virtual time was `#sinceMs`; from there on it runs at `#rate`. */
  #ownMs: number;
  #sinceMs: number;
  #rate = 1;

  constructor(time: VirtualTime, aheadMs: number) {
    this.#time = time;
    this.#sinceMs = time.nowMs;
    this.#ownMs = time.nowMs + aheadMs;
  }

  get nowMs(): number {
    return this.#ownMs + (this.#time.nowMs - this.#sinceMs) * this.#rate;
  }

  /** The virtual time at which this clock says `ownMs`, as it runs now; `Infinity` while it stands still. */
  virtualMs(ownMs: number): number {
    const aheadMs = ownMs - this.#ownMs;
    if (this.#rate === 0) return aheadMs <= 0 ? this.#sinceMs : Number.POSITIVE_INFINITY;
    return this.#sinceMs + aheadMs / this.#rate;
  }

  jump(ms: number): void {
    this.#ownMs += ms;
  }

  /** 0 stops the clock. */
  setRate(rate: number): void {
    this.#ownMs = this.nowMs;
    this.#sinceMs = this.#time.nowMs;
    this.#rate = rate;
  }
}
