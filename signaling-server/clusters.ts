import { Cluster } from "./cluster.ts";
import type { ClusterServices } from "./cluster.ts";
import { closeCodes } from "./close-codes.ts";
import { ClusterLimitError } from "./metadata-store/metadata-store.ts";
import type { Refusal } from "./signaling.ts";

/** A cluster that failed is tried again, but not more often than this. */
const RETRY_MS = 5_000;
/** For so long a failure shows in the server's health, unless the cluster works again before. */
const FAILURE_MEMORY_MS = 60_000;

/** The clusters that are open. They share the server and its store, and know nothing of each other. */
export class Clusters {
  readonly #services: ClusterServices;
  readonly #open = new Map<string, Promise<Cluster>>();
  readonly #ready = new Map<string, Cluster>();
  /** When each cluster that could not go on stopped. */
  readonly #failedMs = new Map<string, number>();
  #tickedMs = performance.now();

  constructor(services: ClusterServices) {
    this.#services = services;
  }

  get failed(): number {
    return this.#failedMs.size;
  }

  /** The cluster of that name, opened if need be, or why it cannot be had. */
  async open(name: string): Promise<Cluster | Refusal> {
    const known = this.#open.get(name);
    try {
      if (known === undefined) return await this.#start(name);
      const cluster = await known;
      if (this.#open.get(name) === known) return cluster;
    } catch (error) {
      // Who comes while somebody else is opening it hears of the limit from the cluster itself.
      const mayPass = error instanceof ClusterUnavailableError || error instanceof ClusterLimitError;
      if (mayPass) return { code: closeCodes.tryAgainLater, reason: error.message };
    }
    return { code: closeCodes.internalError, reason: "the cluster cannot be opened; see the server's log" };
  }

  /** Whether the cluster is open, or about to be. */
  isOpen(name: string): boolean {
    return this.#open.has(name);
  }

  /** The cluster of that name, if it is open. */
  get(name: string): Cluster | undefined {
    return this.#ready.get(name);
  }

  /** To be called at every ping interval: keeps sockets alive and closes clusters that nobody uses. */
  tick(): void {
    const { pingIntervalMs } = this.#services.limits;
    const nowMs = performance.now();
    // A tab could not speak to a server that was stopped itself, so that time is not held against it.
    const pausedMs = Math.max(0, nowMs - this.#tickedMs - 2 * pingIntervalMs);
    this.#tickedMs = nowMs;
    for (const cluster of this.#ready.values()) {
      cluster.keepAlive(nowMs, pausedMs);
      if (!cluster.isIdle(nowMs)) continue;
      void cluster.stop();
      this.#forget(cluster.name);
    }
    for (const [name, failedMs] of this.#failedMs) {
      if (nowMs - failedMs > FAILURE_MEMORY_MS) this.#failedMs.delete(name);
    }
  }

  *[Symbol.iterator](): Generator<Cluster> {
    yield* this.#ready.values();
  }

  /** Stops all controllers, then closes their sockets. */
  async stop(code: number, reason: string): Promise<void> {
    await Promise.allSettled(this.#open.values());
    const stopped = [...this].map((cluster) => cluster.stop());
    for (const cluster of this) cluster.closeSockets(code, reason);
    await Promise.all(stopped);
  }

  async #start(name: string): Promise<Cluster> {
    const { limits, log } = this.#services;
    if (performance.now() - (this.#failedMs.get(name) ?? Number.NEGATIVE_INFINITY) < RETRY_MS) {
      throw new ClusterUnavailableError("the cluster stopped because of an error; see the server's log");
    }
    if (this.#open.size >= limits.clusters) {
      throw new ClusterUnavailableError(`the server has its ${limits.clusters} clusters open`);
    }
    const opening = Cluster.open(name, this.#services, () => this.#fail(name));
    this.#open.set(name, opening);
    try {
      const cluster = await opening;
      if (this.#open.get(name) !== opening) throw new Error("it failed at once");
      this.#failedMs.delete(name);
      this.#ready.set(name, cluster);
      log("info", "cluster opened", { cluster: name, metadataOffset: cluster.logEndOffset });
      return cluster;
    } catch (error) {
      if (error instanceof ClusterLimitError) {
        this.#forget(name);
        throw new ClusterUnavailableError(error.message);
      }
      log("error", "cluster cannot be opened", { cluster: name, reason: String(error) });
      this.#fail(name);
      throw error;
    }
  }

  #fail(name: string): void {
    this.#forget(name);
    this.#failedMs.set(name, performance.now());
  }

  #forget(name: string): void {
    this.#open.delete(name);
    this.#ready.delete(name);
  }
}

/** Thrown when a cluster is not opened for a reason that may pass. */
class ClusterUnavailableError extends Error {
  override readonly name = "ClusterUnavailableError";
}
