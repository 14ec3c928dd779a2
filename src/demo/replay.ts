import type { Earthquake } from "./earthquakes.ts";

/**
 * Replays events at a multiple of the speed at which they happened. Time comes in, so that the pace is tested without
 * waiting; `main.ts` brings the ticks.
 */
export class Replay {
  readonly #quakes: readonly Earthquake[];
  #next = 0;
  #eventTimeMs: number;
  #lastTickMs: number | undefined;

  constructor(quakes: readonly Earthquake[]) {
    this.#quakes = quakes;
    this.#eventTimeMs = quakes[0]?.timeMs ?? 0;
  }

  /**
   * What has happened since the last tick, at most `room` of it. When there is no room the clock of the events stands
   * still: a cluster that cannot take more slows the replay down, and nothing is skipped.
   */
  due(nowMs: number, speed: number, room: number): readonly Earthquake[] {
    const elapsedMs = nowMs - (this.#lastTickMs ?? nowMs);
    this.#lastTickMs = nowMs;
    if (room <= 0) return [];
    this.#eventTimeMs += elapsedMs * speed;
    const first = this.#next;
    while (this.#next < this.#quakes.length && this.#next - first < room) {
      const quake = this.#quakes[this.#next];
      if (quake === undefined || quake.timeMs > this.#eventTimeMs) break;
      this.#next++;
    }
    const due = this.#quakes.slice(first, this.#next);
    if (due.length === room) this.#eventTimeMs = due.at(-1)?.timeMs ?? this.#eventTimeMs;
    return due;
  }

  get sent(): number {
    return this.#next;
  }

  get total(): number {
    return this.#quakes.length;
  }

  get eventTimeMs(): number {
    return this.#eventTimeMs;
  }

  get finished(): boolean {
    return this.#next === this.#quakes.length;
  }
}
