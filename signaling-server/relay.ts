import type { WebSocket } from "ws";
import { closeCodes } from "./close-codes.ts";
import type { Limits } from "./limits.ts";
import { closeSocket, shutSocket } from "./socket-closing.ts";

export interface RelayTraffic {
  relayed(bytes: number): void;
}

type RelayLimits = Pick<
  Limits,
  "relays" | "relaysPerTab" | "unannouncedRelays" | "queuedBytesInRelay" | "relayPairingMs" | "relayIdleMs"
>;

/**
 * Splices pairs of WebSockets that name the same relay id: the way between two tabs that cannot reach each other. What
 * one sends the other gets, unread and unchanged, and no faster than it takes it.
 *
 * A relay is there for a tab that has announced it. The announcement comes on another connection than the sockets, so
 * that one of them may come first, and waits.
 */
export class Relays {
  readonly #limits: RelayLimits;
  readonly #traffic: RelayTraffic;
  readonly #relays = new Map<string, Relay>();
  /** Those that were announced and have a socket. */
  readonly #open = new Set<Relay>();
  /** Those that have a socket and were not announced, the oldest first. */
  readonly #unannounced = new Set<Relay>();
  /** How many each tab has announced. */
  readonly #shares = new Map<string, number>();
  /** Whoever in this server waits for a socket, by its relay id. */
  readonly #awaited = new Map<string, (socket: WebSocket) => void>();

  constructor(limits: RelayLimits, traffic: RelayTraffic) {
    this.#limits = limits;
    this.#traffic = traffic;
  }

  /** Pairs, whole and half. */
  get size(): number {
    return this.#open.size;
  }

  /** Hands the socket that joins under this id to `take` instead of splicing it. Returns what ends the waiting. */
  expect(relayId: string, take: (socket: WebSocket) => void): () => void {
    this.#awaited.set(relayId, take);
    return () => void this.#awaited.delete(relayId);
  }

  /** Whether the tab, by a name that no other has, may announce one more. */
  mayAnnounce(tab: string): boolean {
    return this.#shareOf(tab) < this.#limits.relaysPerTab;
  }

  /** The tab has asked another one to join this relay. */
  announce(relayId: string, tab: string): void {
    const relay = this.#relays.get(relayId) ?? this.#make(relayId);
    if (relay.announcer !== undefined) return;
    relay.announcer = tab;
    this.#shares.set(tab, this.#shareOf(tab) + 1);
    const hasSocket = this.#unannounced.delete(relay);
    if (hasSocket && !this.#tryOpen(relay)) relay.close(closeCodes.tryAgainLater, this.#fullReason);
  }

  /** Takes an open socket over. Answers why not, after closing it, when it cannot be part of this relay. */
  join(relayId: string, socket: WebSocket, nowMs: number): "relay-taken" | "relays-full" | undefined {
    const take = this.#awaited.get(relayId);
    if (take !== undefined) {
      this.#awaited.delete(relayId);
      take(socket);
      return undefined;
    }
    const known = this.#relays.get(relayId);
    if (known?.hasAllSockets === true) {
      shutSocket(socket, closeCodes.relayTaken, "this relay has its sockets already");
      return "relay-taken";
    }
    const relay = known ?? this.#make(relayId);
    if (relay.announcer === undefined) {
      this.#unannounced.add(relay);
    } else if (!this.#tryOpen(relay)) {
      shutSocket(socket, closeCodes.tryAgainLater, this.#fullReason);
      return "relays-full";
    }
    relay.add(socket, nowMs);
    this.#dropOldestUnannounced();
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

  get #fullReason(): string {
    return `the server has its ${this.#limits.relays} relays`;
  }

  #shareOf(tab: string): number {
    return this.#shares.get(tab) ?? 0;
  }

  #make(relayId: string): Relay {
    const relay = new Relay(this.#limits, this.#traffic, () => this.#forget(relayId, relay));
    this.#relays.set(relayId, relay);
    return relay;
  }

  #forget(relayId: string, relay: Relay): void {
    this.#relays.delete(relayId);
    this.#open.delete(relay);
    this.#unannounced.delete(relay);
    const { announcer } = relay;
    if (announcer === undefined) return;
    const left = this.#shareOf(announcer) - 1;
    if (left === 0) this.#shares.delete(announcer);
    else this.#shares.set(announcer, left);
  }

  /** Whether there was room for the relay, or it was open. */
  #tryOpen(relay: Relay): boolean {
    if (!this.#open.has(relay) && this.#open.size >= this.#limits.relays) return false;
    this.#open.add(relay);
    return true;
  }

  /** The socket of a member waits for a moment only, so it is strangers who wait for long. */
  #dropOldestUnannounced(): void {
    const [oldest] = this.#unannounced;
    if (this.#unannounced.size > this.#limits.unannouncedRelays) oldest?.close(closeCodes.tryAgainLater, UNANNOUNCED);
  }
}

const UNANNOUNCED = "no tab announced this relay";

class Relay {
  readonly #limits: RelayLimits;
  readonly #traffic: RelayTraffic;
  readonly #ended: () => void;
  readonly #sockets: WebSocket[] = [];
  /** What the first socket sent before it could be paused: at most what one read from the network held. */
  readonly #early: Buffer[] = [];
  readonly #lonely: NodeJS.Timeout;
  #closed = false;
  /** The tab in whose share it counts; undefined until its word is here. */
  announcer: string | undefined;
  lastMovedMs = performance.now();

  constructor(limits: RelayLimits, traffic: RelayTraffic, ended: () => void) {
    this.#limits = limits;
    this.#traffic = traffic;
    this.#ended = ended;
    const giveUp = () => {
      this.close(closeCodes.noTwin, this.announcer === undefined ? UNANNOUNCED : "nobody else came to the relay");
    };
    this.#lonely = setTimeout(giveUp, limits.relayPairingMs);
  }

  /** The second tab hears of the id by the announcement, and has no business here before. */
  get hasAllSockets(): boolean {
    return this.#sockets.length === (this.announcer === undefined ? 1 : 2);
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
