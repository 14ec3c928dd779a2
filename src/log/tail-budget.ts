import type { TailCache } from "./tail-cache.ts";

/** Enough for followers and consumers that are a few seconds behind. */
const LOG_BYTES = 4 * 1024 * 1024;
/** Eight logs that are as busy as can be, which is some seconds of all that a tab takes in. */
const BROKER_BYTES = 32 * 1024 * 1024;

/** What a chunk takes beside its bytes, measured in V8: for thousands of small ones it is more than their bytes. */
export const CHUNK_OVERHEAD_BYTES = 600;

/** What the tail caches of a broker's logs may hold, each and together: a tab has one memory for all its partitions. */
export class TailBudget {
  /** Of the chunks of one log. */
  readonly logBytes: number;
  readonly #brokerBytes: number;
  #heldBytes = 0;
  /** The caches that hold something, the one that was added to the longest ago first. */
  readonly #caches = new Set<TailCache>();

  constructor(logBytes = LOG_BYTES, brokerBytes = BROKER_BYTES) {
    this.logBytes = logBytes;
    this.#brokerBytes = brokerBytes;
  }

  count(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /** Makes room at the cost of the others, those first that are still the longest; `latest` keeps to its own limit. */
  addedTo(latest: TailCache): void {
    this.#caches.delete(latest);
    this.#caches.add(latest);
    while (this.#heldBytes > this.#brokerBytes) {
      const [stillest] = this.#caches;
      if (stillest === undefined || stillest === latest) return;
      stillest.dropOldest();
    }
  }

  emptied(cache: TailCache): void {
    this.#caches.delete(cache);
  }
}
