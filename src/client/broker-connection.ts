import {
  asError,
  KafkaJSConnectionClosedError,
  KafkaJSConnectionError,
  KafkaJSServerDoesNotSupportApiKey,
  reasonOf,
} from "./errors.ts";
import type { NetworkEvents } from "./events.ts";
import { PendingRequests } from "./pending-requests.ts";
import { apiVersions } from "../protocol/apis/18-api-versions.ts";
import { decodeCorrelationId } from "../protocol/envelope.ts";
import type { Api } from "../protocol/schema.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Connection } from "../runtime/connection.ts";

/** ApiVersions is asked in a version that every broker since Kafka 2.4 speaks, because nothing is known yet. */
const API_VERSIONS_VERSION = 3;

export interface BrokerConnectionOptions {
  readonly nodeId: number;
  readonly dial: () => Promise<Connection>;
  readonly clock: Clock;
  readonly clientId: string;
  /** Milliseconds for dialling and the first question. */
  readonly connectionTimeoutMs: number;
  readonly events: NetworkEvents;
}

/**
 * A client's connection to one broker for one purpose. It is dialled when it is needed and again after it was lost;
 * requests are pipelined, and the broker answers them in order. When it ends, everything in flight fails with a
 * retriable KafkaJSConnectionClosedError: whether the broker has done the work is not known.
 */
export class BrokerConnection {
  readonly #options: BrokerConnectionOptions;
  /** What was asked for while the connection is being opened, in order. */
  readonly #waiting: Waiting[] = [];
  /** Not yet for requests while some are waiting: it is asked for its versions first. */
  #open: OpenConnection | undefined;
  #closedReason: string | undefined;

  constructor(options: BrokerConnectionOptions) {
    this.#options = options;
  }

  get nodeId(): number {
    return this.#options.nodeId;
  }

  /** Bytes that were sent and that the transport has not taken yet. */
  get queuedBytes(): number {
    return this.#open?.queuedBytes ?? 0;
  }

  /** Sends a request and resolves with its response. After `timeoutMs` the connection is taken for dead. */
  request<Init, R>(api: Api<unknown, Init, R>, body: NoInfer<Init>, timeoutMs: number): Promise<R> {
    const times = { createdAt: this.#options.clock.wallNow(), timeoutMs };
    return this.#whenOpen((open) => open.request(api, body, times));
  }

  /** Sends a request that gets no response: Produce with `acks` 0. Resolves once the transport has it. */
  sendOneWay<Init>(api: Api<unknown, Init>, body: NoInfer<Init>): Promise<void> {
    return this.#whenOpen((open) => open.sendOneWay(api, body));
  }

  /** Ends it for good, whether it is open or being opened; what waits for it fails at once. */
  close(reason: string): void {
    this.#closedReason ??= reason;
    this.#open?.close(reason);
    this.#failWaiting(new Error(reason));
  }

  /** Whatever waits for the connection is sent before anything that comes later: requests never overtake each other. */
  #whenOpen<R>(send: (open: OpenConnection) => Promise<R>): Promise<R> {
    if (this.#open !== undefined && this.#waiting.length === 0) return send(this.#open);
    return new Promise<R>((resolve, reject) => {
      this.#waiting.push({ start: (open) => resolve(send(open)), fail: reject });
      if (this.#waiting.length === 1) void this.#dial();
    });
  }

  async #dial(): Promise<void> {
    try {
      const open = await this.#openOne();
      for (const { start } of this.#waiting.splice(0)) start(open);
    } catch (error) {
      this.#failWaiting(error);
    }
  }

  #failWaiting(cause: unknown): void {
    const { nodeId } = this.#options;
    const message = `No connection to broker ${nodeId}: ${reasonOf(cause)}`;
    const failure = new KafkaJSConnectionError(message, { broker: String(nodeId), cause });
    for (const { fail } of this.#waiting.splice(0)) fail(failure);
  }

  async #openOne(): Promise<OpenConnection> {
    const { connectionTimeoutMs, clock, dial } = this.#options;
    if (this.#closedReason !== undefined) throw new Error(this.#closedReason);
    const startedAt = clock.now();
    const connection = await withTimeout(dial(), clock, connectionTimeoutMs, (late) =>
      late.close("it opened too late"),
    );
    const open = new OpenConnection(connection, this.#options);
    this.#open = open;
    open.receive(() => {
      if (this.#open === open) this.#open = undefined;
    });
    if (this.#closedReason !== undefined) open.close(this.#closedReason);
    await open.askVersions(Math.max(1, connectionTimeoutMs - (clock.now() - startedAt)));
    return open;
  }
}

interface Waiting {
  start(open: OpenConnection): void;
  fail(error: Error): void;
}

/** One connection from its opening to its end. */
class OpenConnection {
  readonly #connection: Connection;
  readonly #nodeId: number;
  readonly #requests: PendingRequests;
  #versions: ReadonlyMap<number, { readonly min: number; readonly max: number }> = new Map();
  #closedReason: string | undefined;

  constructor(connection: Connection, options: BrokerConnectionOptions) {
    this.#connection = connection;
    this.#nodeId = options.nodeId;
    this.#requests = new PendingRequests({
      ...options,
      broker: String(options.nodeId),
      // Responses come in order, so whatever follows a response that stays out would wait for it in vain.
      timedOut: (error) => this.close(error.message),
    });
  }

  /** To be called once, first. `closed` is called when it has ended, which may be at once. */
  receive(closed: () => void): void {
    this.#connection.receive({
      frame: (frame) => this.#onFrame(frame),
      closed: (reason) => {
        this.#closedReason ??= reason;
        closed();
        this.#failAll();
      },
    });
  }

  get queuedBytes(): number {
    return this.#connection.queuedBytes;
  }

  async askVersions(timeoutMs: number): Promise<void> {
    const body = { clientSoftwareName: "tabstream", clientSoftwareVersion: "0.1.0" };
    const response = await this.#start(apiVersions, API_VERSIONS_VERSION, body, { createdAt: 0, timeoutMs });
    this.#versions = new Map(
      response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]),
    );
  }

  async request<Init, R>(
    api: Api<unknown, Init, R>,
    body: NoInfer<Init>,
    times: { createdAt: number; timeoutMs: number },
  ): Promise<R> {
    return this.#start(api, this.#versionOf(api), body, times);
  }

  async sendOneWay<Init>(api: Api<unknown, Init>, body: NoInfer<Init>): Promise<void> {
    if (this.#closedReason !== undefined) throw this.#closedError();
    this.#connection.send(this.#requests.encodeOneWay(api, this.#versionOf(api), body));
  }

  close(reason: string): void {
    this.#closedReason ??= reason;
    this.#connection.close(reason);
  }

  async #start<Init, R>(
    api: Api<unknown, Init, R>,
    version: number,
    body: NoInfer<Init>,
    times: { createdAt: number; timeoutMs: number },
  ): Promise<R> {
    if (this.#closedReason !== undefined) throw this.#closedError();
    return this.#requests.start(api, version, body, times, (frame) => this.#connection.send(frame));
  }

  /** The newest version that both sides speak. */
  #versionOf(api: Api): number {
    const theirs = this.#versions.get(api.key);
    const version = Math.min(api.advertised[1], theirs?.max ?? -1);
    if (theirs === undefined || version < Math.max(api.versions[0], theirs.min)) {
      const offer = theirs === undefined ? "does not offer it" : `offers versions ${theirs.min} to ${theirs.max}`;
      throw new KafkaJSServerDoesNotSupportApiKey(
        `Broker ${this.#nodeId} ${offer}: ${api.name} is needed in one of the versions ` +
          `${api.versions[0]} to ${api.advertised[1]}. Reload the tab that runs the older software`,
        { apiKey: api.key, apiName: api.name },
      );
    }
    return version;
  }

  #onFrame(frame: Uint8Array): void {
    try {
      const correlationId = decodeCorrelationId(frame);
      if (correlationId !== this.#requests.oldest) {
        throw new Error(`response ${correlationId} came where ${this.#requests.oldest ?? "none"} was due`);
      }
      this.#requests.answer(frame);
    } catch (error) {
      this.close(`Broker ${this.#nodeId} sent a bad response: ${asError(error).message}`);
    }
  }

  #failAll(): void {
    this.#requests.failAll(() => this.#closedError());
  }

  #closedError(): KafkaJSConnectionClosedError {
    return new KafkaJSConnectionClosedError(
      `The connection to broker ${this.#nodeId} closed: ${this.#closedReason ?? "no reason was given"}`,
      { broker: String(this.#nodeId) },
    );
  }
}

/** Rejects after `timeoutMs`; what the promise gives later goes to `discard`. */
function withTimeout<T>(promise: Promise<T>, clock: Clock, timeoutMs: number, discard: (late: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let expired = false;
    const cancelTimer = clock.setTimer(timeoutMs, () => {
      expired = true;
      reject(new Error(`it did not open within ${timeoutMs} ms`));
    });
    promise.then(
      (value) => {
        if (expired) return discard(value);
        cancelTimer();
        resolve(value);
      },
      (error: unknown) => {
        cancelTimer();
        reject(asError(error));
      },
    );
  });
}
