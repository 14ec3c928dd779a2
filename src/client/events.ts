import { KafkaJSNonRetriableError } from "./errors.ts";
import type { Logger } from "./logger.ts";

/** What a listener of `on` receives, in KafkaJS's shape. */
export interface InstrumentationEvent<T> {
  readonly id: string;
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly payload: T;
}

export type ConnectEvent = InstrumentationEvent<null>;
export type DisconnectEvent = InstrumentationEvent<null>;

export interface RequestPayload {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  /** The broker's node id, as text. */
  readonly broker: string;
  readonly clientId: string;
  readonly correlationId: number;
  readonly createdAt: number;
  readonly sentAt: number;
  /** Milliseconds between the call and the sending. */
  readonly pendingDuration: number;
  /** Milliseconds between the sending and the response. */
  readonly duration: number;
  /** Bytes of the response. */
  readonly size: number;
}
export type RequestEvent = InstrumentationEvent<RequestPayload>;
export type RequestTimeoutEvent = InstrumentationEvent<Omit<RequestPayload, "duration" | "size">>;
export type RequestQueueSizeEvent = InstrumentationEvent<{
  readonly broker: string;
  readonly clientId: string;
  readonly queueSize: number;
}>;

/** The events that all three clients have; `network` is reported by their connections. */
export interface NetworkEvents {
  request(payload: RequestPayload): void;
  requestTimeout(payload: Omit<RequestPayload, "duration" | "size">): void;
  requestQueueSize(payload: { broker: string; clientId: string; queueSize: number }): void;
}

type Listener = (event: InstrumentationEvent<never>) => void;

/** Calls listeners by event name. A listener that throws harms nobody but itself: the failure is logged. */
export class Emitter {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #wallNow: () => number;
  readonly #logger: Logger;
  readonly #types: readonly string[] | undefined;
  #nextId = 0;

  /** Without `events`, those that there are, any name may be listened to. */
  constructor(wallNow: () => number, logger: Logger, events?: Readonly<Record<string, string>>) {
    this.#wallNow = wallNow;
    this.#logger = logger;
    this.#types = events && Object.values(events);
  }

  /** Returns a function that removes the listener. Throws KafkaJSNonRetriableError for an event that there is not. */
  on(type: string, listener: Listener): () => void {
    if (this.#types?.includes(type) === false) {
      throw new KafkaJSNonRetriableError(`There is no event "${type}"; there are ${this.#types.join(", ")}`);
    }
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** `payload` is a function where making it costs something, so that it is made only for somebody. */
  emit<T>(type: string, payload: T | (() => T)): void {
    const listeners = this.#listeners.get(type);
    if (listeners === undefined || listeners.size === 0) return;
    const event: InstrumentationEvent<unknown> = {
      id: String(this.#nextId++),
      type,
      timestamp: this.#wallNow(),
      payload: typeof payload === "function" ? (payload as () => T)() : payload,
    };
    const failed = (error: unknown) => this.#logger.error(`A listener of ${type} failed`, { error });
    for (const listener of listeners) {
      try {
        const outcome: unknown = listener(event as InstrumentationEvent<never>);
        if (outcome instanceof Promise) outcome.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  }

  /** The network events of a client whose event names start with `prefix`. */
  network(prefix: string): NetworkEvents {
    return {
      request: (payload) => this.emit(`${prefix}.network.request`, payload),
      requestTimeout: (payload) => this.emit(`${prefix}.network.request_timeout`, payload),
      requestQueueSize: (payload) => this.emit(`${prefix}.network.request_queue_size`, payload),
    };
  }
}

const network = <Prefix extends string>(prefix: Prefix) =>
  ({
    CONNECT: `${prefix}.connect`,
    DISCONNECT: `${prefix}.disconnect`,
    REQUEST: `${prefix}.network.request`,
    REQUEST_TIMEOUT: `${prefix}.network.request_timeout`,
    REQUEST_QUEUE_SIZE: `${prefix}.network.request_queue_size`,
  }) as const;

export const producerEvents = network("producer");
export const adminEvents = network("admin");
export const consumerEvents = {
  ...network("consumer"),
  HEARTBEAT: "consumer.heartbeat",
  COMMIT_OFFSETS: "consumer.commit_offsets",
  GROUP_JOIN: "consumer.group_join",
  REBALANCING: "consumer.rebalancing",
  RECEIVED_UNSUBSCRIBED_TOPICS: "consumer.received_unsubscribed_topics",
  FETCH_START: "consumer.fetch_start",
  FETCH: "consumer.fetch",
  START_BATCH_PROCESS: "consumer.start_batch_process",
  END_BATCH_PROCESS: "consumer.end_batch_process",
  STOP: "consumer.stop",
  CRASH: "consumer.crash",
  /** Not one of KafkaJS's: a position was moved by the reset policy, so records were skipped or will be read again. */
  OFFSET_RESET: "consumer.offset_reset",
} as const;
