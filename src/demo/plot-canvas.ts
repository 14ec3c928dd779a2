import { element } from "../inspector/element.ts";
import type { Attributes } from "../inspector/element.ts";

/** A canvas as sharp as the screen, redrawn whenever its size or the colour scheme changes. */
export class PlotCanvas {
  readonly canvas: HTMLCanvasElement;
  /** Reads the colours anew, too. */
  readonly #redraw: () => void;
  readonly #resized = new ResizeObserver(() => this.#fit());
  readonly #colours = new Map<string, string>();
  readonly #scheme = matchMedia("(prefers-color-scheme: dark)");

  constructor(attributes: Attributes, redraw: () => void) {
    this.canvas = element("canvas", attributes);
    this.#redraw = () => {
      this.#colours.clear();
      redraw();
    };
  }

  connect(): void {
    this.#resized.observe(this.canvas);
    this.#scheme.addEventListener("change", this.#redraw);
  }

  disconnect(): void {
    this.#resized.disconnect();
    this.#scheme.removeEventListener("change", this.#redraw);
  }

  get width(): number {
    return this.canvas.width;
  }

  get height(): number {
    return this.canvas.height;
  }

  /** A custom property of the page, as the present colour scheme has it. */
  colour(name: string): string {
    const colour = this.#colours.get(name) ?? getComputedStyle(this.canvas).getPropertyValue(name);
    this.#colours.set(name, colour);
    return colour;
  }

  /** Drawing on a canvas that is not laid out would be lost at its first resize, and is harmless. */
  draw(paint: (context: CanvasRenderingContext2D) => void): void {
    const context = this.canvas.getContext("2d");
    if (context === null) return;
    context.save();
    paint(context);
    context.restore();
  }

  #fit(): void {
    const width = Math.round(this.canvas.clientWidth * devicePixelRatio);
    const height = Math.round(this.canvas.clientHeight * devicePixelRatio);
    if (width === 0 || (width === this.width && height === this.height)) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.#redraw();
  }
}

const PARTITION_COLOURS = 6;

/** Partitions take turns at the colours of the page. */
export function partitionColour(partition: number): string {
  return `--partition-${partition % PARTITION_COLOURS}`;
}
