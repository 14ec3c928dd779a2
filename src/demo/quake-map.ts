import { openShadow, paced, styleSheet } from "../inspector/element.ts";
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
const RING_MS = 1600;
const RING_PIXELS = 18;
/** More of them at once are a blur. */
const RINGS_AT_ONCE = 40;

/** Draws earthquakes where they happened, as their records are consumed; a circle grows with the magnitude. */
export class QuakeMap extends HTMLElement {
  readonly #plot = new PlotCanvas({ role: "img", "aria-label": "World map of the consumed earthquakes" }, () =>
    this.#drawAll(),
  );
  readonly #overlay = new PlotCanvas({ class: "overlay", "aria-hidden": "true" }, () => this.#spread());
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #land: readonly Outline[] = [];
  #quakes: ConsumedQuake[] = [];
  #rings: { readonly consumed: ConsumedQuake; readonly sinceMs: number }[] = [];

  constructor() {
    super();
    openShadow(this, mapLook, look).append(this.#plot.canvas, this.#overlay.canvas);
  }

  connectedCallback(): void {
    this.#plot.connect();
    this.#overlay.connect();
  }

  disconnectedCallback(): void {
    this.#plot.disconnect();
    this.#overlay.disconnect();
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
    if (this.#still.matches || document.hidden) return;
    const sinceMs = performance.now();
    this.#rings.push(...consumed.map((one) => ({ consumed: one, sinceMs })));
    this.#rings = this.#rings.slice(-RINGS_AT_ONCE);
    this.#spread();
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

  /** Ten pictures a second: enough to be seen spreading, and the page's time is left to the records. */
  readonly #spread = paced(() => {
    const nowMs = performance.now();
    this.#rings = this.#rings.filter(({ sinceMs }) => nowMs - sinceMs < RING_MS);
    this.#overlay.draw((context) => {
      context.clearRect(0, 0, this.#overlay.width, this.#overlay.height);
      context.lineWidth = 1.5 * devicePixelRatio;
      for (const { consumed, sinceMs } of this.#rings) this.#drawRing(context, consumed, (nowMs - sinceMs) / RING_MS);
    });
    if (this.#rings.length > 0) this.#spread();
  });

  #drawRing(context: CanvasRenderingContext2D, { quake, partition }: ConsumedQuake, age: number): void {
    const x = across(wrapped(quake.longitude)) * this.#overlay.width;
    const y = down(quake.latitude) * this.#overlay.height;
    context.globalAlpha = 1 - age;
    context.strokeStyle = this.#overlay.colour(partitionColour(partition));
    context.beginPath();
    context.arc(x, y, (3 + RING_PIXELS * (1 - (1 - age) ** 2)) * devicePixelRatio, 0, 2 * Math.PI);
    context.stroke();
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
  .overlay { position: absolute; inset: 0; background: none; }
`);
