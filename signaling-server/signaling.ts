import { timingSafeEqual } from "node:crypto";
import type { FromServer, ToServer } from "../src/runtime/signaling.ts";
import { closeCodes } from "./close-codes.ts";
import type { Limits } from "./limits.ts";

/** The socket of one tab, as a room needs it. */
export interface PeerSocket {
  send(message: FromServer): void;
  /** Bytes that the tab has not taken yet. */
  readonly queuedBytes: number;
  close(code: number, reason: string): void;
}

/** What one tab says to another. */
export type Message = Exclude<ToServer, { type: "pong" }>;

export interface Refusal {
  readonly code: number;
  readonly reason: string;
}

interface Peer {
  readonly key: string;
  /** Undefined while the tab is away. */
  socket: PeerSocket | undefined;
  leftMs: number;
}

type RoomLimits = Pick<Limits, "peersPerCluster" | "queuedBytesForSignals" | "keyMemoryMs">;

/**
 * Who may exchange signals with whom: the tabs of one cluster with each other. A room knows no other room, so no
 * message can leave it; it never tells who is in it, so a peer is reached only by those whom metadata told its id.
 */
export class Room {
  readonly #cluster: string;
  readonly #limits: RoomLimits;
  /** In the order of joining, which for those who are away is about the order of leaving. */
  readonly #peers = new Map<string, Peer>();
  /** Tabs that are connected. */
  #present = 0;

  constructor(cluster: string, limits: RoomLimits) {
    this.#cluster = cluster;
    this.#limits = limits;
  }

  /** Lets a socket in as `peer` and closes the one it replaces, or says why not. */
  join(peer: string, key: string, socket: PeerSocket): Refusal | undefined {
    const known = this.#peers.get(peer);
    if (known !== undefined && !sameKey(known.key, key)) {
      return { code: closeCodes.wrongKey, reason: "this peer id belongs to another tab" };
    }
    const replaced = known?.socket;
    if (replaced === undefined && this.#present >= this.#limits.peersPerCluster) {
      const reason = `cluster ${this.#cluster} has its ${this.#limits.peersPerCluster} peers; try again later`;
      return { code: closeCodes.tryAgainLater, reason };
    }
    this.#peers.delete(peer);
    this.#peers.set(peer, { key, socket, leftMs: 0 });
    if (replaced === undefined) this.#present++;
    this.#forgetSurplus();
    replaced?.close(closeCodes.replaced, "the same tab connected again");
    socket.send({ type: "welcome", peer, cluster: this.#cluster });
    return undefined;
  }

  /** The socket is gone; a no-op for one that was replaced. */
  leave(peer: string, socket: PeerSocket, nowMs: number): void {
    const known = this.#peers.get(peer);
    if (known?.socket !== socket) return;
    known.socket = undefined;
    known.leftMs = nowMs;
    this.#present--;
  }

  /** Passes on what `from` says. The sender's name is the server's word, never the message's. */
  deliver(from: string, message: Message): "delivered" | "unreachable" {
    const { to, ...rest } = message;
    if (this.tell(to, { ...rest, from })) return "delivered";
    this.tellUnreachable(from, to);
    return "unreachable";
  }

  /** Tells `from` that nothing it says gets to `to` at present. */
  tellUnreachable(from: string, to: string): void {
    this.#peers.get(from)?.socket?.send({ type: "unreachable", to });
  }

  /** Whether the tab is there, and takes what it is told. */
  tell(to: string, message: FromServer): boolean {
    const target = this.#peers.get(to)?.socket;
    if (target === undefined || target.queuedBytes > this.#limits.queuedBytesForSignals) return false;
    target.send(message);
    return true;
  }

  /** Forgets the keys of tabs that have been away for long. */
  expireKeys(nowMs: number): void {
    for (const [peer, { socket, leftMs }] of this.#peers) {
      if (socket === undefined && nowMs - leftMs >= this.#limits.keyMemoryMs) this.#peers.delete(peer);
    }
  }

  /** Those who come and go in haste push out each other's keys, never a connected tab. */
  #forgetSurplus(): void {
    if (this.#peers.size <= 2 * this.#limits.peersPerCluster) return;
    for (const [peer, { socket }] of this.#peers) {
      if (socket === undefined) {
        this.#peers.delete(peer);
        return;
      }
    }
  }
}

/** Takes the same time wherever the keys differ. Both are uuids, so they are of one length. */
function sameKey(left: string, right: string): boolean {
  return timingSafeEqual(Buffer.from(left), Buffer.from(right));
}
