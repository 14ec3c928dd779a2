/** One acknowledged record. `atMs` is milliseconds since 1970, on the clock that all processes of a machine share. */
export interface Ack {
  readonly partition: string;
  readonly atMs: number;
}

/**
 * The longest time without an acknowledgement of `partition` that ended after `fromMs`: from the last acknowledgement
 * before to the first one after, as a producer lives through it. Infinite when none followed.
 */
export function ackGapMs(acks: readonly Ack[], partition: string, fromMs: number): number {
  const times = acks.filter((ack) => ack.partition === partition).map((ack) => ack.atMs).sort((a, b) => a - b);
  const before = times.findLast((time) => time <= fromMs) ?? fromMs;
  const after = times.filter((time) => time > fromMs);
  if (after.length === 0) return Number.POSITIVE_INFINITY;
  return Math.max(...after.map((time, index) => time - (after[index - 1] ?? before)));
}
