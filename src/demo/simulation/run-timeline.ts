import { element, openShadow, setAttributes, setText } from "../../inspector/element.ts";
import { look } from "../../inspector/look.ts";
import { epochClass, epochLook } from "./epoch-class.ts";
import { describeFault, FAULT_AREAS, faultArea } from "./fault-look.ts";
import { seconds } from "./moments.ts";
import type { Leadership, RunHistory, SeenFault } from "./run-history.ts";
import { svg } from "./svg.ts";
import { lanesOf, spansOf, ticksOf, totalUs } from "./timeline-spans.ts";
import { timelineLook } from "./timeline-look.ts";
import type { WatchedRun } from "./watched-run.ts";

/** Pixels. */
const RIGHT = 14;
const AXIS = 18;
const RIBBON = 15;
const THICKEST = 12;
/** A thinner ribbon has no room for the number of its epoch. */
const LEAST_NAMED = 10;
const LANE = 9;
const MOST_RIBBONS = 8;
const MOST_LANES = 9;
const FLAG = 12;
const KEY_STEP_US = 1_000_000;

/** The whole run: who led when and how many were in sync, the faults, what broke, and the moment that is shown. */
export class RunTimeline extends HTMLElement {
  readonly #svg = svg("svg");
  readonly #still = svg("g");
  readonly #head = svg("g", { class: "playhead" }, svg("path", { class: "knob" }), svg("line", { y1: 6 }));
  readonly #hover = svg("g", { class: "hover" }, svg("line", { y1: AXIS }), svg("text", { y: 11 }));
  readonly #slider = element("div", {
    class: "slider",
    role: "slider",
    tabindex: 0,
    "aria-label": "Moment of the run",
    "aria-valuemin": 0,
    "data-testid": "timeline",
  });
  readonly #resized = new ResizeObserver(() => this.#draw());
  #run: WatchedRun | undefined;
  #shownUs = 0;
  #drawn = "";
  #hoverUs: number | undefined;

  constructor() {
    super();
    this.#svg.append(this.#still, this.#hover, this.#head);
    this.#slider.append(this.#svg);
    openShadow(this, timelineLook, look).append(this.#slider, legend());
    this.shadowRoot!.adoptedStyleSheets.push(epochLook);
    this.#slider.addEventListener("click", (event) => this.#choose(this.#timeAt(event)));
    this.#slider.addEventListener("pointermove", (event) => this.#point(this.#timeAt(event)));
    this.#slider.addEventListener("pointerleave", () => this.#point(undefined));
    this.#slider.addEventListener("keydown", (event) => this.#onKey(event));
  }

  connectedCallback(): void {
    this.#resized.observe(this);
  }

  disconnectedCallback(): void {
    this.#resized.disconnect();
  }

  show(run: WatchedRun, shownUs: number): void {
    this.#run = run;
    this.#shownUs = shownUs;
    this.#draw();
  }

  get #width(): number {
    return Math.max(200, this.clientWidth);
  }

  get #left(): number {
    return this.#width < 560 ? 22 : 84;
  }

  get #total(): number {
    return this.#run === undefined ? 1 : totalUs(this.#run.history, this.#run.request.seconds);
  }

  #x(timeUs: number): number {
    return this.#left + (Math.min(timeUs, this.#total) / this.#total) * (this.#width - this.#left - RIGHT);
  }

  #timeAt(event: MouseEvent): number {
    const x = event.clientX - this.#svg.getBoundingClientRect().left;
    const share = (x - this.#left) / (this.#width - this.#left - RIGHT);
    return Math.round(Math.min(1, Math.max(0, share)) * this.#total);
  }

  #choose(timeUs: number): void {
    this.dispatchEvent(new CustomEvent("moment-chosen", { detail: timeUs }));
  }

  #point(timeUs: number | undefined): void {
    this.#hoverUs = timeUs;
    this.#moveHands();
  }

  #onKey(event: KeyboardEvent): void {
    const steps = new Map([["ArrowLeft", -1], ["ArrowRight", 1], ["PageDown", -10], ["PageUp", 10]]);
    const step = steps.get(event.key);
    if (event.key !== "Home" && event.key !== "End" && step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Home") return this.#choose(0);
    if (event.key === "End") return this.#choose(this.#total);
    this.#choose(Math.min(this.#total, Math.max(0, this.#shownUs + step! * KEY_STEP_US)));
  }

  #draw(): void {
    if (this.#run === undefined) return;
    const { history } = this.#run;
    // What is known grows with the run; it is drawn anew whenever that makes a difference of a pixel.
    const known = [
      this.#width, this.#total, Math.round(this.#x(history.untilUs)), history.end?.atUs,
      history.faults.filter(({ state }) => state !== "due").length, ...history.leaderships.map(({ length }) => length),
    ].join();
    if (known !== this.#drawn) {
      this.#drawn = known;
      this.#rebuild(history, this.#run.request.seconds);
    }
    this.#moveHands();
  }

  #rebuild(history: RunHistory, runSeconds: number): void {
    const ribbons = history.leaderships.slice(0, MOST_RIBBONS);
    const { lanes, laneCount } = lanesOf(history.faults, (timeUs) => this.#x(timeUs), MOST_LANES);
    const faultsTop = AXIS + Math.max(1, ribbons.length) * RIBBON + 6;
    const height = faultsTop + Math.max(1, laneCount) * LANE + 4;
    setAttributes(this.#svg, { viewBox: `0 0 ${this.#width} ${height}`, width: this.#width, height });
    for (const hand of [this.#head, this.#hover]) setAttributes(hand.querySelector("line")!, { y2: height });
    this.#still.replaceChildren(
      ...this.#phases(history, runSeconds, height),
      ...this.#axis(),
      ...ribbons.flatMap((spans, index) => this.#ribbon(spans, index, history.untilUs)),
      this.#label(this.#left < 40 ? "!" : "faults", faultsTop + LANE - 1),
      ...history.faults.flatMap((seen, index) => {
        const lane = lanes[index];
        return lane === undefined ? [] : [this.#fault(seen, faultsTop + lane * LANE)];
      }),
      ...this.#violation(history, height),
    );
    setAttributes(this.#slider, { "aria-valuemax": Math.round(this.#total / 1e6) });
  }

  #phases({ beganUs }: RunHistory, runSeconds: number, height: number): readonly SVGElement[] {
    if (beganUs === undefined) return [];
    const healed = this.#x(beganUs + runSeconds * 1e6);
    const width = this.#x(this.#total) - healed;
    if (width < 2) return [];
    const title = svg("title", {}, "Everything is healed from here on: the cluster has to become whole again");
    const ground = svg("rect", { x: healed, y: AXIS - 3, width, height: height - AXIS + 3, class: "healed" }, title);
    if (width < 44) return [ground];
    return [ground, svg("text", { x: healed + 4, y: height - 4, class: "phase" }, "healed")];
  }

  #axis(): readonly SVGElement[] {
    return ticksOf(this.#total, (this.#width - this.#left) / 64).flatMap((timeUs) => [
      svg("line", { x1: this.#x(timeUs), x2: this.#x(timeUs), y1: AXIS - 5, y2: AXIS - 1, class: "tick" }),
      svg("text", { x: this.#x(timeUs), y: 11, class: "time" }, `${timeUs / 1e6} s`),
    ]);
  }

  #label(text: string, y: number): SVGElement {
    return svg("text", { x: this.#left - 8, y, class: "label" }, text);
  }

  /** As thick as there are copies in sync, in the colour of the epoch. */
  #ribbon(spans: readonly Leadership[], index: number, untilUs: number): readonly SVGElement[] {
    const middle = AXIS + index * RIBBON + RIBBON / 2 + 1;
    const label = this.#left < 40 ? String(index) : `partition ${index}`;
    const bars = spansOf(spans, untilUs, (timeUs) => this.#x(timeUs)).map(({ from, to, leadership }, at, all) => {
      const { leader, leaderEpoch, inSync } = leadership;
      const height = leader < 0 ? 4 : Math.min(THICKEST, 2 + 3.3 * inSync);
      const isNew = all[at - 1]?.leadership.leaderEpoch !== leaderEpoch;
      const named = isNew && height > LEAST_NAMED && to - from > 12 + 6 * String(leaderEpoch).length;
      const led = leader < 0 ? "no leader" : `led by broker ${leader}, ${inSync} in sync`;
      return svg(
        "g",
        {},
        svg("title", {}, `Partition ${index}, epoch ${leaderEpoch}: ${led}`),
        svg("rect", {
          x: from, y: middle - height / 2, width: Math.max(0.6, to - from), height,
          class: leader < 0 ? "leaderless" : `ribbon ${epochClass(leaderEpoch)}`,
        }),
        named ? svg("text", { x: from + 4, y: middle + 3.5, class: "epoch-number" }, String(leaderEpoch)) : undefined,
      );
    });
    return [this.#label(label, middle + 4), ...bars];
  }

  #fault({ fault, state, startUs, endUs, target }: SeenFault, y: number): SVGElement {
    const from = this.#x(startUs);
    const width = Math.max(3, this.#x(endUs) - from);
    const note = state === "void" ? " (there was nothing for it to do)" : "";
    return svg(
      "g",
      { class: `fault ${faultArea(fault.kind)} ${state}` },
      svg("title", {}, `${seconds(startUs)}: ${describeFault(fault, target)}${note}`),
      svg("rect", { x: from, y: y + 1, width, height: LANE - 2.5, rx: 2, class: "lasting" }),
      svg("rect", { x: from, y: y + 1, width: 3, height: LANE - 2.5, rx: 1, class: "onset" }),
    );
  }

  #violation({ end }: RunHistory, height: number): readonly SVGElement[] {
    if (end?.violation === undefined) return [];
    const x = this.#x(end.atUs);
    return [
      svg("line", { x1: x, x2: x, y1: 2, y2: height, class: "violation" }),
      svg("path", { d: `M${x} 1 h${-FLAG} l4 4.5 l-4 4.5 h${FLAG} Z`, class: "flag" },
        svg("title", {}, `${seconds(end.atUs)}: ${end.violation.rule}`)),
    ];
  }

  #moveHands(): void {
    const x = this.#x(this.#shownUs);
    setAttributes(this.#head, { transform: `translate(${x.toFixed(1)} 0)` });
    setAttributes(this.#head.querySelector("path")!, { d: "M-5 0 H5 V5 L0 10 L-5 5 Z" });
    setAttributes(this.#slider, {
      "aria-valuenow": (this.#shownUs / 1e6).toFixed(3),
      "aria-valuetext": seconds(this.#shownUs),
    });
    setAttributes(this.#hover, { visibility: this.#hoverUs === undefined ? "hidden" : "visible" });
    if (this.#hoverUs === undefined) return;
    setAttributes(this.#hover, { transform: `translate(${this.#x(this.#hoverUs).toFixed(1)} 0)` });
    setText(this.#hover.querySelector("text")!, seconds(this.#hoverUs));
  }
}

function legend(): HTMLElement {
  const key = (name: string, label: string) =>
    element("span", { class: "key" }, svg("svg", { width: 12, height: 8, class: `fault ${name}` }, swatch()), label);
  const swatch = () => svg("rect", { width: 12, height: 8, rx: 2, class: "onset" });
  return element(
    "p",
    { class: "legend small muted" },
    element("span", { class: "key" }, "Ribbons: colour is the leader epoch, thickness the copies in sync. Faults:"),
    ...FAULT_AREAS.map((area) => key(area, area)),
  );
}
