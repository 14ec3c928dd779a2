/** A record's arrival and an election, as movement. Readers who prefer none see the numbers change. */
export const FOLLOWER_PULSE_DELAY_MS = 90;
const PULSE_MS = 420;
const FLASH_MS = 1400;

export function pulse(box: HTMLElement, delay: number): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  if (box.getAnimations().some((animation) => animation.id === "pulse")) return;
  box.animate([{ boxShadow: "0 0 0 0 var(--pulse)" }, { boxShadow: "0 0 0 7px transparent" }], {
    id: "pulse",
    delay,
    duration: PULSE_MS,
    easing: "ease-out",
  });
}

export function flash(target: HTMLElement): void {
  target.animate([{ backgroundColor: "var(--flash)", color: "var(--ink)" }, {}], {
    id: "flash",
    duration: FLASH_MS,
    easing: "ease-in",
  });
}
