import { button, element, field, openShadow, setAttributes, setText, styleSheet } from "../inspector/element.ts";
import { count } from "../inspector/figures.ts";
import { look } from "../inspector/look.ts";
import type { ProduceRequest } from "../inspector/produce-form.ts";
import { reasonOf } from "../inspector/reason.ts";
import { loadEarthquakes } from "./data-sets.ts";
import { encodeEarthquake, eventTime, regionOf } from "./earthquakes.ts";
import { Replay } from "./replay.ts";

export const EARTHQUAKES = { name: "earthquakes", partitions: 3, replicationFactor: 3 } as const;

export interface ReplayActions {
  /** Creates the topic unless it is there. */
  prepare(): Promise<void>;
  send(request: ProduceRequest): Promise<unknown>;
}

const HOUR_MS = 3_600_000;
/** Events' time per second of ours. */
const SPEEDS = [
  { label: "10 minutes", factor: HOUR_MS / 6 / 1000 },
  { label: "1 hour", factor: HOUR_MS / 1000 },
  { label: "3 hours", factor: (3 * HOUR_MS) / 1000 },
  { label: "12 hours", factor: (12 * HOUR_MS) / 1000 },
  { label: "2 days", factor: (48 * HOUR_MS) / 1000 },
] as const;
const DEFAULT_SPEED = 1;
/** Records sent and not yet acknowledged; beyond them the replay waits for the cluster. */
const IN_FLIGHT_MAX = 100;

/** Plays a week of earthquakes into their topic, at a chosen speed. Fires `replay-ended`. */
export class ReplayPanel extends HTMLElement {
  readonly #start = button(
    "Replay earthquakes",
    { class: "primary", "data-testid": "replay" },
    () => void this.#toggle(),
  );
  readonly #speed = element("input", {
    type: "range",
    min: 0,
    max: SPEEDS.length - 1,
    value: DEFAULT_SPEED,
    "aria-label": "Speed",
    "data-testid": "replay-speed",
  });
  readonly #speedLabel = element("span");
  readonly #bar = element("progress", { max: 1, value: 0, "aria-label": "Progress" });
  readonly #state = element("span", { class: "small muted state", role: "status", "data-testid": "replay-state" });
  #actions: ReplayActions | undefined;
  #running: AbortController | undefined;

  constructor() {
    super();
    const speed = field("", this.#speed);
    speed.firstElementChild?.replaceWith(this.#speedLabel);
    this.#speed.addEventListener("input", () => this.#describeSpeed());
    this.#describeSpeed();
    openShadow(this, panelLook, look).append(
      element("div", { class: "row spread" }, element("h2", {}, "A week of earthquakes"), this.#start),
      element("div", { class: "row controls" }, speed, element("div", { class: "progress" }, this.#bar, this.#state)),
    );
    setText(this.#state, "1,707 real events, keyed by region, acks=all");
  }

  connect(actions: ReplayActions): void {
    this.#actions = actions;
  }

  async #toggle(): Promise<void> {
    if (this.#running !== undefined) return this.#running.abort();
    if (this.#actions === undefined) return;
    const running = new AbortController();
    this.#running = running;
    setText(this.#start, "Stop");
    this.#say("loading…");
    try {
      const [quakes] = await Promise.all([loadEarthquakes(), this.#actions.prepare()]);
      await this.#play(new Replay(quakes), this.#actions, running);
    } catch (error) {
      this.#say(`stopped: ${reasonOf(error)}`, "error");
    }
    this.#running = undefined;
    this.dispatchEvent(new CustomEvent("replay-ended"));
    setText(this.#start, "Replay again");
  }

  /** Resolves when every record is acknowledged or the replay was stopped; rejects when one is refused. */
  async #play(replay: Replay, actions: ReplayActions, running: AbortController): Promise<void> {
    let inFlight = 0;
    let refused: unknown;
    const ticks = new Worker(new URL("./ticks.worker.ts", import.meta.url), { type: "module" });
    const sendOne = async (request: ProduceRequest): Promise<void> => {
      inFlight++;
      try {
        await actions.send(request);
      } catch (error) {
        refused ??= error;
        running.abort();
      }
      inFlight--;
    };
    await new Promise<void>((resolve) => {
      running.signal.addEventListener("abort", () => resolve());
      // It may have been stopped before it was loaded.
      if (running.signal.aborted) return resolve();
      ticks.onmessage = () => {
        for (const quake of replay.due(performance.now(), this.#factor(), IN_FLIGHT_MAX - inFlight)) {
          const value = encodeEarthquake(quake);
          void sendOne({ topic: EARTHQUAKES.name, key: regionOf(quake.place), value, partition: undefined, acks: -1 });
        }
        setAttributes(this.#bar, { value: replay.total === 0 ? 1 : replay.sent / replay.total });
        const waiting = inFlight >= IN_FLIGHT_MAX ? " · waiting for acks" : "";
        this.#say(progressOf(replay) + waiting);
        if (replay.finished && inFlight === 0) resolve();
      };
    });
    ticks.terminate();
    if (refused !== undefined) throw refused;
    this.#say(`${replay.finished ? "finished" : "stopped"}, ${progressOf(replay)}`);
  }

  #factor(): number {
    return SPEEDS[Number(this.#speed.value)]?.factor ?? SPEEDS[DEFAULT_SPEED].factor;
  }

  #describeSpeed(): void {
    const label = SPEEDS[Number(this.#speed.value)]?.label ?? "";
    setText(this.#speedLabel, `${label} a second`);
    setAttributes(this.#speed, { "aria-valuetext": `${label} a second` });
  }

  #say(text: string, tone: "muted" | "error" = "muted"): void {
    this.#state.className = `small state ${tone}`;
    setText(this.#state, text);
  }
}

function progressOf(replay: Replay): string {
  return `${count(replay.sent)} of ${count(replay.total)} · ${eventTime(replay.eventTimeMs)}`;
}

const panelLook = styleSheet(`
  .controls { margin: 8px 0 12px; flex-wrap: nowrap; gap: 20px; align-items: end; }
  .field { flex: 0 0 140px; }
  .controls input { height: 20px; margin: 0; }
  .progress { flex: 1; min-width: 0; display: grid; gap: 3px; }
  .state { order: -1; }
  progress { width: 100%; height: 20px; accent-color: var(--accent); }
`);
