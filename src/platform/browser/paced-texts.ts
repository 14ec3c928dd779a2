/**
 * How many texts go at once, which is what it takes to answer as many offers as a tab has links, and how fast they go
 * from then on. Both are well below what the server takes, which ends a socket that is faster, and with it the broker's
 * session: the difference is for what a network holds up and then delivers at once.
 */
const BURST = 1_000;
const INTERVAL_MS = 1000 / 80;

/** As many as go before a link's offer has gone stale; what comes on top is dropped, as while the socket is down. */
const MAX_WAITING = 240;

/** The texts of one socket, held back only where so many come that the server would refuse them. */
export class PacedTexts {
  readonly #send: (text: string) => void;
  #waiting: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When what has gone would have gone at the steady rate. */
  #paidUntilMs = Number.NEGATIVE_INFINITY;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  send(text: string): void {
    if (this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push(text);
    if (this.#timer === undefined) this.#drain();
  }

  /** Forgets what waits. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }

  #drain(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    while (this.#waiting.length > 0) {
      const paidUntilMs = Math.max(nowMs, this.#paidUntilMs) + INTERVAL_MS;
      const waitMs = paidUntilMs - BURST * INTERVAL_MS - nowMs;
      if (waitMs > 0) return void (this.#timer = setTimeout(() => this.#drain(), waitMs));
      this.#paidUntilMs = paidUntilMs;
      this.#send(this.#waiting.shift()!);
    }
  }
}
