import { button, element, openShadow, setAttributes, setText, styleSheet } from "../../inspector/element.ts";
import { count, countOf } from "../../inspector/figures.ts";
import { look } from "../../inspector/look.ts";
import { seconds } from "./moments.ts";
import type { Player, Waypoint } from "./player.ts";
import { describeSpeed, SPEEDS } from "./speeds.ts";
import { svg } from "./svg.ts";

export interface RunActions {
  restart(): void;
  playOrPause(): void;
  stepTo(waypoint: Waypoint): void;
  speedAt(index: number): void;
}

const REDRAWN_EVERY_MS = 60;

const ICONS = {
  restart: "M3 2 V12 M12 2 L5 7 L12 12 Z",
  play: "M3 1.5 L12 7 L3 12.5 Z",
  pause: "M3 2 H6 V12 H3 Z M8.5 2 H11.5 V12 H8.5 Z",
  event: "M2 2 L8 7 L2 12 Z M11 2 V12",
  fault: "M8 1 L2.5 8 H6.5 L5.5 13 L11.5 5.5 H7.5 Z",
  election: "M7 1.5 L8.7 5.2 L12.8 5.6 L9.7 8.3 L10.6 12.3 L7 10.2 L3.4 12.3 L4.3 8.3 L1.2 5.6 L5.3 5.2 Z",
  end: "M2 2 L6 7 L2 12 Z M6.5 2 L10.5 7 L6.5 12 Z M12.5 2 V12",
} as const;

/** Play, pause, steps and speed, and where the run stands. */
export class RunControls extends HTMLElement {
  readonly #playIcon = icon("play");
  readonly #playLabel = element("span", {}, "Play");
  readonly #play = element("button", { type: "button", class: "primary play", "data-testid": "play" });
  readonly #time = element("output", { class: "time", "data-testid": "time" });
  readonly #speed = element("input", {
    type: "range", min: 0, max: SPEEDS.length - 1, step: 1, "aria-label": "Speed", "data-testid": "speed",
  });
  readonly #speedLabel = element("span", { class: "small number speed-label" });
  readonly #figures = element("p", { class: "figures small muted number" });
  readonly #event = element("p", { class: "event small muted number", "data-testid": "last-event" });
  #actions: RunActions | undefined;
  #drawnMs = -Infinity;

  constructor() {
    super();
    this.#play.append(this.#playIcon, this.#playLabel);
    this.#play.addEventListener("click", () => this.#actions?.playOrPause());
    this.#speed.addEventListener("input", () => this.#actions?.speedAt(this.#speed.valueAsNumber));
    const step = (label: string, waypoint: Waypoint, title: string) =>
      iconButton(waypoint, label, { title, "data-testid": `step-${waypoint}` }, () => this.#actions?.stepTo(waypoint));
    openShadow(this, controlsLook, look).append(
      element(
        "div",
        { class: "bar", role: "toolbar", "aria-label": "The run" },
        iconButton("restart", "Restart", { title: "From the start (Home)", "data-testid": "restart" }, () =>
          this.#actions?.restart(),
        ),
        this.#play,
        element(
          "div",
          { class: "steps" },
          step("Event", "event", "One event on (→)"),
          step("Fault", "fault", "To the next fault (F)"),
          step("Election", "election", "To the next election (E)"),
          step("End", "end", "To the first violation, or the end (V)"),
        ),
        element("label", { class: "speed", title: "Virtual seconds per second" }, this.#speed, this.#speedLabel),
        this.#time,
      ),
      element("div", { class: "lines" }, this.#figures, this.#event),
    );
  }

  connect(actions: RunActions): void {
    this.#actions = actions;
  }

  show(player: Player, nowMs: number): void {
    const isMoving = player.state !== "paused";
    if (player.state === "playing" && nowMs - this.#drawnMs < REDRAWN_EVERY_MS) return;
    this.#drawnMs = nowMs;
    const { run, speed } = player;
    setAttributes(this.#playIcon.firstElementChild!, { d: ICONS[isMoving ? "pause" : "play"] });
    setText(this.#playLabel, isMoving ? "Pause" : "Play");
    setAttributes(this.#play, { title: isMoving ? "Pause (space)" : "Play (space)" });
    setText(this.#time, seconds(player.shownUs));
    const index = String(SPEEDS.indexOf(speed));
    if (this.#speed.value !== index) this.#speed.value = index;
    setText(this.#speedLabel, describeSpeed(speed));
    setAttributes(this.#speed, { "aria-valuetext": describeSpeed(speed) });
    const { recorder, events } = run.cluster;
    const figures = [
      `${count(recorder.acknowledgements)} acknowledged`,
      `${count(recorder.reads)} read`,
      countOf(run.elections, "election", "elections"),
      `${run.faultsCome} of ${countOf(run.cluster.schedule.faults.length, "fault", "faults")}`,
      `${count(events)} events`,
    ];
    setText(this.#figures, figures.join(" · "));
    setText(this.#event, player.state === "seeking" ? "on the way…" : isMoving ? "" : lastEvent(run.cluster.trace));
  }
}

function lastEvent({ lastEvent: what, lastSize }: { readonly lastEvent: string; readonly lastSize: number }): string {
  if (what === "") return "";
  const [, who = "server", event = what] = /^(tab-\d+)(.*)$/.exec(what) ?? [];
  return `last event: ${who}, ${event.replaceAll("-", " ")}${lastSize > 0 ? ` of ${count(lastSize)} bytes` : ""}`;
}

function icon(name: keyof typeof ICONS): SVGSVGElement {
  const path = svg("path", { d: ICONS[name] });
  return svg("svg", { viewBox: "0 0 14 14", width: 13, height: 13, "aria-hidden": "true" }, path);
}

function iconButton(
  name: keyof typeof ICONS,
  label: string,
  attributes: Readonly<Record<string, string>>,
  onClick: () => void,
): HTMLButtonElement {
  const made = button("", attributes, onClick);
  made.append(icon(name), element("span", {}, label));
  return made;
}

const controlsLook = styleSheet(`
  .bar { display: flex; flex-wrap: wrap; gap: 8px 10px; align-items: center; }
  button { display: inline-flex; gap: 6px; align-items: center; }
  button svg { fill: currentColor; stroke: currentColor; stroke-width: 1; stroke-linejoin: round; }
  .play { min-width: 88px; justify-content: center; }
  .steps { display: flex; }
  .steps button { border-radius: 0; margin-left: -1px; }
  .steps button:first-child { border-radius: 7px 0 0 7px; margin: 0; }
  .steps button:last-child { border-radius: 0 7px 7px 0; }
  .steps button:focus-visible { z-index: 1; }
  .speed { display: flex; gap: 8px; align-items: center; }
  .speed input { width: 130px; }
  .speed-label { min-width: 9.6em; }
  .time {
    margin-left: auto; font: 400 27px/1 var(--serif); font-variant-numeric: lining-nums tabular-nums;
    white-space: nowrap;
  }
  .lines {
    display: flex; flex-wrap: wrap; gap: 0 20px; justify-content: space-between; margin-top: 5px; min-height: 1.5em;
  }
  @media (max-width: 620px) {
    .bar { gap: 8px; }
    .time { order: -1; width: 100%; margin: 0; }
    .steps { width: 100%; }
    .steps button { flex: 1; justify-content: center; padding-inline: 4px; }
    .speed { flex: 1; }
    .speed input { width: auto; flex: 1; min-width: 80px; }
  }
`);
