const FIRST_MS = 50;
/** Well below the 4 s within which a restarted server expects its brokers back, or else fences them. */
const LIMIT_MS = 2500;

/**
 * How long to wait before attempt number `attempt`, counted from 0: doubling from 50 ms to 2.5 s, and somewhere in the
 * upper half of that, so that the tabs of a restarted server do not all return at once.
 */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(LIMIT_MS, FIRST_MS * 2 ** attempt);
  return ceiling * (0.5 + random / 2);
}
