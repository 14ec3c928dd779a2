import { RunHistory } from "./run-history.ts";
import type { Speed } from "./speeds.ts";
import { WatchedRun } from "./watched-run.ts";
import type { RunRequest } from "./watched-run.ts";

/** Where a step ends. `end` is a violation, or the end of a run that has none. */
export type Waypoint = "event" | "fault" | "election" | "end";

export type PlayerState = "paused" | "playing" | "seeking";

/** So long the run goes on before the page is drawn again; longer while nobody looks at what happens on the way. */
const SLICE_MS = 10;
const SEEKING_SLICE_MS = 60;
/** Reading the clock costs about as much as a small event. */
const EVENTS_PER_LOOK = 8;
/** A page that was away for longer goes on where it stood. */
const LONGEST_FRAME_MS = 100;

/**
 * Runs a simulation at the pace that a watcher asks for. One thing at a time: whatever is asked for ends what went on
 * before. `changed` is called after each slice and whenever the state changes.
 */
export class Player {
  run: WatchedRun;
  state: PlayerState = "paused";
  speed: Speed = 1;
  /** The moment that is shown; while the run plays slowly it lies between two events. */
  shownUs = 0;
  readonly #changed: () => void;
  #turn = 0;
  #underWay: Promise<void> = Promise.resolve();

  constructor(request: RunRequest, changed: () => void) {
    this.run = new WatchedRun(request, new RunHistory());
    this.#changed = changed;
  }

  get isOver(): boolean {
    return this.run.result !== undefined;
  }

  /** Another run, at its start. */
  open(request: RunRequest): Promise<void> {
    return this.#begin("paused", async () => this.#restart(new WatchedRun(request, new RunHistory())));
  }

  /** Plays on; from the start if the run is over. */
  play(): Promise<void> {
    return this.#begin("playing", async (isCurrent) => {
      if (this.isOver) this.#restart(this.#again());
      let lastMs = performance.now();
      while (!this.isOver && isCurrent()) {
        const nowMs = await nextFrame();
        const elapsedMs = Math.min(nowMs - lastMs, LONGEST_FRAME_MS);
        lastMs = nowMs;
        const untilUs = this.speed === "most" ? Infinity : this.shownUs + elapsedMs * 1000 * this.speed;
        const longestMs = this.speed === "most" ? SEEKING_SLICE_MS : SLICE_MS;
        await this.#slice((run) => run.nextUs > untilUs, longestMs, isCurrent);
        // A slice that took too long did not get there.
        this.shownUs = this.#reached(untilUs);
        this.#changed();
      }
    });
  }

  pause(): Promise<void> {
    return this.#begin("paused", async () => {});
  }

  stepTo(waypoint: Waypoint): Promise<void> {
    return this.#begin("seeking", async (isCurrent) => {
      await this.#seek(arrival(waypoint, this.run), isCurrent);
    });
  }

  /** Shows the run as it was at a moment, or at its end if it has ended by then. */
  jumpTo(timeUs: number): Promise<void> {
    return this.#begin("seeking", async (isCurrent) => {
      if (timeUs < this.run.nowUs) this.#restart(this.#again());
      await this.#seek((run) => run.nextUs > timeUs, isCurrent);
      this.shownUs = this.#reached(timeUs);
    });
  }

  /** `timeUs` if the run has got there, and is at its last event before. */
  #reached(timeUs: number): number {
    const { nowUs, nextUs } = this.run;
    return this.isOver || nextUs <= timeUs ? nowUs : timeUs;
  }

  #again(): WatchedRun {
    return new WatchedRun(this.run.request, this.run.history);
  }

  #restart(run: WatchedRun): void {
    this.run = run;
    this.shownUs = 0;
  }

  async #seek(isThere: (run: WatchedRun) => boolean, isCurrent: () => boolean): Promise<void> {
    while (!(await this.#slice(isThere, SEEKING_SLICE_MS, isCurrent)) && !this.isOver && isCurrent()) {
      this.shownUs = this.run.nowUs;
      this.#changed();
      await nextFrame();
    }
    this.shownUs = this.run.nowUs;
  }

  /** Whether the run is there; false when it took too long, ended before, or something else was asked for. */
  async #slice(
    isThere: (run: WatchedRun) => boolean,
    longestMs: number,
    isCurrent: () => boolean,
  ): Promise<boolean> {
    const { run } = this;
    const endMs = performance.now() + longestMs;
    for (let events = 1; !isThere(run); events++) {
      if (!(await run.next()) || !isCurrent()) return false;
      if (events % EVENTS_PER_LOOK === 0 && performance.now() > endMs) return isThere(run);
    }
    return true;
  }

  #begin(state: PlayerState, task: (isCurrent: () => boolean) => Promise<void>): Promise<void> {
    const turn = ++this.#turn;
    const before = this.#underWay;
    const isCurrent = () => turn === this.#turn;
    const take = async () => {
      // A run is never taken on by two at once.
      await before;
      if (!isCurrent()) return;
      this.state = state;
      this.#changed();
      await task(isCurrent);
      if (!isCurrent()) return;
      this.state = "paused";
      this.#changed();
    };
    this.#underWay = take();
    return this.#underWay;
  }
}

function arrival(waypoint: Waypoint, { cluster, elections, faultsCome }: WatchedRun): (run: WatchedRun) => boolean {
  const { events } = cluster;
  switch (waypoint) {
    case "event":
      return (run) => run.cluster.events > events;
    case "fault":
      return (run) => run.faultsCome > faultsCome;
    case "election":
      return (run) => run.elections > elections;
    case "end":
      return () => false;
  }
}

/** Before the page is drawn next; a page that nobody sees is not drawn, but goes on. */
function nextFrame(): Promise<number> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(performance.now()), LONGEST_FRAME_MS);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      resolve(performance.now());
    });
  });
}
