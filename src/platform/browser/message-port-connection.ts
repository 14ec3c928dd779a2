import { MAX_FRAME_BYTES } from "../../protocol/frame.ts";
import type { Connection, ConnectionHandlers } from "../../runtime/connection.ts";
import type { FramedChannelOptions } from "./framed-channel.ts";

/**
 * A connection between a page and its own worker. Frames travel as transferred buffers, copied once.
 *
 * A MessagePort has no flow control, hence the small protocol: each side tells what it has consumed.
 */
type PortMessage =
  | { readonly type: "frames"; readonly frames: readonly ArrayBuffer[] }
  /** So many bytes of frames have been handed to the receiver. */
  | { readonly type: "consumed"; readonly bytes: number }
  | { readonly type: "closed"; readonly reason: string };

/** The sender keeps frames to itself while the other side has this much left to consume. */
const WINDOW_BYTES = 4 * 1024 * 1024;

export class MessagePortConnection implements Connection {
  readonly kind = "message-port";
  readonly #port: MessagePort;
  readonly #maxFrameBytes: number;
  readonly #outbox: Uint8Array[] = [];
  #outboxBytes = 0;
  #unconsumedBytes = 0;
  #flushScheduled = false;
  #handlers: ConnectionHandlers | undefined;
  readonly #early: ArrayBuffer[] = [];
  #closedBecause: string | undefined;
  readonly #onClosed: () => void;

  constructor(port: MessagePort, options: FramedChannelOptions = {}) {
    const { maxFrameBytes = MAX_FRAME_BYTES, onClosed = () => {} } = options;
    this.#port = port;
    this.#onClosed = onClosed;
    this.#maxFrameBytes = maxFrameBytes;
    port.onmessage = ({ data }: MessageEvent<PortMessage>) => this.#onMessage(data);
    port.onmessageerror = () => this.close("a message could not be read on this side of the port");
    // Fires when the other side's worker or page is gone, in browsers that know this event.
    port.addEventListener("close", () => this.#end("the other side of the port is gone"));
  }

  receive(handlers: ConnectionHandlers): void {
    const closedBefore = this.#closedBecause;
    this.#handlers = handlers;
    this.#deliver(this.#early.splice(0));
    if (closedBefore !== undefined) handlers.closed(closedBefore);
  }

  send(frame: Uint8Array): void {
    if (this.#closedBecause !== undefined) return;
    this.#outbox.push(frame);
    this.#outboxBytes += frame.length;
    this.#schedule();
  }

  get queuedBytes(): number {
    return this.#outboxBytes + this.#unconsumedBytes;
  }

  close(reason: string): void {
    if (this.#closedBecause !== undefined) return;
    this.#flush();
    this.#post({ type: "closed", reason: `closed by the other side: ${reason}` });
    this.#end(reason);
  }

  #onMessage(message: PortMessage): void {
    if (this.#closedBecause !== undefined) return;
    switch (message.type) {
      case "frames":
        if (this.#handlers === undefined) this.#early.push(...message.frames);
        else this.#deliver(message.frames);
        return;
      case "consumed":
        this.#unconsumedBytes -= message.bytes;
        return this.#schedule();
      case "closed":
        return this.#end(message.reason);
    }
  }

  #deliver(frames: readonly ArrayBuffer[]): void {
    const closedBefore = this.#closedBecause;
    let bytes = 0;
    for (const frame of frames) {
      if (this.#closedBecause !== closedBefore) return;
      if (frame.byteLength > this.#maxFrameBytes) {
        return this.close(`a frame of ${frame.byteLength} bytes exceeds the limit of ${this.#maxFrameBytes}`);
      }
      bytes += frame.byteLength;
      this.#handlers?.frame(new Uint8Array(frame));
    }
    if (bytes > 0 && this.#closedBecause === undefined) this.#post({ type: "consumed", bytes });
  }

  #schedule(): void {
    if (this.#flushScheduled || this.#outbox.length === 0 || this.#unconsumedBytes >= WINDOW_BYTES) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#closedBecause !== undefined) return;
    const frames: ArrayBuffer[] = [];
    while (this.#outbox.length > 0 && this.#unconsumedBytes < WINDOW_BYTES) {
      const frame = this.#outbox.shift()!;
      this.#outboxBytes -= frame.length;
      this.#unconsumedBytes += frame.length;
      frames.push(ownBuffer(frame));
    }
    if (frames.length > 0) this.#post({ type: "frames", frames }, frames);
  }

  #post(message: PortMessage, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #end(reason: string): void {
    if (this.#closedBecause !== undefined) return;
    this.#closedBecause = reason;
    this.#outbox.length = 0;
    this.#outboxBytes = 0;
    this.#unconsumedBytes = 0;
    this.#port.close();
    this.#onClosed();
    this.#handlers?.closed(reason);
  }
}

/**
 * The frame's bytes in a buffer of their own. Always a copy: the sender may hold views of the same buffer, as a broker
 * that answers from its cache does, and a transfer would take them all away.
 */
function ownBuffer(frame: Uint8Array): ArrayBuffer {
  const own = new Uint8Array(frame.length);
  own.set(frame);
  return own.buffer;
}
