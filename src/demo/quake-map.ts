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
const RING_MS = 2200;
const RING_PIXELS = 16;
const QUAKES_KEPT = 5000;
const RINGS_KEPT = 300;

/** Draws earthquakes where they happened, as their records are consumed; a circle grows with the magnitude. */
export class QuakeMap extends HTMLElement {
  readonly #plot = new PlotCanvas({ role: "img", "aria-label": "World map of the consumed earthquakes" }, () =>
    this.#drawGround(),
  );
  /** Land and settled quakes; only the spreading rings are drawn anew in every frame. */
  readonly #ground = element("canvas");
  #land: readonly Outline[] = [];
  #quakes: ConsumedQuake[] = [];
  #rings: { readonly consumed: ConsumedQuake; readonly sinceMs: number }[] = [];
  #drawing = false;

  constructor() {
    super();
    openShadow(this, mapLook, look).append(this.#plot.canvas);
  }

  connectedCallback(): void {
    this.#plot.connect();
  }

  disconnectedCallback(): void {
    this.#plot.disconnect();
  }

  showLand(land: readonly Outline[]): void {
    this.#land = land;
    this.#drawGround();
  }

  clear(): void {
    this.#quakes = [];
    this.#rings = [];
    this.#drawGround();
  }

  add(consumed: readonly ConsumedQuake[]): void {
    const sinceMs = performance.now();
    const context = this.#ground.getContext("2d");
    for (const one of consumed) {
      this.#quakes.push(one);
      if (context !== null) this.#drawQuake(context, one);
      this.#rings.push({ consumed: one, sinceMs });
    }
    this.#quakes = this.#quakes.slice(-QUAKES_KEPT);
    this.#rings = this.#rings.slice(-RINGS_KEPT);
    this.#draw();
  }

  #drawGround(): void {
    this.#ground.width = this.#plot.width;
    this.#ground.height = this.#plot.height;
    const context = this.#ground.getContext("2d");
    if (context === null) return;
    context.fillStyle = this.#plot.colour("--sea");
    context.fillRect(0, 0, this.#ground.width, this.#ground.height);
    this.#drawLand(context);
    for (const one of this.#quakes) this.#drawQuake(context, one);
    this.#draw();
  }

  /** An outline that leaves on one side comes in on the other: it is drawn three times and clipped by the canvas. */
  #drawLand(context: CanvasRenderingContext2D): void {
    context.fillStyle = this.#plot.colour("--land");
    for (const turn of [-360, 0, 360]) {
      context.beginPath();
      for (const outline of this.#land) {
        outline.forEach(([longitude, latitude], index) => {
          if (index === 0) context.moveTo(this.#x(longitude + turn), this.#y(latitude));
          else context.lineTo(this.#x(longitude + turn), this.#y(latitude));
        });
        context.closePath();
      }
      context.fill("evenodd");
    }
  }

  #drawQuake(context: CanvasRenderingContext2D, consumed: ConsumedQuake): void {
    context.globalAlpha = 0.55;
    context.fillStyle = this.#plot.colour(partitionColour(consumed.partition));
    this.#circle(context, consumed, 0);
    context.fill();
    context.globalAlpha = 1;
  }

  /** Runs frame by frame only while a ring is spreading. */
  #draw(): void {
    if (this.#drawing || this.#ground.width === 0) return;
    this.#drawing = true;
    requestAnimationFrame((nowMs) => {
      this.#drawing = false;
      this.#rings = this.#rings.filter(({ sinceMs }) => nowMs - sinceMs < RING_MS);
      this.#plot.draw((context) => {
        context.drawImage(this.#ground, 0, 0);
        for (const { consumed, sinceMs } of this.#rings)
          this.#drawRing(context, consumed, Math.max(0, nowMs - sinceMs) / RING_MS);
      });
      if (this.#rings.length > 0) this.#draw();
    });
  }

  #drawRing(context: CanvasRenderingContext2D, consumed: ConsumedQuake, age: number): void {
    context.strokeStyle = context.fillStyle = this.#plot.colour(partitionColour(consumed.partition));
    context.globalAlpha = 1 - age;
    this.#circle(context, consumed, 0);
    context.fill();
    context.lineWidth = 1.5 * devicePixelRatio;
    this.#circle(context, consumed, (1 - (1 - age) ** 3) * RING_PIXELS);
    context.stroke();
  }

  #circle(context: CanvasRenderingContext2D, { quake }: ConsumedQuake, extraPixels: number): void {
    const radius = Math.max(1.3, 0.95 * 1.5 ** quake.magnitude) + extraPixels;
    context.beginPath();
    context.arc(this.#x(wrapped(quake.longitude)), this.#y(quake.latitude), radius * devicePixelRatio, 0, 2 * Math.PI);
  }

  #x(longitude: number): number {
    return ((longitude - CENTRE_LONGITUDE + 180) / 360) * this.#plot.width;
  }

  #y(latitude: number): number {
    return ((NORTH - latitude) / (NORTH - SOUTH)) * this.#plot.height;
  }
}

/** The same longitude within half a turn of the map's centre. */
function wrapped(longitude: number): number {
  return longitude - 360 * Math.floor((longitude - CENTRE_LONGITUDE + 180) / 360);
}

const mapLook = styleSheet(`
  canvas {
    display: block; width: 100%; aspect-ratio: ${ASPECT.toFixed(3)}; border-radius: 8px; background: var(--sea);
  }
`);
