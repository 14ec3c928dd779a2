/** A band from a partition to its reader, or a loose end where there is none. In pixels of the drawing. */
export interface Ribbon {
  readonly name: string;
  readonly fromY: number;
  readonly toY: number;
  readonly colour: number | undefined;
  readonly hold: "read" | "silent" | "none";
  /** Whether records move along it. */
  readonly flows: boolean;
}

const SVG = "http://www.w3.org/2000/svg";
const MOVE_MS = 700;
/** How far a loose end reaches, as a part of the width. */
const LOOSE = 0.16;

interface Drawn {
  readonly group: SVGGElement;
  readonly band: SVGPathElement;
  readonly flow: SVGPathElement;
  at: Place;
  from: Place;
  to: Place;
  startedMs: number;
}

/** `reach` is how far the ribbon spans, from 0 to 1. */
interface Place {
  readonly fromY: number;
  readonly toY: number;
  readonly reach: number;
}

/** Draws who reads what as ribbons, which swing over when a partition is handed to another reader. */
export class Ribbons {
  readonly svg = document.createElementNS(SVG, "svg");
  readonly #drawn = new Map<string, Drawn>();
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #width = 0;
  #moving = false;

  constructor() {
    this.svg.setAttribute("aria-hidden", "true");
  }

  /** What has been drawn before moves to its new place. */
  show(ribbons: readonly Ribbon[], size: { readonly width: number; readonly height: number }): void {
    const resized = size.width !== this.#width;
    this.#width = size.width;
    this.svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    const names = new Set(ribbons.map(({ name }) => name));
    for (const [name, { group }] of this.#drawn) {
      if (names.has(name)) continue;
      group.remove();
      this.#drawn.delete(name);
    }
    for (const ribbon of ribbons) this.#place(ribbon, resized);
    if (!this.#moving) this.#move();
  }

  #place(ribbon: Ribbon, resized: boolean): void {
    const loose = ribbon.hold === "none";
    const to: Place = {
      fromY: ribbon.fromY,
      toY: loose ? ribbon.fromY : ribbon.toY,
      reach: loose ? LOOSE : 1,
    };
    const known = this.#drawn.get(ribbon.name);
    const drawn = known ?? this.#add(ribbon.name, { ...to, reach: LOOSE, toY: ribbon.fromY });
    drawn.group.dataset["hold"] = ribbon.hold;
    drawn.group.dataset["colour"] = ribbon.colour === undefined ? "none" : String(ribbon.colour);
    drawn.group.toggleAttribute("data-flows", ribbon.flows);
    if (samePlace(drawn.to, to) && !resized) return;
    drawn.from = drawn.at;
    drawn.to = to;
    // A ribbon that is merely moved with the page's layout does not swing.
    const swings = drawn.from.reach !== to.reach || Math.abs(drawn.from.toY - to.toY) > 1;
    drawn.startedMs = resized || this.#still.matches || !swings ? -Infinity : performance.now();
  }

  #add(name: string, place: Place): Drawn {
    const group = document.createElementNS(SVG, "g");
    const band = document.createElementNS(SVG, "path");
    const flow = document.createElementNS(SVG, "path");
    band.setAttribute("class", "band");
    flow.setAttribute("class", "flow");
    group.append(band, flow);
    this.svg.append(group);
    const drawn: Drawn = { group, band, flow, at: place, from: place, to: place, startedMs: -Infinity };
    this.#drawn.set(name, drawn);
    return drawn;
  }

  #move(): void {
    const nowMs = performance.now();
    this.#moving = false;
    for (const drawn of this.#drawn.values()) {
      const done = Math.min(1, (nowMs - drawn.startedMs) / MOVE_MS);
      if (done < 1) this.#moving = true;
      drawn.at = done === 1 ? drawn.to : between(drawn.from, drawn.to, eased(done));
      const path = pathOf(drawn.at, this.#width);
      if (drawn.band.getAttribute("d") === path) continue;
      drawn.band.setAttribute("d", path);
      drawn.flow.setAttribute("d", path);
    }
    if (this.#moving) requestAnimationFrame(() => this.#move());
  }
}

function pathOf({ fromY, toY, reach }: Place, width: number): string {
  const end = width * reach;
  const bend = end / 2;
  const points = [0, fromY, bend, fromY, bend, toY, end, toY].map((value) => value.toFixed(1));
  const [x0, y0, ...curve] = points;
  return `M${x0} ${y0}C${curve.join(" ")}`;
}

function between(from: Place, to: Place, part: number): Place {
  const mix = (a: number, b: number) => a + (b - a) * part;
  return { fromY: mix(from.fromY, to.fromY), toY: mix(from.toY, to.toY), reach: mix(from.reach, to.reach) };
}

function eased(part: number): number {
  return part < 0.5 ? 4 * part ** 3 : 1 - (2 - 2 * part) ** 3 / 2;
}

function samePlace(left: Place, right: Place): boolean {
  return left.fromY === right.fromY && left.toY === right.toY && left.reach === right.reach;
}
