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

interface WaitingRequest {
  readonly bytes: number;
  readonly begin: (pending: PendingResponse) => void;
}

interface ClientConnection {
  readonly listener: string;
  readonly remoteAddress: string | undefined;
  /** In order of arrival: Kafka's clients pipeline, and pair responses by their order. */
  readonly slots: Slot[];
  /** What came behind as many as may be under way. */
  readonly waiting: WaitingRequest[];
  /** Of all of both: an answer counts for as long as it waits for those before it. */
  pendingBytes: number;
  beginning: boolean;
  held: boolean;
}

/**
 * Shares of what may wait: of 128 MiB, at 8 and 4. Much more would be behind what followers can copy in the time in which
 * they have to, if one client sends all it has.
 */
const HELD_ABOVE = 1 / 16;
const RELEASED_BELOW = 1 / 32;

/** What a request takes beside its bytes. */
const REQUEST_COST_BYTES = 4 * 1024;

/**
 * The connections that clients and followers opened to this broker. Requests of one connection are begun in the order
 * in which they came and answered in that order, however long each takes.
 *
 * Kafka reads nothing more of a connection while a request of it is under way, and many clients rely on being held
 * back: KafkaJS sends whatever it is given at once. Here requests wait before they are begun, and the other end is asked
 * to hold long before they are too many. Only who goes on regardless is closed.
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
    this.#connections.set(connectionId, { listener, remoteAddress, slots: [], waiting: [], pendingBytes: 0, beginning: false, held: false });
  }

  /** Begins the request that just came, with a place for its answer: at once, or when those before it have left room. */
  arrived(connectionId: number, requestBytes: number, begin: (pending: PendingResponse) => void): void {
    const connection = this.#connections.get(connectionId);
    if (connection === undefined) return;
    const bytes = requestBytes + REQUEST_COST_BYTES;
    if (connection.pendingBytes + bytes > this.#config.maxPipelinedBytes) return this.#closeOverfull(connectionId);
    for (const slot of [...connection.slots]) slot.hurry?.();
    connection.pendingBytes += bytes;
    connection.waiting.push({ bytes, begin });
    this.#proceed(connectionId, connection);
  }

  #proceed(connectionId: number, connection: ClientConnection): void {
    // What is answered at once comes back here, and leaves room for the next.
    if (connection.beginning) return;
    connection.beginning = true;
    while (connection.slots.length < this.#config.maxPipelinedRequests) {
      const next = connection.waiting.shift();
      if (next === undefined) break;
      const pending = this.#place(connectionId, connection, next.bytes);
      next.begin(pending);
      if (connection.waiting.length > 0) pending.hurry?.();
    }
    connection.beginning = false;
    this.#holdBack(connectionId, connection);
  }

  #place(connectionId: number, connection: ClientConnection, bytes: number): PendingResponse {
    const slot: Slot = {
      connectionId,
      listener: connection.listener,
      remoteAddress: connection.remoteAddress,
      bytes,
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
    return slot;
  }

  #holdBack(connectionId: number, connection: ClientConnection): void {
    const mostBytes = this.#config.maxPipelinedBytes * (connection.held ? RELEASED_BELOW : HELD_ABOVE);
    const held = connection.pendingBytes > mostBytes;
    if (held === connection.held || !this.#connections.has(connectionId)) return;
    connection.held = held;
    this.#effects({ type: "hold-connection", connectionId, held });
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
    connection.waiting.length = 0;
    for (const slot of connection.slots) {
      const { abandoned } = slot;
      slot.answered = true;
      abandoned?.();
    }
    return true;
  }

  #closeOverfull(connectionId: number): void {
    const most = `${this.#config.maxPipelinedBytes} bytes`;
    this.close(connectionId, `more than ${most} wait for an answer, or as answers for their turn; send fewer at once`);
  }

  #flush(connectionId: number): void {
    const connection = this.#connections.get(connectionId);
    if (connection === undefined) return;
    while (connection.slots[0]?.answered === true) {
      const slot = connection.slots.shift()!;
      connection.pendingBytes -= slot.bytes;
      if (slot.answer !== undefined) this.#effects({ type: "send", connectionId, frame: slot.answer });
    }
    this.#proceed(connectionId, connection);
  }
}
