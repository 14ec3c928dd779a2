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
  /** Of the request, and of its answer once there is one. */
  bytes: number;
}

interface ClientConnection {
  readonly listener: string;
  readonly remoteAddress: string | undefined;
  /** In order of arrival: Kafka's clients pipeline, and pair responses by their order. */
  readonly slots: Slot[];
  /** Of all slots: an answer counts for as long as it waits for those before it. */
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
      this.#closeOverfull(connectionId);
      return undefined;
    }
    for (const slot of connection.slots) slot.hurry?.();
    const slot: Slot = {
      connectionId,
      listener: connection.listener,
      remoteAddress: connection.remoteAddress,
      bytes: requestBytes,
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
        const answerBytes = frame?.length ?? 0;
        slot.bytes += answerBytes;
        connection.pendingBytes += answerBytes;
        this.#flush(connectionId);
        if (connection.pendingBytes > this.#config.maxPipelinedBytes) this.#closeOverfull(connectionId);
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

  #closeOverfull(connectionId: number): void {
    const { maxPipelinedRequests, maxPipelinedBytes } = this.#config;
    const most = `${maxPipelinedRequests} requests or ${maxPipelinedBytes} bytes`;
    this.close(connectionId, `more than ${most} wait for an answer, or as answers for their turn; send fewer at once`);
  }

  #flush(connectionId: number): void {
    const connection = this.#connections.get(connectionId);
    while (connection?.slots[0]?.answered === true) {
      const slot = connection.slots.shift()!;
      connection.pendingBytes -= slot.bytes;
      if (slot.answer !== undefined) this.#effects({ type: "send", connectionId, frame: slot.answer });
    }
  }
}
