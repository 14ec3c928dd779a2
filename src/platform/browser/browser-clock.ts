import type { Clock } from "../../runtime/clock.ts";

/** Longer delays overflow the browser's timers, which then fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const browserClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
};
