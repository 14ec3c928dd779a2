const FIRST_MS = 50;
const LIMIT_MS = 5000;

/**
 * How long to wait before attempt number `attempt`, counted from 0: doubling from 50 ms to 5 s, and somewhere in the
 * upper half of that, so that the tabs of a restarted server do not all return at once.
 */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(LIMIT_MS, FIRST_MS * 2 ** attempt);
  return ceiling * (0.5 + random / 2);
}
