import type { AssignedPartition, Fetched } from "./assigned-partition.ts";
import { retryPause } from "./backoff.ts";
import type { RetryPolicy } from "./backoff.ts";
import type { BrokerConnections } from "./broker-connections.ts";
import type { Cluster } from "./cluster.ts";
import { asError, isRetriableError, KafkaJSProtocolError } from "./errors.ts";
import { judgeAnswer, judgeEpochEnd, nameOf } from "./fetch-position.ts";
import type { FetchAnswer, FetchOutcome, FetchPosition } from "./fetch-position.ts";
import { checkBatches } from "./fetched-records.ts";
import { groupBy } from "./group-by.ts";
import type { Logger } from "./logger.ts";
import { PositionLookup } from "./position-lookup.ts";
import { topicConfig } from "../metadata/topic-config.ts";
import { fetch } from "../protocol/apis/01-fetch.ts";
import type { FetchRequestInit, FetchResponse } from "../protocol/apis/01-fetch.ts";
import { errorName } from "../protocol/error-codes.ts";
import { ZERO_UUID } from "../protocol/uuid.ts";

export interface FetcherOptions {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxBytesPerPartition: number;
  /** 1 leaves out what belongs to open or aborted transactions. */
  readonly isolationLevel: 0 | 1;
  readonly rackId: string;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  /** Whether records may be handed out at the moment. Whoever changes that calls `notify`. */
  readonly mayHandOut: () => boolean;
  readonly fetchStarted: (nodeId: number) => void;
  readonly fetchEnded: (nodeId: number, numberOfBatches: number, durationMs: number) => void;
  /** Told when a position was moved, and why: records may have been skipped, or come again. */
  readonly offsetReset: (partition: AssignedPartition, offset: number, reason: string) => void;
}

/** Records on their way through the application, and the generation of the position that they were fetched for. */
export interface Taken {
  readonly partition: AssignedPartition;
  readonly fetched: Fetched;
  readonly generation: number;
  /** Index of the batch that holds the last message processed. */
  cursor: number;
}

/** One request under way, and where it asks for records. */
type OpenFetch = ReadonlyMap<AssignedPartition, FetchPosition>;

const MAX_OPEN = 2;

/** A batch that does not match its checksum this often is not going to. */
const MAX_CORRUPT_ANSWERS = 3;

/** After so many failures in a row, somebody should hear of it. */
const FAILURES_TO_WARN = 5;

/**
 * Keeps the next records of every assigned partition at hand. Each leader has one long poll open, with all partitions
 * that want records; when one more wants some, a second request follows at once, which ends the wait of the first, and
 * leaves out what the first brings anyway. A partition is fetched from again when its records have been taken, so what
 * is held in memory is bounded.
 */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #connections: BrokerConnections;
  readonly #options: FetcherOptions;
  readonly #lookup: PositionLookup;
  readonly #open = new Map<number, OpenFetch[]>();
  readonly #stopWatching: () => void;
  #partitions: readonly AssignedPartition[] = [];
  #waiting = new Set<() => void>();
  #pumpScheduled = false;
  #cancelTimer: (() => void) | undefined;
  #nextIndex = 0;
  #nextTurn = 1;
  #closed = false;
  #failure: Error | undefined;

  constructor(cluster: Cluster, connections: BrokerConnections, options: FetcherOptions) {
    this.#cluster = cluster;
    this.#connections = connections;
    this.#options = options;
    this.#lookup = new PositionLookup(cluster, connections, {
      found: (partition, outcome) => this.#apply(partition, outcome),
      failed: (partition, error) => this.#retry(partition, error),
      ended: () => this.wake(),
    });
    this.#stopWatching = cluster.watch(() => {
      // New metadata is the best reason to try again.
      for (const partition of this.#partitions) partition.retryAtMs = 0;
      this.wake();
    });
  }

  get partitions(): readonly AssignedPartition[] {
    return this.#partitions;
  }

  assign(partitions: readonly AssignedPartition[]): void {
    this.#partitions = partitions;
    this.wake();
  }

  /** To be called after a partition was changed from outside. */
  wake(): void {
    if (this.#pumpScheduled || this.#closed) return;
    this.#pumpScheduled = true;
    queueMicrotask(() => {
      this.#pumpScheduled = false;
      if (!this.#closed) this.#pump();
    });
  }

  /**
   * Records to process, of the partitions in turn, as far as `mayTake` lets them; undefined once `isOver` says so.
   * Nobody else gets records of that partition until they are given to {@link done}, while the next ones are fetched.
   * Throws what is wrong with a partition, if something is that trying again does not mend.
   */
  async next(
    isOver: () => boolean,
    mayTake: (partition: AssignedPartition) => boolean = () => true,
  ): Promise<Taken | undefined> {
    while (!isOver()) {
      const taken = this.#takeNext(mayTake);
      if (taken !== undefined) return taken;
      await this.#changed();
    }
    return undefined;
  }

  /** What was not processed is fetched again, unless the position has jumped meanwhile. */
  done({ partition, fetched, generation }: Taken): void {
    partition.busy = false;
    const isComplete = partition.consumed?.offset === fetched.batches.next.offset;
    if (partition.generation === generation && !isComplete) partition.rewind();
    this.wake();
  }

  /** Resolves when `holds` is true; it is asked whenever something has changed. */
  async settled(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#changed();
  }

  /** Makes one {@link next} throw. */
  fail(error: Error): void {
    this.#failure = error;
    this.notify();
  }

  /** Makes everybody in {@link next} look again. */
  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resume of waiting) resume();
  }

  /** Whether every partition knows where it reads, or why it cannot. */
  get isPositioned(): boolean {
    return this.#partitions.every(({ start, error }) => start === undefined || error !== undefined);
  }

  close(): void {
    this.#closed = true;
    this.#stopWatching();
    this.#cancelTimer?.();
    this.notify();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
    });
  }

  #takeNext(mayTake: (partition: AssignedPartition) => boolean): Taken | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    if (!this.#options.mayHandOut()) return undefined;
    const count = this.#partitions.length;
    for (let step = 0; step < count; step++) {
      const partition = this.#partitions[(this.#nextIndex + step) % count]!;
      if (partition.busy || partition.paused || partition.revoking || !mayTake(partition)) continue;
      if (partition.error !== undefined) throw partition.error;
      const { fetched, generation } = partition;
      if (fetched === undefined) continue;
      this.#nextIndex = (this.#nextIndex + step + 1) % count;
      partition.busy = true;
      partition.fetched = undefined;
      this.wake();
      return { partition, fetched, generation, cursor: 0 };
    }
    return undefined;
  }

  #pump(): void {
    const now = this.#cluster.clock.now();
    this.#noticeRecreatedTopics();
    this.#lookup.begin(this.#partitions.filter((partition) => partition.needsLookup(now)));
    const fetchable = this.#partitions.filter((partition) => partition.isFetchable(now));
    const byLeader = groupBy(fetchable, ({ topic, partition }) => this.#cluster.leaderOf(topic, partition)?.nodeId);
    for (const [nodeId, wanted] of byLeader) {
      if (nodeId === undefined) continue;
      const missing = this.#missing(nodeId, wanted);
      if (missing.length > 0) void this.#fetch(nodeId, missing);
    }
    this.#arm(now);
    this.notify();
  }

  /**
   * What to ask the leader for. A second request is worth it only for a partition that the first does not ask for at its
   * present position. It takes along those that the first waits for, for it ends that wait.
   */
  #missing(nodeId: number, wanted: readonly AssignedPartition[]): readonly AssignedPartition[] {
    const open = this.#open.get(nodeId) ?? [];
    if (open.length >= MAX_OPEN) return [];
    const isAsked = (partition: AssignedPartition, asked: OpenFetch) => asked.get(partition) === partition.position;
    const isComing = (partition: AssignedPartition) =>
      partition.position.offset < partition.highWatermark && open.some((asked) => isAsked(partition, asked));
    const missing = wanted.filter((partition) => !isComing(partition));
    const latest = open.at(-1);
    if (latest !== undefined && missing.every((partition) => isAsked(partition, latest))) return [];
    return missing.toSorted((one, other) => one.turn - other.turn);
  }

  async #fetch(nodeId: number, wanted: readonly AssignedPartition[]): Promise<void> {
    const { clock, requestTimeoutMs } = this.#cluster;
    const { maxWaitMs, fetchStarted, fetchEnded } = this.#options;
    const asked: OpenFetch = new Map(wanted.map((partition) => [partition, partition.position]));
    const open = this.#open.get(nodeId) ?? [];
    this.#open.set(nodeId, [...open, asked]);
    const startedAt = clock.now();
    let numberOfBatches = 0;
    try {
      const connection = this.#connections.to(nodeId, "fetch");
      fetchStarted(nodeId);
      const response = await connection.request(fetch, this.#request(wanted), maxWaitMs + requestTimeoutMs);
      numberOfBatches = this.#onResponse(asked, response);
    } catch (error) {
      for (const partition of wanted) {
        if (this.#isCurrent(asked, partition)) this.#retry(partition, asError(error), nodeId);
      }
    } finally {
      this.#open.set(
        nodeId,
        this.#open.get(nodeId)!.filter((other) => other !== asked),
      );
      if (!this.#closed) fetchEnded(nodeId, numberOfBatches, clock.now() - startedAt);
      this.wake();
    }
  }

  #request(wanted: readonly AssignedPartition[]): FetchRequestInit {
    const { maxWaitMs, minBytes, maxBytes, maxBytesPerPartition, isolationLevel, rackId } = this.#options;
    const topics = [...groupBy(wanted, ({ topic }) => topic)].map(([topic, partitions]) => ({
      topic,
      topicId: this.#cluster.image.topicNamed(topic)?.topicId ?? ZERO_UUID,
      partitions: partitions.map(({ partition, position }) => ({
        partition,
        currentLeaderEpoch: this.#cluster.leaderOf(topic, partition)?.leaderEpoch ?? -1,
        fetchOffset: position.offset,
        lastFetchedEpoch: position.lastFetchedEpoch,
        partitionMaxBytes: maxBytesPerPartition,
      })),
    }));
    return { maxWaitMs, minBytes, maxBytes, isolationLevel, rackId, topics };
  }

  #onResponse(open: OpenFetch, response: FetchResponse): number {
    const error = errorName(response.errorCode);
    if (error !== "NONE") throw new KafkaJSProtocolError(error, "Fetch");
    let numberOfBatches = 0;
    for (const { topic, topicId, partitions } of response.responses) {
      for (const answer of partitions) {
        const partition = this.#find(topic, topicId, answer.partitionIndex);
        if (partition === undefined || !this.#isCurrent(open, partition)) continue;
        numberOfBatches += this.#onAnswer(partition, answer);
      }
    }
    return numberOfBatches;
  }

  #find(topic: string, topicId: string, partitionIndex: number): AssignedPartition | undefined {
    const name = topicId === ZERO_UUID ? topic : this.#cluster.image.topics.get(topicId)?.name;
    return this.#partitions.find((other) => other.topic === name && other.partition === partitionIndex);
  }

  /** Whether the partition still stands where it stood when it was asked for. */
  #isCurrent(open: OpenFetch, partition: AssignedPartition): boolean {
    return open.get(partition) === partition.position && this.#partitions.includes(partition);
  }

  #onAnswer(partition: AssignedPartition, answer: FetchAnswer): number {
    const outcome = judgeAnswer(answer, partition.position, partition, partition.policy);
    if (outcome.kind !== "records") {
      this.#apply(partition, outcome);
      return 0;
    }
    try {
      const batches = checkBatches(answer.records ?? new Uint8Array(0), partition.position);
      partition.failures = 0;
      partition.highWatermark = answer.highWatermark;
      if (batches.views.length === 0) return 0;
      partition.turn = this.#nextTurn++;
      if (batches.missing > 0) this.#onGap(partition, batches.missing);
      partition.position = batches.next;
      const { highWatermark, abortedTransactions } = answer;
      partition.fetched = { batches, aborted: abortedTransactions ?? [], highWatermark };
      return batches.views.length;
    } catch (error) {
      const failure = new KafkaJSProtocolError(
        "CORRUPT_MESSAGE",
        `${nameOf(partition)} at ${partition.position.offset}`,
        {
          cause: error,
        },
      );
      if (partition.failures + 1 >= MAX_CORRUPT_ANSWERS) this.#fail(partition, failure);
      else this.#retry(partition, failure);
      return 0;
    }
  }

  /** Compaction leaves gaps, and nothing else should. */
  #onGap(partition: AssignedPartition, missing: number): void {
    if (topicConfig(this.#cluster.image, partition.topic).cleanupPolicy.includes("compact")) return;
    const { offset } = partition.position;
    const reason = `${missing} offsets of ${nameOf(partition)} are missing after offset ${offset - 1}`;
    this.#options.logger.warn(reason);
    this.#options.offsetReset(partition, offset + missing, reason);
  }

  #apply(partition: AssignedPartition, outcome: FetchOutcome): void {
    switch (outcome.kind) {
      case "records":
        return;
      case "retry":
        return this.#retry(partition, outcome.error);
      case "fail":
        return this.#fail(partition, outcome.error);
      case "validate":
        partition.validating = true;
        return;
      case "reset":
        this.#options.logger.warn(`${outcome.reason}; going on at the ${outcome.to} offset`);
        partition.jumpTo({ kind: outcome.to, notBefore: outcome.notBefore ?? 0 });
        this.#options.offsetReset(partition, -1, outcome.reason);
        return;
      case "move":
        this.#options.logger.warn(outcome.reason);
        partition.place(outcome.to);
        this.#options.offsetReset(partition, outcome.to.offset, outcome.reason);
    }
  }

  /** Tries again after a pause, or at once if the partition has another leader than `askedNode`. */
  #retry(partition: AssignedPartition, error: Error, askedNode = -1): void {
    if (this.#closed) return;
    if (!isRetriableError(error)) return this.#fail(partition, error);
    const { retry, logger } = this.#options;
    const { clock, platform } = this.#cluster;
    const leader = this.#cluster.leaderOf(partition.topic, partition.partition);
    const hasMoved = askedNode >= 0 && leader !== undefined && leader.nodeId !== askedNode;
    const pause = hasMoved ? 0 : retryPause(retry, partition.failures, platform.random());
    partition.failures++;
    const message = `${nameOf(partition)} is fetched again in ${pause} ms: ${error.message}`;
    if (partition.failures === FAILURES_TO_WARN) logger.warn(message);
    else logger.debug(message);
    partition.retryAtMs = clock.now() + pause;
  }

  #fail(partition: AssignedPartition, error: Error): void {
    partition.error = error;
    this.notify();
  }

  /** A topic that was deleted and created again has the old name and none of the old records. */
  #noticeRecreatedTopics(): void {
    for (const partition of this.#partitions) {
      const topicId = this.#cluster.image.topicNamed(partition.topic)?.topicId;
      if (topicId === undefined || topicId === partition.topicId) continue;
      const isFirst = partition.topicId === undefined;
      partition.topicId = topicId;
      if (isFirst) continue;
      partition.committed = undefined;
      if (partition.start?.kind === "latest" && partition.policy !== "none") partition.jumpTo({ kind: "earliest" });
      if (partition.start !== undefined) continue;
      const nothing = { epoch: -1, endOffset: -1 };
      const outcome = judgeEpochEnd(nothing, partition.position, partition, partition.policy);
      // All of it is new, as in a partition that appears: going on at its end would pass over what was never read.
      this.#apply(partition, outcome.kind === "reset" ? { ...outcome, to: "earliest" } : outcome);
    }
  }

  #arm(now: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const next = Math.min(...this.#partitions.map(({ retryAtMs }) => retryAtMs).filter((at) => at > now));
    if (next === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#cluster.clock.setTimer(next - now, () => this.wake());
  }
}
