const TICK_MS = 1000;
const GAP_MS = 2000;

/**
 * Calls back when the tab's own time has jumped, because it slept, was frozen or was starved: a tick came more than 2 s
 * late by either clock. Both are asked, since the monotonic one stands still during sleep on some systems (B7).
 * Returns what stops the watch.
 */
export function watchTimeGaps(onGap: (gapMs: number) => void): () => void {
  let monotonic = performance.now();
  let wall = Date.now();
  const ticks = setInterval(() => {
    const gapMs = Math.max(performance.now() - monotonic, Date.now() - wall) - TICK_MS;
    monotonic = performance.now();
    wall = Date.now();
    if (gapMs > GAP_MS) onGap(gapMs);
  }, TICK_MS);
  return () => clearInterval(ticks);
}
