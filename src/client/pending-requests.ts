import type { NetworkEvents } from "./events.ts";
import { KafkaJSRequestTimeoutError } from "./errors.ts";
import { decodeCorrelationId, decodeResponse, encodeRequest } from "../protocol/envelope.ts";
import type { Api } from "../protocol/schema.ts";
import type { Clock } from "../runtime/clock.ts";

interface Pending {
  readonly correlationId: number;
  readonly queueSizeChanged: () => void;
  /** Decodes the response and settles the promise; throws CorruptMessageError for bytes that are no such response. */
  answer(frame: Uint8Array): void;
  fail(error: Error): void;
}

export interface PendingRequestsOptions {
  readonly clock: Clock;
  readonly clientId: string;
  /** The node id at the other end, as text. */
  readonly broker: string;
  readonly events: NetworkEvents;
  /** Called after a request has failed for its time; the connection may be stuck. */
  readonly timedOut: (error: KafkaJSRequestTimeoutError) => void;
}

/** Pairs responses with the requests of one connection by correlation id, and fails those that stay out too long. */
export class PendingRequests {
  readonly #options: PendingRequestsOptions;
  readonly #pending = new Map<number, Pending>();
  #nextCorrelationId = 0;

  constructor(options: PendingRequestsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Encodes a request that gets no response. */
  encodeOneWay<Init>(api: Api<unknown, Init>, version: number, body: NoInfer<Init>): Uint8Array {
    const header = { correlationId: this.#takeCorrelationId(), clientId: this.#options.clientId };
    return encodeRequest(api, version, header, body);
  }

  /** Encodes a request, hands the frame to `send` and resolves with the decoded response. */
  start<Init, R>(
    api: Api<unknown, Init, R>,
    version: number,
    body: NoInfer<Init>,
    times: { readonly createdAt: number; readonly timeoutMs: number },
    send: (frame: Uint8Array) => void,
  ): Promise<R> {
    const { clock, clientId, broker, events } = this.#options;
    const correlationId = this.#takeCorrelationId();
    const frame = encodeRequest(api, version, { correlationId, clientId }, body);
    const sentAt = clock.wallNow();
    const request = {
      apiKey: api.key,
      apiName: api.name,
      apiVersion: version,
      broker,
      clientId,
      correlationId,
      createdAt: times.createdAt,
      sentAt,
      pendingDuration: sentAt - times.createdAt,
    };
    const queueSizeChanged = () => events.requestQueueSize({ broker, clientId, queueSize: this.#pending.size });

    return new Promise<R>((resolve, reject) => {
      const cancelTimer = clock.setTimer(times.timeoutMs, () => {
        this.#remove(correlationId);
        events.requestTimeout(request);
        const error = new KafkaJSRequestTimeoutError(
          `${api.name} to broker ${broker} was not answered within ${Math.round(times.timeoutMs)} ms`,
          request,
        );
        reject(error);
        this.#options.timedOut(error);
      });
      this.#pending.set(correlationId, {
        correlationId,
        queueSizeChanged,
        answer: (bytes) => {
          // The request stays pending while its response is decoded, so that a malformed one fails it too.
          const { body: response } = decodeResponse(api, version, bytes);
          cancelTimer();
          this.#remove(correlationId);
          events.request({ ...request, duration: clock.wallNow() - sentAt, size: bytes.length });
          resolve(response);
        },
        fail: (error) => {
          cancelTimer();
          reject(error);
        },
      });
      queueSizeChanged();
      send(frame);
    });
  }

  /** The id that an in-order connection must answer next. */
  get oldest(): number | undefined {
    return this.#pending.keys().next().value;
  }

  /** Settles the request that `frame` answers. A response that nobody waits for any more is dropped. */
  answer(frame: Uint8Array): void {
    this.#pending.get(decodeCorrelationId(frame))?.answer(frame);
  }

  failAll(error: (correlationId: number) => Error): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const request of pending) request.fail(error(request.correlationId));
  }

  #remove(correlationId: number): void {
    const request = this.#pending.get(correlationId);
    this.#pending.delete(correlationId);
    request?.queueSizeChanged();
  }

  #takeCorrelationId(): number {
    const id = this.#nextCorrelationId;
    this.#nextCorrelationId = (id + 1) & 0x7fffffff;
    return id;
  }
}
