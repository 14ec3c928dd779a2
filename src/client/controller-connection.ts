import { asError, KafkaJSConnectionClosedError, KafkaJSConnectionError } from "./errors.ts";
import type { NetworkEvents } from "./events.ts";
import type { Logger } from "./logger.ts";
import { PendingRequests } from "./pending-requests.ts";
import type { Api } from "../protocol/schema.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ControllerLink } from "../runtime/controller-link.ts";

/** How requests to the metadata server appear in events and errors. */
const CONTROLLER = "controller";

export interface ControllerConnectionOptions {
  readonly link: ControllerLink;
  readonly clock: Clock;
  readonly clientId: string;
  readonly events: NetworkEvents;
  readonly logger: Logger;
  /** Called whenever the link opens or closes. */
  readonly changed: () => void;
  /** Called with the reason whenever it has closed, or could not be opened. */
  readonly troubled: (reason: string) => void;
}

/** Kafka requests over the one socket to the metadata server, answered in any order. */
export class ControllerConnection {
  readonly #options: ControllerConnectionOptions;
  readonly #requests: PendingRequests;
  /** To be called with the reason if it is given up. */
  readonly #waiting = new Set<(closedBecause?: string) => void>();
  #connected = false;
  /** Why it is not open, in brackets; empty while that is not known. */
  #trouble = "";

  constructor(options: ControllerConnectionOptions) {
    this.#options = options;
    this.#requests = new PendingRequests({ ...options, broker: CONTROLLER, timedOut: () => {} });
    options.link.receive({
      opened: () => {
        this.#connected = true;
        this.#trouble = "";
        for (const resume of this.#waiting) resume();
        options.changed();
      },
      frame: (frame) => this.#onFrame(frame),
      closed: (reason) => {
        this.#connected = false;
        const message = `The connection to the metadata server closed: ${reason}`;
        this.#requests.failAll(() => new KafkaJSConnectionClosedError(message, { broker: CONTROLLER }));
        this.#onTrouble(reason);
        options.changed();
      },
      failed: (reason) => this.#onTrouble(reason),
    });
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Sends a request, once the link is open, and resolves with the response; both within `timeoutMs`. */
  async request<Init, R>(
    api: Api<unknown, Init, R>,
    body: NoInfer<Init>,
    timeoutMs: number,
    version = api.advertised[1],
  ): Promise<R> {
    const { clock, link } = this.#options;
    const createdAt = clock.wallNow();
    const startedAt = clock.now();
    if (!this.#connected) await this.#opened(api.name, timeoutMs);
    const remaining = Math.max(1, timeoutMs - (clock.now() - startedAt));
    return this.#requests.start(api, version, body, { createdAt, timeoutMs: remaining }, (frame) => link.send(frame));
  }

  /** Fails what is open, and what waits for the link. Closing the link is its owner's business. */
  close(reason: string): void {
    for (const resume of this.#waiting) resume(reason);
    this.#requests.failAll(() => new KafkaJSConnectionClosedError(reason, { broker: CONTROLLER }));
  }

  #opened(purpose: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const resume = (closedBecause?: string) => {
        cancelTimer();
        this.#waiting.delete(resume);
        if (closedBecause === undefined) resolve();
        else reject(new KafkaJSConnectionClosedError(closedBecause, { broker: CONTROLLER }));
      };
      const cancelTimer = this.#options.clock.setTimer(timeoutMs, () => {
        this.#waiting.delete(resume);
        const message =
          `The metadata server could not be reached within ${Math.round(timeoutMs)} ms${this.#trouble}, so ${purpose} ` +
          "was not sent. Records can still be produced and consumed where the leaders are known; try again when the " +
          "server is back";
        reject(new KafkaJSConnectionError(message, { broker: CONTROLLER }));
      });
      this.#waiting.add(resume);
    });
  }

  #onTrouble(reason: string): void {
    this.#trouble = ` (${reason})`;
    this.#options.troubled(reason);
  }

  #onFrame(frame: Uint8Array): void {
    try {
      this.#requests.answer(frame);
    } catch (error) {
      // The link frames messages, so the next one can be read; whoever waits for this one has a deadline.
      this.#options.logger.error(`The metadata server sent what cannot be read: ${asError(error).message}`, { error });
    }
  }
}
