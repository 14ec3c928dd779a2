import type { BrokerConfig } from "./broker-config.ts";
import type { BrokerEffect } from "./effects.ts";

/** The answer to one request, in the place that keeps its turn. */
export interface PendingResponse {
  readonly connectionId: number;
  readonly listener: string;
  readonly remoteAddress: string | undefined;
  /** Answers; `undefined` stands for no response at all, as with acks=0. Only the first call counts. */
  respond(frame: Uint8Array | undefined): void;
  /** Called when another request arrives behind this one; a waiting fetch then answers with what it has. */
  hurry: (() => void) | undefined;
  /** Called when the connection is gone before the answer was given. */
  abandoned: (() => void) | undefined;
}

interface Slot extends PendingResponse {
  answer: Uint8Array | undefined;
  answered: boolean;
  readonly requestBytes: number;
}

interface ClientConnection {
  readonly listener: string;
  readonly remoteAddress: string | undefined;
  /** In order of arrival: Kafka's clients pipeline, and pair responses by their order. */
  readonly slots: Slot[];
  pendingBytes: number;
}

/**
 * The connections that clients and followers opened to this broker. Requests of one connection are begun in the order
 * in which they came and answered in that order, however long each takes.
 */
export class RequestChannel {
  readonly #connections = new Map<number, ClientConnection>();
  readonly #config: BrokerConfig;
  readonly #effects: (effect: BrokerEffect) => void;

  constructor(config: BrokerConfig, effects: (effect: BrokerEffect) => void) {
    this.#config = config;
    this.#effects = effects;
  }

  opened(connectionId: number, listener: string, remoteAddress?: string): void {
    this.#connections.set(connectionId, { listener, remoteAddress, slots: [], pendingBytes: 0 });
  }

  /** A place for the answer to the request that just came; undefined when the connection is closed or over its bounds. */
  arrived(connectionId: number, requestBytes: number): PendingResponse | undefined {
    const connection = this.#connections.get(connectionId);
    if (connection === undefined) return undefined;
    if (
      connection.slots.length >= this.#config.maxPipelinedRequests ||
      connection.pendingBytes + requestBytes > this.#config.maxPipelinedBytes
    ) {
      const { maxPipelinedRequests, maxPipelinedBytes } = this.#config;
      this.close(
        connectionId,
        `more than ${maxPipelinedRequests} requests or ${maxPipelinedBytes} bytes wait for an answer; send fewer at once`,
      );
      return undefined;
    }
    for (const slot of connection.slots) slot.hurry?.();
    const slot: Slot = {
      connectionId,
      listener: connection.listener,
      remoteAddress: connection.remoteAddress,
      requestBytes,
      answer: undefined,
      answered: false,
      hurry: undefined,
      abandoned: undefined,
      respond: (frame) => {
        if (slot.answered) return;
        slot.answered = true;
        slot.answer = frame;
        slot.hurry = undefined;
        slot.abandoned = undefined;
        this.#flush(connectionId);
      },
    };
    connection.slots.push(slot);
    connection.pendingBytes += requestBytes;
    return slot;
  }

  /** Closes a connection because of what it sent; nobody else notices. */
  close(connectionId: number, reason: string): void {
    if (!this.closed(connectionId)) return;
    this.#effects({ type: "log", level: "warn", message: `closing connection ${connectionId}: ${reason}` });
    this.#effects({ type: "close-connection", connectionId, reason });
  }

  /** The other end is gone. Says whether the connection was known. */
  closed(connectionId: number): boolean {
    const connection = this.#connections.get(connectionId);
    if (connection === undefined) return false;
    this.#connections.delete(connectionId);
    for (const slot of connection.slots) {
      const { abandoned } = slot;
      slot.answered = true;
      abandoned?.();
    }
    return true;
  }

  #flush(connectionId: number): void {
    const connection = this.#connections.get(connectionId);
    while (connection?.slots[0]?.answered === true) {
      const slot = connection.slots.shift()!;
      connection.pendingBytes -= slot.requestBytes;
      if (slot.answer !== undefined) this.#effects({ type: "send", connectionId, frame: slot.answer });
    }
  }
}
