import { element, openShadow, styleSheet } from "../../inspector/element.ts";
import { look } from "../../inspector/look.ts";
import { partitionColour, PlotCanvas } from "../plot-canvas.ts";
import type { Span } from "./group-history.ts";
import { LANE_MS } from "./group-history.ts";

export interface LanesView {
  readonly nowMs: number;
  readonly lanes: readonly { readonly label: string; readonly spans: readonly Span[] }[];
  /** Of each rebalance; one that is under way has no end. */
  readonly rebalances: readonly { readonly fromMs: number; readonly toMs: number | undefined }[];
  /** By reader's key. */
  readonly colours: ReadonlyMap<string, number>;
  /** What the drawing shows, in a sentence. */
  readonly summary: string;
}

const TICK_MS = 10_000;
const LABEL_PIXELS = 26;
const SCALE_PIXELS = 18;
const HATCH_PIXELS = 5;

/** Who read each partition over the last minute: a lane for each, in its reader's colour, and a gap for nobody. */
export class ReaderLanes extends HTMLElement {
  readonly #plot = new PlotCanvas({ role: "img", "data-testid": "lanes" }, () => this.#draw());
  readonly #box = element("div", { class: "plot" }, this.#plot.canvas);
  #view: LanesView | undefined;

  constructor() {
    super();
    const legend = element(
      "p",
      { class: "small muted" },
      "Each lane is a partition, in its reader’s colour. Hatched: nobody read it. Tinted: the group was rebalancing.",
    );
    openShadow(this, lanesLook, look).append(element("h2", {}, "Who read what, the last minute"), this.#box, legend);
  }

  connectedCallback(): void {
    this.#plot.connect();
  }

  disconnectedCallback(): void {
    this.#plot.disconnect();
  }

  show(view: LanesView): void {
    this.#view = view;
    this.#box.style.setProperty("min-block-size", `${Math.max(3, view.lanes.length) * 24 + SCALE_PIXELS}px`);
    if (this.#plot.canvas.ariaLabel !== view.summary) this.#plot.canvas.ariaLabel = view.summary;
    this.#draw();
  }

  #draw(): void {
    const view = this.#view;
    if (view === undefined) return;
    this.#plot.draw((context) => {
      context.clearRect(0, 0, this.#plot.width, this.#plot.height);
      this.#drawRebalances(context, view);
      this.#drawScale(context, view);
      view.lanes.forEach((lane, index) => this.#drawLane(context, view, lane, index));
    });
  }

  #x(atMs: number, { nowMs }: LanesView): number {
    const left = LABEL_PIXELS * devicePixelRatio;
    const part = 1 - (nowMs - atMs) / LANE_MS;
    return left + Math.max(0, part) * (this.#plot.width - left);
  }

  get #ground(): number {
    return this.#plot.height - SCALE_PIXELS * devicePixelRatio;
  }

  #drawRebalances(context: CanvasRenderingContext2D, view: LanesView): void {
    context.fillStyle = this.#plot.colour("--warn-soft");
    for (const { fromMs, toMs } of view.rebalances) {
      const [left, right] = [this.#x(fromMs, view), this.#x(toMs ?? view.nowMs, view)];
      if (right <= LABEL_PIXELS * devicePixelRatio) continue;
      context.fillRect(left, 0, Math.max(3 * devicePixelRatio, right - left), this.#ground);
    }
  }

  #drawScale(context: CanvasRenderingContext2D, view: LanesView): void {
    context.fillStyle = this.#plot.colour("--muted");
    context.strokeStyle = this.#plot.colour("--line");
    context.font = `${10.5 * devicePixelRatio}px ${this.#plot.colour("--sans")}`;
    context.textBaseline = "bottom";
    for (let agoMs = 0; agoMs < LANE_MS; agoMs += TICK_MS) {
      const x = Math.round(this.#x(view.nowMs - agoMs, view)) - 0.5;
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, this.#ground);
      context.stroke();
      context.textAlign = agoMs === 0 ? "right" : "center";
      context.fillText(agoMs === 0 ? "now" : `−${agoMs / 1000} s`, x, this.#plot.height);
    }
  }

  #drawLane(
    context: CanvasRenderingContext2D,
    view: LanesView,
    { label, spans }: LanesView["lanes"][number],
    index: number,
  ): void {
    const height = this.#ground / Math.max(3, view.lanes.length);
    const [top, thick] = [index * height + height * 0.18, height * 0.64];
    context.fillStyle = this.#plot.colour("--muted");
    context.font = `500 ${13 * devicePixelRatio}px ${this.#plot.colour("--serif")}`;
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillText(label, (LABEL_PIXELS - 9) * devicePixelRatio, top + thick / 2);
    spans.forEach(({ reader, fromMs }, at) => {
      const left = this.#x(fromMs, view);
      const right = this.#x(spans[at + 1]?.fromMs ?? view.nowMs, view);
      const colour = reader === undefined ? undefined : view.colours.get(reader);
      context.fillStyle = this.#plot.colour(colour === undefined ? "--cross" : partitionColour(colour));
      if (reader === undefined) return this.#hatch(context, { left, right, top, thick });
      context.globalAlpha = 0.85;
      context.fillRect(left, top, right - left, thick);
      context.globalAlpha = 1;
    });
  }

  #hatch(
    context: CanvasRenderingContext2D,
    { left, right, top, thick }: { left: number; right: number; top: number; thick: number },
  ): void {
    const step = HATCH_PIXELS * devicePixelRatio;
    context.save();
    context.beginPath();
    context.rect(left, top, right - left, thick);
    context.clip();
    context.strokeStyle = this.#plot.colour("--cross");
    context.lineWidth = devicePixelRatio;
    context.beginPath();
    for (let x = left - thick; x < right; x += step) {
      context.moveTo(x, top + thick);
      context.lineTo(x + thick, top);
    }
    context.stroke();
    context.restore();
  }
}

const lanesLook = styleSheet(`
  :host { flex: 1; display: flex; flex-direction: column; }
  h2 { margin-bottom: 10px; }
  .plot { flex: 1; position: relative; max-block-size: 340px; }
  canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
  p { margin-top: 8px; }
`);
