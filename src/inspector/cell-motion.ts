/**
 * A record's arrival and an election, as movement. Arrivals come all the time: an animation for each would keep the
 * page painting, and the records waiting. So a ring is switched on and off, for all cells in the same few moments.
 */
const TICK_MS = 140;
const FLASH_MS = 1400;

/** In ticks from now. */
interface Ring {
  on: number;
  off: number;
}

export class ArrivalRings {
  readonly #rings = new Map<HTMLElement, Ring>();
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #ticking = false;

  /** The cell is ringed after `delay` ticks, for a tick. One ring at a time. */
  add(cell: HTMLElement, delay: number): void {
    if (this.#rings.has(cell) || this.#still.matches) return;
    this.#rings.set(cell, { on: delay, off: delay + 1 });
    if (!this.#ticking) this.#tick();
  }

  #tick(): void {
    for (const [cell, ring] of this.#rings) {
      if (ring.on-- === 0) cell.dataset["arrived"] = "";
      if (ring.off-- > 0) continue;
      delete cell.dataset["arrived"];
      this.#rings.delete(cell);
    }
    this.#ticking = this.#rings.size > 0;
    if (this.#ticking) setTimeout(() => this.#tick(), TICK_MS);
  }
}

/** Marks what an election has changed. Elections are rare enough to be animated. */
export function flash(target: HTMLElement): void {
  target.animate([{ boxShadow: "0 0 0 4px var(--flash)" }, { boxShadow: "0 0 0 4px transparent" }], {
    duration: FLASH_MS,
    easing: "ease-in",
  });
}
