import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { HOLD, RELEASE } from "../src/metadata/kafka-holding.ts";
import { closeCodes } from "./close-codes.ts";
import type { Limits } from "./limits.ts";
import { closeSocket, shutSocket } from "./socket-closing.ts";

export interface SpliceHandlers {
  moved(direction: "in" | "out", bytes: number): void;
  /** Called once, last. The reason is a word or two, for the metrics and the log. */
  ended(reason: string): void;
}

type SpliceLimits = Pick<Limits, "queuedBytesInSplice" | "relayPairingMs">;

/** How long a client has to read what its broker said last. */
const LINGER_MS = 5_000;

/**
 * One Kafka client's TCP connection and the relay socket of a broker's tab, as one stream of bytes that nobody reads
 * on the way. Neither side is read faster than the other takes it.
 */
export class KafkaSplice {
  readonly #client: Socket;
  readonly #limits: SpliceLimits;
  readonly #handlers: SpliceHandlers;
  #tab: WebSocket | undefined;
  readonly #lonely: NodeJS.Timeout;
  /** Whether the tab has more requests waiting than it likes, and asked that the client be held back. */
  #held = false;
  #over = false;
  lastMovedMs = performance.now();

  /** `client` is paused, and stays so until the tab has joined. */
  constructor(client: Socket, limits: SpliceLimits, handlers: SpliceHandlers) {
    this.#client = client;
    this.#limits = limits;
    this.#handlers = handlers;
    client.on("error", () => {});
    client.on("close", () => this.end("client closed"));
    this.#lonely = setTimeout(() => this.end("tab did not come"), limits.relayPairingMs);
  }

  /** The tab's socket is here. */
  join(tab: WebSocket): void {
    if (this.#over) return shutSocket(tab, closeCodes.normal, "the client is gone");
    clearTimeout(this.#lonely);
    this.#tab = tab;
    const client = this.#client;
    const { queuedBytesInSplice } = this.#limits;
    client.on("data", (bytes: Buffer) => {
      if (this.#over) return;
      this.#moved("in", bytes.length);
      tab.send(bytes, { binary: true }, () => this.#letOn(tab));
      if (tab.bufferedAmount > queuedBytesInSplice) client.pause();
    });
    tab.on("message", (bytes: Buffer, isBinary) => {
      if (this.#over) return;
      if (!isBinary) return this.#onText(bytes.toString(), tab);
      this.#moved("out", bytes.length);
      if (!client.write(bytes) && client.writableLength > queuedBytesInSplice) tab.pause();
    });
    client.on("drain", () => {
      this.lastMovedMs = performance.now();
      if (tab.isPaused) tab.resume();
    });
    tab.on("close", () => this.end("tab closed"));
    client.resume();
  }

  /** Ends both sides; each still gets what the other has sent before. */
  end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#lonely);
    const client = this.#client;
    if (this.#tab !== undefined) closeSocket(this.#tab, closeCodes.normal, reason);
    client.destroySoon();
    setTimeout(() => client.destroy(), LINGER_MS).unref();
    this.#handlers.ended(reason);
  }

  #onText(text: string, tab: WebSocket): void {
    if (text !== HOLD && text !== RELEASE) return this.end("tab sent text");
    this.#held = text === HOLD;
    if (this.#held) this.#client.pause();
    else this.#letOn(tab);
  }

  #letOn(tab: WebSocket): void {
    const isTaken = tab.bufferedAmount <= this.#limits.queuedBytesInSplice;
    if (!this.#over && !this.#held && isTaken && this.#client.isPaused()) this.#client.resume();
  }

  #moved(direction: "in" | "out", bytes: number): void {
    this.lastMovedMs = performance.now();
    this.#handlers.moved(direction, bytes);
  }
}
