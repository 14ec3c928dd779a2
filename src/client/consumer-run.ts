import type { AssignedPartition } from "./assigned-partition.ts";
import { retryPause, sleep } from "./backoff.ts";
import type { RetryOptions, RetryPolicy } from "./backoff.ts";
import type { Cluster } from "./cluster.ts";
import { consumerBatch } from "./consumer-batch.ts";
import type { Batch } from "./consumer-batch.ts";
import type { ConsumerRunConfig } from "./consumer-types.ts";
import { asError, isRetriableError, KafkaJSError, KafkaJSNumberOfRetriesExceeded, reasonOf } from "./errors.ts";
import { consumerEvents } from "./events.ts";
import type { Emitter } from "./events.ts";
import type { Fetcher, Taken } from "./fetcher.ts";
import { nameOf, wholeNumber } from "./fetch-position.ts";
import type { TopicPartition } from "./fetch-position.ts";
import { decodeMessages } from "./fetched-records.ts";
import type { ConsumerGroup } from "./group/consumer-group.ts";
import type { Logger } from "./logger.ts";
import { isHeld, isStale, passed, passedAll } from "./processed-messages.ts";

export interface ConsumerRunOptions {
  readonly cluster: Cluster;
  readonly fetcher: Fetcher;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly retry: RetryPolicy;
  /** After so many failures in a row of a partition's callback, one more counts as a crash. */
  readonly callbackRetries: number;
  readonly restartOnFailure: RetryOptions["restartOnFailure"];
  readonly group: ConsumerGroup | undefined;
  readonly setPaused: (where: TopicPartition, paused: boolean) => void;
}

/** How often in a row a failing callback is called again for a partition, if `retries` does not say. */
const CALLBACK_RETRIES = 5;

/** KafkaJS has this default in the place of a consumer's own options, so that it outdoes the client's `retries`. */
export function callbackRetries(ofClient: RetryOptions | undefined, own: RetryOptions | undefined): number {
  if (own === undefined) return CALLBACK_RETRIES;
  return own.retries ?? ofClient?.retries ?? CALLBACK_RETRIES;
}

/** One `run` of a consumer, from its start to its stop or its crash: calls back with what the fetcher has. */
export class ConsumerRun {
  /** Resolves when no callback is under way any more. */
  readonly finished: Promise<unknown>;
  readonly #config: ConsumerRunConfig;
  readonly #options: ConsumerRunOptions;
  /** How often in a row each partition's callback has failed, whichever worker called it. */
  readonly #failures = new WeakMap<AssignedPartition, number>();
  /** Whose callback failed, until the pause after that is over: no other worker is to call it meanwhile. */
  readonly #pausing = new WeakSet<AssignedPartition>();
  #over = false;

  constructor(config: ConsumerRunConfig, options: ConsumerRunOptions) {
    this.#config = config;
    this.#options = options;
    const workers = Math.max(1, config.partitionsConsumedConcurrently ?? 1);
    this.#options.group?.join(config);
    this.finished = Promise.all(Array.from({ length: workers }, () => this.#work()));
  }

  get over(): boolean {
    return this.#over;
  }

  /** Starts no further callback. */
  end(): void {
    this.#over = true;
    this.#options.fetcher.notify();
  }

  async #work(): Promise<void> {
    const mayTake = (partition: AssignedPartition) => !this.#pausing.has(partition);
    while (!this.#over) {
      let taken: Taken | undefined;
      try {
        taken = await this.#options.fetcher.next(() => this.#over, mayTake);
        if (taken === undefined) return;
        await this.#process(taken);
        this.#failures.delete(taken.partition);
      } catch (error) {
        await this.#recover(asError(error), taken?.partition);
      }
    }
  }

  /**
   * After a failure of the callback for `partition`: pauses and goes on, or, when that has been tried often enough,
   * counts as a crash. So does at once what the fetcher throws, which trying again does not mend.
   */
  async #recover(error: Error, partition: AssignedPartition | undefined): Promise<void> {
    const { callbackRetries, cluster, emitter, group, logger, retry } = this.#options;
    const failures = partition === undefined ? CALLBACK_RETRIES : (this.#failures.get(partition) ?? 0);
    const isCrash = partition === undefined || failures >= callbackRetries;
    if (partition !== undefined) this.#failures.set(partition, isCrash ? 0 : failures + 1);
    const pause = retryPause(retry, failures, cluster.platform.random());
    if (isCrash) {
      const restart = await this.#restarts(error);
      logger.error(`The consumer crashed: ${error.message}`, { error, restart });
      if (!restart) this.end();
      emitter.emit(consumerEvents.CRASH, { error, groupId: group?.groupId ?? "", restart });
    }
    if (!this.#over) await sleep(cluster.clock, pause);
    if (partition !== undefined) this.#pausing.delete(partition);
    if (!this.#over && group?.isMember === false) group.join(this.#config);
  }

  /** A failing callback is worth another try, as is what may mend itself; a position that is gone is not. */
  async #restarts(error: Error): Promise<boolean> {
    const isWorthwhile = error instanceof KafkaJSNumberOfRetriesExceeded || isRetriableError(error);
    if (error instanceof KafkaJSError && !isWorthwhile) return false;
    try {
      return (await this.#options.restartOnFailure?.(error)) ?? true;
    } catch (failure) {
      this.#options.logger.error(`restartOnFailure failed: ${reasonOf(failure)}`, { error: failure });
      return true;
    }
  }

  async #process(taken: Taken): Promise<void> {
    const { cluster, emitter, fetcher, group, logger } = this.#options;
    const { partition, fetched } = taken;
    try {
      const messages = await decodeMessages(fetched.batches, fetched.aborted);
      const batch = consumerBatch(partition, fetched, messages);
      const payload = batchEvent(batch);
      const startedAt = cluster.clock.now();
      emitter.emit(consumerEvents.START_BATCH_PROCESS, payload);
      // Compaction leaves batches without messages, which are nothing to call anybody with.
      if (this.#config.eachBatch === undefined || batch.isEmpty()) await this.#callWithMessages(taken, batch);
      else await this.#callWithBatch(taken, batch, this.#config.eachBatch);
      const duration = cluster.clock.now() - startedAt;
      emitter.emit(consumerEvents.END_BATCH_PROCESS, { ...payload, duration });
    } catch (error) {
      logger.error(`Processing ${nameOf(partition)} failed: ${asError(error).message}`, { error });
      this.#pausing.add(partition);
      throw error;
    } finally {
      fetcher.done(taken);
      group?.batchProcessed();
    }
  }

  async #callWithMessages(taken: Taken, batch: Batch): Promise<void> {
    const { group } = this.#options;
    const { topic, partition } = taken.partition;
    for (const message of batch.messages) {
      if (this.#over || isHeld(taken) || group?.mayHandOut === false) return;
      await this.#config.eachMessage?.({
        topic,
        partition,
        message,
        heartbeat: async () => group?.tick(),
        pause: () => this.#pause(taken.partition),
      });
      const count = passed(taken, Number(message.offset));
      group?.processed(count);
    }
    passedAll(taken);
  }

  async #callWithBatch(
    taken: Taken,
    batch: Batch,
    eachBatch: NonNullable<ConsumerRunConfig["eachBatch"]>,
  ): Promise<void> {
    const { group } = this.#options;
    if (isStale(taken)) return;
    /** A callback that was told to stop may have left the rest of the batch. */
    let wasTold = false;
    const tell = (stop: boolean) => {
      wasTold ||= stop;
      return stop;
    };
    await eachBatch({
      batch,
      resolveOffset: (offset) => {
        const count = passed(taken, wholeNumber(offset, "offset", taken.partition));
        group?.processed(count);
      },
      heartbeat: async () => group?.tick(),
      pause: () => this.#pause(taken.partition),
      commitOffsetsIfNecessary: async (offsets) =>
        offsets === undefined ? group?.commitIfNecessary() : group?.commitTopics(offsets),
      uncommittedOffsets: () => group?.uncommitted() ?? { topics: [] },
      isRunning: () => !tell(this.#over),
      isStale: () => tell(isStale(taken) || taken.partition.revoking || group?.mayHandOut === false),
    });
    if (wasTold || this.#config.eachBatchAutoResolve === false) return;
    const count = passedAll(taken);
    group?.processed(count);
  }

  #pause(where: TopicPartition): () => void {
    this.#options.setPaused(where, true);
    return () => this.#options.setPaused(where, false);
  }
}

function batchEvent(batch: Batch) {
  return {
    topic: batch.topic,
    partition: batch.partition,
    highWatermark: batch.highWatermark,
    offsetLag: batch.offsetLag(),
    offsetLagLow: batch.offsetLagLow(),
    batchSize: batch.messages.length,
    firstOffset: batch.firstOffset(),
    lastOffset: batch.lastOffset(),
  };
}
