import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright";
import { checkHistory } from "../history/check-history.ts";
import type { Verdict } from "../history/check-history.ts";
import type { HistoryEvent } from "../history/history.ts";
import type { Ack } from "./ack-gap.ts";
import type { ProducerReport } from "./pages/steady-producer.ts";
import type { TestCluster } from "./test-cluster.ts";

export interface LoadOptions {
  readonly topic?: string;
  readonly partitions?: number;
  readonly recordsPerSecond?: number;
}

export interface LoadResult {
  readonly verdict: Verdict;
  /** How many records the load's own producer sent, and which of them were acknowledged. */
  readonly sent: number;
  readonly acks: readonly Ack[];
  /** Sends that the application was told had failed, and consumers that broke. */
  readonly errors: readonly string[];
  /** When the consumer beside the load got each record, in milliseconds since 1970. */
  readonly readAtMs: readonly number[];
}

const REPLICATION_FACTOR = 3;
const RECORDS_PER_SECOND = 100;
/** Time for the load to become steady before anything happens to it. */
const WARM_UP_MS = 1_000;

/** A steady producer with acks=all in the client page, and a consumer beside it that follows. */
export class Load {
  readonly topic: string;
  readonly partitions: number;
  readonly #page: Page;
  #produced: Promise<ProducerReport> | undefined;

  private constructor(cluster: TestCluster, options: LoadOptions) {
    this.#page = cluster.client;
    this.topic = options.topic ?? "load";
    this.partitions = options.partitions ?? 3;
  }

  /** Creates the topic with three replicas, waits until all of them are in sync, and starts. */
  static async start(cluster: TestCluster, options: LoadOptions = {}): Promise<Load> {
    const load = new Load(cluster, options);
    const { topic, partitions } = load;
    await cluster.createTopic(topic, partitions, REPLICATION_FACTOR);
    await cluster.untilInSync(topic, REPLICATION_FACTOR);
    const recordsPerSecond = options.recordsPerSecond ?? RECORDS_PER_SECOND;
    const consumer = { process: "tail", topic, partitions };
    await cluster.client.evaluate((wanted) => window.testTab.startConsumer(wanted), consumer);
    const producer = { process: "client", topic, partitions, recordsPerSecond, acks: -1 } as const;
    await cluster.client.evaluate((wanted) => window.testTab.startProducer(wanted), producer);
    await sleep(WARM_UP_MS);
    return load;
  }

  /** Acknowledgements so far. */
  async acks(): Promise<readonly Ack[]> {
    return await this.#page.evaluate(() => window.testTab.producerReport("client").acks);
  }

  /** Stops the producer, once what it has sent is acknowledged or given up. */
  stopProducing(): Promise<ProducerReport> {
    this.#produced ??= this.#page.evaluate(() => window.testTab.stopProducer("client"));
    return this.#produced;
  }

  /**
   * Stops the producer, reads the topic back from its beginning, and judges everything that was sent and read.
   * `others` is what other pages did to the topic meanwhile.
   */
  async finish(others: readonly HistoryEvent[] = []): Promise<LoadResult> {
    const { topic, partitions } = this;
    const produced = await this.stopProducing();
    const final = { process: "final", topic, partitions };
    const read = await this.#page.evaluate((options) => window.testTab.readAll(options), final);
    const tailed = await this.#page.evaluate(() => window.testTab.stopConsumer("tail"));
    const history = [...produced.history, ...others, ...tailed.history, ...read.history];
    return {
      verdict: checkHistory(history, { finalReaders: ["final"] }),
      sent: produced.history.filter(({ f, type }) => f === "send" && type === "invoke").length,
      acks: produced.acks,
      errors: [...produced.errors, ...tailed.errors],
      readAtMs: tailed.readAtMs,
    };
  }
}
