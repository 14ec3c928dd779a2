import type { ControllerRequests } from "./controller-requests.ts";
import type { PendingResponse } from "./request-channel.ts";

/** The server takes a frame of 1 MiB, and no more than it announces in its limits for one tab. */
export const MAX_FORWARDED_BYTES = 512 * 1024;
/** A request costs one token, and one for every so many bytes. The server lets a tab send four times as much. */
const BYTES_PER_TOKEN = 16 * 1024;
const BURST_TOKENS = 500;
const TOKENS_PER_MS = 0.25;

interface Waiting {
  readonly frame: Uint8Array;
  readonly pending: PendingResponse;
  readonly lost: () => void;
}

/**
 * What clients ask for and only the controller can answer. All of it goes over the one socket that the broker lives by,
 * and the server closes a socket that sends too much, or that has too much to read: so requests beyond a certain pace
 * wait here, in their order, and each for the answer to the one before, which may be a hundred times as large.
 */
export class ForwardedRequests {
  readonly #requests: ControllerRequests;
  readonly #waiting = new Set<Waiting>();
  #isUnderWay = false;
  #tokens = BURST_TOKENS;
  #filledMs = Number.NEGATIVE_INFINITY;

  constructor(requests: ControllerRequests) {
    this.#requests = requests;
  }

  get wakeAtMs(): number {
    const [next] = this.#waiting;
    if (next === undefined || this.#isUnderWay) return Number.POSITIVE_INFINITY;
    return this.#filledMs + Math.ceil((costOf(next.frame.length) - this.#tokens) / TOKENS_PER_MS);
  }

  /** Passes the request on, now or later, and its answer back. `lost` is called if the controller cannot be reached. */
  add(frame: Uint8Array, pending: PendingResponse, lost: () => void, nowMs: number): void {
    const waiting = { frame, pending, lost };
    this.#waiting.add(waiting);
    pending.abandoned = () => this.#waiting.delete(waiting);
    this.pump(nowMs);
  }

  pump(nowMs: number): void {
    for (const waiting of this.#waiting) {
      const { frame, pending, lost } = waiting;
      if (this.#isUnderWay || (this.#requests.connected && !this.mayAsk(frame.length, nowMs))) return;
      this.#waiting.delete(waiting);
      pending.abandoned = undefined;
      this.#isUnderWay = true;
      const over = () => (this.#isUnderWay = false);
      this.#requests.forward(
        frame,
        (response) => {
          over();
          pending.respond(response);
        },
        () => {
          over();
          lost();
        },
      );
    }
  }

  /** Whether a request of so many bytes may go to the controller at once, on behalf of a client. Counts it if so. */
  mayAsk(bytes: number, nowMs: number): boolean {
    const gained = Math.max(0, nowMs - this.#filledMs) * TOKENS_PER_MS;
    this.#tokens = Math.min(BURST_TOKENS, this.#tokens + gained);
    this.#filledMs = nowMs;
    const cost = costOf(bytes);
    if (cost > this.#tokens) return false;
    this.#tokens -= cost;
    return true;
  }
}

function costOf(bytes: number): number {
  return 1 + bytes / BYTES_PER_TOKEN;
}
