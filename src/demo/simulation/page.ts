import { savedRunText } from "../../../tests/simulation/saved-run.ts";
import type { SavedRun } from "../../../tests/simulation/saved-run.ts";
import { BrokerBanner } from "../../inspector/broker-banner.ts";
import { readAddress, RefusedAddress, writeAddress } from "./address.ts";
import type { RunAddress } from "./address.ts";
import { ClusterScene } from "./cluster-scene.ts";
import { seconds } from "./moments.ts";
import { PartitionStrips } from "./partition-strips.ts";
import { Player } from "./player.ts";
import type { Waypoint } from "./player.ts";
import { RunControls } from "./run-controls.ts";
import { RunForm } from "./run-form.ts";
import type { TypedRun } from "./run-form.ts";
import { RunLog } from "./run-log.ts";
import { RunOutcome } from "./run-outcome.ts";
import { RunTimeline } from "./run-timeline.ts";
import { ScheduleBox } from "./schedule-box.ts";
import { packSchedule, unpackSchedule } from "./schedule-link.ts";
import { onShortcut } from "./shortcuts.ts";
import { SPEEDS } from "./speeds.ts";
import type { RunRequest } from "./watched-run.ts";

const BACK_US = 1_000_000;

/** Lays the components out, and keeps the run on the screen and the one in the address the same. */
export class SimulationPage {
  readonly #banner = new BrokerBanner();
  readonly #form = new RunForm();
  readonly #outcome = new RunOutcome();
  readonly #controls = new RunControls();
  readonly #scene = new ClusterScene();
  readonly #strips = new PartitionStrips();
  readonly #timeline = new RunTimeline();
  readonly #log = new RunLog();
  readonly #schedule = new ScheduleBox();
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #player: Player | undefined;
  #address: RunAddress | undefined;
  /** The packed schedule, for a run whose seed alone does not make it. */
  #fragment = "";

  constructor() {
    mount("banner", this.#banner);
    mount("request", this.#form);
    mount("outcome", this.#outcome);
    mount("controls", this.#controls);
    mount("scene", this.#scene);
    mount("strips", this.#strips);
    mount("timeline", this.#timeline);
    mount("log", this.#log);
    mount("schedule", this.#schedule);
    const jump = (event: Event) => void this.#jump((event as CustomEvent<number>).detail);
    this.#timeline.addEventListener("moment-chosen", jump);
    this.#outcome.addEventListener("moment-chosen", jump);
    this.#form.addEventListener("run-asked", (event) => void this.#runTyped((event as CustomEvent<TypedRun>).detail));
    this.#schedule.addEventListener("schedule-given", (event) => {
      void this.#runSaved((event as CustomEvent<SavedRun>).detail);
    });
    this.#schedule.connect(() => this.#presentRun());
    this.#controls.connect({
      restart: () => void this.#jump(0),
      playOrPause: () => this.#playOrPause(),
      stepTo: (waypoint) => void this.#stepTo(waypoint),
      speedAt: (index) => this.#setSpeed(index),
    });
    onShortcut((shortcut) => this.#onShortcut(shortcut));
    addEventListener("hashchange", () => location.reload());
  }

  /** What the address asks for, or the reason why that cannot be. */
  async start(): Promise<void> {
    try {
      const address = readAddress(location.search);
      const packed = location.hash.slice(1);
      const saved = packed === "" ? undefined : await unpackSchedule(packed);
      this.#fragment = packed === "" ? "" : `#${packed}`;
      this.#form.show(address);
      await this.#open(saved === undefined ? address : { ...address, ...saved }, saved);
    } catch (error) {
      if (!(error instanceof RefusedAddress)) throw error;
      this.#banner.show([{ level: "error", title: "This page’s address names no run", text: error.message }]);
      document.querySelector("main")?.setAttribute("data-outcome", "refused");
      this.#form.show({ seed: 1, seconds: 40, atSeconds: undefined });
    }
  }

  #runTyped({ seed, seconds: runSeconds, atSeconds }: TypedRun): Promise<void> {
    this.#fragment = "";
    return this.#open({ seed, seconds: runSeconds, atSeconds, speed: this.#address?.speed ?? 1 }, undefined);
  }

  async #runSaved(saved: SavedRun): Promise<void> {
    this.#fragment = `#${await packSchedule(savedRunText(saved))}`;
    // The box is below what is to be watched.
    scrollTo({ top: 0 });
    const { seed, seconds: runSeconds } = saved;
    return this.#open({ seed, seconds: runSeconds, atSeconds: undefined, speed: this.#address?.speed ?? 1 }, saved);
  }

  async #open(address: RunAddress, saved: SavedRun | undefined): Promise<void> {
    const { seed, atSeconds, speed } = address;
    const schedule = saved === undefined ? {} : { schedule: saved.schedule };
    const request: RunRequest = { seed, seconds: address.seconds, ...schedule };
    this.#banner.show([]);
    this.#form.show(address);
    this.#address = address;
    if (this.#player === undefined) this.#player = new Player(request, () => this.#render());
    else await this.#player.open(request);
    this.#player.speed = speed;
    this.#render();
    if (atSeconds !== undefined) await this.#jump(atSeconds * 1e6);
    else if (this.#still.matches && speed !== "most") this.#writeAddress();
    else this.#playOrPause();
  }

  #playOrPause(): void {
    const player = this.#player;
    if (player === undefined) return;
    if (player.state !== "paused") return void player.pause().then(() => this.#writeAddress());
    this.#rewriteAddress(undefined);
    void player.play().then(() => this.#writeAddress());
  }

  async #stepTo(waypoint: Waypoint): Promise<void> {
    await this.#player?.stepTo(waypoint);
    this.#writeAddress();
  }

  async #jump(timeUs: number): Promise<void> {
    await this.#player?.jumpTo(timeUs);
    this.#writeAddress();
  }

  #setSpeed(index: number): void {
    const speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index))];
    if (this.#player === undefined || this.#address === undefined || speed === undefined) return;
    this.#player.speed = speed;
    this.#address = { ...this.#address, speed };
    this.#rewriteAddress(this.#address.atSeconds);
    this.#render();
  }

  #onShortcut(shortcut: string): void {
    const player = this.#player;
    if (player === undefined) return;
    switch (shortcut) {
      case "play":
        return this.#playOrPause();
      case "event":
      case "fault":
      case "election":
      case "end":
        return void this.#stepTo(shortcut);
      case "back":
        return void this.#jump(Math.max(0, player.shownUs - BACK_US));
      case "restart":
        return void this.#jump(0);
      case "faster":
        return this.#setSpeed(SPEEDS.indexOf(player.speed) + 1);
      case "slower":
        return this.#setSpeed(SPEEDS.indexOf(player.speed) - 1);
      case "next-seed":
        return this.#form.nextSeed();
    }
  }

  /** The moment on the screen, once the run stands still there. */
  #writeAddress(): void {
    const player = this.#player;
    if (player?.state === "paused") this.#rewriteAddress(player.shownUs / 1e6);
  }

  #rewriteAddress(atSeconds: number | undefined): void {
    if (this.#address === undefined) return;
    this.#address = { ...this.#address, atSeconds };
    history.replaceState(null, "", `${location.pathname}${writeAddress(this.#address)}${this.#fragment}`);
  }

  #presentRun(): string {
    const run = this.#player?.run;
    if (run === undefined) return "";
    const { seed, seconds: runSeconds } = run.request;
    return savedRunText({ seed, seconds: runSeconds, schedule: run.cluster.schedule });
  }

  #render(): void {
    const player = this.#player;
    if (player === undefined) return;
    const { run, state, shownUs, speed } = player;
    const nowMs = performance.now();
    const isMoving = state !== "paused";
    this.#controls.show(player, nowMs);
    this.#scene.show(run, { nowMs, shownUs, speed: isMoving ? (state === "seeking" ? "most" : speed) : undefined });
    this.#strips.show(run, isMoving ? nowMs : undefined);
    this.#timeline.show(run, shownUs);
    this.#log.show(run, isMoving ? nowMs : undefined);
    this.#outcome.show(run);
    const verdict = run.result === undefined ? state : run.result.violation === undefined ? "passed" : "failed";
    const main = document.querySelector("main")!;
    main.dataset["outcome"] = verdict;
    main.dataset["traceHash"] = run.result?.traceHash ?? "";
    const standing = run.result === undefined ? seconds(shownUs) : verdict;
    document.title = `Seed ${run.request.seed}, ${isMoving ? "running" : standing} · Tabstream`;
  }
}

function mount(id: string, component: HTMLElement): void {
  const place = document.getElementById(id);
  if (place === null) throw new Error(`the page has no element #${id}`);
  place.append(component);
}
