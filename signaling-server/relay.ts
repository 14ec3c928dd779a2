import type { WebSocket } from "ws";
import { closeCodes } from "./close-codes.ts";
import type { Limits } from "./limits.ts";
import { closeSocket, shutSocket } from "./socket-closing.ts";

export interface RelayTraffic {
  relayed(bytes: number): void;
}

type RelayLimits = Pick<Limits, "relays" | "queuedBytesInRelay" | "relayPairingMs" | "relayIdleMs">;

/**
 * Splices pairs of WebSockets that name the same relay id: the way between two tabs that cannot reach each other. What
 * one sends the other gets, unread and unchanged, and no faster than it takes it.
 */
export class Relays {
  readonly #limits: RelayLimits;
  readonly #traffic: RelayTraffic;
  readonly #relays = new Map<string, Relay>();
  /** Whoever in this server waits for a socket, by its relay id. */
  readonly #awaited = new Map<string, (socket: WebSocket) => void>();

  constructor(limits: RelayLimits, traffic: RelayTraffic) {
    this.#limits = limits;
    this.#traffic = traffic;
  }

  /** Pairs, whole and half. */
  get size(): number {
    return this.#relays.size;
  }

  /** Hands the socket that joins under this id to `take` instead of splicing it. Returns what ends the waiting. */
  expect(relayId: string, take: (socket: WebSocket) => void): () => void {
    this.#awaited.set(relayId, take);
    return () => void this.#awaited.delete(relayId);
  }

  /** Takes an open socket over. Answers why not, after closing it, when it cannot be part of this relay. */
  join(relayId: string, socket: WebSocket, nowMs: number): "relay-taken" | "relays-full" | undefined {
    const take = this.#awaited.get(relayId);
    if (take !== undefined) {
      this.#awaited.delete(relayId);
      take(socket);
      return undefined;
    }
    const relay = this.#relays.get(relayId);
    if (relay === undefined) {
      if (this.#relays.size >= this.#limits.relays) {
        shutSocket(socket, closeCodes.tryAgainLater, `the server has its ${this.#limits.relays} relays`);
        return "relays-full";
      }
      const made = new Relay(this.#limits, this.#traffic, () => this.#relays.delete(relayId));
      this.#relays.set(relayId, made);
      made.add(socket, nowMs);
      return undefined;
    }
    if (relay.whole) {
      shutSocket(socket, closeCodes.relayTaken, "two sockets are on this relay already");
      return "relay-taken";
    }
    relay.add(socket, nowMs);
    return undefined;
  }

  /** Ends relays on which nothing moves. */
  closeIdle(nowMs: number): void {
    for (const relay of this.#relays.values()) {
      if (nowMs - relay.lastMovedMs >= this.#limits.relayIdleMs) relay.close(closeCodes.normal, "the relay was idle");
    }
  }

  closeAll(code: number, reason: string): void {
    for (const relay of this.#relays.values()) relay.close(code, reason);
  }
}

class Relay {
  readonly #limits: RelayLimits;
  readonly #traffic: RelayTraffic;
  readonly #ended: () => void;
  readonly #sockets: WebSocket[] = [];
  /** What the first socket sent before it could be paused: at most what one read from the network held. */
  readonly #early: Buffer[] = [];
  readonly #lonely: NodeJS.Timeout;
  #closed = false;
  lastMovedMs = 0;

  constructor(limits: RelayLimits, traffic: RelayTraffic, ended: () => void) {
    this.#limits = limits;
    this.#traffic = traffic;
    this.#ended = ended;
    const giveUp = () => this.close(closeCodes.noTwin, "nobody else came to the relay");
    this.#lonely = setTimeout(giveUp, limits.relayPairingMs);
  }

  get whole(): boolean {
    return this.#sockets.length === 2;
  }

  add(socket: WebSocket, nowMs: number): void {
    this.lastMovedMs = nowMs;
    this.#sockets.push(socket);
    // The listener must be there before the next read: ws drops a message that nobody listens for.
    socket.on("message", (data: Buffer, isBinary) => this.#onMessage(socket, data, isBinary));
    socket.on("close", (code) => this.close(closeCodes.normal, `the other side closed (${code})`));
    const [first] = this.#sockets;
    if (first === undefined || first === socket) {
      socket.pause();
      return;
    }
    clearTimeout(this.#lonely);
    for (const data of this.#early.splice(0)) this.#forward(first, socket, data);
    if (socket.bufferedAmount <= this.#limits.queuedBytesInRelay) first.resume();
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#lonely);
    this.#ended();
    for (const socket of this.#sockets) closeSocket(socket, code, reason);
  }

  #onMessage(source: WebSocket, data: Buffer, isBinary: boolean): void {
    if (this.#closed) return;
    if (!isBinary) return this.close(closeCodes.unsupportedData, "a relay carries bytes, not text");
    this.lastMovedMs = performance.now();
    const target = this.#sockets.find((socket) => socket !== source);
    if (target === undefined) this.#early.push(data);
    else this.#forward(source, target, data);
  }

  #forward(source: WebSocket, target: WebSocket, data: Buffer): void {
    const { queuedBytesInRelay } = this.#limits;
    this.#traffic.relayed(data.length);
    target.send(data, { binary: true }, () => {
      if (source.isPaused && target.bufferedAmount <= queuedBytesInRelay) source.resume();
    });
    if (target.bufferedAmount > queuedBytesInRelay) source.pause();
  }
}
