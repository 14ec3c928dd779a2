import type { NodeName } from "../../src/platform/simulated/network.ts";
import type { ClientContext, ClientEnd } from "./broker-links.ts";

/**
 * The page of a scripted client: what the client hears and waits for comes through it, so that it can be frozen. Then
 * nothing runs in it; its connections stay open, and what they bring waits until it goes on, or is gone.
 */
export class ScriptedPage {
  /** For everything that runs in the page. */
  readonly context: ClientContext;
  /** What is due in a frozen page. */
  #mailbox: (() => void)[] = [];
  #frozen = false;
  #gone = false;

  constructor(context: ClientContext) {
    const { time, network } = context;
    const inPage = (run: () => void) => () => this.#enter(run);
    this.context = {
      ...context,
      time: {
        get nowUs() {
          return time.nowUs;
        },
        get nowMs() {
          return time.nowMs;
        },
        after: (delayMs, run) => time.after(delayMs, inPage(run)),
        at: (timeUs, run) => time.at(timeUs, inPage(run)),
      },
      network: {
        dial: (from: NodeName, to: NodeName, opened: (end: ClientEnd) => void, failed: (reason: string) => void) => {
          const arrived = (end: ClientEnd) => {
            if (this.#gone) return end.close("the page is gone");
            this.#enter(() => opened(this.#endInPage(end)));
          };
          network.dial(from, to, arrived, (reason) => this.#enter(() => failed(reason)));
        },
      },
    };
  }

  get runs(): boolean {
    return !this.#frozen && !this.#gone;
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    for (let next = this.#mailbox.shift(); next !== undefined; next = this.#mailbox.shift()) {
      next();
      if (!this.runs) return;
    }
  }

  /** Whoever closes the page, or lets it crash, sees to its connections. */
  end(): void {
    this.#gone = true;
    this.#mailbox = [];
  }

  #enter(run: () => void): void {
    if (this.#gone) return;
    if (this.#frozen || this.#mailbox.length > 0) this.#mailbox.push(run);
    else run();
  }

  #endInPage(end: ClientEnd): ClientEnd {
    let isOpen = true;
    return {
      send: (frame) => end.send(frame),
      close: (reason) => {
        isOpen = false;
        end.close(reason);
      },
      receive: ({ frame, closed }) => {
        // What the page has closed brings nothing more, though it came while the page was frozen.
        const whileOpen = (run: () => void) => () => {
          if (isOpen) run();
        };
        end.receive({
          frame: (bytes) => this.#enter(whileOpen(() => frame(bytes))),
          closed: (reason) => this.#enter(whileOpen(() => closed(reason))),
        });
      },
    };
  }
}
