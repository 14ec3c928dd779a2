import { decodeCorrelationId, decodeResponse, encodeRequest } from "../protocol/envelope.ts";
import { CorruptMessageError } from "../protocol/errors.ts";
import type { Api, RequestInit, Response } from "../protocol/schema.ts";
import type { BrokerEffect } from "./effects.ts";

interface Pending {
  answered(frame: Uint8Array): void;
  lost(): void;
}

/** Requests of this broker to the controller. They are answered in any order; a closed link loses what is open. */
export class ControllerRequests {
  readonly #effects: (effect: BrokerEffect) => void;
  readonly #pending = new Map<number, Pending>();
  #nextCorrelationId = 1;
  #connected = false;

  constructor(effects: (effect: BrokerEffect) => void) {
    this.#effects = effects;
  }

  get connected(): boolean {
    return this.#connected;
  }

  opened(): void {
    this.#connected = true;
  }

  /** Whatever was asked may or may not have happened: the askers decide what that means. */
  closed(): void {
    this.#connected = false;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { lost } of pending) lost();
  }

  /** Asks, and calls exactly one of the two, once, unless the link is down already: then `lost` is called at once. */
  ask<A extends Api>(
    api: A,
    version: number,
    body: RequestInit<A>,
    answered: (body: Response<A>) => void,
    lost: () => void = () => {},
  ): void {
    if (!this.#connected) return lost();
    const correlationId = this.#nextId();
    this.#effects({
      type: "controller-send",
      frame: encodeRequest(api, version, { correlationId, clientId: null }, body),
    });
    this.#pending.set(correlationId, {
      answered: (frame) => answered(decodeResponse(api, version, frame).body as Response<A>),
      lost,
    });
  }

  /** Passes a client's request on as it is; its answer comes back with the client's own correlation id. */
  forward(request: Uint8Array, answered: (response: Uint8Array) => void, lost: () => void): void {
    if (!this.#connected) return lost();
    const correlationId = this.#nextId();
    const clientsOwn = correlationIdOf(request).getInt32(0);
    const frame = request.slice();
    // A request header is api key, version, correlation id.
    new DataView(frame.buffer).setInt32(4, correlationId);
    this.#effects({ type: "controller-send", frame });
    this.#pending.set(correlationId, {
      answered: (response) => {
        const copy = response.slice();
        new DataView(copy.buffer).setInt32(0, clientsOwn);
        answered(copy);
      },
      lost,
    });
  }

  received(frame: Uint8Array): void {
    const correlationId = decodeCorrelationId(frame);
    const pending = this.#pending.get(correlationId);
    if (pending === undefined) {
      throw new CorruptMessageError(`the controller answers request ${correlationId}, which is not open`);
    }
    this.#pending.delete(correlationId);
    try {
      pending.answered(frame);
    } catch (error) {
      // An answer that cannot be read is no answer: whoever asked has to ask again.
      if (error instanceof CorruptMessageError) pending.lost();
      throw error;
    }
  }

  #nextId(): number {
    const id = this.#nextCorrelationId;
    this.#nextCorrelationId = id === 0x7fffffff ? 1 : id + 1;
    return id;
  }
}

function correlationIdOf(request: Uint8Array): DataView {
  return new DataView(request.buffer, request.byteOffset + 4, 4);
}
