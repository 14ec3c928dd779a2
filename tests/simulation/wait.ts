import type { VirtualTime } from "../../src/platform/simulated/virtual-time.ts";

/** What a run waits for: a condition, looked at now and then, or the end of its time. */
export interface Wait {
  readonly condition: () => boolean;
  readonly endUs: number;
}

/** Plain code that lets virtual time go by where it yields; it goes on with whether the condition holds. */
export type Life<T> = Generator<Wait, T, boolean>;

/** Waits until `condition` holds, at the longest for `limitMs`; gives whether it does. */
export function* until(
  { time }: { readonly time: VirtualTime },
  condition: () => boolean,
  limitMs: number,
): Life<boolean> {
  return yield { condition, endUs: time.nowUs + limitMs * 1000 };
}
