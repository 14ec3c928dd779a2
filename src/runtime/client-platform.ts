import type { Clock } from "./clock.ts";
import type { Connection, Endpoint } from "./connection.ts";
import type { ControllerLink } from "./controller-link.ts";

export interface PageWatcher {
  /**
   * The page is going away. What is sent before this returns, or in the promises that it resolves, may still arrive;
   * nothing can be waited for.
   */
  readonly closing: () => void;
  /** The page is back after all, from the back/forward cache. */
  readonly returned: () => void;
}

/** Everything an SDK client needs from the place it runs in: a page, Node or the simulator. */
export interface ClientPlatform {
  readonly clock: Clock;
  readonly controller: ControllerLink;
  /**
   * Opens a connection to a broker, by default of its `TAB_LISTENER`. Rejects when no way to it opens.
   * A broker in the same tab is reached without a network.
   */
  dial(endpoint: Endpoint, listener?: string): Promise<Connection>;
  /** A fresh v4 UUID. */
  randomUuid(): string;
  /** Uniform in [0, 1), for jitter and choices that need no secrecy. */
  random(): number;
  /** Calls back when the place that the client runs in goes away; returns what ends that. Absent where none does. */
  watchPage?(watcher: PageWatcher): () => void;
  /** Closes the controller link and every connection dialled here. */
  close(): void;
}
