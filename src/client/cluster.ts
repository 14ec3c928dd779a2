import { ControllerConnection } from "./controller-connection.ts";
import { KafkaJSConnectionError, KafkaJSNonRetriableError, KafkaJSTimeout, reasonOf } from "./errors.ts";
import type { NetworkEvents } from "./events.ts";
import type { Logger } from "./logger.ts";
import type { PartitionLeader } from "./record-accumulator.ts";
import type { ClusterImage } from "../metadata/image.ts";
import { MetadataFollower } from "../metadata/metadata-follower.ts";
import type { MetadataQuestion } from "../metadata/metadata-follower.ts";
import type { FetchResponse } from "../protocol/apis/01-fetch.ts";
import type { FetchSnapshotResponse } from "../protocol/apis/59-fetch-snapshot.ts";
import type { Api } from "../protocol/schema.ts";
import type { ClientPlatform } from "../runtime/client-platform.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Connection, Endpoint } from "../runtime/connection.ts";
import { RareWarnings } from "../runtime/rare-warnings.ts";

export interface ClusterOptions {
  /** Makes the platform; called when the first client connects, and again after the last has disconnected. */
  readonly createPlatform: () => ClientPlatform;
  readonly clientId: string;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
}

/** The pause after metadata could not be fetched or used. */
const METADATA_RETRY_MS = 500;

/** How long a metadata fetch may take, of which the controller may hold it for ten seconds. */
const METADATA_PATIENCE_MS = 20_000;

const noEvents: NetworkEvents = { request: () => {}, requestTimeout: () => {}, requestQueueSize: () => {} };

/**
 * The cluster as one `Kafka` instance sees it: its metadata, followed from the metadata server as brokers do, and the
 * ways to its brokers. While the server is away the last metadata stays in force, so living leaders go on being used.
 */
export class Cluster {
  readonly #options: ClusterOptions;
  #metadata = newFollower();
  readonly #watchers = new Set<() => void>();
  /** The last one stays after everybody has left: what ends late still needs its clock. */
  #platform: ClientPlatform | undefined;
  #controller: ControllerConnection | undefined;
  #users = 0;
  /** Why the metadata cannot be followed; undefined while it can. */
  #trouble: string | undefined;
  readonly #warnings: RareWarnings;
  #following = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const clock = { now: () => this.clock.now() };
    const warn = (trouble: string, error: unknown) =>
      options.logger.warn(trouble, error === undefined ? {} : { error });
    this.#warnings = new RareWarnings(clock, warn);
  }

  get clientId(): string {
    return this.#options.clientId;
  }

  get connectionTimeoutMs(): number {
    return this.#options.connectionTimeoutMs;
  }

  get requestTimeoutMs(): number {
    return this.#options.requestTimeoutMs;
  }

  get image(): ClusterImage {
    return this.#metadata.image;
  }

  get controllerConnected(): boolean {
    return this.#controller?.connected ?? false;
  }

  /** Milliseconds since 1970; known without a connection too, for events. */
  wallNow(): number {
    return this.#platform?.clock.wallNow() ?? Date.now();
  }

  get clock(): Clock {
    return this.platform.clock;
  }

  get platform(): ClientPlatform {
    if (this.#platform === undefined)
      throw new KafkaJSConnectionError("Not connected; call connect() first", { broker: "" });
    return this.#platform;
  }

  /**
   * Opens the cluster for one more client and waits for its metadata, all of it: an older part would send the client to
   * leaders of the past. Each call is matched by a {@link release}.
   */
  async acquire(): Promise<void> {
    this.#users++;
    try {
      if (this.#users === 1) this.#open();
      const deadline = this.clock.now() + this.requestTimeoutMs;
      await this.waitFor("the cluster's metadata", deadline, ({ clusterId }) => {
        return clusterId !== "" && this.#metadata.isCurrent ? true : undefined;
      });
    } catch (error) {
      this.release();
      throw new KafkaJSConnectionError(`No metadata of the cluster arrived: ${reasonOf(error)}`, {
        broker: "controller",
        cause: error,
      });
    }
  }

  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    this.#controller?.close("the last client was closed");
    this.#controller = undefined;
    this.#platform?.close();
  }

  /** Calls `watcher` after every change of the metadata, or of the link to its server. Returns how to stop that. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  leaderOf(topic: string, partitionIndex: number): PartitionLeader | undefined {
    const known = this.image.topicNamed(topic);
    const partition = known?.partitions[partitionIndex];
    if (known === undefined || partition === undefined || partition.leader < 0) return undefined;
    return { topicId: known.topicId, nodeId: partition.leader, leaderEpoch: partition.leaderEpoch };
  }

  /** Nodes that are registered and not fenced. */
  activeNodes(): number[] {
    return [...this.image.brokers.values()].filter(({ fenced }) => !fenced).map(({ brokerId }) => brokerId);
  }

  /** Resolves with what `read` finds in the metadata, as soon as that is something; `deadline` is of `clock.now()`. */
  waitFor<T>(what: string, deadline: number, read: (image: ClusterImage) => T | undefined): Promise<T> {
    const { clock } = this;
    const startedAt = clock.now();
    return new Promise((resolve, reject) => {
      const check = (): boolean => {
        const found = read(this.image);
        if (found === undefined) return false;
        stop();
        resolve(found);
        return true;
      };
      const stopWatching = this.watch(check);
      const cancelTimer = clock.setTimer(Math.max(0, deadline - startedAt), () => {
        stop();
        const why = this.#trouble === undefined ? "" : `. ${this.#trouble}`;
        const elapsed = Math.round(clock.now() - startedAt);
        reject(new KafkaJSTimeout(`Waited ${elapsed} ms for ${what} in vain${why}`));
      });
      const stop = () => {
        stopWatching();
        cancelTimer();
      };
      check();
    });
  }

  /** Asks the controller; waits for the link to it, if need be. */
  async askController<Init, R>(api: Api<unknown, Init, R>, body: NoInfer<Init>, timeoutMs: number): Promise<R> {
    if (this.#controller === undefined) throw new KafkaJSNonRetriableError("The client was closed");
    return this.#controller.request(api, body, timeoutMs);
  }

  async dial(endpoint: Endpoint): Promise<Connection> {
    if (this.#users === 0) throw new KafkaJSConnectionError("The client was closed", { broker: endpoint.host });
    return this.platform.dial(endpoint);
  }

  #open(): void {
    const platform = this.#options.createPlatform();
    this.#platform = platform;
    // What was decided since nobody has been here is not known, and it may be another cluster by now.
    this.#metadata = newFollower();
    this.#trouble = "The metadata server cannot be reached";
    this.#controller = new ControllerConnection({
      link: platform.controller,
      clock: platform.clock,
      clientId: this.clientId,
      events: noEvents,
      logger: this.#options.logger,
      changed: () => {
        if (this.controllerConnected) this.#trouble = undefined;
        this.#notify();
        void this.#follow();
      },
      troubled: (reason) => {
        if (this.#users > 0) this.#onTrouble(`The metadata server cannot be reached: ${reason}`);
      },
    });
    void this.#follow();
  }

  /** Fetches metadata for as long as the link is open; whoever opens the link calls it. */
  async #follow(): Promise<void> {
    if (this.#following) return;
    this.#following = true;
    try {
      while (this.controllerConnected) await this.#fetchMetadata();
    } finally {
      this.#following = false;
    }
  }

  async #fetchMetadata(): Promise<void> {
    const controller = this.#controller!;
    const { clock } = this;
    try {
      const { error } = this.#metadata.onResponse(await this.#askForMetadata(controller));
      if (error !== undefined) throw new Error(error);
      this.#trouble = undefined;
      this.#notify();
    } catch (error) {
      if (controller !== this.#controller || !controller.connected) return;
      this.#onTrouble(`The metadata cannot be followed: ${reasonOf(error)}; reload the page if this lasts`, error);
      await new Promise<void>((resolve) => {
        clock.setTimer(METADATA_RETRY_MS, resolve);
      });
    }
  }

  #onTrouble(trouble: string, error?: unknown): void {
    this.#trouble = trouble;
    this.#warnings.warn(trouble, error);
  }

  #askForMetadata(controller: ControllerConnection): Promise<FetchResponse | FetchSnapshotResponse> {
    const { api, version, body } = this.#metadata.request() as MetadataQuestion & { readonly body: never };
    return controller.request<never, FetchResponse | FetchSnapshotResponse>(api, body, METADATA_PATIENCE_MS, version);
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

function newFollower(): MetadataFollower {
  return new MetadataFollower({ clusterId: undefined, epoch: -1, endOffset: 0 });
}
