import type { Leadership, RunHistory, SeenFault } from "./run-history.ts";

/** What the axis has to have room for; known exactly once the run has ended. */
export function totalUs({ beganUs = 0, untilUs, end }: RunHistory, runSeconds: number): number {
  if (end !== undefined) return Math.max(1, end.atUs);
  return Math.max(beganUs + runSeconds * 1_030_000, untilUs);
}

export interface RibbonSpan {
  /** Pixels. */
  readonly from: number;
  readonly to: number;
  readonly leadership: Leadership;
}

/** The last of several that lie within a pixel stands for them all. */
export function spansOf(spans: readonly Leadership[], untilUs: number, x: (timeUs: number) => number): RibbonSpan[] {
  const kept: RibbonSpan[] = [];
  spans.forEach((leadership, index) => {
    const next = spans[index + 1]?.fromUs ?? untilUs;
    const [from, to] = [x(leadership.fromUs), x(next)];
    const last = kept.at(-1);
    if (last !== undefined && to - last.from < 1) kept[kept.length - 1] = { from: last.from, to, leadership };
    else kept.push({ from, to, leadership });
  });
  return kept;
}

/** Which lane each fault lies in so that none hides another; undefined for those that no lane has room for. */
export function lanesOf(
  faults: readonly SeenFault[],
  x: (timeUs: number) => number,
  most: number,
): { readonly lanes: readonly (number | undefined)[]; readonly laneCount: number } {
  const ends: number[] = [];
  const lanes = faults.map(({ startUs, endUs }) => {
    const from = x(startUs);
    const free = ends.findIndex((end) => end <= from);
    const lane = free === -1 ? ends.length : free;
    if (lane >= most) return undefined;
    ends[lane] = Math.max(from + 5, x(endUs)) + 1;
    return lane;
  });
  return { lanes, laneCount: ends.length };
}

/** Moments at round numbers of seconds, about `wanted` of them. */
export function ticksOf(total: number, wanted: number): number[] {
  const least = total / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= least) ?? least;
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => Math.round(index * step));
}
