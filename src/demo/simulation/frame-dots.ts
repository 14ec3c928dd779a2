import { setAttributes } from "../../inspector/element.ts";
import { linkKind } from "./link-view.ts";
import type { Point } from "./scene-layout.ts";
import type { Speed } from "./speeds.ts";
import { svg } from "./svg.ts";
import type { Frame, Traffic } from "./traffic.ts";

export interface Pace {
  readonly nowMs: number;
  /** The moment shown. */
  readonly shownUs: number;
  /** Undefined while the run stands still. */
  readonly speed: Speed | undefined;
}

export type Way = (at: number) => Point;

interface Dot {
  readonly circle: SVGCircleElement;
  readonly way: Way;
  readonly sinceMs: number;
  readonly forMs: number;
}

/** Frames take a few virtual milliseconds: at usual speeds they are shown for longer than they travel. */
const LEAST_VISIBLE_MS = 320;
/** One per direction in so long, and so many in all: more is a blur. */
const APART_MS = 150;
const MOST_DOTS = 90;

/** Frames on their way: where they are exactly while the run stands still, and as moving dots while it plays. */
export class FrameDots {
  readonly #parent: Element;
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #dots: Dot[] = [];
  #standing: SVGCircleElement[] = [];
  readonly #startedMs = new Map<string, number>();

  constructor(parent: Element) {
    this.#parent = parent;
  }

  show(traffic: Traffic, pace: Pace, wayOf: (from: string, to: string) => Way | undefined): void {
    const fresh = traffic.takeFresh();
    for (const circle of this.#standing.splice(0)) circle.remove();
    if (pace.speed === undefined || this.#still.matches) {
      for (const { circle } of this.#dots.splice(0)) circle.remove();
      this.#stand(traffic.inFlight(pace.shownUs), pace.shownUs, wayOf);
      return;
    }
    this.#start(fresh, pace.nowMs, pace.speed, wayOf);
    this.#dots = this.#dots.filter(({ circle, way, sinceMs, forMs }) => {
      const at = (pace.nowMs - sinceMs) / forMs;
      if (at > 1) circle.remove();
      else moveTo(circle, way(at));
      return at <= 1;
    });
  }

  #stand(frames: readonly Frame[], nowUs: number, wayOf: (from: string, to: string) => Way | undefined): void {
    for (const frame of frames.slice(-MOST_DOTS)) {
      const way = wayOf(frame.from, frame.to);
      if (way === undefined) continue;
      const circle = dotFor(frame);
      moveTo(circle, way((nowUs - frame.sentUs) / Math.max(1, frame.dueUs - frame.sentUs)));
      this.#standing.push(circle);
      this.#parent.append(circle);
    }
  }

  #start(
    fresh: readonly Frame[],
    nowMs: number,
    speed: Speed,
    wayOf: (from: string, to: string) => Way | undefined,
  ): void {
    for (const frame of fresh) {
      const key = `${frame.from}>${frame.to}`;
      if (this.#dots.length >= MOST_DOTS) return;
      if (nowMs - (this.#startedMs.get(key) ?? -Infinity) < APART_MS) continue;
      const way = wayOf(frame.from, frame.to);
      if (way === undefined) continue;
      this.#startedMs.set(key, nowMs);
      const circle = dotFor(frame);
      this.#parent.append(circle);
      const trueMs = speed === "most" ? 0 : (frame.dueUs - frame.sentUs) / 1000 / speed;
      this.#dots.push({ circle, way, sinceMs: nowMs, forMs: Math.max(LEAST_VISIBLE_MS, trueMs) });
    }
  }
}

function moveTo(circle: SVGCircleElement, { x, y }: Point): void {
  setAttributes(circle, { cx: x.toFixed(1), cy: y.toFixed(1) });
}

/** The more bytes, the larger. */
function dotFor({ from, to, bytes }: Frame): SVGCircleElement {
  const r = Math.min(6.5, 2.1 + Math.log2(1 + bytes / 150) * 0.8);
  return svg("circle", { r: r.toFixed(1), class: `frame ${linkKind(from, to)}` });
}
