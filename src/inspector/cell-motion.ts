/** A record's arrival and an election, as movement. Readers who prefer none see the numbers change. */
export const FOLLOWER_PULSE_DELAY_MS = 90;
const PULSE_MS = 450;
const FLASH_MS = 1400;

const pulsing = new WeakMap<HTMLElement, Animation>();

/** A ring that spreads from a cell. Only opacity and transform move: they cost the page no painting. */
export function pulse(cell: HTMLElement, delay: number): void {
  const playState = pulsing.get(cell)?.playState;
  if (playState === "running" || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const ring = [
    { opacity: 0.9, transform: "none" },
    { opacity: 0, transform: "scale(1.07, 1.22)" },
  ];
  pulsing.set(cell, cell.animate(ring, { pseudoElement: "::after", delay, duration: PULSE_MS, easing: "ease-out" }));
}

export function flash(target: HTMLElement): void {
  target.animate([{ backgroundColor: "var(--flash)", color: "var(--ink)" }, {}], {
    duration: FLASH_MS,
    easing: "ease-in",
  });
}
