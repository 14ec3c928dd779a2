import { element, openShadow, setText, styleSheet } from "../inspector/element.ts";
import { look } from "../inspector/look.ts";
import type { ConsumedQuake } from "./earthquakes.ts";
import { describeQuake } from "./earthquakes.ts";
import { partitionColour, PlotCanvas } from "./plot-canvas.ts";

const DAY_MS = 86_400_000;
/** The week of the data set. */
const START_MS = Date.UTC(2018, 0, 31);
const DAYS = 7.1;
const MAGNITUDE_MAX = 7;
const QUAKES_KEPT = 5000;
const KEYS_SHOWN = 6;

const NONE_YET = "No earthquake yet. Replay them in any tab, and every tab draws them as they arrive.";

/** The consumed earthquakes over the time at which they happened, each as high as its magnitude. */
export class MagnitudeStrip extends HTMLElement {
  readonly #plot = new PlotCanvas({ role: "img", "aria-label": "Magnitudes over the week" }, () => this.#drawAll());
  readonly #latest = element("p", { class: "small latest", "data-testid": "latest-quake" });
  readonly #keys = element("div", { class: "keys small muted" });
  #quakes: ConsumedQuake[] = [];
  /** Numbers of the partitions that the legend names. */
  #keysShown = "";

  constructor() {
    super();
    setText(this.#latest, NONE_YET);
    openShadow(this, stripLook, look).append(
      this.#latest,
      element("div", { class: "plot" }, this.#plot.canvas),
      this.#keys,
    );
  }

  connectedCallback(): void {
    this.#plot.connect();
  }

  disconnectedCallback(): void {
    this.#plot.disconnect();
  }

  clear(): void {
    this.#quakes = [];
    this.#showKeys();
    setText(this.#latest, NONE_YET);
    this.#drawAll();
  }

  add(consumed: readonly ConsumedQuake[]): void {
    this.#quakes.push(...consumed);
    this.#quakes = this.#quakes.slice(-QUAKES_KEPT);
    this.#plot.draw((context) => this.#drawStems(context, consumed));
    const last = consumed.at(-1);
    if (last !== undefined) setText(this.#latest, describeQuake(last.quake));
    this.#showKeys();
  }

  #drawAll(): void {
    this.#plot.draw((context) => {
      context.clearRect(0, 0, this.#plot.width, this.#plot.height);
      this.#drawScale(context);
      this.#drawStems(context, this.#quakes);
    });
  }

  #drawScale(context: CanvasRenderingContext2D): void {
    context.fillStyle = this.#plot.colour("--muted");
    context.strokeStyle = this.#plot.colour("--line");
    context.font = `${10.5 * devicePixelRatio}px ${this.#plot.colour("--sans")}`;
    context.textBaseline = "bottom";
    for (let day = 0; day < DAYS; day++) {
      const x = Math.round(this.#x(START_MS + day * DAY_MS)) + 0.5;
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, this.#plot.height);
      context.stroke();
      if (day + 1 < DAYS)
        context.fillText(days.format(START_MS + day * DAY_MS), x + 4 * devicePixelRatio, this.#plot.height);
    }
  }

  #drawStems(context: CanvasRenderingContext2D, consumed: readonly ConsumedQuake[]): void {
    const ground = this.#plot.height - 15 * devicePixelRatio;
    context.globalAlpha = 0.6;
    context.lineWidth = 1.2 * devicePixelRatio;
    for (const { quake, partition } of consumed) {
      const height = (Math.max(0.15, Math.min(quake.magnitude, MAGNITUDE_MAX)) / MAGNITUDE_MAX) * ground;
      context.strokeStyle = this.#plot.colour(partitionColour(partition));
      context.beginPath();
      context.moveTo(this.#x(quake.timeMs), ground);
      context.lineTo(this.#x(quake.timeMs), ground - height);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  #x(timeMs: number): number {
    return ((timeMs - START_MS) / (DAYS * DAY_MS)) * this.#plot.width;
  }

  #showKeys(): void {
    const partitions = [...new Set(this.#quakes.map((one) => one.partition))]
      .sort((a, b) => a - b)
      .slice(0, KEYS_SHOWN);
    if (partitions.join() === this.#keysShown) return;
    this.#keysShown = partitions.join();
    this.#keys.replaceChildren(
      ...partitions.map((partition) =>
        element("span", { class: `key key-${partition % KEYS_SHOWN}` }, `partition ${partition}`),
      ),
    );
  }
}

const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

const stripLook = styleSheet(`
  .latest { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-height: 20px; margin: 7px 0 6px; }
  :host { flex: 1; display: flex; flex-direction: column; }
  .plot { flex: 1; position: relative; min-height: 84px; max-height: 250px; }
  canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
  .keys { display: flex; flex-wrap: wrap; gap: 2px 16px; margin-top: 8px; min-height: 18px; }
  .key::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-right: 6px; }
  ${Array.from({ length: KEYS_SHOWN }, (_, k) => `.key-${k}::before { background: var(--partition-${k}); }`).join("")}
`);
