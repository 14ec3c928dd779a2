import { KafkaJSConnectionError } from "../../src/client/errors.ts";
import { KafkaClient } from "../../src/client/kafka.ts";
import { logLevel } from "../../src/client/logger.ts";
import type { NodeName } from "../../src/platform/simulated/network.ts";
import { SimulatedClient } from "../../src/platform/simulated/simulated-client.ts";
import type { SimulatedClientContext } from "../../src/platform/simulated/simulated-client.ts";

/** What the shipped SDK is told about the place it lives in, and who hears of what goes wrong in it. */
export interface SdkContext extends SimulatedClientContext {
  note(message: string): void;
  /** The run is over because of this. */
  failed(error: unknown): void;
}

/** One page with the shipped SDK, from its start to its crash or its end. */
export class SdkClient {
  readonly kafka: KafkaClient;
  readonly node: NodeName;
  readonly #context: SdkContext;
  #thawedAtUs = 0;
  /** The SDK makes another one when it connects again after its last client was closed. */
  #platform: SimulatedClient | undefined;

  constructor(node: NodeName, context: SdkContext) {
    this.node = node;
    this.#context = context;
    this.kafka = new KafkaClient(
      {
        brokers: ["ws://server"],
        clientId: node,
        requestTimeout: context.chance.pick([5_000, 10_000, 30_000]),
        logLevel: logLevel.WARN,
        logCreator:
          () =>
          ({ namespace, log }) =>
            context.note(`${node} ${namespace}: ${log.message}`),
      },
      () => (this.#platform = new SimulatedClient(node, context)),
    );
  }

  /**
   * Lets the application do something in its page, unless that is frozen or gone; says whether it did. What it throws,
   * or rejects with, ends the run.
   */
  act(run: () => Promise<void> | void): boolean {
    if (this.#platform?.runs === false) return false;
    this.#context.entered(this.node, "application", 0);
    void this.#guard(run);
    return true;
  }

  /** Tries until the cluster answers, as an application does that cannot go on without it. */
  async connect(client: { connect(): Promise<void> }): Promise<void> {
    for (;;) {
      try {
        return await client.connect();
      } catch (error) {
        if (!(error instanceof KafkaJSConnectionError)) throw error;
      }
    }
  }

  /** Whether nothing has kept the page from being on time since then. */
  hasRunSince(timeUs: number): boolean {
    return this.#platform?.runs === true && timeUs >= this.#thawedAtUs;
  }

  freeze(): void {
    this.#platform?.freeze();
  }

  thaw(): void {
    this.#platform?.thaw();
    this.#thawedAtUs = this.#context.time.nowUs;
  }

  vanish(): void {
    this.#platform?.vanish();
  }

  async #guard(run: () => Promise<void> | void): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#context.failed(error);
    }
  }
}
