import type { WebSocket } from "ws";
import type { FromServer } from "../src/runtime/signaling.ts";
import { closeCodes } from "./close-codes.ts";
import type { Limits } from "./limits.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import type { Message, PeerSocket } from "./signaling.ts";
import { MalformedSignalError, parseToServer } from "./signaling-messages.ts";
import { closeSocket, shutSocket } from "./socket-closing.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface ClusterSocketHandlers {
  message(message: Message): void;
  /** One Kafka frame, without a length prefix. */
  frame(frame: Uint8Array): void;
  /**
   * Called once, last, whoever ended it. Nothing arrives any more, though the socket may still be closing. `code` is
   * that of the server's own close.
   */
  closed(reason: string, code?: number): void;
}

/**
 * One tab's socket: signals as text, Kafka frames as binary messages. A tab that breaks the rules, sends too fast,
 * reads too slowly or falls silent loses its own socket and nothing else.
 */
export class ClusterSocket implements PeerSocket {
  readonly #socket: WebSocket;
  readonly #limits: Limits;
  readonly #metrics: ServerMetrics;
  readonly #handlers: ClusterSocketHandlers;
  readonly #texts: TokenBucket;
  readonly #frames: TokenBucket;
  readonly #bytes: TokenBucket;
  #lastHeardMs: number;
  #over = false;

  constructor(socket: WebSocket, limits: Limits, metrics: ServerMetrics, handlers: ClusterSocketHandlers) {
    const nowMs = performance.now();
    this.#socket = socket;
    this.#limits = limits;
    this.#metrics = metrics;
    this.#handlers = handlers;
    this.#texts = new TokenBucket(limits.textRate, nowMs);
    this.#frames = new TokenBucket(limits.frameRate, nowMs);
    this.#bytes = new TokenBucket(limits.byteRate, nowMs);
    this.#lastHeardMs = nowMs;
    socket.on("message", (data: Buffer, isBinary) => this.#onMessage(data, isBinary));
    // After an error, such as a message beyond the limit, ws closes the socket with the code that belongs to it.
    socket.on("error", (error) => this.#end(error.message));
    socket.on("close", (code) => this.#end(`closed by the tab (${code})`));
  }

  get queuedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(message: FromServer): void {
    const text = JSON.stringify(message);
    this.#send(text, "text", text.length);
  }

  sendFrame(frame: Uint8Array): void {
    this.#send(frame, "kafka", frame.length);
  }

  /** Ends it in good order: what was sent before still arrives. */
  close(code: number, reason: string): void {
    if (!this.#end(reason, code)) return;
    closeSocket(this.#socket, code, reason);
  }

  /** Ends it at once, for breaking a rule. `kind` is for the metrics. */
  refuse(kind: string, code: number, reason: string): void {
    this.#metrics.refused(kind);
    if (this.#end(reason, code)) shutSocket(this.#socket, code, reason);
  }

  /** Pings the tab, or drops it when it has been silent for too long. `pausedMs` is how long the server itself was. */
  keepAlive(nowMs: number, pausedMs: number): void {
    this.#lastHeardMs += pausedMs;
    const silentMs = nowMs - this.#lastHeardMs;
    if (silentMs < this.#limits.silenceMs) this.send({ type: "ping" });
    else this.refuse("silent", closeCodes.silent, `nothing was heard for ${Math.round(silentMs)} ms`);
  }

  #send(data: string | Uint8Array, kind: "text" | "kafka", size: number): void {
    if (this.#over) return;
    this.#metrics.frame(kind, "out", size);
    this.#socket.send(data);
    const { queuedBytes } = this.#limits;
    if (this.queuedBytes <= queuedBytes) return;
    this.refuse("slow-reader", closeCodes.policyViolation, `more than ${queuedBytes} bytes wait to be read`);
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#over) return;
    const nowMs = performance.now();
    this.#lastHeardMs = nowMs;
    this.#metrics.frame(isBinary ? "kafka" : "text", "in", data.length);
    const isSlowEnough = (isBinary ? this.#frames : this.#texts).take(1, nowMs) && this.#bytes.take(data.length, nowMs);
    if (!isSlowEnough) return this.refuse("too-fast", closeCodes.policyViolation, "messages come too fast");
    if (!isBinary) return this.#onText(data);
    // A plain array, for a Buffer's `slice` does not copy.
    this.#handlers.frame(new Uint8Array(data.buffer, data.byteOffset, data.length));
  }

  #onText(data: Buffer): void {
    const { textBytes } = this.#limits;
    if (data.length > textBytes) {
      const reason = `a text of ${data.length} bytes exceeds the limit of ${textBytes}`;
      return this.refuse("too-big", closeCodes.tooBig, reason);
    }
    try {
      const message = parseToServer(data.toString());
      if (message.type !== "pong") this.#handlers.message(message);
    } catch (error) {
      if (!(error instanceof MalformedSignalError)) throw error;
      this.refuse("malformed", closeCodes.policyViolation, error.message);
    }
  }

  /** Whether it was this call that ended it. */
  #end(reason: string, code?: number): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#handlers.closed(reason, code);
    return true;
  }
}
