import type { Clock } from "./clock.ts";

/** The same is said no more often than this, and anything no more often than that. */
const SAME_PAUSE_MS = 60_000;
const PAUSE_MS = 1_000;

/** For what is tried again and again: says why it fails, without flooding the log. */
export class RareWarnings {
  readonly #clock: Pick<Clock, "now">;
  readonly #warn: (message: string, error?: unknown) => void;
  #last: { readonly message: string; readonly at: number } | undefined;

  constructor(clock: Pick<Clock, "now">, warn: (message: string, error?: unknown) => void) {
    this.#clock = clock;
    this.#warn = warn;
  }

  warn(message: string, error?: unknown): void {
    const at = this.#clock.now();
    const pauseMs = message === this.#last?.message ? SAME_PAUSE_MS : PAUSE_MS;
    if (this.#last !== undefined && at - this.#last.at < pauseMs) return;
    this.#last = { message, at };
    this.#warn(message, error);
  }
}
