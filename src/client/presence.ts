import type { Cluster } from "./cluster.ts";
import { KafkaJSError } from "./errors.ts";

/** Whether a client is there. To connect and to disconnect take their time; of calls that overlap, the last one holds. */
export class Presence {
  readonly #cluster: Cluster;
  readonly #who: string;
  #departures = 0;
  #leaving: Promise<void> | undefined;

  /** `who` is the kind of client, as errors name it. */
  constructor(cluster: Cluster, who: string) {
    this.#cluster = cluster;
    this.#who = who;
  }

  get isLeaving(): boolean {
    return this.#leaving !== undefined;
  }

  /**
   * Acquires the cluster, once the client has left that is leaving, and resolves with what `load` loads. Throws
   * KafkaJSError if {@link leave} is called meanwhile, whatever else goes wrong: who tries until the cluster answers
   * is not to try again.
   */
  async enter<T>(load: () => Promise<T>): Promise<T> {
    const departures = this.#departures;
    // Whoever disconnects hears of it if that fails.
    await this.#leaving?.catch(() => {});
    const loaded = await load();
    const isAcquired = await this.#cluster.acquire().then(
      () => true,
      (error: unknown) => {
        if (departures === this.#departures) throw error;
        return false;
      },
    );
    if (departures === this.#departures) return loaded;
    if (isAcquired) this.#cluster.release();
    throw new KafkaJSError(`disconnect() was called before the ${this.#who} was connected`);
  }

  /** Calls `end`, which is to close the client if it is there, unless it is under way already. */
  leave(end: () => Promise<void>): Promise<void> {
    this.#departures++;
    this.#leaving ??= end().finally(() => (this.#leaving = undefined));
    return this.#leaving;
  }
}
