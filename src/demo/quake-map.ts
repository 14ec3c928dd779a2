import { element, openShadow, styleSheet } from "../inspector/element.ts";
import { look } from "../inspector/look.ts";
import type { ConsumedQuake } from "./earthquakes.ts";
import type { Outline } from "./land.ts";
import { partitionColour, PlotCanvas } from "./plot-canvas.ts";

/** The Pacific in the middle keeps its ring of fire in one piece. */
const CENTRE_LONGITUDE = -165;
const NORTH = 76;
const SOUTH = -58;
const ASPECT = 360 / (NORTH - SOUTH);
const QUAKES_KEPT = 5000;
const RING_MS = 2000;
/** More of them at once are a blur. */
const RINGS_AT_ONCE = 40;

/** Draws earthquakes where they happened, as their records are consumed; a circle grows with the magnitude. */
export class QuakeMap extends HTMLElement {
  readonly #plot = new PlotCanvas({ role: "img", "aria-label": "World map of the consumed earthquakes" }, () =>
    this.#drawAll(),
  );
  readonly #rings = element("div", { class: "rings", "aria-hidden": "true" });
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #land: readonly Outline[] = [];
  #quakes: ConsumedQuake[] = [];

  constructor() {
    super();
    openShadow(this, mapLook, look).append(this.#plot.canvas, this.#rings);
  }

  connectedCallback(): void {
    this.#plot.connect();
  }

  disconnectedCallback(): void {
    this.#plot.disconnect();
  }

  showLand(land: readonly Outline[]): void {
    this.#land = land;
    this.#drawAll();
  }

  clear(): void {
    this.#quakes = [];
    this.#drawAll();
  }

  add(consumed: readonly ConsumedQuake[]): void {
    this.#quakes.push(...consumed);
    this.#quakes = this.#quakes.slice(-QUAKES_KEPT);
    this.#plot.draw((context) => this.#drawQuakes(context, consumed));
    for (const one of consumed.slice(-RINGS_AT_ONCE)) this.#spreadRing(one);
  }

  #drawAll(): void {
    this.#plot.draw((context) => {
      context.fillStyle = this.#plot.colour("--sea");
      context.fillRect(0, 0, this.#plot.width, this.#plot.height);
      this.#drawLand(context);
      this.#drawQuakes(context, this.#quakes);
    });
  }

  /** An outline that leaves on one side comes in on the other: it is drawn three times and clipped by the canvas. */
  #drawLand(context: CanvasRenderingContext2D): void {
    context.fillStyle = this.#plot.colour("--land");
    for (const turn of [-360, 0, 360]) {
      context.beginPath();
      for (const outline of this.#land) {
        outline.forEach(([longitude, latitude], index) => {
          const x = across(longitude + turn) * this.#plot.width;
          const y = down(latitude) * this.#plot.height;
          if (index === 0) context.moveTo(x, y);
          else context.lineTo(x, y);
        });
        context.closePath();
      }
      context.fill("evenodd");
    }
  }

  #drawQuakes(context: CanvasRenderingContext2D, consumed: readonly ConsumedQuake[]): void {
    context.globalAlpha = 0.55;
    for (const { quake, partition } of consumed) {
      const radius = Math.max(1.3, 0.95 * 1.5 ** quake.magnitude) * devicePixelRatio;
      const x = across(wrapped(quake.longitude)) * this.#plot.width;
      const y = down(quake.latitude) * this.#plot.height;
      context.fillStyle = this.#plot.colour(partitionColour(partition));
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
  }

  /** Rings move by transform and opacity alone, so that a stream of them costs the page no drawing. */
  #spreadRing({ quake, partition }: ConsumedQuake): void {
    if (this.#still.matches || document.hidden || this.#rings.childElementCount >= RINGS_AT_ONCE) return;
    const ring = element("span");
    ring.style.setProperty("left", `${100 * across(wrapped(quake.longitude))}%`);
    ring.style.setProperty("top", `${100 * down(quake.latitude)}%`);
    ring.style.setProperty("border-color", `var(${partitionColour(partition)})`);
    this.#rings.append(ring);
    const spreading = [
      { opacity: 1, transform: "scale(0.15)" },
      { opacity: 0, transform: "scale(1)" },
    ];
    void ring.animate(spreading, { duration: RING_MS, easing: "ease-out" }).finished.then(() => ring.remove());
  }
}

/** Where a longitude stands between the left edge, 0, and the right one, 1. */
function across(longitude: number): number {
  return (longitude - CENTRE_LONGITUDE + 180) / 360;
}

function down(latitude: number): number {
  return (NORTH - latitude) / (NORTH - SOUTH);
}

/** The same longitude within half a turn of the map's centre. */
function wrapped(longitude: number): number {
  return longitude - 360 * Math.floor(across(longitude));
}

const mapLook = styleSheet(`
  :host { position: relative; overflow: hidden; border-radius: 8px; }
  canvas { display: block; width: 100%; aspect-ratio: ${ASPECT.toFixed(3)}; background: var(--sea); }
  .rings { position: absolute; inset: 0; pointer-events: none; }
  .rings span {
    position: absolute; width: 44px; height: 44px; margin: -22px 0 0 -22px; border: 1.5px solid; border-radius: 50%;
  }
`);
