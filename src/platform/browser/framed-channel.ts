import { FrameDecoder, MAX_FRAME_BYTES, frameHeader } from "../../protocol/frame.ts";
import type { Connection, ConnectionHandlers, ConnectionKind } from "../../runtime/connection.ts";
import { describe } from "./errors.ts";

/** A transport for messages: a data channel or a WebSocket. Together its messages carry one byte stream. */
export interface MessageChannelTransport {
  readonly bufferedAmount: number;
  /** Takes a copy of the bytes before it returns. */
  send(message: Uint8Array<ArrayBuffer>): void;
  /** Calls back, once, when `bufferedAmount` has fallen to {@link LOW_WATER_BYTES}. */
  onceDrained(callback: () => void): void;
  /** Asks the other end to send nothing more for the time being, or to go on; absent where it cannot be asked. */
  hold?(held: boolean): void;
  /** Sends what is buffered, then closes. */
  close(): void;
}

/**
 * Larger messages are no faster, and a heartbeat on the same link waits for the whole of the message before it.
 * RFC 8841 lets a peer that announces no limit take 64 KiB.
 */
export const MESSAGE_BYTES = 64 * 1024;

/** Chromium takes up to 16 MiB, then `send` throws and the stream has a hole; this keeps far away from there. */
export const HIGH_WATER_BYTES = 1024 * 1024;
export const LOW_WATER_BYTES = 256 * 1024;

/** No peer asks more than this of one that has not answered yet. Empty frames would pass by the bound on bytes. */
const MAX_EARLY_FRAMES = 1000;

export interface FramedChannelOptions {
  readonly maxFrameBytes?: number;
  readonly remoteAddress?: string;
  /** For whoever made the connection; its user hears through the `Connection` interface. */
  readonly onClosed?: () => void;
}

/**
 * A `Connection` over messages: frames with a length prefix of four bytes, as on a TCP connection to Kafka, cut into
 * messages regardless of where frames end. Frames sent in one turn share messages.
 */
export class FramedChannel implements Connection {
  readonly kind: ConnectionKind;
  readonly remoteAddress: string | undefined;
  readonly #maxFrameBytes: number;
  readonly #decoder: FrameDecoder;
  readonly #outbox = new ByteQueue();
  #transport: MessageChannelTransport | undefined;
  #flush: "idle" | "scheduled" | "draining" = "idle";
  #handlers: ConnectionHandlers | undefined;
  /** Frames that came before there was a receiver. */
  readonly #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #closedBecause: string | undefined;
  readonly #onClosed: () => void;

  constructor(kind: ConnectionKind, options: FramedChannelOptions = {}) {
    const { maxFrameBytes = MAX_FRAME_BYTES, onClosed = () => {} } = options;
    this.kind = kind;
    this.remoteAddress = options.remoteAddress;
    this.#onClosed = onClosed;
    this.#maxFrameBytes = maxFrameBytes;
    this.#decoder = new FrameDecoder(maxFrameBytes);
  }

  receive(handlers: ConnectionHandlers): void {
    const closedBefore = this.#closedBecause;
    this.#handlers = handlers;
    for (const frame of this.#early.splice(0)) {
      if (this.#closedBecause !== closedBefore) return;
      handlers.frame(frame);
    }
    if (closedBefore !== undefined) handlers.closed(closedBefore);
  }

  send(frame: Uint8Array): void {
    if (this.#closedBecause !== undefined) return;
    this.#outbox.push(frameHeader(frame.length));
    this.#outbox.push(frame);
    this.#schedule();
  }

  get queuedBytes(): number {
    return this.#outbox.length + (this.#transport?.bufferedAmount ?? 0);
  }

  hold(held: boolean): void {
    this.#transport?.hold?.(held);
  }

  /** Sends the frames that flow control lets through at present, so that a last answer arrives. */
  close(reason: string): void {
    if (this.#closedBecause !== undefined) return;
    if (this.#flush === "scheduled") this.#send();
    this.closed(reason);
  }

  /** The transport is open: from here on it takes messages. */
  opened(transport: MessageChannelTransport): void {
    if (this.#closedBecause !== undefined) return transport.close();
    this.#transport = transport;
    this.#schedule();
  }

  /** The transport brought a message. */
  message(bytes: Uint8Array): void {
    if (this.#closedBecause !== undefined) return;
    let frames: Uint8Array[];
    try {
      frames = this.#decoder.push(bytes);
    } catch (cause) {
      return this.closed(`the peer sent what is no frame: ${describe(cause)}`);
    }
    for (const frame of frames) {
      if (this.#closedBecause !== undefined) return;
      if (this.#handlers === undefined) this.#keep(frame);
      else this.#handlers.frame(frame);
    }
  }

  /** The transport is closed, or must be. */
  closed(reason: string): void {
    if (this.#closedBecause !== undefined) return;
    this.#closedBecause = reason;
    this.#outbox.clear();
    this.#transport?.close();
    this.#transport = undefined;
    this.#onClosed();
    this.#handlers?.closed(reason);
  }

  #keep(frame: Uint8Array): void {
    this.#early.push(frame);
    this.#earlyBytes += frame.length;
    const count = this.#early.length;
    if (this.#earlyBytes <= this.#maxFrameBytes && count <= MAX_EARLY_FRAMES) return;
    this.#early.length = 0;
    this.closed(`the peer sent ${this.#earlyBytes} bytes in ${count} frames before anybody was ready for them`);
  }

  #schedule(): void {
    if (this.#flush !== "idle" || this.#transport === undefined || this.#outbox.length === 0) return;
    this.#flush = "scheduled";
    queueMicrotask(() => {
      if (this.#flush === "scheduled") this.#send();
    });
  }

  #send(): void {
    const transport = this.#transport;
    if (transport === undefined) return;
    this.#flush = "idle";
    try {
      while (this.#outbox.length > 0) {
        if (transport.bufferedAmount >= HIGH_WATER_BYTES) return this.#awaitDrain(transport);
        transport.send(this.#outbox.take(MESSAGE_BYTES));
      }
    } catch (cause) {
      // A message that was not taken leaves a hole in the stream, so nothing may follow it.
      this.closed(`sending failed: ${describe(cause)}`);
    }
  }

  #awaitDrain(transport: MessageChannelTransport): void {
    this.#flush = "draining";
    transport.onceDrained(() => this.#send());
  }
}

/** Bytes to be sent, in order. Every byte is copied once, into the message that carries it. */
class ByteQueue {
  #parts: Uint8Array[] = [];
  #first = 0;
  #length = 0;
  readonly #message = new Uint8Array(MESSAGE_BYTES);

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  /** The next bytes, `maxBytes` at most; the array is used again by the next call. */
  take(maxBytes: number): Uint8Array<ArrayBuffer> {
    let filled = 0;
    while (filled < maxBytes && this.#first < this.#parts.length) {
      const part = this.#parts[this.#first]!;
      const taken = part.subarray(0, maxBytes - filled);
      this.#message.set(taken, filled);
      filled += taken.length;
      if (taken.length === part.length) this.#first++;
      else this.#parts[this.#first] = part.subarray(taken.length);
    }
    if (this.#first > 1024 || this.#first === this.#parts.length) {
      this.#parts = this.#parts.slice(this.#first);
      this.#first = 0;
    }
    this.#length -= filled;
    return this.#message.subarray(0, filled);
  }

  clear(): void {
    this.#parts = [];
    this.#first = 0;
    this.#length = 0;
  }
}
