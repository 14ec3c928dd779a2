import { setAttributes, setText } from "../../inspector/element.ts";
import type { LinkView } from "./link-view.ts";
import { angleOn, curveBetween, pointOn } from "./scene-layout.ts";
import type { Curve, Point, SceneLayout } from "./scene-layout.ts";
import { bothWaysMark, oneWayMark } from "./scene-parts.ts";
import { Pool, svg } from "./svg.ts";

/** Where on its way a cut of one direction is marked. */
const CUT_AT = 0.68;

/** The lines between nodes, and what is wrong with them. */
export class SceneLinks {
  readonly lines = svg("g");
  readonly marks = svg("g");
  readonly #linePool = new Pool(this.lines, () => svg("path"));
  readonly #cutPool = new Pool(this.marks, (key) => (key.includes("|") ? bothWaysMark() : oneWayMark()));
  readonly #notePool = new Pool(this.marks, () => svg("text", { class: "note" }));

  show(links: readonly LinkView[], layout: SceneLayout): void {
    this.#drawLines(new Map(links.map((link) => [`${link.one}|${link.two}`, link])), layout);
    this.#drawCuts(links, layout);
    const slow = links.filter(({ slowness }) => slowness > 1);
    this.#drawNotes(new Map(slow.map((link) => [`${link.one}|${link.two}`, link])), layout);
  }

  #drawLines(links: ReadonlyMap<string, LinkView>, layout: SceneLayout): void {
    for (const [key, path] of this.#linePool.show(links.keys())) {
      const link = links.get(key)!;
      setAttributes(path, { d: pathOf(curveBetween(layout, link.one, link.two)), class: lookOf(link) });
    }
  }

  #drawCuts(links: readonly LinkView[], layout: SceneLayout): void {
    const places = new Map<string, string>();
    for (const { one, two, cutWays } of links) {
      const [way, other] = cutWays;
      if (way === undefined) continue;
      if (other === undefined) places.set(`${way[0]}>${way[1]}`, standing(layout, ...way, CUT_AT));
      else places.set(`${one}|${two}`, standing(layout, one, two, 0.5));
    }
    for (const [key, mark] of this.#cutPool.show(places.keys())) setAttributes(mark, { transform: places.get(key) });
  }

  #drawNotes(links: ReadonlyMap<string, LinkView>, layout: SceneLayout): void {
    for (const [key, note] of this.#notePool.show(links.keys())) {
      const { one, two, slowness } = links.get(key)!;
      const place = wayBetween(layout, one, two)?.(0.5);
      setAttributes(note, { visibility: place === undefined ? "hidden" : undefined, x: place?.x, y: place?.y });
      setText(note, `${slowness}× slower`);
    }
  }
}

function lookOf({ kind, slowness, cutWays, isHalfOpen, isRelayed, isOpen }: LinkView): string {
  const looks = [
    cutWays.length > 0 && "cut",
    slowness > 1 && "slow",
    isHalfOpen && "half",
    isRelayed && "relayed",
    !isOpen && "none",
  ];
  return ["link", kind, ...looks].filter((name) => name !== false).join(" ");
}

/** From one node to another. A link has one line for both directions. */
export function wayBetween(layout: SceneLayout, from: string, to: string): ((at: number) => Point) | undefined {
  const isForward = from < to;
  const curve = isForward ? curveBetween(layout, from, to) : curveBetween(layout, to, from);
  return curve === undefined ? undefined : (at) => pointOn(curve, isForward ? at : 1 - at);
}

/** A place on the way, and turned into its direction. */
function standing(layout: SceneLayout, from: string, to: string, at: number): string {
  const isForward = from < to;
  const curve = isForward ? curveBetween(layout, from, to) : curveBetween(layout, to, from);
  if (curve === undefined) return "scale(0)";
  const along = isForward ? at : 1 - at;
  const { x, y } = pointOn(curve, along);
  const angle = angleOn(curve, along) + (isForward ? 0 : 180);
  return `translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${angle.toFixed(1)})`;
}

function pathOf(curve: Curve | undefined): string {
  if (curve === undefined) return "";
  const at = ({ x, y }: Point) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return `M${at(curve.from)} Q${at(curve.bend)} ${at(curve.to)}`;
}
